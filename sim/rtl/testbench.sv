// The accelerator and its external memory, with a deadline of its own: cocotb only uses the
// registers and waits for `done`, so no Python runs in between. `main.cpp` drives the clock.
//
// What cocotb writes, registers alone read: Verilator evaluates all logic that depends on such a
// signal at every edge of the clock.
//
// Plusargs besides those of axi_memory:
//   +deadline=N   cycles since power-up after which a run is given up
//   +timeline=F   what happened in each run of TIMELINE_CYCLES cycles goes to this file, a line
//                 each: cycles with pointwise work, with depthwise work, beats read, beats written
//   +map_dump=F   each request of `map_dump` appends the words [map_start, map_end) of the map
//                 memory to this file, each padded to whole bytes

module testbench #(
    parameter int     DATA_BITS  = 128,
    parameter longint SIZE_BYTES = 8 << 20,
    parameter int     WORD_BITS  = 224,     // of a word of the map memory
    parameter int     ADDRESS_BITS = 32,    // of the memory port
    parameter longint MEMORY_BASE  = 0,     // address of the memory's first byte
    parameter int     BURST_BEATS  = 256,   // of the longest burst
    parameter int     READ_BURSTS  = 64,    // under way at most
    parameter int     WRITE_BURSTS = 64,
    parameter int     RUNNING      = 2,     // status of a program that runs
    parameter int     TIMELINE_CYCLES = 1024
) (
    input  logic        clk,
    output logic [36:0] wake    // changes with everything that cocotb waits for
);
    logic        rst = 1;
    // A request to the registers: cocotb raises `request`, waits for `acknowledge`, lowers it again.
    logic        request         /*verilator public_flat_rw*/ = 0;
    logic        request_write   /*verilator public_flat_rw*/ = 0;
    logic [13:0] request_address /*verilator public_flat_rw*/ = 0;
    logic [31:0] request_data    /*verilator public_flat_rw*/ = 0;
    logic        acknowledge     /*verilator public_flat_rd*/;
    logic [31:0] response_data   /*verilator public_flat_rd*/;
    logic [1:0]  response        /*verilator public_flat_rd*/;

    logic        reset_request   /*verilator public_flat_rw*/ = 0;   // while it is raised

    // Requests to write memory, or words of maps, to a file: raised, acknowledged and lowered alike.
    logic        dump            /*verilator public_flat_rw*/ = 0;
    logic        dumped          /*verilator public_flat_rd*/ = 0;
    logic [31:0] dump_start      /*verilator public_flat_rw*/ = 0;
    logic [31:0] dump_end        /*verilator public_flat_rw*/ = 0;

    logic        map_dump        /*verilator public_flat_rw*/ = 0;
    logic        map_dumped      /*verilator public_flat_rd*/ = 0;
    logic [31:0] map_start       /*verilator public_flat_rw*/ = 0;
    logic [31:0] map_end         /*verilator public_flat_rw*/ = 0;

    logic [31:0] finished        /*verilator public_flat_rd*/;       // descriptors
    logic        ready           /*verilator public_flat_rd*/ = 0;   // out of reset
    logic        interrupt       /*verilator public_flat_rd*/;
    logic        done            /*verilator public_flat_rd*/ = 0;   // interrupt or deadline
    logic        timed_out       /*verilator public_flat_rd*/ = 0;
    logic [31:0] cycles          /*verilator public_flat_rd*/ = 0;   // from start to done
    longint unsigned read_bytes  /*verilator public_flat_rd*/;
    longint unsigned write_bytes /*verilator public_flat_rd*/;
    longint unsigned write_beats /*verilator public_flat_rd*/;

    logic        running;
    int          deadline;

    assign wake = {finished, ready, acknowledge, done, dumped, map_dumped};
    always @(posedge clk) begin
        dumped     <= dump;
        map_dumped <= map_dump;
    end

    initial begin
        deadline = 100_000_000;
        void'($value$plusargs("deadline=%d", deadline));
    end

    logic was_running = 0;
    int   age = 0;          // cycles since power-up
    // Written by registers alone: Verilator evaluates a signal that a waiting process writes, and all
    // logic that depends on it, whenever that process might have resumed.
    always @(posedge clk) begin
        age         <= age + 1;
        rst         <= age < 3 || reset_request;
        ready       <= age >= 5;
        was_running <= running;
        if (running) cycles <= was_running ? cycles + 1 : 1;
        timed_out   <= age >= deadline;
        done        <= interrupt || timed_out;
    end

    string timeline_name;
    int    timeline_file = 0;
    int    timeline_cycle = 0, pointwise_cycles = 0, depthwise_cycles = 0;
    int    beats_read = 0, beats_written = 0;
    initial if ($value$plusargs("timeline=%s", timeline_name))
        timeline_file = $fopen(timeline_name, "w");
    always @(posedge clk) if (timeline_file != 0 && (running || was_running)) begin : timeline
        automatic logic last;
        last = timeline_cycle == TIMELINE_CYCLES - 1 || !running;
        if (last)
            $fdisplay(timeline_file, "%0d %0d %0d %0d", pointwise_cycles, depthwise_cycles,
                      beats_read, beats_written);
        timeline_cycle   <= last ? 0 : timeline_cycle + 1;
        pointwise_cycles <= (last ? 0 : pointwise_cycles) + int'(dut.core.pointwise);
        depthwise_cycles <= (last ? 0 : depthwise_cycles) + int'(dut.core.depthwise);
        beats_read       <= (last ? 0 : beats_read) + int'(rvalid && rready);
        beats_written    <= (last ? 0 : beats_written) + int'(wvalid && wready);
        if (!running) $fflush(timeline_file);
    end

    // Reads the map memory without the accelerator: costs no cycle and no byte.
    localparam int WORD_BYTES = (WORD_BITS + 7) / 8;
    string map_name;
    logic  map_begun = 0;
    initial if (!$value$plusargs("map_dump=%s", map_name)) map_name = "";
    always @(posedge clk) if (map_dump && !map_dumped) begin : dump_map
        automatic int                        file;
        automatic logic [8*WORD_BYTES-1:0]   word;
        file = map_begun ? $fopen(map_name, "ab") : $fopen(map_name, "wb");
        if (file == 0) $fatal(1, "testbench: cannot write %s", map_name);
        map_begun = 1;
        for (int a = int'(map_start); a < int'(map_end); a++) begin
            word = (8*WORD_BYTES)'(dut.core.map_memory.words[a]);
            for (int b = 0; b < WORD_BYTES; b++) $fwrite(file, "%c", word[8*b +: 8]);
        end
        $fclose(file);
    end

    logic        c_awvalid, c_awready, c_wvalid, c_wready, c_bvalid, c_arvalid, c_arready, c_rvalid;
    logic [1:0]  c_bresp, c_rresp;
    logic [31:0] c_rdata, c_wdata;
    logic [13:0] c_address;
    register_port port (.*);

    logic                   arvalid, arready, rvalid, rready, rlast;
    logic                   awvalid, awready, wvalid, wready, wlast, bvalid, bready;
    logic [ADDRESS_BITS-1:0] araddr, awaddr;
    logic [7:0]             arlen, awlen;
    logic [2:0]             arsize, awsize;
    logic [1:0]             arburst, awburst, rresp, bresp;
    logic                   arid, awid, rid, bid;
    logic [DATA_BITS-1:0]   rdata, wdata;
    logic [DATA_BITS/8-1:0] wstrb;

    /* verilator lint_off PINCONNECTEMPTY */
    accelerator dut (
        .clk, .rst, .running, .finished, .interrupt,
        .control__awvalid(c_awvalid), .control__awready(c_awready),
        .control__awaddr(c_address), .control__awprot(3'b0),
        .control__wvalid(c_wvalid), .control__wready(c_wready), .control__wdata(c_wdata),
        .control__wstrb(4'hf), .control__bvalid(c_bvalid), .control__bready(1'b1),
        .control__bresp(c_bresp),
        .control__arvalid(c_arvalid), .control__arready(c_arready),
        .control__araddr(c_address), .control__arprot(3'b0),
        .control__rvalid(c_rvalid), .control__rready(1'b1), .control__rdata(c_rdata),
        .control__rresp(c_rresp),
        .bus__arvalid(arvalid), .bus__arready(arready), .bus__araddr(araddr), .bus__arlen(arlen),
        .bus__arsize(arsize), .bus__arburst(arburst), .bus__arcache(), .bus__arprot(),
        .bus__arid(arid), .bus__rvalid(rvalid), .bus__rready(rready), .bus__rdata(rdata),
        .bus__rresp(rresp), .bus__rlast(rlast), .bus__rid(rid),
        .bus__awvalid(awvalid), .bus__awready(awready), .bus__awaddr(awaddr), .bus__awlen(awlen),
        .bus__awsize(awsize), .bus__awburst(awburst), .bus__awcache(), .bus__awprot(),
        .bus__awid(awid), .bus__wvalid(wvalid), .bus__wready(wready), .bus__wdata(wdata),
        .bus__wstrb(wstrb), .bus__wlast(wlast), .bus__bvalid(bvalid), .bus__bready(bready),
        .bus__bresp(bresp), .bus__bid(bid)
    );

    // Places in the memory; those outside of it lie after its end.
    function automatic logic [31:0] place(input logic [ADDRESS_BITS-1:0] address);
        automatic longint unsigned offset;
        offset = 64'(address) - 64'(MEMORY_BASE);
        return offset >> 32 != 0 ? 32'hffff_f000 : offset[31:0];
    endfunction

    axi_memory #(.DATA_BITS(DATA_BITS), .SIZE_BYTES(SIZE_BYTES)) memory (
        .clk, .rst, .arvalid, .arready, .araddr(place(araddr)), .arlen, .arsize, .arburst, .arid,
        .rvalid, .rready, .rdata, .rresp, .rlast, .rid,
        .awvalid, .awready, .awaddr(place(awaddr)), .awlen, .awsize, .awburst, .awid,
        .wvalid, .wready, .wdata, .wstrb, .wlast, .bvalid, .bready, .bresp, .bid,
        .dump(dump && !dumped), .dump_start, .dump_end,
        .read_bursts(), .read_beats(), .read_bytes, .write_bursts(), .write_beats, .write_bytes
    );

    axi_monitor #(
        .DATA_BITS(DATA_BITS), .ADDRESS_BITS(ADDRESS_BITS), .BURST_BEATS(BURST_BEATS),
        .READ_BURSTS(READ_BURSTS), .WRITE_BURSTS(WRITE_BURSTS)
    ) monitor (.program_runs(int'(dut.supervisor.status) == RUNNING), .*);
    /* verilator lint_on PINCONNECTEMPTY */
endmodule

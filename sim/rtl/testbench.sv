// The accelerator beside its external memory, with a clock and a deadline of its own: cocotb only
// sets the control signals and waits for `done`, so no Python runs in between.
//
// Plusargs besides those of axi_memory:
//   +deadline=N   cycles after which a run is given up

module testbench #(
    parameter int     DATA_BITS  = 128,
    parameter longint SIZE_BYTES = 4 << 20
);
    logic        clk /*verilator public_flat_rd*/ = 0;
    logic        rst = 1;
    logic        start   /*verilator public_flat_rw*/ = 0;
    logic [31:0] program_address /*verilator public_flat_rw*/ = 0;
    logic [7:0]  program_records /*verilator public_flat_rw*/ = 0;
    logic [4:0]  counter_row     /*verilator public_flat_rw*/ = 0;
    logic [4:0]  counter_column  /*verilator public_flat_rw*/ = 0;
    logic        dump            /*verilator public_flat_rw*/ = 0;
    logic [31:0] dump_start      /*verilator public_flat_rw*/ = 0;
    logic [31:0] dump_end        /*verilator public_flat_rw*/ = 0;

    logic [31:0] counter_value   /*verilator public_flat_rd*/;
    logic        error           /*verilator public_flat_rd*/;
    logic        ready           /*verilator public_flat_rd*/ = 0;   // out of reset
    logic        done            /*verilator public_flat_rd*/ = 0;
    logic        timed_out       /*verilator public_flat_rd*/ = 0;
    logic [31:0] cycles          /*verilator public_flat_rd*/ = 0;   // from start to done
    longint unsigned read_bytes  /*verilator public_flat_rd*/;
    longint unsigned write_bytes /*verilator public_flat_rd*/;

    logic        running;
    int          deadline;

    always #5 clk = ~clk;

    initial begin
        deadline = 100_000_000;
        void'($value$plusargs("deadline=%d", deadline));
        repeat (4) @(posedge clk);
        rst = 0;
        repeat (2) @(posedge clk);
        ready = 1;
    end

    logic started = 0;
    always @(posedge clk) begin
        if (start && !started) begin
            started <= 1;
            cycles  <= 0;
        end else if (started && !done) begin
            if (running) cycles <= cycles + 1;
            if (!running && cycles != 0) done <= 1;
            if (cycles == 32'(deadline)) begin
                done      <= 1;
                timed_out <= 1;
            end
        end
    end

    logic                   arvalid, arready, rvalid, rready, rlast;
    logic                   awvalid, awready, wvalid, wready, wlast, bvalid, bready;
    logic [31:0]            araddr, awaddr;
    logic [7:0]             arlen, awlen;
    logic [2:0]             arsize, awsize;
    logic [1:0]             arburst, awburst, rresp, bresp;
    logic                   arid, awid, rid, bid;
    logic [DATA_BITS-1:0]   rdata, wdata;
    logic [DATA_BITS/8-1:0] wstrb;

    /* verilator lint_off PINCONNECTEMPTY */
    accelerator dut (
        .clk, .rst, .start(start && !started), .program_address, .program_records,
        .running, .finished(), .error, .counter_row, .counter_column, .counter_value,
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

    axi_memory #(.DATA_BITS(DATA_BITS), .SIZE_BYTES(SIZE_BYTES)) memory (
        .clk, .rst, .arvalid, .arready, .araddr, .arlen, .arsize, .arburst, .arid,
        .rvalid, .rready, .rdata, .rresp, .rlast, .rid,
        .awvalid, .awready, .awaddr, .awlen, .awsize, .awburst, .awid,
        .wvalid, .wready, .wdata, .wstrb, .wlast, .bvalid, .bready, .bresp, .bid,
        .dump, .dump_start, .dump_end,
        .read_bursts(), .read_beats(), .read_bytes, .write_bursts(), .write_beats(), .write_bytes
    );
    /* verilator lint_on PINCONNECTEMPTY */
endmodule

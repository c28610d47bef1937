// Gives the copier its commands from plusargs and its memory: the model, or the bus to cocotb.
// It breaks the protocol on request, to see the model stop (see `fault`).
module copier_testbench #(
    parameter int EXTERNAL  = 0,
    parameter int DATA_BITS = 128,
    parameter int SIZE      = 1 << 20
);
    // A bus model in Python samples before the edge only if the clock comes from Python too.
    logic clk /*verilator public_flat_rw*/ = 0;
    logic rst /*verilator public_flat_rd*/ = 1;
    generate if (!EXTERNAL) begin : internal_clock
        always #1 clk = ~clk;
    end endgenerate

    int copy_address = 0, copy_beats = 0, sum_address = 0, sum_beats = 0;
    int write_address = 0, write_bytes = 0, dump_start = 0, dump_end = 0;
    string fault = "";
    initial begin
        void'($value$plusargs("copy_address=%d", copy_address));
        void'($value$plusargs("copy_beats=%d", copy_beats));
        void'($value$plusargs("sum_address=%d", sum_address));
        void'($value$plusargs("sum_beats=%d", sum_beats));
        void'($value$plusargs("write_address=%d", write_address));
        void'($value$plusargs("write_bytes=%d", write_bytes));
        void'($value$plusargs("dump_start=%d", dump_start));
        void'($value$plusargs("dump_end=%d", dump_end));
        void'($value$plusargs("fault=%s", fault));
    end

    logic                   arvalid /*verilator public_flat_rd*/;
    logic                   arready /*verilator public_flat_rw*/;
    logic [31:0]            araddr  /*verilator public_flat_rd*/;
    logic [7:0]             arlen   /*verilator public_flat_rd*/;
    logic [2:0]             arsize  /*verilator public_flat_rd*/;
    logic [1:0]             arburst /*verilator public_flat_rd*/;
    logic                   arid    /*verilator public_flat_rd*/;
    logic                   rvalid  /*verilator public_flat_rw*/;
    logic                   rready  /*verilator public_flat_rd*/;
    logic [DATA_BITS-1:0]   rdata   /*verilator public_flat_rw*/;
    logic [1:0]             rresp   /*verilator public_flat_rw*/;
    logic                   rlast   /*verilator public_flat_rw*/;
    logic                   rid     /*verilator public_flat_rw*/;
    logic                   awvalid /*verilator public_flat_rd*/;
    logic                   awready /*verilator public_flat_rw*/;
    logic [31:0]            awaddr  /*verilator public_flat_rd*/;
    logic [7:0]             awlen   /*verilator public_flat_rd*/;
    logic [2:0]             awsize  /*verilator public_flat_rd*/;
    logic [1:0]             awburst /*verilator public_flat_rd*/;
    logic                   awid    /*verilator public_flat_rd*/;
    logic                   wvalid  /*verilator public_flat_rd*/;
    logic                   wready  /*verilator public_flat_rw*/;
    logic [DATA_BITS-1:0]   wdata   /*verilator public_flat_rd*/;
    logic [DATA_BITS/8-1:0] wstrb   /*verilator public_flat_rd*/;
    logic                   wlast   /*verilator public_flat_rd*/;
    logic                   bvalid  /*verilator public_flat_rw*/;
    logic                   bready  /*verilator public_flat_rd*/;
    logic [1:0]             bresp   /*verilator public_flat_rw*/;
    logic                   bid     /*verilator public_flat_rw*/;

    logic [3:0]  age = 0;                   // cycles, up to the release of the reset
    logic        copy_valid = 0, sum_valid = 0, write_valid = 0;
    logic        copy_ready, sum_ready, write_ready, busy;
    logic        started = 0, dump = 0, dumped = 0;
    logic        done /*verilator public_flat_rd*/ = 0;
    logic [1:0]           error            /*verilator public_flat_rd*/;
    logic [DATA_BITS-1:0] checksum         /*verilator public_flat_rd*/;
    logic [31:0]          read_beats       /*verilator public_flat_rd*/;
    logic [31:0]          written_beats    /*verilator public_flat_rd*/;
    logic [31:0]          written_bytes    /*verilator public_flat_rd*/;
    int                   cycles           /*verilator public_flat_rd*/ = 0;
    int                   request_cycle    /*verilator public_flat_rd*/ = -1;
    int                   beat_cycle       /*verilator public_flat_rd*/ = -1;
    int                   last_beat_cycle  /*verilator public_flat_rd*/ = -1;
    longint unsigned      memory_counts [6] /*verilator public_flat_rd*/;

    always @(posedge clk) begin
        if (age != 15) age <= age + 1;
        rst <= age < 8;
        if (age == 14 && !started) begin
            started     <= 1;
            copy_valid  <= copy_beats != 0;
            sum_valid   <= sum_beats != 0;
            write_valid <= write_bytes != 0;
        end
        if (copy_ready && copy_valid) copy_valid  <= 0;
        if (sum_ready && sum_valid) sum_valid   <= 0;
        if (write_ready && write_valid) write_valid <= 0;
        if (started && !done) cycles <= cycles + 1;
        if (arvalid && arready && request_cycle < 0) request_cycle <= cycles;
        if (rvalid && rready && beat_cycle < 0) beat_cycle <= cycles;
        if (rvalid && rready) last_beat_cycle <= cycles;
        if (cycles > 4 && !busy && !copy_valid && !sum_valid && !write_valid && !dumped) begin
            dump   <= dump_end != 0;
            dumped <= 1;
        end else
            dump <= 0;
        done <= dumped && !dump;
    end

    top copier (
        .clk(clk), .rst(rst),
        .i_copy__valid(copy_valid), .i_copy__ready(copy_ready),
        .i_copy__payload({copy_beats[23:0], copy_address}),
        .i_sum__valid(sum_valid), .i_sum__ready(sum_ready),
        .i_sum__payload({sum_beats[23:0], sum_address}),
        .i_write__valid(write_valid), .i_write__ready(write_ready),
        .i_write__payload({write_bytes, write_address}),
        .busy(busy), .error(error), .checksum(checksum), .read_beats(read_beats),
        .write_beats(written_beats), .write_bytes(written_bytes),
        .bus__arvalid(arvalid), .bus__arready(arready), .bus__araddr(araddr), .bus__arlen(arlen),
        .bus__arsize(arsize), .bus__arburst(arburst), .bus__arid(arid), .bus__arcache(),
        .bus__arprot(),
        .bus__rvalid(rvalid), .bus__rready(rready), .bus__rdata(rdata), .bus__rresp(rresp),
        .bus__rlast(rlast), .bus__rid(rid),
        .bus__awvalid(awvalid), .bus__awready(awready), .bus__awaddr(awaddr), .bus__awlen(awlen),
        .bus__awsize(awsize), .bus__awburst(awburst), .bus__awid(awid), .bus__awcache(),
        .bus__awprot(),
        .bus__wvalid(wvalid), .bus__wready(wready), .bus__wdata(wdata), .bus__wstrb(wstrb),
        .bus__wlast(wlast),
        .bus__bvalid(bvalid), .bus__bready(bready), .bus__bresp(bresp), .bus__bid(bid)
    );

    generate if (!EXTERNAL) begin : internal
        axi_memory #(.DATA_BITS(DATA_BITS), .SIZE_BYTES(SIZE)) memory (
            .clk(clk), .rst(rst),
            .arvalid(arvalid), .arready(arready),
            .araddr(fault == "page" ? araddr + 32'h810 : fault == "offset" ? araddr + 1 : araddr),
            .arlen(fault == "page" ? 8'd255 : arlen),
            .arsize(fault == "size" ? arsize - 3'd1 : arsize),
            .arburst(fault == "fixed" ? 2'd0 : arburst), .arid(arid),
            .rvalid(rvalid), .rready(rready), .rdata(rdata), .rresp(rresp), .rlast(rlast), .rid(rid),
            .awvalid(awvalid), .awready(awready),
            .awaddr(fault == "wander" ? awaddr + (cycles << 6) : awaddr),
            .awlen(awlen), .awsize(awsize), .awburst(awburst), .awid(awid),
            .wvalid(fault == "blink" ? wvalid && cycles[0] : wvalid), .wready(wready), .wdata(wdata),
            .wstrb(wstrb),
            .wlast(fault == "early" ? 1'b1 : fault == "endless" ? 1'b0 : wlast),
            .bvalid(bvalid), .bready(bready), .bresp(bresp), .bid(bid),
            .dump(dump), .dump_start(dump_start), .dump_end(dump_end),
            .read_bursts(memory_counts[0]), .read_beats(memory_counts[1]),
            .read_bytes(memory_counts[2]), .write_bursts(memory_counts[3]),
            .write_beats(memory_counts[4]), .write_bytes(memory_counts[5])
        );
    end endgenerate
endmodule

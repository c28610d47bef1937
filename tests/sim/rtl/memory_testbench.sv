// Writes a burst of two beats to axi_memory, takes its response late, and reads the place three
// times: before the response is there, across it, and after it. Prints what each beat brings.

module memory_testbench (
    input logic clk
);
    localparam logic [31:0] PLACE = 32'h40;

    logic        rst = 1;
    logic        arvalid = 0, arready, arid = 0, rvalid, rlast, rid;
    logic        awvalid = 0, awready, awid = 0, wvalid = 0, wready, wlast = 0;
    logic        bvalid, bready = 0, bid;
    logic [1:0]  rresp, bresp;
    logic [63:0] rdata, wdata = 64'h1111_2222_3333_4444;
    logic [7:0]  wstrb = 8'hff;
    int          cycle = 0;

    always @(posedge clk) begin
        cycle <= cycle + 1;
        rst   <= cycle < 3;
        if (cycle == 5) {awvalid, wvalid} <= 2'b11;
        if (awvalid && awready) awvalid <= 0;
        if (wvalid && wready) begin
            wlast  <= 1;
            wstrb  <= 8'h0f;
            wvalid <= !wlast;
        end
        // The response is there from cycle 30 on, and is taken in cycle 50.
        bready <= cycle == 49;
        // Data come 20 cycles after an address.
        arvalid <= cycle == 15 || cycle == 40 || cycle == 60;
        if (rvalid) $display("memory_testbench: %h", rdata);
        if (cycle == 100) $finish;
    end

    /* verilator lint_off PINCONNECTEMPTY */
    axi_memory #(.DATA_BITS(64), .SIZE_BYTES(4096)) memory (
        .araddr(PLACE), .arlen(8'd1), .arsize(3'd3), .arburst(2'd1), .rready(1'b1),
        .awaddr(PLACE), .awlen(8'd1), .awsize(3'd3), .awburst(2'd1),
        .dump(1'b0), .dump_start('0), .dump_end('0),
        .read_bursts(), .read_beats(), .read_bytes(), .write_bursts(), .write_beats(), .write_bytes(),
        .*
    );
    /* verilator lint_on PINCONNECTEMPTY */
endmodule

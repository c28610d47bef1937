// Plays a file of signals to axi_monitor: a line of hexadecimal numbers a cycle, in the order below.
//
//   +signals=FILE

module monitor_testbench (
    input logic clk
);
    logic        rst = 1, program_runs = 1;
    logic        arvalid = 0, arready = 0, arid = 0, rvalid = 0, rready = 0, rlast = 0, rid = 0;
    logic        awvalid = 0, awready = 0, awid = 0, wvalid = 0, wready = 0, wlast = 0;
    logic        bvalid = 0, bready = 0, bid = 0;
    logic [31:0] araddr = 0, awaddr = 0;
    logic [7:0]  arlen = 0, awlen = 0;
    logic [2:0]  arsize = 0, awsize = 0;
    logic [1:0]  arburst = 0, awburst = 0, rresp = 0, bresp = 0;
    logic [63:0] rdata = 0, wdata = 0;
    logic [7:0]  wstrb = 0;

    string name;
    int    file;
    initial begin
        if (!$value$plusargs("signals=%s", name)) $fatal(1, "monitor_testbench: +signals is missing");
        file = $fopen(name, "r");
    end
    always @(posedge clk) begin
        if ($fscanf(file, "%h %h  %h %h %h %h %h %h %h  %h %h %h %h %h %h",
                    rst, program_runs, arvalid, arready, araddr, arlen, arsize, arburst, arid,
                    rvalid, rready, rlast, rdata, rresp, rid) != 15)
            $finish;
        if ($fscanf(file, "%h %h %h %h %h %h %h  %h %h %h %h %h  %h %h %h %h",
                    awvalid, awready, awaddr, awlen, awsize, awburst, awid,
                    wvalid, wready, wlast, wdata, wstrb, bvalid, bready, bresp, bid) != 16)
            $finish;
    end

    // Signals of a cycle are there at its second edge.
    axi_monitor #(
        .DATA_BITS(64), .ADDRESS_BITS(32), .BURST_BEATS(4), .READ_BURSTS(2), .WRITE_BURSTS(2)
    ) monitor (
        .clk(!clk), .*
    );
endmodule

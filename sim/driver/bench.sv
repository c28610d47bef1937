// The accelerator and its external memory as a board has them, driven by a host in C: see bench.h.
//
// What the host drives, registers alone read: Verilator evaluates all logic that depends on an input
// at every edge of the clock. Plusargs are those of axi_memory.

module driver_bench #(
    parameter int     DATA_BITS    = 128,
    parameter int     ADDRESS_BITS = 32,      // of the memory port
    parameter longint MEMORY_BASE  = 0,       // address of the memory's first byte
    parameter int     BURST_BEATS  = 256,     // of the longest burst
    parameter int     READ_BURSTS  = 64,    // under way at most
    parameter int     WRITE_BURSTS = 64,
    parameter int     RUNNING      = 2,     // status of a program that runs
    parameter longint SIZE_BYTES   = 8 << 20
) (
    input  logic        clk,
    input  logic        reset,
    // A request to the registers: raised until it is acknowledged, then lowered.
    input  logic        request,
    input  logic        request_write,
    input  logic [13:0] request_address,
    input  logic [31:0] request_data,
    output logic        acknowledge,
    output logic [31:0] response_data,
    output logic [1:0]  response,
    // Memory that does not answer, and memory that answers with errors.
    input  logic        silent,
    input  logic        failing,
    output logic        irq
);
    logic rst = 1, quiet = 0, fails = 0;
    always @(posedge clk) begin
        rst   <= reset;
        quiet <= silent;
        fails <= failing;
    end

    logic        c_awvalid, c_awready, c_wvalid, c_wready, c_bvalid, c_arvalid, c_arready, c_rvalid;
    logic [1:0]  c_bresp, c_rresp;
    logic [31:0] c_rdata, c_wdata;
    logic [13:0] c_address;
    register_port port (.*);

    logic                    arvalid, arready, rvalid, rready, rlast, m_rvalid;
    logic                    awvalid, awready, wvalid, wready, wlast, bvalid, bready, m_bvalid;
    logic [ADDRESS_BITS-1:0] araddr, awaddr;
    logic [7:0]              arlen, awlen;
    logic [2:0]              arsize, awsize;
    logic [1:0]              arburst, awburst, m_rresp, m_bresp;
    logic                    arid, awid, rid, bid;
    logic [DATA_BITS-1:0]    rdata, wdata;
    logic [DATA_BITS/8-1:0]  wstrb;

    assign rvalid = m_rvalid && !quiet;
    assign bvalid = m_bvalid && !quiet;

    /* verilator lint_off PINCONNECTEMPTY */
    accelerator dut (
        .clk, .rst, .running(), .finished(), .interrupt(irq),
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
        .bus__rresp(m_rresp | {fails, 1'b0}), .bus__rlast(rlast), .bus__rid(rid),
        .bus__awvalid(awvalid), .bus__awready(awready), .bus__awaddr(awaddr), .bus__awlen(awlen),
        .bus__awsize(awsize), .bus__awburst(awburst), .bus__awcache(), .bus__awprot(),
        .bus__awid(awid), .bus__wvalid(wvalid), .bus__wready(wready), .bus__wdata(wdata),
        .bus__wstrb(wstrb), .bus__wlast(wlast), .bus__bvalid(bvalid), .bus__bready(bready),
        .bus__bresp(m_bresp | {fails, 1'b0}), .bus__bid(bid)
    );

    // Places in the memory; those outside of it lie after its end.
    function automatic logic [31:0] place(input logic [ADDRESS_BITS-1:0] address);
        automatic longint unsigned offset;
        offset = 64'(address) - 64'(MEMORY_BASE);
        return offset >> 32 != 0 ? 32'hffff_f000 : offset[31:0];
    endfunction

    axi_memory #(.DATA_BITS(DATA_BITS), .SIZE_BYTES(SIZE_BYTES)) memory (
        .clk, .rst, .arvalid, .arready, .araddr(place(araddr)), .arlen, .arsize, .arburst, .arid,
        .rvalid(m_rvalid), .rready(rready && !quiet), .rdata, .rresp(m_rresp), .rlast, .rid,
        .awvalid, .awready, .awaddr(place(awaddr)), .awlen, .awsize, .awburst, .awid,
        .wvalid, .wready, .wdata, .wstrb, .wlast,
        .bvalid(m_bvalid), .bready(bready && !quiet), .bresp(m_bresp), .bid,
        .dump(1'b0), .dump_start('0), .dump_end('0),
        .read_bursts(), .read_beats(), .read_bytes(), .write_bursts(), .write_beats(), .write_bytes()
    );

    // On the memory's side of what is silenced here.
    axi_monitor #(
        .DATA_BITS(DATA_BITS), .ADDRESS_BITS(ADDRESS_BITS), .BURST_BEATS(BURST_BEATS),
        .READ_BURSTS(READ_BURSTS), .WRITE_BURSTS(WRITE_BURSTS)
    ) monitor (
        .program_runs(int'(dut.supervisor.status) == RUNNING),
        .rvalid(m_rvalid), .rready(rready && !quiet), .rresp(m_rresp),
        .bvalid(m_bvalid), .bready(bready && !quiet), .bresp(m_bresp), .*
    );
    /* verilator lint_on PINCONNECTEMPTY */
endmodule

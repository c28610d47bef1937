// A request of a bench's host to the registers, over AXI4-Lite, one at a time: the host raises
// `request` until it is acknowledged, then lowers it.

module register_port (
    input  logic        clk,
    input  logic        rst,
    input  logic        request,
    input  logic        request_write,
    input  logic [13:0] request_address,
    input  logic [31:0] request_data,
    output logic        acknowledge,
    output logic [31:0] response_data,
    output logic [1:0]  response,
    // To the accelerator.
    output logic        c_awvalid,
    input  logic        c_awready,
    output logic        c_wvalid,
    input  logic        c_wready,
    output logic        c_arvalid,
    input  logic        c_arready,
    output logic [13:0] c_address,
    output logic [31:0] c_wdata,
    input  logic        c_bvalid,
    input  logic [1:0]  c_bresp,
    input  logic        c_rvalid,
    input  logic [1:0]  c_rresp,
    input  logic [31:0] c_rdata
);
    logic requested = 0;
    initial begin
        c_awvalid     = 0;
        c_wvalid      = 0;
        c_arvalid     = 0;
        acknowledge   = 0;
        response      = 0;
        response_data = 0;
    end

    always @(posedge clk) begin
        requested <= request;
        if (request && !requested) begin
            c_awvalid <= request_write;
            c_wvalid  <= request_write;
            c_arvalid <= !request_write;
            c_address <= request_address;
            c_wdata   <= request_data;
        end
        if (c_awvalid && c_awready) c_awvalid <= 0;
        if (c_wvalid && c_wready)   c_wvalid  <= 0;
        if (c_arvalid && c_arready) c_arvalid <= 0;
        if (c_bvalid || c_rvalid) begin
            acknowledge   <= 1;
            response_data <= c_rdata;
            response      <= c_bvalid ? c_bresp : c_rresp;
        end else if (!request) acknowledge <= 0;
        if (rst) begin
            c_awvalid   <= 0;
            c_wvalid    <= 0;
            c_arvalid   <= 0;
            acknowledge <= 0;
        end
    end
endmodule

// The simulated SoC: prints what its UART sends until the end-of-text character, and stops there.

module system_bench (
    input logic clk
);
    localparam logic [7:0] END_OF_TEXT = 8'd4;

    logic       valid;
    logic [7:0] character;

    /* verilator lint_off PINCONNECTEMPTY */
    system soc (
        .sys_clk(clk), .sim_trace(1'b0),
        .serial_source_valid(valid), .serial_source_ready(1'b1), .serial_source_data(character),
        .serial_sink_valid(1'b0), .serial_sink_ready(), .serial_sink_data(8'd0)
    );
    /* verilator lint_on PINCONNECTEMPTY */

    longint unsigned cycle = 0;
    always @(posedge clk) begin
        cycle <= cycle + 1;
        if (valid && character == END_OF_TEXT) begin
            $write("cycles %0d\n", cycle);
            $finish;
        end else if (valid) $write("%c", character);
    end
endmodule

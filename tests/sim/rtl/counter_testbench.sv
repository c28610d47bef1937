// The clock lives here, so that Python wakes once, at the end.
module counter_testbench;
    reg clk = 0;
    reg rst = 1;
    wire done_counter;
    wire [31:0] count;
    reg done /*verilator public_flat_rd*/ = 0;
    reg [31:0] cycles /*verilator public_flat_rd*/ = 0;

    always #1 clk = ~clk;
    always @(posedge clk) rst <= 0;

    top counter (.clk(clk), .rst(rst), .count(count), .done(done_counter));

    always @(posedge clk) begin
        if (!rst && !done_counter) cycles <= cycles + 1;
        done <= done_counter;
    end
endmodule

// What a waveform says in words, and when it is written: bound into the testbench of builds that can
// write one. The names of causes are generated, with the codes of the hardware.
//
// Plusargs, all of which the window has to suit; without any, all is written from power-up on:
//   +waves_from=N +waves_to=N     cycles of the program, from 0 on; both are part of the window
//   +waves_first=N +waves_last=N  descriptors, from 0 on; both are part of it

module waves (
    input logic        clk,
    input logic        running,
    input logic        pointwise,    // the array's work in this cycle
    input logic        depthwise,
    input logic [3:0]  stall,
    input logic [31:0] finished      // descriptors
);
    import "DPI-C" function void mnv2_window(input bit open);

    // CAUSES

    cause_t       cause;
    logic [127:0] cause_text;        // the same in ASCII, for viewers that show no enumerations
    int unsigned  cycle = 0;         // of the program; that of this time
    int unsigned  descriptor;        // from 1 on

    always_comb begin
        cause = !running ? idle : pointwise ? work_pointwise : depthwise ? work_depthwise
                : cause_t'(stall);
        descriptor = finished + 1;
        // TEXTS
    end
    always @(posedge clk) if (running) cycle <= cycle + 1;

    int unsigned from, to, first, last;
    bit          limited;
    initial begin
        from = 0; to = '1; first = 0; last = '1;
        limited = $value$plusargs("waves_from=%d", from) != 0;
        limited = $value$plusargs("waves_to=%d", to) != 0 || limited;
        limited = $value$plusargs("waves_first=%d", first) != 0 || limited;
        limited = $value$plusargs("waves_last=%d", last) != 0 || limited;
        if (limited) mnv2_window(0);
    end
    wire open = running && cycle >= from && cycle <= to && finished >= first && finished <= last;
    always @(open) if (limited) mnv2_window(open);
endmodule

bind testbench waves waves (
    .clk, .running, .finished,
    .pointwise(dut.core.pointwise),
    .depthwise(dut.core.depthwise),
    .stall(dut.core.issuing ? dut.core.stall : dut.sequencer.stall)
);

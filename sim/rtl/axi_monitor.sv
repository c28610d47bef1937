// Watches an AXI4 port and ends the simulation with $fatal where master or slave breaks a rule.
//
// It drives nothing, and shares nothing with the memory model and the accelerator but the wires: a
// wrong master cannot agree with a wrong memory. Rules are those of ARM IHI 0022E, whose sections are
// named, and three that the accelerator promises beyond them: no burst longer than BURST_BEATS, no
// more than READ_BURSTS and WRITE_BURSTS under way, and none while no program runs.
// Bursts have one identifier at a time in each direction, so that they answer in order (A5.3).

module axi_monitor #(
    parameter int DATA_BITS    = 128,
    parameter int ADDRESS_BITS = 32,
    parameter int ID_BITS      = 1,
    parameter int BURST_BEATS  = 256,
    parameter int READ_BURSTS  = 64,
    parameter int WRITE_BURSTS = 64
) (
    input logic                    clk,
    input logic                    rst,
    input logic                    program_runs,   // low: nothing may be under way

    input logic                    arvalid, arready,
    input logic [ADDRESS_BITS-1:0] araddr,
    input logic [7:0]              arlen,
    input logic [2:0]              arsize,
    input logic [1:0]              arburst,
    input logic [ID_BITS-1:0]      arid,
    input logic                    rvalid, rready, rlast,
    input logic [DATA_BITS-1:0]    rdata,
    input logic [1:0]              rresp,
    input logic [ID_BITS-1:0]      rid,

    input logic                    awvalid, awready,
    input logic [ADDRESS_BITS-1:0] awaddr,
    input logic [7:0]              awlen,
    input logic [2:0]              awsize,
    input logic [1:0]              awburst,
    input logic [ID_BITS-1:0]      awid,
    input logic                    wvalid, wready, wlast,
    input logic [DATA_BITS-1:0]    wdata,
    input logic [DATA_BITS/8-1:0]  wstrb,
    input logic                    bvalid, bready,
    input logic [1:0]              bresp,
    input logic [ID_BITS-1:0]      bid
);
    localparam int BEAT_BYTES   = DATA_BITS / 8;
    localparam int OFFSET_BITS  = $clog2(BEAT_BYTES);
    localparam int MOST         = READ_BURSTS > WRITE_BURSTS ? READ_BURSTS : WRITE_BURSTS;
    localparam int POINTER_BITS = $clog2(MOST + 1);

    typedef logic [POINTER_BITS-1:0] pointer_t;

    // A master that breaks a bound is stopped in that cycle, so these never wrap onto themselves.
    logic [7:0]         read_length  [0:2**POINTER_BITS-1];
    logic [ID_BITS-1:0] read_id      [0:2**POINTER_BITS-1];
    logic [7:0]         write_length [0:2**POINTER_BITS-1];   // as announced
    logic [7:0]         data_length  [0:2**POINTER_BITS-1];   // as the data came
    logic [ID_BITS-1:0] write_id     [0:2**POINTER_BITS-1];

    // Bursts since reset: announced, with all of their data, answered.
    int unsigned reads_asked, reads_done, writes_asked, data_done, writes_done;
    logic [7:0]  read_beat, write_beat;

    function automatic void check_address(input string channel, input logic [ADDRESS_BITS-1:0] address,
                                          input logic [7:0] length, input logic [2:0] size,
                                          input logic [1:0] kind);
        automatic int beats = int'(length) + 1;
        if (kind != 2'b01)                                                    // A3.4.1
            $fatal(1, "axi_monitor: %s burst at %h is not INCR but %0d", channel, address, kind);
        if (int'(size) != OFFSET_BITS)
            $fatal(1, "axi_monitor: %s burst at %h has size %0d, not that of the bus", channel, address,
                   size);
        if (int'(address % ADDRESS_BITS'(BEAT_BYTES)) != 0)
            $fatal(1, "axi_monitor: %s burst at %h is not aligned", channel, address);
        if (int'(address % 4096) + beats * BEAT_BYTES > 4096)                 // A3.4.1
            $fatal(1, "axi_monitor: %s burst of %0d beats at %h crosses 4 KiB", channel, beats, address);
        if (beats > BURST_BEATS)
            $fatal(1, "axi_monitor: %s burst at %h has %0d beats, more than %0d", channel, address,
                   beats, BURST_BEATS);
    endfunction

    // A3.2.1: once valid is high it stays so, with what it offers, until ready. A channel that waited is
    // compared with what it offered then.
    logic                    ar_waits, r_waits, aw_waits, w_waits, b_waits;
    logic [ADDRESS_BITS+8+3+2+ID_BITS-1:0] ar_held, aw_held;
    logic [DATA_BITS+DATA_BITS/8:0]        w_held;
    logic [DATA_BITS+2+ID_BITS:0]          r_held;
    logic [2+ID_BITS-1:0]                  b_held;
    logic                    was_reset, had_program;

    initial was_reset = 0;

    always @(posedge clk) begin : watch
        automatic int unsigned with_data;
        automatic logic        known;      // the length of the burst whose data these are
        automatic logic [7:0]  last;
        was_reset   <= rst;
        had_program <= program_runs;
        if (rst) begin
            // A3.1.2. In the first cycle of the simulation registers hold anything.
            if (was_reset && (arvalid || awvalid || wvalid || rvalid || bvalid))
                $fatal(1, "axi_monitor: a valid is high in reset");
            reads_asked  <= 0;
            reads_done   <= 0;
            writes_asked <= 0;
            data_done    <= 0;
            writes_done  <= 0;
            read_beat    <= 0;
            write_beat   <= 0;
            ar_waits     <= 0;
            r_waits      <= 0;
            aw_waits     <= 0;
            w_waits      <= 0;
            b_waits      <= 0;
        end else begin
            if (ar_waits && !(arvalid && {araddr, arlen, arsize, arburst, arid} == ar_held))
                $fatal(1, "axi_monitor: AR changed before it was taken");
            if (aw_waits && !(awvalid && {awaddr, awlen, awsize, awburst, awid} == aw_held))
                $fatal(1, "axi_monitor: AW changed before it was taken");
            if (w_waits && !(wvalid && {wdata, wstrb, wlast} == w_held))
                $fatal(1, "axi_monitor: W changed before it was taken");
            if (r_waits && !(rvalid && {rdata, rresp, rid, rlast} == r_held))
                $fatal(1, "axi_monitor: R changed before it was taken");
            if (b_waits && !(bvalid && {bresp, bid} == b_held))
                $fatal(1, "axi_monitor: B changed before it was taken");
            ar_waits <= arvalid && !arready;
            aw_waits <= awvalid && !awready;
            w_waits  <= wvalid && !wready;
            r_waits  <= rvalid && !rready;
            b_waits  <= bvalid && !bready;
            if (arvalid && !arready) ar_held <= {araddr, arlen, arsize, arburst, arid};
            if (awvalid && !awready) aw_held <= {awaddr, awlen, awsize, awburst, awid};
            if (wvalid && !wready)   w_held  <= {wdata, wstrb, wlast};
            if (rvalid && !rready)   r_held  <= {rdata, rresp, rid, rlast};
            if (bvalid && !bready)   b_held  <= {bresp, bid};

            if (arvalid && arready) begin
                check_address("read", araddr, arlen, arsize, arburst);
                if (reads_asked - reads_done == READ_BURSTS)
                    $fatal(1, "axi_monitor: more than %0d read bursts are under way", READ_BURSTS);
                read_length[pointer_t'(reads_asked)] <= arlen;
                read_id[pointer_t'(reads_asked)]     <= arid;
                reads_asked <= reads_asked + 1;
            end
            if (rvalid) begin
                // The address was taken before this cycle (A3.3.1).
                if (reads_asked == reads_done)
                    $fatal(1, "axi_monitor: R belongs to no burst");
                if (rlast != (read_beat == read_length[pointer_t'(reads_done)]))
                    $fatal(1, "axi_monitor: RLAST is %0d on beat %0d of %0d", rlast, int'(read_beat) + 1,
                           int'(read_length[pointer_t'(reads_done)]) + 1);
                if (rid != read_id[pointer_t'(reads_done)])
                    $fatal(1, "axi_monitor: R has identifier %0d, not that of its burst", rid);
                if (rready) begin
                    read_beat <= rlast ? 0 : read_beat + 1;
                    if (rlast) reads_done <= reads_done + 1;
                end
            end

            // Data may come before their address (A3.3.1): the lengths are compared when both are there.
            if (awvalid && awready) begin
                check_address("write", awaddr, awlen, awsize, awburst);
                if (writes_asked - writes_done == WRITE_BURSTS)
                    $fatal(1, "axi_monitor: more than %0d write bursts are under way", WRITE_BURSTS);
                if (data_done > writes_asked && data_length[pointer_t'(writes_asked)] != awlen)
                    $fatal(1, "axi_monitor: WLAST was on beat %0d of %0d",
                           int'(data_length[pointer_t'(writes_asked)]) + 1, int'(awlen) + 1);
                write_length[pointer_t'(writes_asked)] <= awlen;
                write_id[pointer_t'(writes_asked)]     <= awid;
                writes_asked <= writes_asked + 1;
            end
            if (wvalid && wready) begin
                if (data_done - writes_done == WRITE_BURSTS)
                    $fatal(1, "axi_monitor: data of more than %0d bursts are under way", WRITE_BURSTS);
                known = writes_asked > data_done || awvalid && awready;
                last  = writes_asked > data_done ? write_length[pointer_t'(data_done)] : awlen;
                if (known && wlast != (write_beat >= last))
                    $fatal(1, "axi_monitor: WLAST is %0d on beat %0d of %0d", wlast, int'(write_beat) + 1,
                           int'(last) + 1);
                if (wlast) begin
                    data_length[pointer_t'(data_done)] <= write_beat;
                    data_done <= data_done + 1;
                end
                write_beat <= wlast ? 0 : write_beat + 1;
            end
            if (bvalid) begin
                // An answer follows the address and the last data (A3.3.1).
                with_data = data_done < writes_asked ? data_done : writes_asked;
                if (with_data == writes_done)
                    $fatal(1, "axi_monitor: B belongs to no burst whose address and data were taken");
                if (bid != write_id[pointer_t'(writes_done)])
                    $fatal(1, "axi_monitor: B has identifier %0d, not that of its burst", bid);
                if (bready) writes_done <= writes_done + 1;
            end

            if (!program_runs && !had_program
                && (arvalid || awvalid || wvalid || reads_asked != reads_done
                    || writes_asked != writes_done || data_done != writes_done))
                $fatal(1, "axi_monitor: a burst is under way, and no program runs");
        end
    end
endmodule

// Bursts from a file to the memory model alone; what happened goes to another file.
//
// A line of +traffic is "K C A N": K is 0 to read or 1 to write, C the first cycle of the memory in
// which the burst may be announced, A its address, N its beats. Bursts of a kind follow each other.
// A line of +events is "K C": K is 0 for a read address, 1 for a last written beat, 2 for a beat that
// was read, 3 for an answer; C is the cycle of its transfer.
module part_testbench #(
    parameter int DATA_BITS = 128
);
    localparam int MOST = 4096;
    logic clk = 0, rst = 1;
    always #1 clk = ~clk;

    logic            arvalid = 0, arready, rvalid, rlast, awvalid = 0, awready, wvalid = 0, wready;
    logic            wlast, bvalid;
    logic [31:0]     araddr, awaddr;
    logic [7:0]      arlen, awlen, beat = 0;
    logic            done /*verilator public_flat_rd*/ = 0;
    longint unsigned read_bursts, read_beats, read_bytes, write_bursts, write_beats, write_bytes;

    axi_memory #(.DATA_BITS(DATA_BITS), .SIZE_BYTES(1 << 20)) memory (
        .clk, .rst, .arvalid, .arready, .araddr, .arlen, .arsize(3'($clog2(DATA_BITS / 8))),
        .arburst(2'b01), .arid(1'b0), .rvalid, .rready(1'b1), .rdata(), .rresp(), .rlast, .rid(),
        .awvalid, .awready, .awaddr, .awlen, .awsize(3'($clog2(DATA_BITS / 8))), .awburst(2'b01),
        .awid(1'b0), .wvalid, .wready, .wdata('0), .wstrb('1), .wlast, .bvalid, .bready(1'b1),
        .bresp(), .bid(), .dump(1'b0), .dump_start('0), .dump_end('0),
        .read_bursts, .read_beats, .read_bytes, .write_bursts, .write_beats, .write_bytes
    );

    int     kinds [0:1][0:MOST-1][0:2];   // first cycle, address, beats
    int     counts [0:1], next_read = 0, next_write = 0, answers = 0, reads_ended = 0;
    int     traffic, events, kind, first, address, length, code;
    string  name;
    initial begin
        counts = '{0, 0};
        void'($value$plusargs("traffic=%s", name));
        traffic = $fopen(name, "r");
        code = $fscanf(traffic, "%d %d %d %d", kind, first, address, length);
        while (code == 4) begin
            kinds[kind][counts[kind]] = '{first, address, length};
            counts[kind]++;
            code = $fscanf(traffic, "%d %d %d %d", kind, first, address, length);
        end
        void'($value$plusargs("events=%s", name));
        events = $fopen(name, "w");
    end

    assign wlast = beat == awlen;
    logic [3:0] age = 0;
    always @(posedge clk) begin
        if (age != 15) age <= age + 1;
        rst <= age < 3;
        if (!rst) begin
            if (arvalid && arready) begin
                $fdisplay(events, "0 %0d", memory.cycle);
                arvalid <= 0;
            end
            if ((!arvalid || arready) && next_read != counts[0]
                && int'(memory.cycle) + 1 >= kinds[0][next_read][0]) begin
                arvalid   <= 1;
                araddr    <= kinds[0][next_read][1];
                arlen     <= 8'(kinds[0][next_read][2] - 1);
                next_read <= next_read + 1;
            end
            // A written burst: its address, then its beats.
            if (awvalid && awready) begin
                awvalid <= 0;
                wvalid  <= 1;
                beat    <= 0;
            end
            if (wvalid && wready) begin
                beat <= beat + 1;
                if (wlast) begin
                    wvalid <= 0;
                    $fdisplay(events, "1 %0d", memory.cycle);
                end
            end
            if (!awvalid && !wvalid && next_write != counts[1]
                && int'(memory.cycle) + 1 >= kinds[1][next_write][0]) begin
                awvalid    <= 1;
                awaddr     <= kinds[1][next_write][1];
                awlen      <= 8'(kinds[1][next_write][2] - 1);
                next_write <= next_write + 1;
            end
            if (rvalid) $fdisplay(events, "2 %0d", memory.cycle);
            if (rvalid && rlast) reads_ended <= reads_ended + 1;
            if (bvalid) begin
                $fdisplay(events, "3 %0d", memory.cycle);
                answers <= answers + 1;
            end
            if (reads_ended == counts[0] && answers == counts[1] && !done) begin
                $fclose(events);
                done <= 1;
            end
        end
    end
endmodule

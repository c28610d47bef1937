// External memory with an AXI4 slave port: latency, bandwidth or a part, random stalls, faults,
// counters.
//
// Behavioural and fast, for Verilator. It ends the simulation with $fatal where a master breaks
// the protocol. All state is read and counted here, independently of the accelerator.
//
// Plusargs, read at time 0 (decimal; addresses in hexadecimal):
//   +memory_image=FILE     binary image loaded at address 0; the rest of the memory is zero
//   +memory_dump=FILE      each pulse of `dump` appends [dump_start, dump_end) to this file
//   +latency=N             cycles from the transfer of an address to that of its first beat, and
//                          from the last written beat to its response; 2 or more, default 2;
//                          the latencies of outstanding bursts overlap
//   +bytes_per_cycle=N     bandwidth shared by reads and writes; 0, the default, is a beat a cycle
//                          in each direction
//   +stall_percent=N       share of the cycles in which each channel pauses, 0 (default) to 99
//   +stall_seed=N          seed of the pauses
//   +error_address=HEX     the beat that holds this byte answers SLVERR, read or written,
//   +error_count=N         this many times (default: always)
//   +adversary=N           1, the default: a burst reads the memory as it was when its address was
//                          taken, and what is written shows when the response has been taken, which is
//                          all that AXI4 promises; 0: beat by beat as it is sent, and as it comes
//   +part_access=N         a part of a memory, in place of latency and bandwidth, and its other times:
//                          see PART below
//
// Addresses from SIZE_BYTES on answer DECERR. Bursts answer in order and must be INCR, full width,
// aligned to a beat and inside a page of 4096 bytes (ARM IHI 0022E, A3.4.1).

module axi_memory #(
    parameter int      DATA_BITS    = 128,
    parameter int      ADDRESS_BITS = 32,
    parameter int      ID_BITS      = 1,
    parameter longint  SIZE_BYTES   = 16 << 20,   // a multiple of DATA_BITS / 8
    parameter int      QUEUE        = 64          // bursts accepted and not finished; a power of two
) (
    input  logic                    clk,
    input  logic                    rst,

    input  logic                    arvalid,
    output logic                    arready,
    input  logic [ADDRESS_BITS-1:0] araddr,
    input  logic [7:0]              arlen,
    input  logic [2:0]              arsize,
    input  logic [1:0]              arburst,
    input  logic [ID_BITS-1:0]      arid,
    output logic                    rvalid,
    input  logic                    rready,
    output logic [DATA_BITS-1:0]    rdata,
    output logic [1:0]              rresp,
    output logic                    rlast,
    output logic [ID_BITS-1:0]      rid,

    input  logic                    awvalid,
    output logic                    awready,
    input  logic [ADDRESS_BITS-1:0] awaddr,
    input  logic [7:0]              awlen,
    input  logic [2:0]              awsize,
    input  logic [1:0]              awburst,
    input  logic [ID_BITS-1:0]      awid,
    input  logic                    wvalid,
    output logic                    wready,
    input  logic [DATA_BITS-1:0]    wdata,
    input  logic [DATA_BITS/8-1:0]  wstrb,
    input  logic                    wlast,
    output logic                    bvalid,
    input  logic                    bready,
    output logic [1:0]              bresp,
    output logic [ID_BITS-1:0]      bid,

    input  logic                    dump,
    input  logic [ADDRESS_BITS-1:0] dump_start,
    input  logic [ADDRESS_BITS-1:0] dump_end,

    // Transferred since reset. Written bytes are those with their strobe up.
    output longint unsigned         read_bursts,
    output longint unsigned         read_beats,
    output longint unsigned         read_bytes,
    output longint unsigned         write_bursts,
    output longint unsigned         write_beats,
    output longint unsigned         write_bytes
);
    localparam int BEAT_BYTES   = DATA_BITS / 8;
    localparam int OFFSET_BITS  = $clog2(BEAT_BYTES);
    localparam int BEATS        = int'(SIZE_BYTES / longint'(BEAT_BYTES));
    localparam int INDEX_BITS   = ADDRESS_BITS - OFFSET_BITS;
    localparam int ROW_BITS     = $clog2(BEATS);
    localparam int POINTER_BITS = $clog2(QUEUE);
    localparam logic [POINTER_BITS:0] FULL = (POINTER_BITS+1)'(QUEUE);

    localparam logic [1:0] OKAY = 2'b00, SLVERR = 2'b10, DECERR = 2'b11;

    typedef logic [INDEX_BITS-1:0]   index_t;
    typedef logic [ROW_BITS-1:0]     row_t;
    typedef logic [POINTER_BITS-1:0] pointer_t;

    // PART: a memory by its part. Times are ticks, TICKS a cycle.
    //   +part_request +part_response          to the part, and back
    //   +part_access +part_access_bytes       the bus moves that many bytes in that time
    //   +part_column +part_activate +part_precharge   to the data of an open row; open; close a row
    //   +part_recovery                        from a written piece to the closing of its row
    //   +part_read_to_write +part_write_to_read       rest of the bus where its direction changes
    //   +part_refresh_interval +part_refresh  every so often, for so long
    //   +part_beat_rest +part_ahead           rest of the controller's port after a beat; how far it
    //                                         may be ahead of the bus
    //   +part_row_bytes +part_banks           row n is row n / banks of bank n % banks
    //   +part_lookahead                       0: one bank at a time, the next when the bus is done
    // The part serves bursts one by one in the order in which their addresses (reads; first of a
    // cycle) or last beats (writes) are accepted, so all that becomes of one is known then: see
    // serve_burst. Each bank has the row open that was used last, and opens another when the burst
    // that needs it is there and its own last data have been moved; the data of different banks
    // follow each other without a gap. Refresh closes all rows.
    localparam int     TICK_BITS = 16;
    localparam longint TICKS     = 1 << TICK_BITS;
    localparam int     MOST_BANKS = 64;

    typedef struct packed {
        index_t             index;     // of the first beat
        logic [7:0]         length;    // beats - 1
        logic [ID_BITS-1:0] id;
        longint unsigned    due;       // first cycle in which it may be served
    } burst_t;

    typedef struct packed {
        logic [1:0]         response;
        logic [ID_BITS-1:0] id;
        longint unsigned    due;
    } answer_t;

    // Storage. Byte b of a beat is bits 8b to 8b + 7.
    logic [DATA_BITS-1:0] storage [0:BEATS-1];

    string           image_name, dump_name;
    int              latency, bytes_per_cycle, stall_percent, error_count;
    int unsigned     stall_seed;
    logic            by_part;
    longint          part_request, part_response, part_access, part_access_bytes, part_column;
    longint          part_activate, part_precharge, part_recovery, part_read_to_write;
    longint          part_write_to_read, part_refresh_interval, part_refresh, part_row_bytes;
    longint          part_beat_rest, part_ahead;
    int              part_banks, part_lookahead;
    logic            limited, stalling, has_error, dumped, adversary;
    index_t          error_index;
    logic [6:0]      stall_limit;

    // $fread fills a word from its most significant byte.
    function automatic logic [DATA_BITS-1:0] reverse_bytes(input logic [DATA_BITS-1:0] word);
        for (int b = 0; b < BEAT_BYTES; b++)
            reverse_bytes[8*b +: 8] = word[DATA_BITS - 8*(b + 1) +: 8];
    endfunction

    initial begin : configure
        int                      file, count;
        /* verilator lint_off UNUSEDSIGNAL */   // the place inside a beat
        logic [ADDRESS_BITS-1:0] address;
        /* verilator lint_on UNUSEDSIGNAL */
        latency         = 2;
        bytes_per_cycle = 0;
        stall_percent   = 0;
        stall_seed      = 1;
        error_count     = -1;
        has_error       = 0;
        error_index     = '0;
        dumped          = 0;
        adversary       = 1;
        void'($value$plusargs("adversary=%d", adversary));
        void'($value$plusargs("latency=%d", latency));
        void'($value$plusargs("bytes_per_cycle=%d", bytes_per_cycle));
        void'($value$plusargs("stall_percent=%d", stall_percent));
        void'($value$plusargs("stall_seed=%d", stall_seed));
        void'($value$plusargs("error_count=%d", error_count));
        if ($value$plusargs("error_address=%h", address)) begin
            has_error   = 1;
            error_index = address[ADDRESS_BITS-1:OFFSET_BITS];
        end
        if (latency < 2)
            $fatal(1, "axi_memory: latency must be 2 cycles or more, not %0d", latency);
        if (bytes_per_cycle < 0)
            $fatal(1, "axi_memory: bytes_per_cycle must be 0 or more, not %0d", bytes_per_cycle);
        if (stall_percent < 0 || stall_percent > 99)
            $fatal(1, "axi_memory: stall_percent must be 0 to 99, not %0d", stall_percent);
        by_part = $value$plusargs("part_access=%d", part_access);
        if (by_part) begin
            if (!($value$plusargs("part_request=%d", part_request)
                  && $value$plusargs("part_response=%d", part_response)
                  && $value$plusargs("part_access_bytes=%d", part_access_bytes)
                  && $value$plusargs("part_column=%d", part_column)
                  && $value$plusargs("part_activate=%d", part_activate)
                  && $value$plusargs("part_precharge=%d", part_precharge)
                  && $value$plusargs("part_recovery=%d", part_recovery)
                  && $value$plusargs("part_read_to_write=%d", part_read_to_write)
                  && $value$plusargs("part_write_to_read=%d", part_write_to_read)
                  && $value$plusargs("part_refresh_interval=%d", part_refresh_interval)
                  && $value$plusargs("part_refresh=%d", part_refresh)
                  && $value$plusargs("part_beat_rest=%d", part_beat_rest)
                  && $value$plusargs("part_ahead=%d", part_ahead)
                  && $value$plusargs("part_row_bytes=%d", part_row_bytes)
                  && $value$plusargs("part_banks=%d", part_banks)
                  && $value$plusargs("part_lookahead=%d", part_lookahead)))
                $fatal(1, "axi_memory: a part needs all of its times");
            if (part_banks < 1 || part_banks > MOST_BANKS)
                $fatal(1, "axi_memory: part_banks must be 1 to %0d, not %0d", MOST_BANKS, part_banks);
            bytes_per_cycle = 0;
        end
        limited     = bytes_per_cycle != 0 && bytes_per_cycle < 2 * BEAT_BYTES;
        stalling    = stall_percent != 0;
        stall_limit = 7'(stall_percent * 128 / 100);
        for (int i = 0; i < BEATS; i++) storage[i] = '0;
        if ($value$plusargs("memory_image=%s", image_name)) begin
            file = $fopen(image_name, "rb");
            if (file == 0) $fatal(1, "axi_memory: cannot read %s", image_name);
            count = $fread(storage, file);
            $fclose(file);
            for (int i = 0; i * BEAT_BYTES < count; i++) storage[i] = reverse_bytes(storage[i]);
        end
        if (!$value$plusargs("memory_dump=%s", dump_name)) dump_name = "";
    end

    // Append [dump_start, dump_end) to the dump file; the first dump of a run starts it.
    task automatic write_dump();
        int                   file;
        logic [DATA_BITS-1:0] word;
        if (dump_name == "") $fatal(1, "axi_memory: a dump needs +memory_dump");
        file = dumped ? $fopen(dump_name, "ab") : $fopen(dump_name, "wb");
        if (file == 0) $fatal(1, "axi_memory: cannot write %s", dump_name);
        dumped = 1;
        for (longint a = longint'(dump_start); a < longint'(dump_end); a++) begin
            word = storage[row_t'(a >> OFFSET_BITS)];
            $fwrite(file, "%c", word[8*(int'(a) % BEAT_BYTES) +: 8]);
        end
        $fclose(file);
    endtask

    function automatic logic [1:0] response_at(input index_t index);
        if (index >= index_t'(BEATS)) return DECERR;
        if (has_error && index == error_index && error_count != 0) return SLVERR;
        return OKAY;
    endfunction

    function automatic void check_burst(input string channel, input logic [ADDRESS_BITS-1:0] address,
                                        input logic [7:0] length, input logic [2:0] size,
                                        input logic [1:0] kind);
        if (kind != 2'b01)
            $fatal(1, "axi_memory: %s burst at %h must be INCR, not %0d", channel, address, kind);
        if (int'(size) != OFFSET_BITS)
            $fatal(1, "axi_memory: %s burst at %h must have size %0d, not %0d", channel, address,
                   OFFSET_BITS, size);
        if (address[OFFSET_BITS-1:0] != 0)
            $fatal(1, "axi_memory: %s burst at %h is not aligned to a beat", channel, address);
        if (int'(address[11:0]) + (int'(length) + 1) * BEAT_BYTES > 4096)
            $fatal(1, "axi_memory: %s burst at %h of %0d beats crosses 4 KiB", channel, address,
                   int'(length) + 1);
    endfunction

    // What a master must hold while it waits (ARM IHI 0022E, A3.2.1).
    logic                    ar_waits, aw_waits, w_waits;
    logic [ADDRESS_BITS-1:0] ar_held, aw_held;
    logic [7:0]              ar_held_len, aw_held_len;
    logic [DATA_BITS-1:0]    w_held;
    logic [DATA_BITS/8:0]    w_held_strb;      // with wlast

    longint unsigned cycle;   // since reset

    // Read side: bursts from `read_head` on are waiting, their count is `read_level`.
    burst_t                 read_queue [0:QUEUE-1];
    pointer_t               read_head;
    logic [POINTER_BITS:0]  read_level;
    logic [7:0]             read_beat;         // of the head burst

    // Write side, and the answers that are due.
    burst_t                 write_queue [0:QUEUE-1];
    pointer_t               write_head;
    logic [POINTER_BITS:0]  write_level;
    logic [7:0]             write_beat;
    logic [1:0]             write_response;
    answer_t                answer_queue [0:QUEUE-1];
    pointer_t               answer_head;
    logic [POINTER_BITS:0]  answer_level;

    // Bandwidth: bytes that may be moved now. A written beat is paid when it arrives.
    int                     tokens;
    logic                   write_turn;        // the next beat's bandwidth goes to the write side

    // Pauses: xorshift, Ref: G. Marsaglia, Xorshift RNGs, J. Stat. Software 8 (14), 2003.
    logic [63:0]            random;
    logic                   ar_open, aw_open, w_open, w_paid;

    // The part: what is left of the bursts before.
    longint                 bus_end;           // tick in which the bus has moved all of them
    longint                 port_end;          // and the controller's port, with its rests
    logic                   bus_writes;        // the last was written
    int                     bus_bank;          // its bank
    longint                 refresh_due;
    logic                   row_open [0:MOST_BANKS-1];
    longint                 row_of   [0:MOST_BANKS-1];
    longint                 bank_end [0:MOST_BANKS-1];   // tick from which its row may be closed
    // Ticks in which the beats of the bursts in `read_queue` are at the port, in order.
    longint                 beat_ticks [0:256*QUEUE-1];
    logic [POINTER_BITS+7:0] beat_head, beat_tail;

    // The adversary: beats as they were when the address of their burst was taken, and beats that were
    // written and do not show yet, in order.
    typedef struct packed {
        row_t                    row;
        logic [DATA_BITS-1:0]    data;
        logic [DATA_BITS/8-1:0]  strobe;    // 0 if it was refused
        logic                    last;
    } written_t;
    logic [DATA_BITS-1:0]    seen    [0:256*QUEUE-1];
    written_t                written [0:256*QUEUE-1];
    logic [POINTER_BITS+7:0] seen_head, seen_tail, written_head, written_tail;

    // What a beat of storage becomes where some of its bytes are written.
    function automatic logic [DATA_BITS-1:0] merge(input logic [DATA_BITS-1:0] beat, data,
                                                   input logic [DATA_BITS/8-1:0] strobe);
        merge = data;
        if (!(&strobe))
            for (int b = 0; b < BEAT_BYTES; b++)
                if (!strobe[b]) merge[8*b +: 8] = beat[8*b +: 8];
    endfunction

    // Let the part serve a burst that arrives in this cycle; the tick after its last access.
    function automatic longint serve_burst(input logic writes, input index_t index,
                                           input logic [7:0] length);
        longint address, last, row, bank_row, there, ask, start, opened, piece, port, port_start;
        int     bank;
        there = longint'(cycle) * TICKS + part_request;
        row   = -1;
        start = 0;
        piece = 0;
        port_start = 0;
        for (longint beat = 0; beat <= longint'(length); beat++) begin
            address = (longint'(index) + beat) * BEAT_BYTES;
            last    = address + BEAT_BYTES - 1;
            if (address / part_row_bytes != row) begin
                // A piece: its first access begins at `start`, its bytes count from `opened`.
                row      = address / part_row_bytes;
                bank     = int'(row % longint'(part_banks));
                bank_row = row / longint'(part_banks);
                opened   = address - address % part_access_bytes;
                piece    = address;
                do begin
                    ask = there;
                    if (part_lookahead == 0 && bank != bus_bank && bus_end > ask) ask = bus_end;
                    if (!row_open[bank] || row_of[bank] != bank_row) begin
                        if (bank_end[bank] > ask) ask = bank_end[bank];
                        if (row_open[bank]) ask = ask + part_precharge;
                        ask = ask + part_activate;
                    end
                    start = bus_end;
                    if (writes && !bus_writes) start = start + part_read_to_write;
                    if (!writes && bus_writes) start = start + part_write_to_read;
                    if (ask + part_column > start) start = ask + part_column;
                    if (start >= refresh_due) begin
                        if (bus_end < refresh_due) bus_end = refresh_due;
                        bus_end     = bus_end + part_refresh;
                        refresh_due = refresh_due + part_refresh_interval;
                        bus_writes  = writes;
                        for (int b = 0; b < part_banks; b++) begin
                            row_open[b] = 0;
                            bank_end[b] = bus_end;
                        end
                        start = -1;
                    end
                end while (start < 0);
                row_open[bank] = 1;
                bus_bank       = bank;
                row_of[bank]   = bank_row;
                bus_writes     = writes;
                // The port is ahead of the bus by part_ahead at most.
                port_start = port_end;
                if (there + part_column > port_start) port_start = there + part_column;
                if (start - part_ahead > port_start)  port_start = start - part_ahead;
            end
            port = port_start + (last + 1 - piece) * part_access / part_access_bytes
                   + (last + 1 - piece) / BEAT_BYTES * part_beat_rest;
            port_end = port;
            // With every beat the accesses up to its last byte are moved.
            bus_end = start + (last / part_access_bytes - opened / part_access_bytes + 1) * part_access;
            if (port > bus_end) bus_end = port;
            bank_end[bank] = bus_end + (writes ? part_recovery : 0);
            if (!writes) begin
                ask = start + (last + 1 - opened) * part_access / part_access_bytes;
                beat_ticks[beat_tail] = (port > ask ? port : ask) + part_response;
                beat_tail = beat_tail + 1;
            end
        end
        serve_burst = bus_end;
    endfunction

    // The memory's cycle before the first that begins in a tick or later.
    function automatic longint unsigned cycle_before(input longint tick);
        cycle_before = ((tick + TICKS - 1) >>> TICK_BITS) - 1;
    endfunction

    // Ready depends on registers alone.
    assign arready = ar_open && read_level != FULL;
    assign awready = aw_open && write_level != FULL;
    assign wready  = w_open && w_paid && write_level != 0 && answer_level != FULL;

    always @(posedge clk) begin : serve
        automatic burst_t      burst;
        automatic answer_t     answer;
        automatic index_t      index;
        automatic logic [1:0]  response;
        automatic logic [63:0] next;
        automatic written_t    late;
        automatic logic        r_pause, b_pause;
        automatic int          budget;
        automatic logic        read_done, write_done, read_wanted, write_wanted;
        if (rst) begin
            cycle          <= 0;
            random         <= {32'(stall_seed), 32'h9e3779b9};
            ar_open        <= 1;
            aw_open        <= 1;
            w_open         <= 1;
            w_paid         <= !limited;
            tokens         <= 0;
            write_turn     <= 0;
            ar_waits       <= 0;
            aw_waits       <= 0;
            w_waits        <= 0;
            rvalid         <= 0;
            bvalid         <= 0;
            read_head      <= 0;
            read_level     <= 0;
            read_beat      <= 0;
            write_head     <= 0;
            write_level    <= 0;
            write_beat     <= 0;
            write_response <= OKAY;
            answer_head    <= 0;
            answer_level   <= 0;
            bus_end         = 0;
            port_end        = 0;
            bus_writes      = 0;
            bus_bank        = 0;
            refresh_due     = part_refresh_interval;
            seen_head       = 0;
            seen_tail       = 0;
            written_head    = 0;
            written_tail    = 0;
            beat_head       = 0;
            beat_tail       = 0;
            for (int b = 0; b < MOST_BANKS; b++) begin
                row_open[b] = 0;
                bank_end[b] = 0;
            end
            read_bursts    <= 0;
            read_beats     <= 0;
            read_bytes     <= 0;
            write_bursts   <= 0;
            write_beats    <= 0;
            write_bytes    <= 0;
        end else begin
            cycle <= cycle + 1;

            // Pauses of this edge and of the next cycle.
            r_pause = 0;
            b_pause = 0;
            if (stalling) begin
                next    = random;
                next    = next ^ (next << 13);
                next    = next ^ (next >> 7);
                next    = next ^ (next << 17);
                random  <= next;
                r_pause = next[6:0]   < stall_limit;
                b_pause = next[14:8]  < stall_limit;
                ar_open <= next[22:16] >= stall_limit;
                aw_open <= next[30:24] >= stall_limit;
                w_open  <= next[38:32] >= stall_limit;
            end

            // Protocol.
            if (ar_waits && !(arvalid && araddr == ar_held && arlen == ar_held_len))
                $fatal(1, "axi_memory: read address changed before it was taken");
            if (aw_waits && !(awvalid && awaddr == aw_held && awlen == aw_held_len))
                $fatal(1, "axi_memory: write address changed before it was taken");
            if (w_waits && !(wvalid && wdata == w_held && {wlast, wstrb} == w_held_strb))
                $fatal(1, "axi_memory: write data changed before they were taken");
            ar_waits <= arvalid && !arready;
            aw_waits <= awvalid && !awready;
            w_waits  <= wvalid && !wready;
            if (arvalid && !arready) begin
                ar_held     <= araddr;
                ar_held_len <= arlen;
            end
            if (awvalid && !awready) begin
                aw_held     <= awaddr;
                aw_held_len <= awlen;
            end
            if (wvalid && !wready) begin
                w_held      <= wdata;
                w_held_strb <= {wlast, wstrb};
            end

            // Addresses.
            if (arvalid && arready) begin
                check_burst("read", araddr, arlen, arsize, arburst);
                burst.index  = araddr[ADDRESS_BITS-1:OFFSET_BITS];
                burst.length = arlen;
                burst.id     = arid;
                burst.due    = cycle + longint'(latency) - 1;
                if (by_part) begin
                    void'(serve_burst(0, burst.index, burst.length));
                    burst.due = cycle + 1;
                end
                if (adversary)
                    for (int b = 0; b <= int'(arlen); b++) begin
                        seen[seen_tail] = storage[row_t'(burst.index + index_t'(b))];
                        seen_tail       = seen_tail + 1;
                    end
                read_queue[read_head + pointer_t'(read_level)] <= burst;
                read_bursts <= read_bursts + 1;
            end
            if (awvalid && awready) begin
                check_burst("write", awaddr, awlen, awsize, awburst);
                burst.index  = awaddr[ADDRESS_BITS-1:OFFSET_BITS];
                burst.length = awlen;
                burst.id     = awid;
                burst.due    = 0;
                write_queue[write_head + pointer_t'(write_level)] <= burst;
                write_bursts <= write_bursts + 1;
            end

            // Bandwidth of this cycle.
            budget = tokens;
            if (limited) begin
                budget = budget + bytes_per_cycle;
                if (budget > 2 * BEAT_BYTES) budget = 2 * BEAT_BYTES;
            end

            // Written data.
            write_done = 0;
            if (wvalid && wready) begin
                burst      = write_queue[write_head];
                index      = burst.index + index_t'(write_beat);
                response   = response_at(index);
                if (adversary) begin
                    written[written_tail] = '{row_t'(index), wdata, response == OKAY ? wstrb : '0, wlast};
                    written_tail          = written_tail + 1;
                end else if (response == OKAY)
                    storage[row_t'(index)] <= merge(storage[row_t'(index)], wdata, wstrb);
                if (response == SLVERR && error_count > 0) error_count <= error_count - 1;
                write_beats <= write_beats + 1;
                write_bytes <= write_bytes + (&wstrb ? longint'(BEAT_BYTES) : longint'($countones(wstrb)));
                if (response < write_response) response = write_response;
                if (wlast != (write_beat == burst.length))
                    $fatal(1, "axi_memory: wlast is %0d on beat %0d of %0d", wlast,
                           int'(write_beat) + 1, int'(burst.length) + 1);
                if (wlast) begin
                    write_done     = 1;
                    write_beat     <= 0;
                    write_response <= OKAY;
                    write_head     <= write_head + 1;
                    answer.response = response;
                    answer.id       = burst.id;
                    answer.due      = cycle + longint'(latency) - 1;
                    if (by_part) begin
                        answer.due = cycle_before(serve_burst(1, burst.index, burst.length)
                                                  + part_response);
                        if (answer.due <= cycle) answer.due = cycle + 1;
                    end
                    answer_queue[answer_head + pointer_t'(answer_level)] <= answer;
                end else begin
                    write_beat     <= write_beat + 1;
                    write_response <= response;
                end
            end
            write_level <= write_level + (POINTER_BITS+1)'(awvalid && awready)
                                       - (POINTER_BITS+1)'(write_done);

            // Read data: a beat is fetched when the register in front of the master is free.
            read_done = 0;
            burst     = read_queue[read_head];
            read_wanted  = read_level != 0 && burst.due <= cycle && (!rvalid || rready)
                           && (!by_part || cycle_before(beat_ticks[beat_head]) <= cycle);
            write_wanted = limited && write_level != 0 && (!w_paid || (wvalid && wready));
            if (rvalid && rready) begin
                rvalid     <= 0;
                read_beats <= read_beats + 1;
                read_bytes <= read_bytes + longint'(BEAT_BYTES);
            end
            if (read_wanted && !r_pause
                && (!limited || (budget >= BEAT_BYTES && !(write_wanted && write_turn)))) begin
                index    = burst.index + index_t'(read_beat);
                response = response_at(index);
                if (response == SLVERR && error_count > 0) error_count <= error_count - 1;
                if (by_part) beat_head = beat_head + 1;
                rvalid <= 1;
                rdata  <= response != OKAY ? '0 : adversary ? seen[seen_head] : storage[row_t'(index)];
                seen_head = seen_head + 1;
                rresp  <= response;
                rid    <= burst.id;
                rlast  <= read_beat == burst.length;
                if (read_beat == burst.length) begin
                    read_done = 1;
                    read_beat <= 0;
                    read_head <= read_head + 1;
                end else
                    read_beat <= read_beat + 1;
                if (limited) budget = budget - BEAT_BYTES;
                write_turn <= 1;
            end
            read_level <= read_level + (POINTER_BITS+1)'(arvalid && arready)
                                     - (POINTER_BITS+1)'(read_done);

            // A written beat is paid for before `wready` shows.
            if (limited) begin
                if (wvalid && wready) w_paid <= 0;
                if (write_wanted && budget >= BEAT_BYTES) begin
                    w_paid     <= 1;    // also where it is spent in this very cycle
                    budget     = budget - BEAT_BYTES;
                    write_turn <= 0;
                end
            end
            tokens <= budget;

            // Answers.
            answer = answer_queue[answer_head];
            if (bvalid && bready) begin
                bvalid <= 0;
                if (adversary)
                    do begin
                        late = written[written_head];
                        storage[late.row] <= merge(storage[late.row], late.data, late.strobe);
                        written_head = written_head + 1;
                    end while (!late.last);
            end
            if (answer_level != 0 && answer.due <= cycle && (!bvalid || bready) && !b_pause) begin
                bvalid       <= 1;
                bresp        <= answer.response;
                bid          <= answer.id;
                answer_head  <= answer_head + 1;
                answer_level <= answer_level + (POINTER_BITS+1)'(write_done) - 1;
            end else
                answer_level <= answer_level + (POINTER_BITS+1)'(write_done);

            if (dump) write_dump();
        end
    end
endmodule

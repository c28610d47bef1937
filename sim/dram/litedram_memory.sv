// LiteDRAM as an AXI4 slave, in place of axi_memory.sv: the same module, ports and files.
//
// `litedram` is the RTL that LiteDRAM's own Python makes (controller, crossbar, AXI front end, PHY
// and chips); the clock of this module is its controller's. Row n of the memory is row n / BANKS of
// bank n mod BANKS, as in the part's own model.
//
// Plusargs, read at time 0:
//   +memory_image=FILE     binary image loaded at address 0; the rest of the memory is zero
//   +memory_dump=FILE      each pulse of `dump` appends [dump_start, dump_end) to this file
//
// `mnv2.sim.dram.core` fills in what is between @ signs: sizes, and a line for each bank.

module axi_memory #(
    parameter int      DATA_BITS    = 128,
    parameter int      ADDRESS_BITS = 32,
    parameter int      ID_BITS      = 1,
    parameter longint  SIZE_BYTES   = 16 << 20
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
    localparam int     BEAT_BYTES = DATA_BITS / 8;
    localparam int     BANKS      = @BANKS@;
    localparam longint ROW_BYTES  = @ROW_BYTES@;
    localparam int     WORD_BYTES = @WORD_BYTES@;    // of a word of a bank
    localparam longint BANK_WORDS = @BANK_WORDS@;
    typedef logic [8*WORD_BYTES-1:0] word_t;

    initial if (SIZE_BYTES > longint'(BANKS) * BANK_WORDS * longint'(WORD_BYTES))
        $fatal(1, "litedram_memory: %0d bytes are more than the chips hold", SIZE_BYTES);

    /* verilator lint_off PINCONNECTEMPTY */
    litedram core (
        .sys_clk(clk), .sys_rst(rst),
        .ar_valid(arvalid), .ar_ready(arready), .ar_payload_addr(araddr), .ar_payload_len(arlen),
        .ar_payload_size(arsize), .ar_payload_burst(arburst), .ar_param_id(arid),
        .ar_payload_lock(1'b0), .ar_payload_prot(3'b0), .ar_payload_cache(4'b0),
        .ar_payload_qos(4'b0), .ar_payload_region(4'b0), .ar_param_dest(1'b0), .ar_param_user(1'b0),
        .ar_first(1'b0), .ar_last(1'b0),
        .r_valid(rvalid), .r_ready(rready), .r_payload_data(rdata), .r_payload_resp(rresp),
        .r_last(rlast), .r_param_id(rid), .r_first(), .r_param_dest(), .r_param_user(),
        .aw_valid(awvalid), .aw_ready(awready), .aw_payload_addr(awaddr), .aw_payload_len(awlen),
        .aw_payload_size(awsize), .aw_payload_burst(awburst), .aw_param_id(awid),
        .aw_payload_lock(1'b0), .aw_payload_prot(3'b0), .aw_payload_cache(4'b0),
        .aw_payload_qos(4'b0), .aw_payload_region(4'b0), .aw_param_dest(1'b0), .aw_param_user(1'b0),
        .aw_first(1'b0), .aw_last(1'b0),
        .w_valid(wvalid), .w_ready(wready), .w_payload_data(wdata), .w_payload_strb(wstrb),
        .w_last(wlast), .w_first(1'b0), .w_param_id(1'b0), .w_param_dest(1'b0), .w_param_user(1'b0),
        .b_valid(bvalid), .b_ready(bready), .b_payload_resp(bresp), .b_param_id(bid),
        .b_first(), .b_last(), .b_param_dest(1'b0), .b_param_user(1'b0)
    );
    /* verilator lint_on PINCONNECTEMPTY */

    // A word of the chips by its address, without the controller.
    function automatic word_t get_word(input longint address);
        automatic longint row   = address / ROW_BYTES;
        automatic longint index = (row / longint'(BANKS) * ROW_BYTES + address % ROW_BYTES)
                                  / longint'(WORD_BYTES);
        get_word = '0;
        case (row % longint'(BANKS))
            @GET@
            default: ;
        endcase
    endfunction

    task automatic put_word(input longint address, input word_t word);
        automatic longint row   = address / ROW_BYTES;
        automatic longint index = (row / longint'(BANKS) * ROW_BYTES + address % ROW_BYTES)
                                  / longint'(WORD_BYTES);
        case (row % longint'(BANKS))
            @PUT@
            default: ;
        endcase
    endtask

    longint unsigned cycle;     // since reset
    always @(posedge clk) cycle <= rst ? 0 : cycle + 1;

    string image_name, dump_name;
    logic  dumped = 0;
    initial begin : load
        automatic int     file, count;
        automatic longint address;
        automatic word_t  given, word;
        for (longint a = 0; a < longint'(BANKS) * BANK_WORDS; a++)
            put_word(a * longint'(WORD_BYTES), '0);
        if ($value$plusargs("memory_image=%s", image_name)) begin
            file = $fopen(image_name, "rb");
            if (file == 0) $fatal(1, "litedram_memory: cannot read %s", image_name);
            address = 0;
            given   = '0;
            count   = $fread(given, file);
            while (count > 0) begin
                // $fread fills a word from its most significant byte.
                for (int b = 0; b < WORD_BYTES; b++)
                    word[8*b +: 8] = given[8*(WORD_BYTES - 1 - b) +: 8];
                put_word(address, word);
                address = address + longint'(WORD_BYTES);
                given   = '0;
                count   = $fread(given, file);
            end
            $fclose(file);
        end
        if (!$value$plusargs("memory_dump=%s", dump_name)) dump_name = "";
    end

    // Append [dump_start, dump_end) to the dump file; the first dump of a run starts it.
    task automatic write_dump();
        automatic int    file;
        automatic word_t word;
        if (dump_name == "") $fatal(1, "litedram_memory: a dump needs +memory_dump");
        file = dumped ? $fopen(dump_name, "ab") : $fopen(dump_name, "wb");
        if (file == 0) $fatal(1, "litedram_memory: cannot write %s", dump_name);
        dumped = 1;
        for (longint a = longint'(dump_start); a < longint'(dump_end); a++) begin
            word = get_word(a - a % longint'(WORD_BYTES));
            $fwrite(file, "%c", word[8*(int'(a) % WORD_BYTES) +: 8]);
        end
        $fclose(file);
    endtask

    always @(posedge clk)
        if (rst) begin
            read_bursts  <= 0;
            read_beats   <= 0;
            read_bytes   <= 0;
            write_bursts <= 0;
            write_beats  <= 0;
            write_bytes  <= 0;
        end else begin
            if (arvalid && arready) read_bursts <= read_bursts + 1;
            if (awvalid && awready) write_bursts <= write_bursts + 1;
            if (rvalid && rready) begin
                read_beats <= read_beats + 1;
                read_bytes <= read_bytes + longint'(BEAT_BYTES);
            end
            if (wvalid && wready) begin
                write_beats <= write_beats + 1;
                write_bytes <= write_bytes + longint'($countones(wstrb));
            end
            if (dump) write_dump();
        end
endmodule

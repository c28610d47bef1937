/* Firmware of a LiteX SoC with the accelerator: runs pictures that lie in memory by the driver, and
 * writes their classes and logits to the UART. Headers of generated/ are LiteX's for the SoC.
 *
 * Memory begins with the program, memory.bin of `mnv2 program`, as a boot loader has left it; then
 * the rings of pictures and logits. SYSTEM_PIXELS_OFFSET and SYSTEM_TURNS say where the pictures
 * are, int8 [turn][frame][rows][columns][3], and how many turns.
 */
#include <irq.h>
#include <generated/csr.h>
#include <generated/mem.h>
#include <generated/soc.h>

#include "mnv2_bare.h"
#include "mnv2_names.h"
#include "mnv2_program.h"
#include "pictures.h"

#define END_OF_TEXT 4
#define TIME_OUT    SYSTEM_TIME_OUT_CYCLES

int main(void);
void isr(void);

static const struct mnv2_program PROGRAM = MNV2_PROGRAM;
static volatile uint32_t interrupts;
static int8_t values[MNV2_PROGRAM_CLASSES];

/* The UART. */

static void put_character(char character)
{
    while (uart_txfull_read())
        ;
    uart_rxtx_write((uint8_t)character);
}

static void put_text(const char *text)
{
    while (*text)
        put_character(*text++);
}

static void put_hex(uint32_t value, int digits)
{
    while (digits--)
        put_character("0123456789abcdef"[value >> 4 * digits & 15]);
}

static void put_number(const char *name, uint32_t value)
{
    put_text(name);
    put_text(" 0x");
    put_hex(value, 8);
    put_character('\n');
}

/* What the board gives to the driver. */

static uint64_t now(void)
{
    timer0_uptime_latch_write(1);
    return timer0_uptime_cycles_read();
}

/* The interrupt is a level: masked until the driver has looked. */
void isr(void)
{
    irq_setmask(irq_getmask() & ~(1u << ACCELERATOR_INTERRUPT));
    ++interrupts;
}

static void sleep(void)
{
    const uint32_t before = interrupts;
    const uint64_t begin = now();

    irq_setmask(irq_getmask() | 1u << ACCELERATOR_INTERRUPT);
    while (interrupts == before && now() - begin < TIME_OUT)
        ;
}

/* The CPU's cache writes through: memory has every byte. Lines that it holds may be old. */
static void invalidate(void *context, const void *data, size_t bytes)
{
    (void)context, (void)data, (void)bytes;
    flush_cpu_dcache();
}

/* The first bytes of what is left of memory, which shrinks by whole pages. */
static struct mnv2_memory cut(struct mnv2_memory *left, uint64_t bytes)
{
    const uint64_t taken = (bytes + MNV2_BASE_ALIGNMENT - 1) / MNV2_BASE_ALIGNMENT
                           * MNV2_BASE_ALIGNMENT;
    struct mnv2_memory made = *left;

    if (made.bytes > taken)
        made.bytes = taken;
    left->data += made.bytes;
    left->address += made.bytes;
    left->bytes -= made.bytes;
    return made;
}

static enum mnv2_error set_up(struct mnv2 *device, const struct mnv2_bus *bus)
{
    struct mnv2_memory left = {(uint8_t *)MAIN_RAM_BASE, MAIN_RAM_BASE, SYSTEM_PIXELS_OFFSET};
    struct mnv2_ring pictures = {{NULL, 0, 0}, 1}, logits = {{NULL, 0, 0}, 1};
    const struct mnv2_memory program = cut(&left, PROGRAM.memory_bytes);
    enum mnv2_error error = mnv2_probe(device, bus);

    pictures.memory = cut(&left, PROGRAM.picture_bytes);
    logits.memory = cut(&left, PROGRAM.logits_bytes);
    if (error == MNV2_OK)
        error = mnv2_load(device, &PROGRAM, NULL, &program);
    if (error == MNV2_OK)
        error = mnv2_set_rings(device, &pictures, &logits);
    return error;
}

static enum mnv2_error run_turn(struct mnv2 *device, const int8_t *pixels)
{
    const size_t picture = (size_t)PROGRAM.rows * PROGRAM.columns * MNV2_PICTURE_CHANNELS;
    const int8_t *frames[2] = {pixels, pixels + picture};
    uint64_t begin = now(), packed;
    uint32_t frame, number, best;
    enum mnv2_error error = mnv2_put_picture(device, 0, frames, PROGRAM.rows, PROGRAM.columns);

    packed = now();
    if (error == MNV2_OK)
        error = mnv2_run(device, TIME_OUT);
    if (error != MNV2_OK)
        return error;
    put_number("packing", (uint32_t)(packed - begin));
    put_number("running", (uint32_t)(now() - packed));
    for (frame = 0; frame < PROGRAM.frames; ++frame) {
        error = mnv2_get_logits(device, 0, frame, values, NULL);
        if (error != MNV2_OK)
            return error;
        for (best = number = 0; number < PROGRAM.classes; ++number)
            if (values[number] > values[best])
                best = number;
        put_text("class ");
        put_text(mnv2_class_names[best]);
        put_text("\nlogits ");
        for (number = 0; number < PROGRAM.classes; ++number)
            put_hex((uint8_t)values[number], 2);
        put_character('\n');
    }
    return MNV2_OK;
}

int main(void)
{
    const int8_t *pixels = (const int8_t *)MAIN_RAM_BASE + SYSTEM_PIXELS_OFFSET;
    struct mnv2_bare bare;
    struct mnv2 device;
    enum mnv2_error error;
    uint32_t turn;

    accelerator_ev_enable_write(1);
    irq_setmask(0);
    irq_setie(1);
    mnv2_bare_open(&bare, ACCELERATOR_BASE, now, sleep);
    bare.bus.invalidate = invalidate;
    error = set_up(&device, &bare.bus);
    for (turn = 0; turn < SYSTEM_TURNS && error == MNV2_OK; ++turn)
        error = run_turn(&device, pixels + turn * SYSTEM_TURN_BYTES);
    put_number("interrupts", interrupts);
    put_text(mnv2_error_text(error));
    put_character('\n');
    put_character(END_OF_TEXT);
    for (;;)
        ;
}

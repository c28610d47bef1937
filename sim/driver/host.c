/* The host of the bench: the driver runs pictures and meets faults, on the Verilated accelerator.
 *
 *     host FOLDER [+PLUSARG]... STEP[=NUMBER]...
 *
 * The folder has memory.bin of `mnv2 program`, and picturesN.bin, int8 [frames][rows][columns][3];
 * it gets slotN.bin, the picture as it was packed, and logitsN.bin, int8 [frames][classes], then
 * int32 [frames][classes], the accumulators. Each step prints a line: its name, the driver's error,
 * and the cycles that it took. A step that finds something else wrong ends the program.
 *
 * The CPU's memory here is not the accelerator's: the hooks of the driver for caches alone carry
 * bytes from one to the other, so that a hook that is not called shows.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "mnv2.h"
#include "mnv2_program.h"

#define PAGE 4096u
#define PICTURE_SLOTS 2u
#define LOGITS_SLOTS 3u

#define CHECK(condition)                                                                 \
    do {                                                                                 \
        if (!(condition)) {                                                              \
            fprintf(stderr, "host.c:%d: not true: %s\n", __LINE__, #condition);          \
            exit(1);                                                                     \
        }                                                                                \
    } while (0)

static const struct mnv2_program PROGRAM = MNV2_PROGRAM;

static const char *folder;
static uint8_t *image;                  /* memory.bin */
static struct mnv2_memory cpu;          /* all memory, as the CPU sees it */
static struct mnv2_memory program_memory;
static struct mnv2_ring pictures, logits;
static struct mnv2 device;
static uint64_t time_out = 100000000;
static uint32_t register_shift;         /* to look for registers where there are none */

/* The back end: time passes by accesses and by rests. */

static int read_register(void *context, uint32_t address, uint32_t *value)
{
    (void)context;
    return bench_read(address + register_shift, value);
}

static int write_register(void *context, uint32_t address, uint32_t value)
{
    (void)context;
    return bench_write(address + register_shift, value);
}

static uint64_t now(void *context)
{
    (void)context;
    return bench_cycles();
}

static void rest(void *context, uint64_t ticks)
{
    (void)context;
    bench_rest(ticks);
}

static void flush(void *context, const void *data, size_t bytes)
{
    (void)context;
    memcpy(bench_memory() + ((const uint8_t *)data - cpu.data), data, bytes);
}

static void invalidate(void *context, const void *data, size_t bytes)
{
    size_t offset = (size_t)((const uint8_t *)data - cpu.data);

    (void)context;
    memcpy(cpu.data + offset, bench_memory() + offset, bytes);
}

static struct mnv2_bus bus = {NULL, read_register, write_register, now, rest, flush, invalidate};

/* Files. */

static FILE *open_file(const char *name, unsigned number, const char *mode)
{
    char path[4096];
    FILE *file;

    CHECK((size_t)snprintf(path, sizeof path, "%s/%s%u.bin", folder, name, number) < sizeof path);
    file = fopen(path, mode);
    CHECK(file);
    return file;
}

static void load_file(uint8_t *data, size_t bytes)
{
    char path[4096];
    FILE *file;

    CHECK((size_t)snprintf(path, sizeof path, "%s/memory.bin", folder) < sizeof path);
    file = fopen(path, "rb");
    CHECK(file && fread(data, 1, bytes, file) == bytes && fgetc(file) == EOF);
    fclose(file);
}

/* Steps. */

static enum mnv2_error put_picture(uint32_t turn, unsigned number)
{
    size_t bytes = (size_t)PROGRAM.rows * PROGRAM.columns * MNV2_PICTURE_CHANNELS;
    int8_t *pixels = malloc(PROGRAM.frames * bytes);
    const int8_t *frames[2];
    FILE *file = open_file("pictures", number, "rb");
    enum mnv2_error error;

    CHECK(pixels && fread(pixels, bytes, PROGRAM.frames, file) == PROGRAM.frames);
    fclose(file);
    frames[0] = pixels;
    frames[1] = pixels + (PROGRAM.frames - 1) * bytes;
    error = mnv2_put_picture(&device, turn, frames, PROGRAM.rows, PROGRAM.columns);
    free(pixels);
    if (error == MNV2_OK) {
        file = open_file("slot", number, "wb");
        CHECK(fwrite(mnv2_picture_slot(&device, turn), 1, PROGRAM.picture_bytes, file) ==
              PROGRAM.picture_bytes);
        CHECK(!fclose(file));
    }
    return error;
}

static enum mnv2_error save_logits(uint32_t turn, unsigned number)
{
    size_t count = (size_t)PROGRAM.frames * PROGRAM.classes;
    int8_t *values = malloc(count);
    int32_t *accumulators = malloc(count * sizeof *accumulators);
    enum mnv2_error error = MNV2_OK;
    uint32_t frame;
    FILE *file;

    CHECK(values && accumulators);
    for (frame = 0; error == MNV2_OK && frame < PROGRAM.frames; ++frame)
        error = mnv2_get_logits(&device, turn, frame, values + frame * PROGRAM.classes,
                                accumulators + frame * PROGRAM.classes);
    if (error == MNV2_OK) {
        file = open_file("logits", number, "wb");
        CHECK(fwrite(values, 1, count, file) == count);
        CHECK(fwrite(accumulators, sizeof *accumulators, count, file) == count);
        CHECK(!fclose(file));
    }
    free(values);
    free(accumulators);
    return error;
}

static enum mnv2_error probe(unsigned number)
{
    (void)number;
    return mnv2_probe(&device, &bus);
}

static enum mnv2_error load(unsigned number)
{
    enum mnv2_error error = mnv2_load(&device, &PROGRAM, image, &program_memory);

    (void)number;
    return error == MNV2_OK ? mnv2_set_rings(&device, &pictures, &logits) : error;
}

static enum mnv2_error picture(unsigned number)
{
    enum mnv2_error error = put_picture(0, number);

    if (error == MNV2_OK)
        error = mnv2_run(&device, time_out);
    return error == MNV2_OK ? save_logits(0, number) : error;
}

/* Pictures 0 to number - 1 from a ring, and those that are begun before the end is asked for. */
static enum mnv2_error stream(unsigned number)
{
    enum mnv2_error error;
    uint32_t turn;

    CHECK(number >= PICTURE_SLOTS);
    for (turn = 0; turn < PICTURE_SLOTS; ++turn)
        CHECK(put_picture(turn, turn) == MNV2_OK);
    error = mnv2_start(&device, 0);
    for (turn = 0; error == MNV2_OK && turn < number; ++turn) {
        error = mnv2_wait_turn(&device, turn, time_out);
        /* The slot of this turn's picture is free again. */
        if (error == MNV2_OK && turn + PICTURE_SLOTS < number)
            error = put_picture(turn + PICTURE_SLOTS, turn + PICTURE_SLOTS);
        if (error == MNV2_OK)
            error = save_logits(turn, turn);
    }
    CHECK(mnv2_poll(&device) == MNV2_BUSY);
    CHECK(mnv2_stop(&device) == MNV2_OK);
    CHECK(mnv2_wait(&device, time_out) == MNV2_OK);
    return error;
}

static enum mnv2_error read_late(unsigned number)
{
    enum mnv2_error error;

    CHECK(mnv2_start(&device, LOGITS_SLOTS + 1) == MNV2_OK);
    CHECK(mnv2_wait(&device, time_out) == MNV2_OK);
    error = save_logits(0, number);
    CHECK(save_logits(1, number) == MNV2_OK);
    CHECK(save_logits(LOGITS_SLOTS + 1, number) == MNV2_NOT_DONE);
    return error;
}

static enum mnv2_error wait_for_a_turn_too_many(unsigned number)
{
    (void)number;
    CHECK(mnv2_start(&device, 2) == MNV2_OK);
    CHECK(mnv2_wait_turn(&device, 1, time_out) == MNV2_OK);
    return mnv2_wait_turn(&device, 2, time_out);
}

static enum mnv2_error counters(unsigned number)
{
    FILE *file = open_file("counters", number, "wb");
    uint32_t values[MNV2_COUNTERS];
    enum mnv2_error error = MNV2_OK;
    unsigned row;
    int stem;

    for (row = 0; error == MNV2_OK && row < number; ++row)
        for (stem = 0; error == MNV2_OK && stem < 2; ++stem) {
            error = mnv2_counters(&device, row, stem, values);
            CHECK(fwrite(values, sizeof *values, MNV2_COUNTERS, file) == MNV2_COUNTERS);
        }
    CHECK(!fclose(file));
    if (error == MNV2_OK)
        CHECK(mnv2_counters(&device, number, 0, values) == MNV2_NO_COUNTERS);
    return error;
}

static enum mnv2_error polling(unsigned number)
{
    bus.rest = number ? NULL : rest;
    return MNV2_OK;
}

/* Faults of memory. */

static enum mnv2_error bus_error(unsigned number)
{
    enum mnv2_error error;

    CHECK(mnv2_start(&device, 1) == MNV2_OK);
    bench_pass(number);
    bench_fail(1);
    error = mnv2_wait(&device, time_out);
    bench_fail(0);
    return error;
}

static enum mnv2_error image_outside(unsigned number)
{
    uint64_t base = device.base;
    enum mnv2_error error;

    (void)number;
    device.base = bench_memory_address() + bench_memory_bytes();
    error = mnv2_run(&device, time_out);
    device.base = base;
    return error;
}

/* Memory that answers again after the time is up: the program can be aborted. */
static enum mnv2_error silence(unsigned number)
{
    enum mnv2_error error;

    CHECK(mnv2_start(&device, 1) == MNV2_OK);
    bench_pass(number);
    bench_silence(1);
    error = mnv2_wait(&device, 500);
    bench_silence(0);
    CHECK(mnv2_abort(&device, time_out) == MNV2_OK);
    CHECK(mnv2_poll(&device) == MNV2_ABORTED);
    return error;
}

/* Memory that never answers: not even an abort ends, a reset does. */
static enum mnv2_error dead_memory(unsigned number)
{
    enum mnv2_error error;

    CHECK(mnv2_start(&device, 1) == MNV2_OK);
    bench_pass(number);
    bench_silence(1);
    CHECK(mnv2_wait(&device, 500) == MNV2_TIME_OUT);
    error = mnv2_abort(&device, 20000);
    CHECK(mnv2_poll(&device) == MNV2_BUSY);
    CHECK(load(0) == MNV2_BUSY);
    bench_reset();
    bench_silence(0);
    CHECK(mnv2_poll(&device) == MNV2_NOT_STARTED);
    return error;
}

/* Faults of programs. */

static enum mnv2_error run_with(size_t offset, size_t bytes)
{
    enum mnv2_error error;

    memset(program_memory.data + offset, 0xff, bytes);
    flush(NULL, program_memory.data + offset, bytes);
    error = mnv2_run(&device, time_out);
    CHECK(load(0) == MNV2_OK);
    return error;
}

static enum mnv2_error bad_descriptor(unsigned number)
{
    return run_with(number * MNV2_PROGRAM_RECORD_BYTES, MNV2_PROGRAM_RECORD_BYTES);
}

static enum mnv2_error other_image_in_memory(unsigned number)
{
    (void)number;
    return run_with(0, 4);
}

static enum mnv2_error few_weights(unsigned number)
{
    enum mnv2_error error;

    /* The records after the hash say where the streams are, and how long. */
    memset(program_memory.data + 4, 0, number);
    flush(NULL, program_memory.data, PAGE);
    error = mnv2_run(&device, time_out);
    CHECK(load(0) == MNV2_OK);
    return error;
}

static enum mnv2_error other_configuration(unsigned number)
{
    struct mnv2_program other = PROGRAM;

    (void)number;
    other.configuration ^= 1;
    return mnv2_load(&device, &other, image, &program_memory);
}

static enum mnv2_error other_image(unsigned number)
{
    enum mnv2_error error;

    (void)number;
    image[3] ^= 0x80;
    error = load(0);
    image[3] ^= 0x80;
    return error;
}

/* Faults of the host. */

static enum mnv2_error without_program(unsigned number)
{
    (void)number;
    CHECK(mnv2_set_rings(&device, &pictures, &logits) == MNV2_NO_PROGRAM);
    CHECK(put_picture(0, 0) == MNV2_NO_RINGS);
    CHECK(save_logits(0, 0) == MNV2_NO_RINGS);
    CHECK(mnv2_picture_slot(&device, 0) == NULL);
    return mnv2_start(&device, 1);
}

static enum mnv2_error without_rings(unsigned number)
{
    (void)number;
    CHECK(mnv2_load(&device, &PROGRAM, image, &program_memory) == MNV2_OK);
    return mnv2_start(&device, 1);
}

static enum mnv2_error small_memory(unsigned number)
{
    struct mnv2_memory memory = program_memory;
    struct mnv2_ring ring = pictures;

    (void)number;
    ring.memory.bytes = (PICTURE_SLOTS - 1) * mnv2_slot_bytes(PROGRAM.picture_bytes) +
                        PROGRAM.picture_bytes - 1;
    CHECK(mnv2_set_rings(&device, &ring, &logits) == MNV2_MEMORY_TOO_SMALL);
    ++ring.memory.bytes;
    CHECK(mnv2_set_rings(&device, &ring, &logits) == MNV2_OK);
    ring.slots = 0;
    CHECK(mnv2_set_rings(&device, &pictures, &ring) == MNV2_NO_RINGS);
    memory.bytes = PROGRAM.memory_bytes - 1;
    return mnv2_load(&device, &PROGRAM, image, &memory);
}

static enum mnv2_error odd_address(unsigned number)
{
    struct mnv2_memory memory = program_memory;

    memory.address += number;
    return mnv2_load(&device, &PROGRAM, image, &memory);
}

/* The same, if the driver did not look. */
static enum mnv2_error odd_base(unsigned number)
{
    enum mnv2_error error;

    device.base += number;
    error = mnv2_run(&device, time_out);
    device.base -= number;
    return error;
}

static enum mnv2_error far_memory(unsigned number)
{
    struct mnv2_memory memory = program_memory;

    (void)number;
    memory.address = (uint64_t)1 << MNV2_FIELD(device.port, CAPABILITIES_PORT_ADDRESS_BITS);
    CHECK(mnv2_load(&device, &PROGRAM, image, &memory) == MNV2_OUT_OF_REACH);
    memory.address -= PAGE;
    return mnv2_load(&device, &PROGRAM, image, &memory);
}

static enum mnv2_error other_size(unsigned number)
{
    const int8_t *none[2] = {NULL, NULL};

    (void)number;
    CHECK(mnv2_put_picture(&device, 0, none, PROGRAM.rows + 1, PROGRAM.columns) ==
          MNV2_PICTURE_SIZE);
    return mnv2_put_picture(&device, 0, none, PROGRAM.rows, PROGRAM.columns - 1);
}

static enum mnv2_error aborted(unsigned number)
{
    CHECK(mnv2_start(&device, 1) == MNV2_OK);
    bench_pass(number);
    CHECK(mnv2_abort(&device, time_out) == MNV2_OK);
    return mnv2_poll(&device);
}

/* Start while busy, by the driver, and past it: nothing happens to the frame under way. */
static enum mnv2_error busy(unsigned number)
{
    uint32_t errors;
    enum mnv2_error error;

    CHECK(put_picture(0, number) == MNV2_OK);
    CHECK(mnv2_start(&device, 1) == MNV2_OK);
    CHECK(load(0) == MNV2_BUSY);
    error = mnv2_start(&device, 1);
    CHECK(!bench_write(MNV2_REG_START, 1));
    CHECK(!bench_read(MNV2_REG_ERRORS, &errors) && errors & MNV2_ERRORS_START_MASK);
    CHECK(mnv2_wait(&device, time_out) == MNV2_OK);
    CHECK(save_logits(0, number) == MNV2_OK);
    return error;
}

static enum mnv2_error time_is_up(unsigned number)
{
    enum mnv2_error error;

    CHECK(mnv2_start(&device, 1) == MNV2_OK);
    error = mnv2_wait(&device, number);
    CHECK(mnv2_wait(&device, time_out) == MNV2_OK);
    return error;
}

/* Registers that are not there, that answer with errors, and that do not answer. */

static enum mnv2_error elsewhere(unsigned number)
{
    enum mnv2_error error;
    struct mnv2 other;

    register_shift = number;
    error = mnv2_probe(&other, &bus);
    register_shift = 0;
    return error;
}

static enum mnv2_error no_answer(unsigned number)
{
    enum mnv2_error error;

    (void)number;
    bench_hold_reset(1);
    error = mnv2_run(&device, time_out);
    CHECK(mnv2_abort(&device, time_out) == MNV2_NO_ANSWER);
    bench_hold_reset(0);
    return error;
}

struct step {
    const char *name;
    enum mnv2_error (*run)(unsigned number);
};

#define STEP(name) {#name, name}
static const struct step STEPS[] = {
    STEP(probe), STEP(load), STEP(picture), STEP(stream), STEP(read_late),
    STEP(wait_for_a_turn_too_many), STEP(counters), STEP(polling), STEP(bus_error),
    STEP(image_outside), STEP(silence), STEP(dead_memory), STEP(bad_descriptor),
    STEP(other_image_in_memory), STEP(few_weights), STEP(other_configuration), STEP(other_image),
    STEP(without_program), STEP(without_rings), STEP(small_memory), STEP(odd_address),
    STEP(odd_base), STEP(far_memory), STEP(other_size), STEP(aborted), STEP(busy),
    STEP(time_is_up), STEP(elsewhere), STEP(no_answer),
};

static void run_step(const char *text)
{
#define ERROR_NAME(name, sentence) #name,
    static const char *const names[] = {MNV2_ERROR_LIST(ERROR_NAME)};
    size_t length = strcspn(text, "="), k;
    unsigned number = text[length] ? (unsigned)strtoul(text + length + 1, NULL, 0) : 0;
    uint64_t begin = bench_cycles();
    enum mnv2_error error;

    for (k = 0; k < sizeof STEPS / sizeof *STEPS; ++k)
        if (strlen(STEPS[k].name) == length && !strncmp(STEPS[k].name, text, length)) {
            error = STEPS[k].run(number);
            printf("%s %s %lu\n", text, names[error], (unsigned long)(bench_cycles() - begin));
            fflush(stdout);
            return;
        }
    fprintf(stderr, "host.c: there is no step %s\n", text);
    exit(2);
}

/* The next slots of memory, from a page on that is not the first. */
static struct mnv2_memory cut(uint64_t *offset, uint64_t bytes)
{
    struct mnv2_memory piece;

    piece.data = cpu.data + *offset;
    piece.address = cpu.address + *offset;
    piece.bytes = bytes;
    *offset += (bytes + PAGE - 1) / PAGE * PAGE;
    CHECK(*offset <= cpu.bytes);
    return piece;
}

int main(int count, char **arguments)
{
    uint64_t offset = 5 * PAGE;
    int first = 2;

    CHECK(count > 2);
    folder = arguments[1];
    while (first < count && arguments[first][0] == '+')
        ++first;
    bench_open(first - 2, (const char *const *)arguments + 2);
    cpu.address = bench_memory_address();
    cpu.bytes = bench_memory_bytes();
    cpu.data = malloc(cpu.bytes);
    image = malloc(PROGRAM.image_bytes);
    CHECK(cpu.data && image);
    memset(cpu.data, 0xa5, cpu.bytes);
    load_file(image, PROGRAM.image_bytes);
    program_memory = cut(&offset, PROGRAM.memory_bytes);
    pictures.slots = PICTURE_SLOTS;
    pictures.memory = cut(&offset, PICTURE_SLOTS * mnv2_slot_bytes(PROGRAM.picture_bytes));
    logits.slots = LOGITS_SLOTS;
    logits.memory = cut(&offset, LOGITS_SLOTS * mnv2_slot_bytes(PROGRAM.logits_bytes));
    for (; first < count; ++first)
        run_step(arguments[first]);
    free(image);
    free(cpu.data);
    bench_close();
    return 0;
}

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
#include "host.h"

const struct mnv2_program PROGRAM = MNV2_PROGRAM;

static const char *folder;
uint8_t *image;
static struct mnv2_memory cpu;          /* all memory, as the CPU sees it */
struct mnv2_memory program_memory;
struct mnv2_ring pictures, logits;
struct mnv2 device;
uint64_t time_out = 100000000;
uint32_t register_shift;

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

void flush(void *context, const void *data, size_t bytes)
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

struct mnv2_bus bus = {NULL, read_register, write_register, now, rest, flush, invalidate};

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

enum mnv2_error put_picture(uint32_t turn, unsigned number)
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

enum mnv2_error save_logits(uint32_t turn, unsigned number)
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

enum mnv2_error load(unsigned number)
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

static const struct step STEPS[] = {
    STEP(probe), STEP(load), STEP(picture), STEP(stream), STEP(read_late),
    STEP(wait_for_a_turn_too_many), STEP(counters), STEP(polling), {NULL, NULL},
};

/* The step of that name, or NULL. */
static const struct step *find(const struct step *steps, const char *name, size_t length)
{
    for (; steps->name; ++steps)
        if (strlen(steps->name) == length && !strncmp(steps->name, name, length))
            return steps;
    return NULL;
}

static void run_step(const char *text)
{
#define ERROR_NAME(name, sentence) #name,
    static const char *const names[] = {MNV2_ERROR_LIST(ERROR_NAME)};
    size_t length = strcspn(text, "=");
    unsigned number = text[length] ? (unsigned)strtoul(text + length + 1, NULL, 0) : 0;
    uint64_t begin = bench_cycles();
    const struct step *step = find(STEPS, text, length);
    enum mnv2_error error;

    if (!step)
        step = find(FAULT_STEPS, text, length);
    if (!step) {
        fprintf(stderr, "host.c: there is no step %s\n", text);
        exit(2);
    }
    error = step->run(number);
    printf("%s %s %lu\n", text, names[error], (unsigned long)(bench_cycles() - begin));
    fflush(stdout);
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

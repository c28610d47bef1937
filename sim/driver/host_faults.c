/* Steps of the host that go wrong: faults of memory, of programs and of hosts; see host.c.
 *
 * Each returns the error that the driver found; what it did with the accelerator is mended before. */
#include "host.h"

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

const struct step FAULT_STEPS[] = {
    STEP(bus_error), STEP(image_outside), STEP(silence), STEP(dead_memory), STEP(bad_descriptor),
    STEP(other_image_in_memory), STEP(few_weights), STEP(other_configuration), STEP(other_image),
    STEP(without_program), STEP(without_rings), STEP(small_memory), STEP(odd_address),
    STEP(odd_base), STEP(far_memory), STEP(other_size), STEP(aborted), STEP(busy),
    STEP(time_is_up), STEP(elsewhere), STEP(no_answer), {NULL, NULL},
};

/* Driver of the MobileNetV2 accelerator: see mnv2.h. */
#include "mnv2.h"

#include <string.h>

#define TRY(call)                        \
    do {                                 \
        enum mnv2_error tried = (call);  \
        if (tried != MNV2_OK)            \
            return tried;                \
    } while (0)

const char *mnv2_error_text(enum mnv2_error error)
{
#define MNV2_ERROR_TEXT(name, text) text,
    static const char *const texts[] = {MNV2_ERROR_LIST(MNV2_ERROR_TEXT)};

    return (unsigned)error < MNV2_ERROR_COUNT ? texts[error] : "This is no error of the driver.";
}

static enum mnv2_error get(const struct mnv2 *device, uint32_t address, uint32_t *value)
{
    *value = 0;
    return device->bus->read(device->bus->context, address, value) ? MNV2_NO_ANSWER : MNV2_OK;
}

static enum mnv2_error set(const struct mnv2 *device, uint32_t address, uint32_t value)
{
    return device->bus->write(device->bus->context, address, value) ? MNV2_NO_ANSWER : MNV2_OK;
}

static enum mnv2_error check_idle(const struct mnv2 *device)
{
    uint32_t status;

    TRY(get(device, MNV2_REG_STATUS, &status));
    return status == MNV2_STATUS_RUNNING ? MNV2_BUSY : MNV2_OK;
}

enum mnv2_error mnv2_probe(struct mnv2 *device, const struct mnv2_bus *bus)
{
    uint32_t value, k;

    memset(device, 0, sizeof *device);
    device->bus = bus;
    TRY(get(device, MNV2_REG_ID, &value));
    if (value != MNV2_ID_VALUE)
        return MNV2_NOT_FOUND;
    TRY(get(device, MNV2_REG_VERSION, &device->version));
    if (MNV2_FIELD(device->version, VERSION_MAJOR) != MNV2_VERSION_MAJOR_VALUE)
        return MNV2_OTHER_VERSION;
    TRY(get(device, MNV2_REG_CONFIGURATION_HASH, &device->configuration));
    TRY(get(device, MNV2_REG_CAPABILITIES_LANES, &device->lanes));
    TRY(get(device, MNV2_REG_CAPABILITIES_FORMATS, &device->formats));
    TRY(get(device, MNV2_REG_CAPABILITIES_PORT, &device->port));
    for (k = 0; k < sizeof device->words / sizeof *device->words; ++k)
        TRY(get(device, MNV2_REG_CAPABILITIES_MAP + 4 * k, &device->words[k]));
    return MNV2_OK;
}

/* Memory. */

static void flush(const struct mnv2 *device, const void *data, size_t bytes)
{
    if (device->bus->flush)
        device->bus->flush(device->bus->context, data, bytes);
}

static void invalidate(const struct mnv2 *device, const void *data, size_t bytes)
{
    if (device->bus->invalidate)
        device->bus->invalidate(device->bus->context, data, bytes);
}

static enum mnv2_error check_memory(const struct mnv2 *device, const struct mnv2_memory *memory,
                                    uint64_t bytes)
{
    uint32_t bits = MNV2_FIELD(device->port, CAPABILITIES_PORT_ADDRESS_BITS);

    if (memory->address % MNV2_BASE_ALIGNMENT)
        return MNV2_NOT_ALIGNED;
    if (memory->bytes < bytes)
        return MNV2_MEMORY_TOO_SMALL;
    if (bytes && (memory->address + bytes - 1 < memory->address ||
                  (bits < 64 && (memory->address + bytes - 1) >> bits)))
        return MNV2_OUT_OF_REACH;
    return MNV2_OK;
}

enum mnv2_error mnv2_load(struct mnv2 *device, const struct mnv2_program *program,
                          const uint8_t *image, const struct mnv2_memory *memory)
{
    const uint8_t *first = image ? image : memory->data;

    if (program->configuration != device->configuration)
        return MNV2_OTHER_CONFIGURATION;
    TRY(check_memory(device, memory, program->memory_bytes));
    if (first && ((uint32_t)first[0] | (uint32_t)first[1] << 8 | (uint32_t)first[2] << 16 |
         (uint32_t)first[3] << 24) != program->configuration)
        return MNV2_OTHER_IMAGE;
    TRY(check_idle(device));
    if (image) {
        memcpy(memory->data, image, program->image_bytes);
        flush(device, memory->data, program->image_bytes);
    }
    device->program = program;
    device->base = memory->address;
    memset(&device->pictures, 0, sizeof device->pictures);
    memset(&device->logits, 0, sizeof device->logits);
    return MNV2_OK;
}

uint32_t mnv2_slot_bytes(uint32_t bytes)
{
    return (bytes + MNV2_BASE_ALIGNMENT - 1) / MNV2_BASE_ALIGNMENT * MNV2_BASE_ALIGNMENT;
}

static enum mnv2_error check_ring(const struct mnv2 *device, const struct mnv2_ring *ring,
                                  uint32_t bytes)
{
    if (ring->slots < 1 || ring->slots > MNV2_MOST_SLOTS)
        return MNV2_NO_RINGS;
    return check_memory(device, &ring->memory,
                        (uint64_t)(ring->slots - 1) * mnv2_slot_bytes(bytes) + bytes);
}

enum mnv2_error mnv2_set_rings(struct mnv2 *device, const struct mnv2_ring *pictures,
                               const struct mnv2_ring *logits)
{
    if (!device->program)
        return MNV2_NO_PROGRAM;
    TRY(check_ring(device, pictures, device->program->picture_bytes));
    TRY(check_ring(device, logits, device->program->logits_bytes));
    device->pictures = *pictures;
    device->logits = *logits;
    return MNV2_OK;
}

static uint8_t *slot_of(const struct mnv2_ring *ring, uint32_t turn, uint32_t bytes)
{
    return ring->memory.data + (size_t)(turn % ring->slots) * mnv2_slot_bytes(bytes);
}

uint8_t *mnv2_picture_slot(const struct mnv2 *device, uint32_t turn)
{
    return device->pictures.slots
               ? slot_of(&device->pictures, turn, device->program->picture_bytes) : NULL;
}

void mnv2_flush_picture(const struct mnv2 *device, uint32_t turn)
{
    if (device->pictures.slots)
        flush(device, mnv2_picture_slot(device, turn), device->program->picture_bytes);
}

enum mnv2_error mnv2_put_picture(struct mnv2 *device, uint32_t turn, const int8_t *const pictures[],
                                 uint32_t rows, uint32_t columns)
{
    uint8_t *slot = mnv2_picture_slot(device, turn);

    if (!slot)
        return MNV2_NO_RINGS;
    if (mnv2_pack_picture(device->program, pictures, rows, columns, slot))
        return MNV2_PICTURE_SIZE;
    mnv2_flush_picture(device, turn);
    return MNV2_OK;
}

/* Programs. */

static enum mnv2_error set_address(const struct mnv2 *device, uint32_t low, uint64_t address)
{
    TRY(set(device, low, (uint32_t)address));
    return set(device, low + 4, (uint32_t)(address >> 32));
}

enum mnv2_error mnv2_start(struct mnv2 *device, uint32_t turns)
{
    const struct mnv2_program *program = device->program;
    uint32_t value;

    if (!program)
        return MNV2_NO_PROGRAM;
    if (!device->pictures.slots)
        return MNV2_NO_RINGS;
    TRY(check_idle(device));
    TRY(set_address(device, MNV2_REG_BASE_LOW, device->base));
    TRY(set(device, MNV2_REG_PROGRAM_RECORDS, program->records));
    TRY(set(device, MNV2_REG_FRAMES, turns));
    TRY(set_address(device, MNV2_REG_PICTURE_LOW, device->pictures.memory.address));
    TRY(set(device, MNV2_REG_PICTURE_STRIDE, mnv2_slot_bytes(program->picture_bytes)));
    TRY(set(device, MNV2_REG_PICTURE_COUNT, device->pictures.slots));
    TRY(set_address(device, MNV2_REG_LOGITS_LOW, device->logits.memory.address));
    TRY(set(device, MNV2_REG_LOGITS_STRIDE, mnv2_slot_bytes(program->logits_bytes)));
    TRY(set(device, MNV2_REG_LOGITS_COUNT, device->logits.slots));
    TRY(set(device, MNV2_REG_INTERRUPT, MNV2_INTERRUPT_DONE_MASK | MNV2_INTERRUPT_FRAME_MASK));
    TRY(set(device, MNV2_REG_ERRORS, MNV2_ERRORS_START_MASK | MNV2_ERRORS_OVERRUN_MASK));
    value = MNV2_INTERRUPT_ENABLE_DONE_MASK | (turns == 1 ? 0 : MNV2_INTERRUPT_ENABLE_FRAME_MASK);
    TRY(set(device, MNV2_REG_INTERRUPT_ENABLE, device->bus->rest ? value : 0));
    TRY(set(device, MNV2_REG_START, MNV2_START_START_MASK));
    /* Somebody else may have been faster. */
    TRY(get(device, MNV2_REG_ERRORS, &value));
    return value & MNV2_ERRORS_START_MASK ? MNV2_BUSY : MNV2_OK;
}

static enum mnv2_error error_of(uint32_t status)
{
    switch (status) {
    case MNV2_STATUS_NONE: return MNV2_NOT_STARTED;
    case MNV2_STATUS_DONE: return MNV2_OK;
    case MNV2_STATUS_RUNNING: return MNV2_BUSY;
    case MNV2_STATUS_BUS: return MNV2_BUS;
    case MNV2_STATUS_DESCRIPTOR: return MNV2_DESCRIPTOR;
    case MNV2_STATUS_STUCK: return MNV2_STUCK;
    case MNV2_STATUS_CONFIGURATION: return MNV2_OTHER_IMAGE;
    case MNV2_STATUS_ALIGNMENT: return MNV2_NOT_ALIGNED;
    case MNV2_STATUS_ABORTED: return MNV2_ABORTED;
    }
    return MNV2_NO_ANSWER;
}

/* Whether a number of a turn, modulo 2**32, is below another. */
static int is_before(uint32_t turn, uint32_t other)
{
    return turn - other >= 0x80000000u;
}

enum mnv2_error mnv2_poll(struct mnv2 *device)
{
    uint32_t status;

    TRY(get(device, MNV2_REG_STATUS, &status));
    return error_of(status);
}

/* Wait until the program has ended; if a turn is given, or until *reached: its logits are there. */
static enum mnv2_error wait_for(struct mnv2 *device, const uint32_t *turn, uint64_t time_out,
                                int *reached)
{
    const struct mnv2_bus *bus = device->bus;
    uint64_t begin = bus->now(bus->context), passed = 0;
    uint32_t status, done;

    for (;;) {
        /* First cleared, then looked at: a turn that ends in between raises it again. */
        TRY(set(device, MNV2_REG_INTERRUPT, MNV2_INTERRUPT_FRAME_MASK));
        TRY(get(device, MNV2_REG_STATUS, &status));
        TRY(get(device, MNV2_REG_FRAMES_DONE, &done));
        *reached = turn && is_before(*turn, done);
        if (*reached)
            return MNV2_OK;
        if (status != MNV2_STATUS_RUNNING)
            return set(device, MNV2_REG_INTERRUPT,
                       MNV2_INTERRUPT_DONE_MASK | MNV2_INTERRUPT_FRAME_MASK);
        if (passed >= time_out)
            return MNV2_TIME_OUT;
        if (bus->rest)
            bus->rest(bus->context, time_out - passed);
        passed = bus->now(bus->context) - begin;
    }
}

enum mnv2_error mnv2_wait(struct mnv2 *device, uint64_t time_out)
{
    int reached;

    TRY(wait_for(device, NULL, time_out, &reached));
    return mnv2_poll(device);
}

enum mnv2_error mnv2_wait_turn(struct mnv2 *device, uint32_t turn, uint64_t time_out)
{
    enum mnv2_error error;
    int reached;

    TRY(wait_for(device, &turn, time_out, &reached));
    if (reached)
        return MNV2_OK;
    error = mnv2_poll(device);
    return error == MNV2_OK ? MNV2_NOT_DONE : error;
}

enum mnv2_error mnv2_run(struct mnv2 *device, uint64_t time_out)
{
    TRY(mnv2_start(device, 1));
    return mnv2_wait(device, time_out);
}

enum mnv2_error mnv2_stop(struct mnv2 *device)
{
    return set(device, MNV2_REG_STOP, MNV2_STOP_STOP_MASK);
}

enum mnv2_error mnv2_abort(struct mnv2 *device, uint64_t time_out)
{
    int reached;

    TRY(set(device, MNV2_REG_ABORT, MNV2_ABORT_ABORT_MASK));
    return wait_for(device, NULL, time_out, &reached);
}

enum mnv2_error mnv2_get_logits(struct mnv2 *device, uint32_t turn, uint32_t frame, int8_t *logits,
                                int32_t *accumulators)
{
    const struct mnv2_program *program = device->program;
    const struct mnv2_ring *ring = &device->logits;
    const uint8_t *slot;
    uint32_t status, done;

    if (!ring->slots)
        return MNV2_NO_RINGS;
    TRY(get(device, MNV2_REG_FRAMES_DONE, &done));
    if (!is_before(turn, done))
        return MNV2_NOT_DONE;
    slot = slot_of(ring, turn, program->logits_bytes);
    invalidate(device, slot, program->logits_bytes);
    mnv2_unpack_logits(program, slot, frame, logits, accumulators);
    /* Turns done later may have had the slot, and so may the one that is under way. */
    TRY(get(device, MNV2_REG_STATUS, &status));
    TRY(get(device, MNV2_REG_FRAMES_DONE, &done));
    if (status == MNV2_STATUS_RUNNING)
        ++done;
    return done - turn > ring->slots ? MNV2_OVERWRITTEN : MNV2_OK;
}

enum mnv2_error mnv2_counters(struct mnv2 *device, uint32_t number, int stem,
                              uint32_t counters[MNV2_COUNTERS])
{
    uint32_t address = MNV2_COUNTER_OFFSET + MNV2_COUNTER_ROW_BYTES * (number % MNV2_COUNTER_ROWS);
    uint32_t finished, column;

    if (!MNV2_FIELD(device->formats, CAPABILITIES_FORMATS_COUNTERS))
        return MNV2_NO_COUNTERS;
    if (stem)
        address += MNV2_COUNTER_STEM;
    for (column = 0; column < MNV2_COUNTERS; ++column)
        TRY(get(device, address + 4 * column, &counters[column]));
    /* The row belongs to the descriptor under way once as many have followed as there are rows. */
    TRY(get(device, MNV2_REG_FINISHED, &finished));
    return finished - number - 1 < MNV2_COUNTER_ROWS - 1 ? MNV2_OK : MNV2_NO_COUNTERS;
}

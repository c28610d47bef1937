/* Driver of the MobileNetV2 accelerator: C99, no allocation, no operating system.
 *
 *     struct mnv2 device;
 *     mnv2_probe(&device, &bus);                             bus: see mnv2_bare.h, mnv2_linux.h
 *     mnv2_load(&device, &mnv2_program, image, &memory);     both from `mnv2 program`, once
 *     mnv2_set_rings(&device, &pictures, &logits);           once
 *     for each picture:
 *         mnv2_put_picture(&device, 0, &pixels, rows, columns);
 *         mnv2_run(&device, time_out);
 *         mnv2_get_logits(&device, 0, 0, values, NULL);
 *
 * Errors are returned; nothing waits without a time-out; a device is used by one thread at a time.
 */
#ifndef MNV2_H
#define MNV2_H

#include <stddef.h>
#include <stdint.h>

#include "mnv2_format.h"
#include "mnv2_registers.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Every error, and what it tells a person. */
#define MNV2_ERROR_LIST(X)                                                                         \
    X(OK, "All is well.")                                                                          \
    X(NO_ANSWER, "The registers do not answer: check their address, the clock and the reset.")     \
    X(NOT_FOUND, "There is no accelerator at this address: its register ID does not read MNV2.")   \
    X(OTHER_VERSION, "The accelerator's registers are of another version than this driver.")       \
    X(OTHER_CONFIGURATION, "The program was made for an accelerator of another configuration.")    \
    X(OTHER_IMAGE, "The image in memory is not that of the program: it begins with another hash.") \
    X(MEMORY_TOO_SMALL, "The memory is too small for the program, its pictures or its logits.")    \
    X(NOT_ALIGNED, "An address in memory is not a multiple of 4096.")                              \
    X(OUT_OF_REACH, "An address in memory has more bits than the accelerator's port.")             \
    X(PICTURE_SIZE, "The picture has other rows or columns than those of the program.")            \
    X(NO_PROGRAM, "No program was loaded.")                                                        \
    X(NO_RINGS, "It was not said where pictures and logits are.")                                  \
    X(BUSY, "A program is under way: wait for its end, or abort it.")                              \
    X(TIME_OUT, "Time is up and the program has not ended: abort it; if that fails, reset.")       \
    X(NOT_STARTED, "No program has ended since the reset.")                                        \
    X(NOT_DONE, "The program ended before this turn, or has not come so far.")                     \
    X(OVERWRITTEN, "The logits of this turn were read too late: a later turn may have the slot.")  \
    X(NO_COUNTERS, "The accelerator has no counters, or has those of this descriptor no more.")    \
    X(BUS, "Memory answered with an error: check the addresses of program, pictures and logits.")  \
    X(DESCRIPTOR, "The program has an invalid descriptor: load its image again.")                  \
    X(STUCK, "The program came to a standstill: load its image again.")                            \
    X(ABORTED, "The program was aborted.")                                                         \
    X(IN_USE, "Another process uses the accelerator.")                                             \
    X(CANNOT_OPEN, "A device file cannot be opened, read or mapped: errno may say why.")

#define MNV2_ERROR_NAME(name, text) MNV2_##name,
enum mnv2_error { MNV2_ERROR_LIST(MNV2_ERROR_NAME) MNV2_ERROR_COUNT };

/* Where the registers are, and what the board gives: functions that all get the context. */
struct mnv2_bus {
    void *context;
    /* Access the register at a byte address; 0, or anything else if nothing answered. */
    int (*read)(void *context, uint32_t address, uint32_t *value);
    int (*write)(void *context, uint32_t address, uint32_t value);
    /* A clock that counts up; time-outs are in its ticks, whatever they are. */
    uint64_t (*now)(void *context);
    /* Rest until the interrupt is high, or for about that many ticks; it may return early. NULL: no
     * interrupt is enabled, and the registers are polled. */
    void (*rest)(void *context, uint64_t ticks);
    /* Write the CPU's cached lines to memory; drop them. NULL where caches are coherent or off. */
    void (*flush)(void *context, const void *data, size_t bytes);
    void (*invalidate)(void *context, const void *data, size_t bytes);
};

/* Memory that both sides reach: as the CPU and as the accelerator's port addresses it. */
struct mnv2_memory {
    uint8_t *data;
    uint64_t address;
    uint64_t bytes;
};

/* Memory cut into slots of mnv2_slot_bytes each, used in turn. */
struct mnv2_ring {
    struct mnv2_memory memory;
    uint32_t slots;
};

/* An accelerator. Its capabilities are values of registers, of which MNV2_FIELD takes a field. */
struct mnv2 {
    const struct mnv2_bus *bus;
    uint32_t version, configuration;
    uint32_t lanes, formats, port, words[6];    /* words: of each buffer, in the registers' order */
    const struct mnv2_program *program;         /* NULL before mnv2_load */
    uint64_t base;
    struct mnv2_ring pictures, logits;          /* without slots before mnv2_set_rings */
};

/* A sentence for a person; never NULL. */
const char *mnv2_error_text(enum mnv2_error error);

/* Look who is there: identifier, version of the registers, hash, capabilities. */
enum mnv2_error mnv2_probe(struct mnv2 *device, const struct mnv2_bus *bus);

/* Copy a program's image to memory, once for any number of frames. image NULL: it is there. */
enum mnv2_error mnv2_load(struct mnv2 *device, const struct mnv2_program *program,
                          const uint8_t *image, const struct mnv2_memory *memory);

/* Bytes from a slot to the next, for a picture_bytes or logits_bytes. */
uint32_t mnv2_slot_bytes(uint32_t bytes);

/* Say where pictures and logits are. One slot each is enough, except for streams. */
enum mnv2_error mnv2_set_rings(struct mnv2 *device, const struct mnv2_ring *pictures,
                               const struct mnv2_ring *logits);

/* Pack the pictures of a turn, one for each frame abreast, int8 [rows][columns][3] each, quantised
 * as the program's model was, into the turn's slot. */
enum mnv2_error mnv2_put_picture(struct mnv2 *device, uint32_t turn, const int8_t *const pictures[],
                                 uint32_t rows, uint32_t columns);

/* The same of a picture that is packed in the slot already, by mnv2_pack_picture or otherwise. */
uint8_t *mnv2_picture_slot(const struct mnv2 *device, uint32_t turn);
void mnv2_flush_picture(const struct mnv2 *device, uint32_t turn);

/* Start: one turn, or several, or 0 for turns until mnv2_stop. Turns are counted from here. */
enum mnv2_error mnv2_start(struct mnv2 *device, uint32_t turns);

/* MNV2_BUSY while a program is under way, MNV2_OK after a good end, else why it ended. */
enum mnv2_error mnv2_poll(struct mnv2 *device);

/* Wait for the end: by interrupt, or by polling. MNV2_TIME_OUT leaves the program running. */
enum mnv2_error mnv2_wait(struct mnv2 *device, uint64_t time_out);

/* Wait for the logits of a turn. The pictures of it and of those before have been read then, and
 * if the program is under way that of the next turn too. */
enum mnv2_error mnv2_wait_turn(struct mnv2 *device, uint32_t turn, uint64_t time_out);

/* Start one turn and wait for its end. */
enum mnv2_error mnv2_run(struct mnv2 *device, uint64_t time_out);

/* Logits of a frame of a turn: int8 [classes], and if wanted int32 [classes], the accumulators that
 * they were made of. MNV2_OVERWRITTEN: a later turn may have had the slot while it was read. */
enum mnv2_error mnv2_get_logits(struct mnv2 *device, uint32_t turn, uint32_t frame, int8_t *logits,
                                int32_t *accumulators);

/* End after the turn that is under way, or one more; then mnv2_wait. */
enum mnv2_error mnv2_stop(struct mnv2 *device);

/* End now, and wait for that. MNV2_TIME_OUT: memory does not answer, only a reset helps. */
enum mnv2_error mnv2_abort(struct mnv2 *device, uint64_t time_out);

/* Counters of the descriptor that was executed as that number since the start, from 0: of its
 * block, or of the stem before it. Those of the last MNV2_COUNTER_ROWS are kept. */
enum mnv2_error mnv2_counters(struct mnv2 *device, uint32_t number, int stem,
                              uint32_t counters[MNV2_COUNTERS]);

#ifdef __cplusplus
}
#endif

#endif

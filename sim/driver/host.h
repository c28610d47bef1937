/* What the parts of the host share: its device and memory, and what they do with them. */
#ifndef HOST_H
#define HOST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "mnv2.h"
#include "mnv2_program.h"

#define PAGE 4096u
#define PICTURE_SLOTS 2u
#define LOGITS_SLOTS 3u

/* End the program where something is wrong that no error of the driver tells. */
#define CHECK(condition)                                                                 \
    do {                                                                                 \
        if (!(condition)) {                                                              \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);    \
            exit(1);                                                                     \
        }                                                                                \
    } while (0)

/* A step, and what it does with its number. */
struct step {
    const char *name;
    enum mnv2_error (*run)(unsigned number);
};
#define STEP(name) {#name, name}

/* Steps that go wrong; the last has no name. */
extern const struct step FAULT_STEPS[];

extern const struct mnv2_program PROGRAM;
extern uint8_t *image;                          /* memory.bin */
extern struct mnv2_memory program_memory;
extern struct mnv2_ring pictures, logits;
extern struct mnv2 device;
extern struct mnv2_bus bus;
extern uint64_t time_out;                       /* cycles */
extern uint32_t register_shift;                 /* to look for registers where there are none */

/* Carry bytes from the CPU's memory to the accelerator's. */
void flush(void *context, const void *data, size_t bytes);

/* Pack a picture of the folder into the slot of a turn; save the logits of a turn there. */
enum mnv2_error put_picture(uint32_t turn, unsigned number);
enum mnv2_error save_logits(uint32_t turn, unsigned number);

/* Load the program, and set the rings. */
enum mnv2_error load(unsigned number);

#endif

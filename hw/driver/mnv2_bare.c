/* Back end of the driver without an operating system: see mnv2_bare.h. */
#include "mnv2_bare.h"

#include <string.h>

/* Accesses to memory and to registers are kept in order, by the compiler and by the CPU. */
#define FENCE() __sync_synchronize()

static int read_register(void *context, uint32_t address, uint32_t *value)
{
    const struct mnv2_bare *bare = context;

    *value = bare->registers[address / 4];
    FENCE();
    return 0;
}

static int write_register(void *context, uint32_t address, uint32_t value)
{
    const struct mnv2_bare *bare = context;

    FENCE();
    bare->registers[address / 4] = value;
    return 0;
}

static uint64_t now(void *context)
{
    return ((const struct mnv2_bare *)context)->clock();
}

static void rest(void *context, uint64_t ticks)
{
    (void)ticks;    /* an interrupt of the timer ends the sleep, if the caller wants that */
    ((const struct mnv2_bare *)context)->sleep();
}

void mnv2_bare_open(struct mnv2_bare *bare, uintptr_t address, uint64_t (*clock)(void),
                    void (*sleep)(void))
{
    memset(bare, 0, sizeof *bare);
    bare->registers = (volatile uint32_t *)address;
    bare->clock = clock;
    bare->sleep = sleep;
    bare->bus.context = bare;
    bare->bus.read = read_register;
    bare->bus.write = write_register;
    bare->bus.now = now;
    bare->bus.rest = sleep ? rest : NULL;
}

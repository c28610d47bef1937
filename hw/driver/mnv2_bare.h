/* Back end of the driver without an operating system: registers at an address. */
#ifndef MNV2_BARE_H
#define MNV2_BARE_H

#include "mnv2.h"

#ifdef __cplusplus
extern "C" {
#endif

struct mnv2_bare {
    struct mnv2_bus bus;               /* to give to mnv2_probe */
    volatile uint32_t *registers;
    uint64_t (*clock)(void);
    void (*sleep)(void);
};

/* address: of the register ID. clock: ticks that count up, the unit of time-outs. sleep: rest until
 * any interrupt, such as by the instruction wfi, the timer's among them, or time-outs come late; it
 * has to return if the accelerator's is high already. NULL: poll. Hooks for caches are set in bus
 * afterwards. */
void mnv2_bare_open(struct mnv2_bare *bare, uintptr_t address, uint64_t (*clock)(void),
                    void (*sleep)(void));

#ifdef __cplusplus
}
#endif

#endif

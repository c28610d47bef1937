/* The back end without an operating system on registers in an array: for test_bare.py. */
#include <stdio.h>
#include <stdlib.h>

#include "mnv2_bare.h"

static uint32_t registers[(1u << MNV2_REGISTER_ADDRESS_BITS) / 4];
static uint64_t ticks;
static unsigned sleeps;

static uint64_t count(void)
{
    return ++ticks;
}

/* The interrupt comes in the third sleep: the program has ended. */
static void sleep_until_interrupt(void)
{
    if (++sleeps == 3)
        registers[MNV2_REG_STATUS / 4] = MNV2_STATUS_DONE;
}

#define CHECK(condition)                                        \
    do {                                                        \
        if (!(condition)) {                                     \
            fprintf(stderr, "not true: %s\n", #condition);      \
            exit(1);                                            \
        }                                                       \
    } while (0)

int main(void)
{
    struct mnv2_bare bare;
    struct mnv2 device;

    mnv2_bare_open(&bare, (uintptr_t)registers, count, sleep_until_interrupt);
    CHECK(mnv2_probe(&device, &bare.bus) == MNV2_NOT_FOUND);
    registers[MNV2_REG_ID / 4] = MNV2_ID_VALUE;
    CHECK(mnv2_probe(&device, &bare.bus) == MNV2_OTHER_VERSION);
    registers[MNV2_REG_VERSION / 4] = MNV2_VERSION_MAJOR_VALUE << MNV2_VERSION_MAJOR_SHIFT | 99;
    registers[MNV2_REG_CONFIGURATION_HASH / 4] = 1234;
    registers[MNV2_REG_CAPABILITIES_PARAMETERS / 4] = 77;
    CHECK(mnv2_probe(&device, &bare.bus) == MNV2_OK);
    CHECK(device.configuration == 1234 && device.words[5] == 77);
    CHECK(mnv2_stop(&device) == MNV2_OK && registers[MNV2_REG_STOP / 4] == 1);

    /* By interrupt, and by polling, which the clock ends. */
    registers[MNV2_REG_STATUS / 4] = MNV2_STATUS_RUNNING;
    CHECK(mnv2_wait(&device, 100) == MNV2_OK && sleeps == 3);
    mnv2_bare_open(&bare, (uintptr_t)registers, count, NULL);
    registers[MNV2_REG_STATUS / 4] = MNV2_STATUS_RUNNING;
    ticks = 0;
    CHECK(mnv2_wait(&device, 100) == MNV2_TIME_OUT && ticks >= 100 && sleeps == 3);
    registers[MNV2_REG_STATUS / 4] = 15;
    CHECK(mnv2_poll(&device) == MNV2_NO_ANSWER);
    puts(mnv2_error_text(MNV2_TIME_OUT));
    puts(mnv2_error_text(MNV2_ERROR_COUNT));
    return 0;
}

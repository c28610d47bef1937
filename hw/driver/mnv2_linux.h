/* Back end of the driver in user space of Linux: registers and interrupt by UIO, memory by
 * u-dma-buf.
 *
 * The device tree has the accelerator as "generic-uio" with its interrupt, and a u-dma-buf
 * (https://github.com/ikwzm/udmabuf). Time-outs are microseconds.
 */
#ifndef MNV2_LINUX_H
#define MNV2_LINUX_H

#include "mnv2.h"

#ifdef __cplusplus
extern "C" {
#endif

struct mnv2_linux {
    struct mnv2_bus bus;           /* to give to mnv2_probe */
    struct mnv2_memory memory;     /* the whole buffer */
    volatile uint32_t *registers;
    int uio, sync_for_device, sync_for_cpu;
};

/* uio: such as "/dev/uio0". buffer: such as "/dev/udmabuf0". information: the folder of the buffer
 * in sysfs, such as "/sys/class/u-dma-buf/udmabuf0". The registers are locked against other
 * processes, MNV2_IN_USE, until they are closed or this process ends. */
enum mnv2_error mnv2_linux_open(struct mnv2_linux *linux_, const char *uio, const char *buffer,
                                const char *information);
void mnv2_linux_close(struct mnv2_linux *linux_);

/* Cut the next bytes off a copy of the memory, from a multiple of 4096 on; none if it is too
 * small. */
struct mnv2_memory mnv2_cut(struct mnv2_memory *memory, uint64_t bytes);

#ifdef __cplusplus
}
#endif

#endif

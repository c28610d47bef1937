/* Back end of the driver in user space of Linux: see mnv2_linux.h. */
#define _DEFAULT_SOURCE
#include "mnv2_linux.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define WINDOW_BYTES ((size_t)1 << MNV2_REGISTER_ADDRESS_BITS)

/* Accesses to memory and to registers are kept in order, by the compiler and by the CPU. */
#define FENCE() __sync_synchronize()

static int read_register(void *context, uint32_t address, uint32_t *value)
{
    const struct mnv2_linux *linux_ = context;

    *value = linux_->registers[address / 4];
    FENCE();
    return 0;
}

static int write_register(void *context, uint32_t address, uint32_t value)
{
    const struct mnv2_linux *linux_ = context;

    FENCE();
    linux_->registers[address / 4] = value;
    return 0;
}

static uint64_t now(void *context)
{
    struct timespec time;

    (void)context;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

/* The kernel masks the interrupt when it has come; writing 1 lets it through again. The driver has
 * cleared its cause by then, so that the next one that comes is new. */
static void rest(void *context, uint64_t ticks)
{
    const struct mnv2_linux *linux_ = context;
    struct pollfd event = {linux_->uio, POLLIN, 0};
    uint64_t milliseconds = ticks / 1000 + 1;
    uint32_t one = 1, count;

    if (write(linux_->uio, &one, sizeof one) != (ssize_t)sizeof one)
        return;
    if (poll(&event, 1, milliseconds < INT_MAX ? (int)milliseconds : INT_MAX) == 1 &&
        read(linux_->uio, &count, sizeof count) != (ssize_t)sizeof count)
        return;    /* then the registers are polled */
}

/* Give a part of the buffer to the accelerator or to the CPU: u-dma-buf takes offset, size (of
 * whole 16 bytes), direction 0 (both) and a 1 in one number of 64 bits.
 * Ref: u-dma-buf, Readme.md, sync_for_cpu and sync_for_device. */
static void synchronize(const struct mnv2_linux *linux_, int file, const void *data, size_t bytes)
{
    uint64_t offset = (uint64_t)((const uint8_t *)data - linux_->memory.data);
    uint64_t begin = offset & ~(uint64_t)15, size = ((offset + bytes + 15) & ~(uint64_t)15) - begin;
    char text[32];
    int length = snprintf(text, sizeof text, "0x%08" PRIx64 "%08" PRIx64, begin, size | 1);

    FENCE();
    if (pwrite(file, text, (size_t)length, 0) != length)
        perror("mnv2_linux: caches");
    FENCE();
}

static void flush(void *context, const void *data, size_t bytes)
{
    synchronize(context, ((const struct mnv2_linux *)context)->sync_for_device, data, bytes);
}

static void invalidate(void *context, const void *data, size_t bytes)
{
    synchronize(context, ((const struct mnv2_linux *)context)->sync_for_cpu, data, bytes);
}

/* A file of a folder in sysfs. */
static int open_in(const char *folder, const char *name, int flags)
{
    char path[256];
    int length = snprintf(path, sizeof path, "%s/%s", folder, name);

    return length > 0 && (size_t)length < sizeof path ? open(path, flags) : -1;
}

/* The number in a file of sysfs, decimal or with 0x; -1 if there is none. */
static int read_number(const char *folder, const char *name, uint64_t *value)
{
    char text[32], *end = text;
    int file = open_in(folder, name, O_RDONLY);
    ssize_t length = file < 0 ? -1 : read(file, text, sizeof text - 1);

    if (file >= 0)
        close(file);
    if (length > 0) {
        text[length] = '\0';
        *value = strtoull(text, &end, 0);
    }
    return end == text ? -1 : 0;
}

enum mnv2_error mnv2_linux_open(struct mnv2_linux *linux_, const char *uio, const char *buffer,
                                const char *information)
{
    void *registers, *data;
    int memory;

    memset(linux_, 0, sizeof *linux_);
    linux_->uio = linux_->sync_for_device = linux_->sync_for_cpu = -1;
    linux_->uio = open(uio, O_RDWR);
    if (linux_->uio < 0)
        return MNV2_CANNOT_OPEN;
    if (flock(linux_->uio, LOCK_EX | LOCK_NB)) {
        mnv2_linux_close(linux_);
        return MNV2_IN_USE;
    }
    registers = mmap(NULL, WINDOW_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, linux_->uio, 0);
    if (registers != MAP_FAILED)
        linux_->registers = registers;
    linux_->sync_for_device = open_in(information, "sync_for_device", O_WRONLY);
    linux_->sync_for_cpu = open_in(information, "sync_for_cpu", O_WRONLY);
    memory = open(buffer, O_RDWR);
    if (memory >= 0 && !read_number(information, "phys_addr", &linux_->memory.address) &&
        !read_number(information, "size", &linux_->memory.bytes)) {
        data = mmap(NULL, linux_->memory.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
        if (data != MAP_FAILED)
            linux_->memory.data = data;
    }
    if (memory >= 0)
        close(memory);
    if (!linux_->registers || !linux_->memory.data || linux_->sync_for_device < 0 ||
        linux_->sync_for_cpu < 0) {
        mnv2_linux_close(linux_);
        return MNV2_CANNOT_OPEN;
    }
    linux_->bus.context = linux_;
    linux_->bus.read = read_register;
    linux_->bus.write = write_register;
    linux_->bus.now = now;
    linux_->bus.rest = rest;
    linux_->bus.flush = flush;
    linux_->bus.invalidate = invalidate;
    return MNV2_OK;
}

void mnv2_linux_close(struct mnv2_linux *linux_)
{
    int *files[] = {&linux_->uio, &linux_->sync_for_device, &linux_->sync_for_cpu};
    size_t k;

    if (linux_->registers)
        munmap((void *)(uintptr_t)linux_->registers, WINDOW_BYTES);
    if (linux_->memory.data)
        munmap(linux_->memory.data, linux_->memory.bytes);
    linux_->registers = NULL;
    linux_->memory.data = NULL;
    for (k = 0; k < sizeof files / sizeof *files; ++k) {
        if (*files[k] >= 0)
            close(*files[k]);    /* that of the registers ends the lock */
        *files[k] = -1;
    }
}

struct mnv2_memory mnv2_cut(struct mnv2_memory *memory, uint64_t bytes)
{
    struct mnv2_memory none = {NULL, 0, 0}, piece = *memory;
    uint64_t gap = (0 - memory->address) % MNV2_BASE_ALIGNMENT;

    if (memory->bytes < gap || memory->bytes - gap < bytes)
        return none;
    piece.data += gap;
    piece.address += gap;
    piece.bytes = bytes;
    memory->data += gap + bytes;
    memory->address += gap + bytes;
    memory->bytes -= gap + bytes;
    return piece;
}

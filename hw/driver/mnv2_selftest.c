/* The first program to run on a board with Linux: the test vector of `mnv2 program`, in its folder.
 *
 *     cc -std=c99 -O2 mnv2.c mnv2_format.c mnv2_linux.c mnv2_selftest.c -o selftest
 *     ./selftest /dev/uio0 /dev/udmabuf0 /sys/class/u-dma-buf/udmabuf0
 *
 * It runs the pictures of pixels.bin, compares their logits with logits.bin, prints their classes
 * and the cycles of each layer, and exits with 0 if all is right.
 */
#include <stdio.h>
#include <stdlib.h>

#include "mnv2_linux.h"
#include "mnv2_names.h"
#include "mnv2_program.h"

#define TIME_OUT 10000000    /* microseconds */

static const struct mnv2_program PROGRAM = MNV2_PROGRAM;

static void check(enum mnv2_error error, const char *what)
{
    if (error == MNV2_OK)
        return;
    fprintf(stderr, "%s: %s\n", what, mnv2_error_text(error));
    exit(1);
}

static void *read_file(const char *name, size_t bytes)
{
    FILE *file = fopen(name, "rb");
    void *data = malloc(bytes);

    if (!file || !data || fread(data, 1, bytes, file) != bytes) {
        fprintf(stderr, "%s: cannot be read, or is too short\n", name);
        exit(1);
    }
    fclose(file);
    return data;
}

int main(int count, char **arguments)
{
    const size_t pixels = (size_t)PROGRAM.rows * PROGRAM.columns * MNV2_PICTURE_CHANNELS;
    const int8_t *frames[2], *expected;
    struct mnv2_memory left, program;
    struct mnv2_ring pictures = {{NULL, 0, 0}, 1}, logits = {{NULL, 0, 0}, 1};
    struct mnv2_linux board;
    struct mnv2 device;
    uint32_t counters[MNV2_COUNTERS], frame, class, best, number, differ = 0;
    int8_t *values = malloc(PROGRAM.classes);

    if (count != 4 || !values) {
        fprintf(stderr, "usage: %s /dev/uioN /dev/udmabufN /sys/class/u-dma-buf/udmabufN\n",
                arguments[0]);
        return 2;
    }
    frames[0] = read_file("pixels.bin", pixels * PROGRAM.frames);
    frames[1] = frames[0] + pixels;
    expected = read_file("logits.bin", (size_t)PROGRAM.classes * PROGRAM.frames);
    check(mnv2_linux_open(&board, arguments[1], arguments[2], arguments[3]), "open");
    left = board.memory;
    program = mnv2_cut(&left, PROGRAM.memory_bytes);
    pictures.memory = mnv2_cut(&left, PROGRAM.picture_bytes);
    logits.memory = mnv2_cut(&left, PROGRAM.logits_bytes);
    check(mnv2_probe(&device, &board.bus), "probe");
    check(mnv2_load(&device, &PROGRAM, read_file("memory.bin", PROGRAM.image_bytes), &program),
          "load");
    check(mnv2_set_rings(&device, &pictures, &logits), "memory for pictures and logits");
    check(mnv2_put_picture(&device, 0, frames, PROGRAM.rows, PROGRAM.columns), "picture");
    check(mnv2_run(&device, TIME_OUT), "run");
    for (frame = 0; frame < PROGRAM.frames; ++frame) {
        check(mnv2_get_logits(&device, 0, frame, values, NULL), "logits");
        for (best = class = 0; class < PROGRAM.classes; ++class) {
            differ += values[class] != expected[frame * PROGRAM.classes + class];
            if (values[class] > values[best])
                best = class;
        }
        printf("%s\n", mnv2_class_names[best]);
    }
    for (number = 0; number < MNV2_PROGRAM_DESCRIPTORS; ++number)
        if (mnv2_counters(&device, number, 0, counters) == MNV2_OK)
            printf("%-12s %9u cycles\n", mnv2_descriptor_names[number],
                   (unsigned)counters[MNV2_COUNTER_CYCLES]);
    printf("%u of %u logits differ\n", (unsigned)differ,
           (unsigned)(PROGRAM.classes * PROGRAM.frames));
    mnv2_linux_close(&board);
    return differ != 0;
}

/* Opens an accelerator as Linux shows it, by the paths given, and loads a program: for test_linux.py.
 *
 *     c_linux UIO BUFFER FOLDER STEP...
 *
 * Each step prints a line: its name and the driver's error. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mnv2_linux.h"
#include "mnv2_program.h"

static const struct mnv2_program PROGRAM = MNV2_PROGRAM;

int main(int count, char **arguments)
{
#define ERROR_NAME(name, sentence) #name,
    static const char *const names[] = {MNV2_ERROR_LIST(ERROR_NAME)};
    struct mnv2_linux board;
    struct mnv2_memory left, piece;
    struct mnv2_ring ring;
    struct mnv2 device;
    enum mnv2_error error = MNV2_OK;
    uint8_t *image = calloc(1, PROGRAM.image_bytes);
    int k;

    if (!image)
        return 1;
    memcpy(image, &PROGRAM.configuration, 4);
    image[PROGRAM.image_bytes - 1] = 42;
    for (k = 4; k < count; ++k) {
        const char *step = arguments[k];
        if (!strcmp(step, "open"))
            error = mnv2_linux_open(&board, arguments[1], arguments[2], arguments[3]);
        else if (!strcmp(step, "probe"))
            error = mnv2_probe(&device, &board.bus);
        else if (!strcmp(step, "load")) {
            left = board.memory;
            piece = mnv2_cut(&left, PROGRAM.memory_bytes);
            error = mnv2_load(&device, &PROGRAM, image, &piece);
            ring.slots = 1;
            ring.memory = mnv2_cut(&left, PROGRAM.picture_bytes);
            if (!error)
                error = mnv2_set_rings(&device, &ring, &ring);
        } else if (!strcmp(step, "cut")) {
            piece = mnv2_cut(&left, left.bytes + 1);
            error = mnv2_load(&device, &PROGRAM, image, &piece);
        } else if (!strcmp(step, "start"))
            error = mnv2_start(&device, 3);
        else if (!strcmp(step, "wait"))
            error = mnv2_wait(&device, 2000);
        else if (!strcmp(step, "close"))
            mnv2_linux_close(&board);
        else if (!strcmp(step, "hold")) {
            puts("holding");
            fflush(stdout);
            getchar();
        }
        printf("%s %s\n", step, names[error]);
    }
    free(image);
    return 0;
}

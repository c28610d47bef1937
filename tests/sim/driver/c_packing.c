/* Packs a picture and takes logits apart, by the driver's own functions: for test_packing.py. */
#include <stdio.h>
#include <stdlib.h>

#include "mnv2_format.h"
#include "mnv2_program.h"

static const struct mnv2_program PROGRAM = MNV2_PROGRAM;

/* Bytes from standard input, exactly as many as wanted. */
static void *take(size_t bytes)
{
    void *data = malloc(bytes);

    if (!data || fread(data, 1, bytes, stdin) != bytes)
        exit(1);
    return data;
}

int main(void)
{
    size_t pixels = (size_t)PROGRAM.rows * PROGRAM.columns * MNV2_PICTURE_CHANNELS;
    int8_t *picture = take(pixels * PROGRAM.frames);
    uint8_t *words = take(PROGRAM.logits_bytes), *slot = malloc(PROGRAM.picture_bytes);
    int8_t *logits = malloc(PROGRAM.classes);
    int32_t *accumulators = malloc(PROGRAM.classes * sizeof *accumulators);
    const int8_t *pictures[2];
    uint32_t frame;

    pictures[0] = picture;
    pictures[1] = picture + (PROGRAM.frames - 1) * pixels;
    if (!slot || !logits || !accumulators)
        return 1;
    if (!mnv2_pack_picture(&PROGRAM, pictures, PROGRAM.rows + 1, PROGRAM.columns, slot))
        return 2;
    if (mnv2_pack_picture(&PROGRAM, pictures, PROGRAM.rows, PROGRAM.columns, slot))
        return 3;
    fwrite(slot, 1, PROGRAM.picture_bytes, stdout);
    for (frame = 0; frame < PROGRAM.frames; ++frame) {
        mnv2_unpack_logits(&PROGRAM, words, frame, logits, accumulators);
        fwrite(logits, 1, PROGRAM.classes, stdout);
        fwrite(accumulators, sizeof *accumulators, PROGRAM.classes, stdout);
    }
    free(picture);
    free(words);
    free(slot);
    free(logits);
    free(accumulators);
    return fflush(stdout) ? 4 : 0;
}

/* Pictures and logits as they lie in memory, and the program that says so: no device is needed. */
#ifndef MNV2_FORMAT_H
#define MNV2_FORMAT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MNV2_PICTURE_CHANNELS 3u

/* Words in memory: a word takes taken_bits, one after another from the lowest bit of the first beat
 * on; a beat of data_bits carries beat_bits of them, the others are zero. */
struct mnv2_layout {
    uint32_t taken_bits, beat_bits, data_bits;
};

/* A program: mnv2_program.h of `mnv2 program` defines one. */
struct mnv2_program {
    uint32_t configuration;                  /* hash of the accelerator that it is for */
    uint32_t records;
    uint32_t image_bytes;                    /* to load */
    uint32_t memory_bytes;                   /* to reserve: the image, and maps that are written */
    uint32_t picture_bytes, logits_bytes;    /* of a turn */
    uint32_t frames;                         /* pictures of a turn: 1, or 2 abreast */
    uint32_t rows, columns;                  /* of a picture */
    uint32_t pixels;                         /* of a word of the picture */
    uint32_t activation_bits;
    struct mnv2_layout picture_layout;
    uint32_t classes;
    uint32_t inputs;                         /* classes of a frame in a word of logits */
    struct mnv2_layout logits_layout;
};

/* Pack the pictures of a turn, int8 [rows][columns][3] each, one for each frame abreast, into a
 * slot of picture_bytes. 0, or -1 if they have other rows or columns than the program's. */
int mnv2_pack_picture(const struct mnv2_program *program, const int8_t *const pictures[],
                      uint32_t rows, uint32_t columns, uint8_t *slot);

/* Take the logits of a frame out of a slot of logits_bytes: int8 [classes], and int32 [classes],
 * the accumulators that they were made of, unless that is NULL. */
void mnv2_unpack_logits(const struct mnv2_program *program, const uint8_t *slot, uint32_t frame,
                        int8_t *logits, int32_t *accumulators);

#ifdef __cplusplus
}
#endif

#endif

/* Pictures and logits as they lie in memory: see mnv2_format.h. */
#include "mnv2_format.h"

#include <stddef.h>
#include <string.h>

/* A place in words: the bit in memory, and how many follow in its beat. */
struct cursor {
    const struct mnv2_layout *layout;
    uint32_t bit, left;
};

/* Go as far as one byte and one beat allow, at most some bits: how many, and where they begin. */
static uint32_t advance(struct cursor *cursor, uint32_t bits, uint32_t *begin)
{
    uint32_t room;

    if (!cursor->left) {
        cursor->bit += cursor->layout->data_bits - cursor->layout->beat_bits;
        cursor->left = cursor->layout->beat_bits;
    }
    room = 8 - cursor->bit % 8;
    if (bits > room)
        bits = room;
    if (bits > cursor->left)
        bits = cursor->left;
    *begin = cursor->bit;
    cursor->bit += bits;
    cursor->left -= bits;
    return bits;
}

static void skip(struct cursor *cursor, uint32_t bits)
{
    uint32_t begin;

    while (bits)
        bits -= advance(cursor, bits, &begin);
}

static void put_bits(uint8_t *memory, struct cursor *cursor, uint32_t value, uint32_t bits)
{
    uint32_t begin, count;

    /* Whole bytes, as most programs have them, take no loop. */
    if (bits == 8 && cursor->bit % 8 == 0 && cursor->left >= 8) {
        memory[cursor->bit / 8] = (uint8_t)value;
        cursor->bit += 8;
        cursor->left -= 8;
        return;
    }
    for (; bits; bits -= count, value >>= count) {
        count = advance(cursor, bits, &begin);
        memory[begin / 8] |= (uint8_t)((value & ((1u << count) - 1)) << begin % 8);
    }
}

static uint32_t get_bits(const uint8_t *memory, struct cursor *cursor, uint32_t bits)
{
    uint32_t begin, count, done, value = 0;

    for (done = 0; done < bits; done += count) {
        count = advance(cursor, bits - done, &begin);
        value |= ((uint32_t)memory[begin / 8] >> begin % 8 & ((1u << count) - 1)) << done;
    }
    return value;
}

int mnv2_pack_picture(const struct mnv2_program *program, const int8_t *const pictures[],
                      uint32_t rows, uint32_t columns, uint8_t *slot)
{
    const struct mnv2_layout *layout = &program->picture_layout;
    const uint32_t bits = program->activation_bits, pixels = program->pixels;
    const uint32_t frames = program->frames;
    const uint32_t padding =
        layout->taken_bits - pixels * frames * MNV2_PICTURE_CHANNELS * bits;
    struct cursor cursor = {layout, 0, layout->beat_bits};
    uint32_t row, column, frame, channel;

    if (rows != program->rows || columns != program->columns)
        return -1;
    memset(slot, 0, program->picture_bytes);
    for (row = 0; row < rows; ++row)
        for (column = 0; column < columns || column % pixels; ++column) {
            if (column >= columns)    /* of a group that the row does not fill */
                skip(&cursor, frames * MNV2_PICTURE_CHANNELS * bits);
            else
                for (frame = 0; frame < frames; ++frame) {
                    const int8_t *pixel = pictures[frame] +
                        ((size_t)row * columns + column) * MNV2_PICTURE_CHANNELS;
                    for (channel = 0; channel < MNV2_PICTURE_CHANNELS; ++channel)
                        put_bits(slot, &cursor, (uint8_t)pixel[channel], bits);
                }
            if (column % pixels == pixels - 1)
                skip(&cursor, padding);
        }
    return 0;
}

/* The number of some bits in two's complement. */
static int32_t to_signed(uint32_t value)
{
    return value & 0x80000000u ? -(int32_t)(~value) - 1 : (int32_t)value;
}

void mnv2_unpack_logits(const struct mnv2_program *program, const uint8_t *slot, uint32_t frame,
                        int8_t *logits, int32_t *accumulators)
{
    const struct mnv2_layout *layout = &program->logits_layout;
    const uint32_t inputs = program->inputs, lanes = program->frames * inputs;
    struct cursor cursor = {layout, 0, layout->beat_bits};
    uint32_t first, lane, value, number;

    for (first = 0; first < program->classes; first += inputs) {
        for (lane = 0; lane < lanes; ++lane) {
            value = get_bits(slot, &cursor, 32);
            number = first + lane - frame * inputs;
            if (accumulators && lane / inputs == frame && number < program->classes)
                accumulators[number] = to_signed(value);
        }
        for (lane = 0; lane < lanes; ++lane) {
            value = get_bits(slot, &cursor, 8);
            number = first + lane - frame * inputs;
            if (lane / inputs == frame && number < program->classes)
                logits[number] = (int8_t)to_signed(value & 0x80 ? value | 0xffffff00u : value);
        }
        skip(&cursor, layout->taken_bits - 40 * lanes);
    }
}

// zlib's format, as far as Verilator's writer of FST calls for it: no library is needed. One deflate
// block with fixed codes, at any level.
//
// Ref: RFC 1950, sections 2.2 and 9; RFC 1951, sections 3.2.5 and 3.2.6.

#ifndef MNV2_ZLIB_H
#define MNV2_ZLIB_H

#include "matches.h"

using uLong = unsigned long;
using uLongf = uLong;
using Bytef = unsigned char;
constexpr int Z_OK = 0;

namespace mnv2 {

class DeflateWriter {
  public:
    explicit DeflateWriter(std::uint8_t* to) : to(to) {}

    // Bits of a number, the lowest first.
    void number(std::uint32_t value, int width) {
        for (int bit = 0; bit < width; ++bit) push(value >> bit & 1);
    }

    // A literal byte, the end of the block (256), or the base of a length.
    void symbol(unsigned value) {
        if (value < 144) code(0x30 + value, 8);
        else if (value < 256) code(0x190 + value - 144, 9);
        else if (value < 280) code(value - 256, 7);
        else code(0xc0 + value - 280, 8);
    }

    void copy(Match match) {
        static constexpr std::uint16_t LENGTHS[] = {3,  4,  5,  6,  7,  8,  9,  10,  11,  13,
                                                    15, 17, 19, 23, 27, 31, 35, 43,  51,  59,
                                                    67, 83, 99, 115, 131, 163, 195, 227, 258};
        static constexpr std::uint16_t DISTANCES[] = {
            1,   2,   3,   4,   5,   7,    9,    13,   17,   25,   33,   49,   65,    97,    129,
            193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
        const int length = last(LENGTHS, 29, match.length);
        symbol(257 + length);
        const bool longest = length == 28;
        number(match.length - LENGTHS[length], length < 8 || longest ? 0 : (length - 4) / 4);
        const int distance = last(DISTANCES, 30, match.distance);
        code(distance, 5);
        number(match.distance - DISTANCES[distance], distance < 4 ? 0 : (distance - 2) / 2);
    }

    // The place after the last byte, which is filled with zeros.
    std::uint8_t* finish() { return filled ? to + 1 : to; }

  private:
    static int last(const std::uint16_t* bases, int count, std::size_t value) {
        while (bases[count - 1] > value) --count;
        return count - 1;
    }

    // Bits of a Huffman code, the highest first.
    void code(std::uint32_t value, int width) {
        for (int bit = width - 1; bit >= 0; --bit) push(value >> bit & 1);
    }

    void push(unsigned bit) {
        if (filled == 0) *to = 0;
        *to = static_cast<std::uint8_t>(*to | bit << filled);
        if (++filled == 8) {
            filled = 0;
            ++to;
        }
    }

    std::uint8_t* to;
    int filled = 0;
};

// Ref: RFC 1950, section 9, Adler-32.
inline std::uint32_t adler32(const std::uint8_t* bytes, std::size_t size) {
    std::uint32_t low = 1, high = 0;
    for (std::size_t place = 0; place < size; ++place) {
        low = (low + bytes[place]) % 65521;
        high = (high + low) % 65521;
    }
    return high << 16 | low;
}

}  // namespace mnv2

// Bytes that a stream takes at most: 9 bits for a byte, header, end of the block and sum.
inline uLong compressBound(uLong size) { return size + size / 8 + 16; }

// Compress; `target_size` is compressBound(size) or more, and becomes the bytes of the stream.
inline int compress2(Bytef* target, uLongf* target_size, const Bytef* source, uLong size, int level) {
    (void)level;
    target[0] = 0x78;
    target[1] = 0x9c;
    mnv2::DeflateWriter writer(target + 2);
    writer.number(1, 1);  // the last block
    writer.number(1, 2);  // fixed codes
    mnv2::Matches matches(source, size, 32768, 258);
    for (std::size_t place = 0; place < size;) {
        const mnv2::Match match = matches.find(place);
        if (match.length) {
            writer.copy(match);
            matches.skip(place + 1, place + match.length);
            place += match.length;
        } else {
            writer.symbol(source[place++]);
        }
    }
    writer.symbol(256);
    std::uint8_t* end = writer.finish();
    const std::uint32_t sum = mnv2::adler32(source, size);
    for (int shift = 24; shift >= 0; shift -= 8) *end++ = static_cast<std::uint8_t>(sum >> shift);
    *target_size = static_cast<uLongf>(end - target);
    return Z_OK;
}

#endif

// LZ4's block format, as far as Verilator's writer of FST calls for it: no library is needed.
//
// Ref: LZ4 Block Format Description, 2022: sequences, and the end of a block.

#ifndef MNV2_LZ4_H
#define MNV2_LZ4_H

#include "matches.h"

namespace mnv2 {

// A sequence's counts: 4 bits in its token, what exceeds them in bytes that follow, 255 each.
inline std::uint8_t* write_excess(std::uint8_t* to, std::size_t count) {
    if (count < 15) return to;
    for (count -= 15; count >= 255; count -= 255) *to++ = 255;
    *to++ = static_cast<std::uint8_t>(count);
    return to;
}

// Literals, then a match; the last sequence has none.
inline std::uint8_t* write_sequence(std::uint8_t* to, const std::uint8_t* literals,
                                    std::size_t count, Match match) {
    const std::size_t longer = match.length ? match.length - LEAST_MATCH : 0;
    const auto nibble = [](std::size_t value) { return value < 15 ? value : 15; };
    *to++ = static_cast<std::uint8_t>(nibble(count) << 4 | nibble(longer));
    to = write_excess(to, count);
    if (count) std::memcpy(to, literals, count);
    to += count;
    if (!match.length) return to;
    *to++ = static_cast<std::uint8_t>(match.distance);
    *to++ = static_cast<std::uint8_t>(match.distance >> 8);
    return write_excess(to, longer);
}

}  // namespace mnv2

// Bytes that a block takes at most.
inline int LZ4_compressBound(int size) { return size + size / 255 + 16; }

// Compress a block; returns its bytes. `capacity` is LZ4_compressBound(size) or more.
inline int LZ4_compress_default(const char* source, char* target, int size, int capacity) {
    (void)capacity;
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(source);
    auto* to = reinterpret_cast<std::uint8_t*>(target);
    const auto length = static_cast<std::size_t>(size);
    // The last 5 bytes are literals, and no match begins in the last 12.
    const std::size_t last_begin = length > 12 ? length - 12 : 0;
    mnv2::Matches matches(bytes, length > 5 ? length - 5 : 0, 65535, ~std::size_t{0});
    std::size_t literals = 0;
    for (std::size_t place = 0; place < last_begin;) {
        const mnv2::Match match = matches.find(place);
        if (!match.length) {
            ++place;
            continue;
        }
        to = mnv2::write_sequence(to, bytes + literals, place - literals, match);
        matches.skip(place + 1, place + match.length);
        place += match.length;
        literals = place;
    }
    to = mnv2::write_sequence(to, bytes + literals, length - literals, {});
    return static_cast<int>(to - reinterpret_cast<std::uint8_t*>(target));
}

#endif

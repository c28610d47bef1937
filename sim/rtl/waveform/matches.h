// Earlier places of the same bytes, for the two compressors that waveforms need.
//
// Ref: J. Ziv, A. Lempel, A Universal Algorithm for Sequential Data Compression, IEEE Transactions on
// Information Theory 23(3), 1977.

#ifndef MNV2_MATCHES_H
#define MNV2_MATCHES_H

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

namespace mnv2 {

// Bytes that are as long as this are looked for; shorter ones save nothing in LZ4.
constexpr std::size_t LEAST_MATCH = 4;

// A copy of `length` bytes that begins `distance` before the place it is copied to; none if 0 long.
struct Match {
    std::size_t length = 0;
    std::size_t distance = 0;
};

class Matches {
  public:
    // Matches begin at most `reach` bytes back, are at most `longest` long and end before `end`.
    Matches(const std::uint8_t* bytes, std::size_t end, std::size_t reach, std::size_t longest)
        : bytes(bytes), end(end), reach(reach), longest(longest),
          hash_bits(bits_for(end)), newest(std::size_t{1} << hash_bits, NONE),
          before(end, NONE) {}

    // The longest match of the last TRIES places with the same hash; the place is then known.
    Match find(std::size_t place) {
        Match best;
        if (place + LEAST_MATCH > end) return best;
        std::size_t candidate = note(place);
        for (int tries = 0; tries < TRIES && candidate != NONE; ++tries) {
            if (place - candidate > reach) break;
            const std::size_t length = common(candidate, place);
            if (length >= LEAST_MATCH && length > best.length) best = {length, place - candidate};
            if (best.length >= ENOUGH) break;
            candidate = before[candidate];
        }
        return best;
    }

    // Make the places [first, last) known without looking for matches.
    void skip(std::size_t first, std::size_t last) {
        for (std::size_t place = first; place < last && place + LEAST_MATCH <= end; ++place)
            note(place);
    }

  private:
    static constexpr std::size_t NONE = ~std::size_t{0};
    static constexpr int TRIES = 8;
    static constexpr std::size_t ENOUGH = 64;

    // A table of as many entries as there are bytes, within limits: most blocks are short.
    static int bits_for(std::size_t size) {
        int bits = 6;
        while (bits < 15 && std::size_t{1} << bits < size) ++bits;
        return bits;
    }

    // Enter a place under the hash of its first bytes; the place that was there before it.
    std::size_t note(std::size_t place) {
        std::uint32_t word;
        std::memcpy(&word, bytes + place, sizeof word);
        std::size_t& entry = newest[(word * 2654435761u) >> (32 - hash_bits)];
        before[place] = entry;
        return std::exchange(entry, place);
    }

    std::size_t common(std::size_t first, std::size_t second) const {
        std::size_t length = 0;
        while (length < longest && second + length < end
               && bytes[first + length] == bytes[second + length])
            ++length;
        return length;
    }

    const std::uint8_t* bytes;
    std::size_t end, reach, longest;
    int hash_bits;
    std::vector<std::size_t> newest, before;
};

}  // namespace mnv2

#endif

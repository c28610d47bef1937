// Main program of the simulated SoC without a CPU: its serial line is a terminal of this machine, whose
// name is printed. It ends when the host has closed that, or +cycles=N are over; +bit=N are cycles a bit.

#include <fcntl.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>

#include "Vtop.h"
#include "verilated.h"

namespace {

constexpr int FRAME_BITS = 10;          // a start bit, eight of data, a stop bit
constexpr uint64_t LOOK_CYCLES = 1024;  // between looks for what the host has sent

// The end of a terminal that programs do not see.
class Terminal {
  public:
    bool open() {
        _end = posix_openpt(O_RDWR | O_NOCTTY);
        if (_end < 0 || grantpt(_end) || unlockpt(_end)) return false;
        // Bytes pass as they are. Open here too, so that nobody's having opened it is not its end.
        _other = ::open(ptsname(_end), O_RDWR | O_NOCTTY);
        termios settings;
        if (_other < 0 || tcgetattr(_other, &settings)) return false;
        cfmakeraw(&settings);
        if (tcsetattr(_other, TCSANOW, &settings)) return false;
        if (fcntl(_end, F_SETFL, O_NONBLOCK)) return false;
        std::printf("line %s\n", ptsname(_end));
        std::fflush(stdout);
        return true;
    }

    // A byte of the host's, or -1.
    int get() {
        uint8_t byte;
        const ssize_t count = read(_end, &byte, 1);
        if (count == 1) {
            if (_other >= 0) close(_other);
            _other = -1;
            return byte;
        }
        closed = count == 0 || errno == EIO;
        return -1;
    }

    void put(uint8_t byte) {
        while (write(_end, &byte, 1) != 1 && errno == EAGAIN) usleep(100);
    }

    bool closed = false;

  private:
    int _end = -1, _other = -1;
};

uint64_t argument(VerilatedContext& context, const char* name) {
    const char* found = context.commandArgsPlusMatch(name);
    return *found ? std::strtoull(std::strchr(found, '=') + 1, nullptr, 10) : 0;
}

}  // namespace

int main(int count, char** arguments) {
    const auto context = std::make_unique<VerilatedContext>();
    context->commandArgs(count, arguments);
    const auto top = std::make_unique<Vtop>(context.get());
    const uint64_t limit = argument(*context, "cycles="), bit = argument(*context, "bit=");
    Terminal terminal;
    if (!bit || !terminal.open()) return 2;

    uint64_t cycle = 0;
    int sent = FRAME_BITS, frame = 0;                 // to the SoC: bits of a frame that are over
    uint64_t next = 0;                                // cycle in which the next of them begins
    int got = -1, data = 0;                           // from the SoC: bits of a frame, -1 between
    uint64_t sample = 0;                              // cycle in which the next of them is read
    top->serial_rx = 1;
    for (; cycle < limit && !terminal.closed; ++cycle) {
        if (sent < FRAME_BITS && cycle >= next) {
            top->serial_rx = frame >> sent & 1;
            ++sent;
            next = cycle + bit;
        } else if (sent == FRAME_BITS && cycle >= next) {
            const int byte = terminal.get();
            next = byte < 0 ? cycle + LOOK_CYCLES : cycle;
            if (byte >= 0) frame = byte << 1 | 1 << (FRAME_BITS - 1), sent = 0;
        }
        if (got < 0 && !top->serial_tx && cycle) {
            got = 0, data = 0, sample = cycle + bit + bit / 2;
        } else if (got >= 0 && cycle == sample) {
            if (got == 8) {
                terminal.put(static_cast<uint8_t>(data));
                got = -1;
            } else {
                data |= top->serial_tx << got++;
                sample += bit;
            }
        }
        for (const int level : {1, 0}) {
            top->sys_clk = level;
            top->eval();
            context->timeInc(1);
        }
    }
    top->final();
    std::printf("cycles %llu\n", static_cast<unsigned long long>(cycle));
    return terminal.closed ? 0 : 1;
}

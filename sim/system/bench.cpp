// Main program of the simulated SoC: drives the clock until the SoC has ended, or +cycles=N are over.

#include <cstdlib>
#include <cstring>
#include <memory>

#include "Vtop.h"
#include "verilated.h"

int main(int count, char** arguments) {
    const auto context = std::make_unique<VerilatedContext>();
    context->commandArgs(count, arguments);
    const auto top = std::make_unique<Vtop>(context.get());
    const char* limit = context->commandArgsPlusMatch("cycles=");
    uint64_t left = *limit ? std::strtoull(std::strchr(limit, '=') + 1, nullptr, 10) : 0;
    for (; left && !context->gotFinish(); --left) {
        for (const int level : {1, 0}) {
            top->clk = level;
            top->eval();
            context->timeInc(1);
        }
    }
    top->final();
    return context->gotFinish() ? 0 : 1;
}

// The Verilated accelerator and its memory as a library with an interface in C: see bench.h.

#include "bench.h"

#include <memory>
#include <vector>

#include "Vtop.h"
#include "Vtop___024root.h"
#include "verilated.h"

namespace {

constexpr int RESET_CYCLES = 4;

std::unique_ptr<VerilatedContext> context;
std::unique_ptr<Vtop> top;
uint64_t cycles = 0;

// A cycle of the clock; inputs that were set before count for its rising edge.
void step() {
    top->clk = 1;
    top->eval();
    context->timeInc(1);
    top->clk = 0;
    top->eval();
    context->timeInc(1);
    ++cycles;
}

int access(uint32_t address, bool write, uint32_t data, uint32_t* value) {
    top->request_address = address;
    top->request_write = write;
    top->request_data = data;
    top->request = 1;
    int left = BENCH_PATIENCE;
    while (!top->acknowledge && left-- > 0) step();
    const bool answered = top->acknowledge;
    if (answered && value) *value = top->response_data;
    const bool error = top->response != 0;
    top->request = 0;
    do step(); while (top->acknowledge);
    return answered && !error ? 0 : -1;
}

}  // namespace

extern "C" {

void bench_open(int count, const char* const plusargs[]) {
    std::vector<const char*> arguments{"bench"};
    arguments.insert(arguments.end(), plusargs, plusargs + count);
    context = std::make_unique<VerilatedContext>();
    context->commandArgs(static_cast<int>(arguments.size()), arguments.data());
    top = std::make_unique<Vtop>(context.get());
    cycles = 0;
    // Inputs may begin with anything, as registers do.
    top->clk = top->reset = top->request = top->silent = top->failing = 0;
    top->eval();
    bench_reset();
}

void bench_close(void) {
    if (top) top->final();
    top.reset();
    context.reset();
}

void bench_hold_reset(int hold) {
    top->reset = hold;
    for (int k = 0; k < RESET_CYCLES; ++k) step();
}

void bench_reset(void) {
    bench_hold_reset(1);
    bench_hold_reset(0);
}

int bench_read(uint32_t address, uint32_t* value) { return access(address, false, 0, value); }

int bench_write(uint32_t address, uint32_t value) { return access(address, true, value, nullptr); }

void bench_rest(uint64_t count) {
    for (uint64_t k = 0; k < count && !top->irq; ++k) step();
}

void bench_pass(uint64_t count) {
    for (uint64_t k = 0; k < count; ++k) step();
}

uint64_t bench_cycles(void) { return cycles; }

// Beats follow one another there, each in 32-bit words from the lowest.
uint8_t* bench_memory(void) {
    return reinterpret_cast<uint8_t*>(&top->rootp->driver_bench__DOT__memory__DOT__storage);
}

uint64_t bench_memory_bytes(void) {
    return sizeof top->rootp->driver_bench__DOT__memory__DOT__storage;
}

uint64_t bench_memory_address(void) { return BENCH_MEMORY_ADDRESS; }

void bench_silence(int on) { top->silent = on; }

void bench_fail(int on) { top->failing = on; }

}  // extern "C"

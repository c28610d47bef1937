// Main program of the accelerator's simulation: drives the clock, and lets cocotb in only when
// something has happened that it waits for.
//
// cocotb's own main program looks for callbacks twice a cycle, and a clock in Verilog is a coroutine
// that is scheduled twice a cycle; with this one a cycle is two evaluations and two comparisons.
// The top module has
//   input  clk    its only clock, of which cocotb sees no edges
//   output wake   changes with each signal whose change cocotb may wait for
// and cocotb may use timers. After an event, callbacks are called in the order of cocotb's program.
//
// Ref: cocotb 2.1, share/lib/verilator/verilator.cpp; IEEE 1800-2017, 38.36, vpi_register_cb().

#include <cstdio>
#include <cstring>
#include <memory>

#include "Vtop.h"
#include "verilated.h"
#include "verilated_vpi.h"

#if VM_TRACE_FST
#include "verilated_fst_c.h"
using Trace = VerilatedFstC;
#elif VM_TRACE
#include "verilated_vcd_c.h"
using Trace = VerilatedVcdC;
#endif

namespace {

constexpr vluint64_t HALF_PERIOD = 5;  // in units of the time scale

vluint64_t now = 0;

void end_simulation() { VerilatedVpi::callCbs(cbEndOfSimulation); }

void call_value_callbacks() {
    while (VerilatedVpi::callValueCbs()) {}
}

// What cocotb does at a time: callbacks, and evaluations for what they write, until nothing changes.
void call_callbacks(Vtop& top) {
    do {
        do {
            if (VerilatedVpi::evalNeeded()) top.eval_step();
            VerilatedVpi::clearEvalNeeded();
            VerilatedVpi::doInertialPuts();
            call_value_callbacks();
        } while (VerilatedVpi::evalNeeded());
        VerilatedVpi::callCbs(cbReadWriteSynch);
        VerilatedVpi::doInertialPuts();
        call_value_callbacks();
    } while (VerilatedVpi::evalNeeded());
    VerilatedVpi::callCbs(cbReadOnlySynch);
}

}  // namespace

// Verilator's runtime asks for the time by this name.
double sc_time_stamp() { return static_cast<double>(now); }

extern "C" void vlog_startup_routines_bootstrap(void);

int main(int argc, char** argv) {
    const char* trace_name = nullptr;
    for (int i = 1; i + 1 < argc; ++i)
        if (std::strcmp(argv[i], "--trace-file") == 0) trace_name = argv[i + 1];

    Verilated::commandArgs(argc, argv);
    const auto top = std::make_unique<Vtop>("");
    Verilated::fatalOnVpiError(false);  // cocotb reports them

#if VM_TRACE
    std::unique_ptr<Trace> trace;
    Verilated::traceEverOn(true);
    if (trace_name) {
        trace = std::make_unique<Trace>();
        top->trace(trace.get(), 99);
        trace->open(trace_name);
    }
    const auto dump = [&] {
        if (trace) trace->dump(now);
    };
#else
    if (trace_name) {
        std::fprintf(stderr, "This simulation was built without waveforms\n");
        return 1;
    }
    const auto dump = [] {};
#endif

    vlog_startup_routines_bootstrap();
    Verilated::addExitCb([](void*) { end_simulation(); }, nullptr);  // where an assertion ends it
    VerilatedVpi::callCbs(cbStartOfSimulation);
    call_value_callbacks();

    bool called = true;  // callbacks were called at the time before
    top->clk = 0;
    top->eval_step();
    call_callbacks(*top);
    dump();
    auto seen = top->wake;
    vluint64_t deadline = VerilatedVpi::cbNextDeadline();
    while (!Verilated::gotFinish()) {
        now += HALF_PERIOD;
        if (called) {
            VerilatedVpi::callCbs(cbNextSimTime);
            call_value_callbacks();
        }
        if (now >= deadline) {
            VerilatedVpi::callTimedCbs();
            call_value_callbacks();
        }
        top->clk = !top->clk;
        top->eval_step();
        called = top->wake != seen || now >= deadline;
        if (called) {
            call_callbacks(*top);
            seen = top->wake;
            deadline = VerilatedVpi::cbNextDeadline();
        }
        dump();
    }

    top->final();
    end_simulation();
#if VM_TRACE
    if (trace) trace->close();
#endif
    return Verilated::threadContextp()->errorCount() > 0;
}

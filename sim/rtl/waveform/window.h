// When a waveform is written: put before `main.cpp` in builds that can write one.
//
// `waves.sv` opens and closes the window; times outside of it are left out. The program takes the
// tracer by Verilator's name of it, which is then the one below.

#include "Vtop.h"  // names the tracer before its name is another's
#include "svdpi.h"
#include "verilated.h"

#if VM_TRACE_FST
#include "verilated_fst_c.h"
#elif VM_TRACE_VCD
#include "verilated_vcd_c.h"
#endif

namespace {

bool window_open = true;

template <typename Tracer>
class WindowedTracer : public Tracer {
  public:
    void dump(uint64_t now) {
        if (window_open) Tracer::dump(now);
    }
};

}  // namespace

extern "C" void mnv2_window(svBit open) { window_open = open; }

#if VM_TRACE_FST
using FstInWindow = WindowedTracer<VerilatedFstC>;
#define VerilatedFstC FstInWindow
#elif VM_TRACE_VCD
using VcdInWindow = WindowedTracer<VerilatedVcdC>;
#define VerilatedVcdC VcdInWindow
#endif


/* The Verilated accelerator and its memory, as a library with an interface in C.
 *
 * There is one of them in a process. Time passes in it while a register is accessed, and in
 * bench_rest; memory is there all the time. */
#ifndef BENCH_H
#define BENCH_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Power up: plusargs of axi_memory.sv, such as "+latency=100". */
void bench_open(int count, const char *const plusargs[]);
void bench_close(void);

/* Reset accelerator and memory port; the memory keeps its bytes. */
void bench_reset(void);

/* Hold the accelerator in reset, or end that. Its registers do not answer meanwhile. */
void bench_hold_reset(int hold);

/* Access the register at a byte address over AXI4-Lite, in some cycles: 0, or -1 if it answered
 * with an error, or if nothing answered for BENCH_PATIENCE cycles. */
#define BENCH_PATIENCE 1000
int bench_read(uint32_t address, uint32_t *value);
int bench_write(uint32_t address, uint32_t value);

/* Let that many cycles pass, or fewer if the interrupt is high. */
void bench_rest(uint64_t cycles);

/* Let that many cycles pass. */
void bench_pass(uint64_t cycles);

/* Cycles since power-up. */
uint64_t bench_cycles(void);

/* The memory: its first byte, and how many there are. On a host of little-endian bytes, which it
 * has to be, they lie as the accelerator addresses them, from bench_memory_address on. */
uint8_t *bench_memory(void);
uint64_t bench_memory_bytes(void);
uint64_t bench_memory_address(void);

/* Memory that does not answer: neither data nor responses come until this ends. */
void bench_silence(int on);

/* Memory that answers everything with SLVERR. */
void bench_fail(int on);

#ifdef __cplusplus
}
#endif

#endif

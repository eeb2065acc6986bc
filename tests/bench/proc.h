/* proc: what the kernel says of another process, for the benchmarks: memory, processor time. */
#ifndef BANYAN_TESTS_BENCH_PROC_H
#define BANYAN_TESTS_BENCH_PROC_H

#include <stdint.h>
#include <sys/types.h>

double proc_rss_mb(pid_t);
/* All its processor time so far, in seconds. */
double proc_cpu_s(pid_t);
/* The same without the opener and its crew, in microseconds: what acknowledging takes, the writer's
 * part in full. */
double proc_ack_us(pid_t);

/* What it used so far: time in its own code, waits for the disk in its maps, bytes from and to the
 * disk. */
struct proc_use {
	double user_s;
	uint64_t major, read_bytes, written_bytes;
};
void proc_use(pid_t, struct proc_use *out);

#endif

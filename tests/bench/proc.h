/* proc: what the kernel says of another process, for the benchmarks: memory, processor time. */
#ifndef BANYAN_TESTS_BENCH_PROC_H
#define BANYAN_TESTS_BENCH_PROC_H

#include <sys/types.h>

double proc_rss_mb(pid_t);
/* All its processor time so far, in seconds. */
double proc_cpu_s(pid_t);
/* The same without the opener and its crew, in microseconds: what acknowledging takes, the writer's part in full. */
double proc_ack_us(pid_t);

#endif

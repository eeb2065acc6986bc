/*
 * device: what the benchmarks share: a device's store enrolled at a real node, filled with random
 * returns of case26.md, 26 answers each, 60 of 100 with a note of about 63 bytes; and the targets
 * to print beside a figure.
 */
#ifndef BANYAN_TESTS_BENCH_DEVICE_H
#define BANYAN_TESTS_BENCH_DEVICE_H

#include "tests/e2e/run.h"
#include "tools/node/link/link.h"
#include "tools/node/outbox/outbox.h"

/* The node with the form, and the villages' codes. */
void bench_stage(struct stage *, const char *banyan);
/* bench_form: the same, where the stage was begun otherwise. */
void bench_form(struct stage *);
const char *bench_area(unsigned n);

/* device_invite: an invitation's line (free it), to be answered at `address`. */
char *device_invite(struct stage *, const char *name, const char *area, const char *address);
/* device_join: NAME's store at the stage; *result is the join's. */
struct peer *
device_join(struct stage *, const char *name, const char *line, struct link_result *result);
/* device_open: one that joined in an earlier run. */
struct peer *device_open(struct stage *, const char *name);
/* device_fill: `count` returns in saves of `each`, one run. */
void device_fill(struct peer *, unsigned count, unsigned each);
/* device_fill_urgent: one that goes before all others. */
void device_fill_urgent(struct peer *);
/* device_sync: must end verified. */
void device_sync(struct peer *, struct link_result *);

/* target_print: a row: figure, target, 2x bar, verdict. Is the target met? */
bool target_print(const char *key, double figure);

#endif

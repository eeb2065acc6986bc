/*
 * duty: when a device that keeps itself in step tries to reach its office, and why not now. A pure
 * state machine: what happens goes in with the time of a clock that only goes forward; when to try
 * comes out. No clock, no I/O.
 *
 * - Something finished is tried at once; so is a link that came. Between two tries PAUSE_S, for
 * what is urgent URGENT_S.
 * - A try that failed is followed by a wait that doubles, from RETRY_S_MIN to RETRY_S_MAX, less up
 * to half of it by chance. A link that came, or something urgent, ends the wait; a wait that the
 * office asked for is kept in any case.
 * - Nothing to send: no try, but for one each `news_s`, which hears what the office says.
 * - A day's tries and bytes are bounded. Something urgent may go past the tries; of the bytes a
 * part is its own.
 * - Shut out: no try any more, until the program begins anew.
 *
 * A day is 86,400 seconds, counted while the program runs by the clock that only goes forward.
 * Across a restart the calendar's difference is added: never less than nothing, so a clock that was
 * set back a year prolongs the day by the time that the program was away and no more; one that was
 * set forward ends one day early, once.
 */
#ifndef BANYAN_TOOLS_NODE_AGENT_DUTY_H
#define BANYAN_TOOLS_NODE_AGENT_DUTY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"

#define DUTY_DAY_S 86400u
#define DUTY_PAUSE_S 5u
#define DUTY_URGENT_S 1u
#define DUTY_RETRY_S_MIN 15u
#define DUTY_RETRY_S_MAX 3600u
#define DUTY_BYTES_LEAST 1024u /* with less left of a day no try begins: a session and a record */
#define DUTY_DAY_BYTES_MIN \
	8192u /* a day's: a first handshake, news, and a quarter for what is urgent */
#define DUTY_URGENT_BYTES \
	4096u /* of a day, kept for what is urgent; a quarter of the day's if that is less */
#define DUTY_FOREVER UINT64_MAX
/*
 * What nobody counts for us, as a session's bytes are counted: a name's two questions (A, AAAA) of
 * some 70 bytes with headers, asked up to twice, and answers of some 130; a connection that nobody
 * takes: five SYN of 60 bytes in 20 s (0, 1, 3, 7, 15).
 */
#define DUTY_LOOKUP_BYTES 540u
#define DUTY_VAIN_BYTES 300u

enum duty_why {
#define X(name, json, sentence) DUTY_##name,
#include "tools/node/agent/duty.def"
#undef X
	DUTY_WHY_COUNT
};
const char *duty_name(enum duty_why); /* "no_link" */
const char *duty_sentence(enum duty_why);

struct duty_options {
	uint64_t bytes_a_day, wakes_a_day; /* 0: unbounded */
	uint64_t news_s;                   /* 0: never without something to send */
};

/* What outlives the program: duty_resume takes it back. */
struct duty_kept {
	uint64_t calendar_s;          /* when it was kept */
	uint64_t day_s, bytes, wakes; /* of the present day: gone; used */
	uint64_t quiet_s;             /* since the last try that ended well */
	bool ever;                    /* there was one */
};

struct duty {
	struct duty_options options;
	struct duty_kept kept;
	uint64_t now_s, tried_s, not_before_s,
	    asked_s; /* not_before: own backoff; asked: the office's wish */
	uint32_t failures;
	bool link, waits, urgent, tried, syncing, refused;
};

struct duty_next {
	enum duty_why why;
	bool now;
	uint64_t in_s;      /* DUTY_FOREVER: when something happens */
	uint64_t bytes_max; /* with now; 0: unbounded */
};

void duty_init(struct duty *, const struct duty_options *, uint64_t now_s);
/* duty_resume: after duty_init: as it was kept; the calendar says calendar_s now. */
void duty_resume(struct duty *, const struct duty_kept *, uint64_t calendar_s);
struct duty_kept duty_keep(const struct duty *, uint64_t calendar_s);

/* What happens. Times never go back; one that does is taken as the last. */
void duty_time(struct duty *, uint64_t now_s);
void duty_link(struct duty *, bool there, bool anew); /* anew: another one than before */
void duty_waits(struct duty *, bool something, bool urgent);
void duty_began(struct duty *); /* a try: counted at once */
/* duty_ended: with `e`; `retry_s`: what an E_PEER_BUSY node wished; `bytes` on the link, both ways;
 * `chance`: random. */
void duty_ended(struct duty *, enum err e, uint64_t retry_s, uint64_t bytes, uint32_t chance);

/*
 * duty_cost: bytes of a try: those that were counted, and what is put down for names and for
 * connecting in vain. duty_rests: attachments that wait and did not get further in a try that ended
 * with `e`, nothing else waiting: until when they are no cause for another one (the forward clock):
 * an hour, if the office had no room; the day's end, if the day's bytes end here.
 */
uint64_t duty_cost(uint64_t bytes, uint64_t lookups, uint64_t vain);
uint64_t duty_rests(const struct duty *, enum err e);

/* duty_next: try now, or why not and when next. Changes nothing. */
struct duty_next duty_next(const struct duty *);

#endif

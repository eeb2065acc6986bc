#include "tools/node/agent/duty.h"

#include <string.h>

static const struct {
	const char *name, *sentence;
} whys[] = {
#define X(name, json, sentence) {json, sentence},
#include "tools/node/agent/duty.def"
#undef X
};

const char *
duty_name(enum duty_why why)
{
	return (unsigned)why < DUTY_WHY_COUNT ? whys[why].name : "";
}

const char *
duty_sentence(enum duty_why why)
{
	return (unsigned)why < DUTY_WHY_COUNT ? whys[why].sentence : "";
}

/* ---- beginning, and what is kept ---- */

void
duty_init(struct duty *d, const struct duty_options *options, uint64_t now_s)
{
	memset(d, 0, sizeof(*d));
	d->options = *options;
	d->now_s = now_s;
}

static uint64_t
sum(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static void
pass(struct duty_kept *k, uint64_t seconds)
{
	k->quiet_s = sum(k->quiet_s, seconds);
	k->day_s = sum(k->day_s, seconds);
	if (k->day_s < DUTY_DAY_S)
		return;
	k->day_s %= DUTY_DAY_S;
	k->bytes = k->wakes = 0;
}

void
duty_resume(struct duty *d, const struct duty_kept *kept, uint64_t calendar_s)
{
	d->kept = *kept;
	if (calendar_s > kept->calendar_s)
		pass(&d->kept, calendar_s - kept->calendar_s);
}

struct duty_kept
duty_keep(const struct duty *d, uint64_t calendar_s)
{
	struct duty_kept k = d->kept;

	k.calendar_s = calendar_s;
	return k;
}

/* ---- what happens ---- */

void
duty_time(struct duty *d, uint64_t now_s)
{
	if (now_s <= d->now_s)
		return;
	pass(&d->kept, now_s - d->now_s);
	d->now_s = now_s;
}

void
duty_link(struct duty *d, bool there, bool anew)
{
	if (there && (anew || !d->link)) {
		d->not_before_s = 0;
		d->failures = 0;
	}
	d->link = there;
}

void
duty_waits(struct duty *d, bool something, bool urgent)
{
	if (urgent && !d->urgent)
		d->not_before_s = 0;
	d->waits = something;
	d->urgent = something && urgent;
}

void
duty_began(struct duty *d)
{
	d->syncing = d->tried = true;
	d->tried_s = d->now_s;
	d->kept.wakes++;
}

static uint64_t
backoff(uint32_t failures, uint32_t chance)
{
	uint64_t wait = DUTY_RETRY_S_MIN;

	while (--failures > 0 && wait < DUTY_RETRY_S_MAX)
		wait *= 2;
	if (wait > DUTY_RETRY_S_MAX)
		wait = DUTY_RETRY_S_MAX;
	return wait - chance % (wait / 2 + 1);
}

void
duty_ended(struct duty *d, enum err e, uint64_t retry_s, uint64_t bytes, uint32_t chance)
{
	d->syncing = false;
	d->tried_s = d->now_s;
	d->kept.bytes = sum(d->kept.bytes, bytes);
	d->refused = e == E_REVOKED;
	if (e == E_OK) {
		d->kept.quiet_s = 0;
		d->kept.ever = true;
		d->failures = 0;
		d->not_before_s = d->asked_s = 0;
		return;
	}
	if (e == E_BUDGET) /* it went as far as it might: the day's bytes say what follows */
		return;
	if (d->failures < UINT32_MAX)
		d->failures++;
	d->not_before_s = d->now_s + backoff(d->failures, chance);
	if (e == E_PEER_BUSY)
		d->asked_s = sum(d->now_s, retry_s);
}

uint64_t
duty_cost(uint64_t bytes, uint64_t lookups, uint64_t vain)
{
	return sum(bytes, sum(lookups * DUTY_LOOKUP_BYTES, vain * DUTY_VAIN_BYTES));
}

uint64_t
duty_rests(const struct duty *d, enum err e)
{
	return sum(d->now_s, e == E_BUDGET ? DUTY_DAY_S - d->kept.day_s : DUTY_RETRY_S_MAX);
}

/* ---- when next ---- */

static struct duty_next
later(const struct duty *d, enum duty_why why, uint64_t at_s)
{
	return (struct duty_next){.why = why,
				  .in_s = at_s == DUTY_FOREVER ? at_s
					  : at_s > d->now_s    ? at_s - d->now_s
							       : 0};
}

/* Of the day's bytes, how many may be used now. */
static uint64_t
bytes_left(const struct duty *d)
{
	uint64_t day = d->options.bytes_a_day;
	uint64_t own = day / 4 < DUTY_URGENT_BYTES ? day / 4 : DUTY_URGENT_BYTES;
	uint64_t may = d->urgent ? day : day - own;

	return d->kept.bytes < may ? may - d->kept.bytes : 0;
}

/* When there will be cause for a try. */
static uint64_t
wanted_at(const struct duty *d)
{
	if (d->waits || !d->kept.ever)
		return d->now_s;
	if (d->options.news_s == 0)
		return DUTY_FOREVER;
	return d->kept.quiet_s >= d->options.news_s
		   ? d->now_s
		   : sum(d->now_s, d->options.news_s - d->kept.quiet_s);
}

struct duty_next
duty_next(const struct duty *d)
{
	uint64_t pause = d->urgent ? DUTY_URGENT_S : DUTY_PAUSE_S, wanted = wanted_at(d);
	uint64_t tomorrow = d->now_s + (DUTY_DAY_S - d->kept.day_s);

	if (d->refused)
		return later(d, DUTY_REFUSED, DUTY_FOREVER);
	if (d->syncing)
		return later(d, DUTY_SYNCING, DUTY_FOREVER);
	if (wanted > d->now_s)
		return later(d, DUTY_NOTHING, wanted);
	if (!d->link)
		return later(d, DUTY_NO_LINK, DUTY_FOREVER);
	if (d->options.bytes_a_day != 0 && bytes_left(d) < DUTY_BYTES_LEAST)
		return later(d, DUTY_BYTES, tomorrow);
	if (d->options.wakes_a_day != 0 && d->kept.wakes >= d->options.wakes_a_day && !d->urgent)
		return later(d, DUTY_WAKES, tomorrow);
	if (d->asked_s > d->now_s)
		return later(d, DUTY_BUSY, d->asked_s);
	if (d->not_before_s > d->now_s)
		return later(d, DUTY_FAILED, d->not_before_s);
	if (d->tried && d->tried_s + pause > d->now_s)
		return later(d, DUTY_PAUSE, d->tried_s + pause);
	return (struct duty_next){.why = DUTY_NOW,
				  .now = true,
				  .bytes_max = d->options.bytes_a_day == 0 ? 0 : bytes_left(d)};
}

/* When a device that keeps itself in step tries, and why not: by what happens, second by second. */
#include "tests/check.h"
#include "tools/node/agent/duty.h"

#define YEAR_S (365u * DUTY_DAY_S)

enum what { END, TIME, LINK, NEW_LINK, NO_LINK, WAITS, URGENT, NOTHING, BEGAN, ENDED, ASKED, USED };

/* What happens (n: seconds, an error...), then why it does not try and in how many seconds it does.
 */
struct step {
	enum what what;
	uint64_t n;
	enum duty_why why;
	uint64_t in_s;
};

static void
happen(struct duty *d, const struct step *s)
{
	switch (s->what) {
	case TIME:
		duty_time(d, d->now_s + s->n);
		break;
	case LINK:
		duty_link(d, true, false);
		break;
	case NEW_LINK:
		duty_link(d, true, true);
		break;
	case NO_LINK:
		duty_link(d, false, false);
		break;
	case WAITS:
		duty_waits(d, true, false);
		break;
	case URGENT:
		duty_waits(d, true, true);
		break;
	case NOTHING:
		duty_waits(d, false, false);
		break;
	case BEGAN:
		duty_began(d);
		break;
	case ENDED:
		duty_ended(d, (enum err)s->n, 0, 300, 0);
		break;
	case ASKED:
		duty_ended(d, E_PEER_BUSY, s->n, 300, 0);
		break;
	case USED:
		duty_ended(d, E_OK, 0, s->n, 0);
		break;
	case END:
		break;
	}
}

static void
play(const struct duty_options *options, const struct step *s, bool settled)
{
	struct duty_next next;
	struct duty d;
	unsigned i;

	duty_init(&d, options, 1000);
	if (settled) { /* it synced a while ago */
		struct duty_kept kept = {.calendar_s = 5, .ever = true};

		duty_resume(&d, &kept, 5);
		duty_link(&d, true, true);
	}
	for (i = 0; s[i].what != END; i++) {
		happen(&d, &s[i]);
		next = duty_next(&d);
		CHECK_MSG(next.why == s[i].why && next.in_s == s[i].in_s &&
			      next.now == (s[i].why == DUTY_NOW),
			  "step %u: %s in %llu, want %s in %llu", i, duty_name(next.why),
			  (unsigned long long)next.in_s, duty_name(s[i].why),
			  (unsigned long long)s[i].in_s);
	}
}

static const struct duty_options unbounded = {.news_s = 7 * DUTY_DAY_S};

static void
links_come_and_go(void)
{
	static const struct step steps[] = {
	    {TIME, 1, DUTY_NO_LINK, DUTY_FOREVER}, /* never synced: it would */
	    {LINK, 0, DUTY_NOW, 0},
	    {NO_LINK, 0, DUTY_NO_LINK, DUTY_FOREVER},
	    {LINK, 0, DUTY_NOW, 0},
	    {BEGAN, 0, DUTY_SYNCING, DUTY_FOREVER},
	    {WAITS, 0, DUTY_SYNCING, DUTY_FOREVER},
	    {ENDED, E_PEER_GONE, DUTY_FAILED, 15},
	    {TIME, 10, DUTY_FAILED, 5},
	    {LINK, 0, DUTY_FAILED, 5}, /* the same one is no news */
	    {NEW_LINK, 0, DUTY_NOW, 0},
	    {BEGAN, 0, DUTY_SYNCING, DUTY_FOREVER},
	    {ENDED, E_CONNECT, DUTY_FAILED, 15}, /* the count began anew */
	    {TIME, 15, DUTY_NOW, 0},
	    {BEGAN, 0, DUTY_SYNCING, DUTY_FOREVER},
	    {ENDED, E_CONNECT, DUTY_FAILED, 30},
	    {TIME, 30, DUTY_NOW, 0},
	    {BEGAN, 0, DUTY_SYNCING, DUTY_FOREVER},
	    {ENDED, E_CONNECT, DUTY_FAILED, 60},
	    {NEW_LINK, 0, DUTY_PAUSE, 5}, /* a link that flaps does not make it run */
	    {NO_LINK, 0, DUTY_NO_LINK, DUTY_FOREVER},
	    {END, 0, DUTY_NOW, 0}};

	play(&unbounded, steps, false);
}

static void
idle_is_quiet(void)
{
	static const struct step steps[] = {
	    {TIME, 1, DUTY_NOTHING, 7 * DUTY_DAY_S - 1},
	    {NEW_LINK, 0, DUTY_NOTHING, 7 * DUTY_DAY_S - 1}, /* a link alone is no reason */
	    {TIME, 6 * DUTY_DAY_S, DUTY_NOTHING, DUTY_DAY_S - 1},
	    {WAITS, 0, DUTY_NOW, 0},
	    {BEGAN, 0, DUTY_SYNCING, DUTY_FOREVER},
	    {NOTHING, 0, DUTY_SYNCING, DUTY_FOREVER},
	    {USED, 700, DUTY_NOTHING, 7 * DUTY_DAY_S},
	    {WAITS, 0, DUTY_PAUSE, 5},
	    {URGENT, 0, DUTY_PAUSE, 1},
	    {TIME, 1, DUTY_NOW, 0},
	    {NOTHING, 0, DUTY_NOTHING, 7 * DUTY_DAY_S - 1},
	    {TIME, 7 * DUTY_DAY_S, DUTY_NOW, 0},
	    {END, 0, DUTY_NOW, 0}};
	static const struct duty_options never = {0};
	static const struct step ever[] = {{TIME, 1, DUTY_NOTHING, DUTY_FOREVER},
					   {END, 0, DUTY_NOW, 0}};

	play(&unbounded, steps, true);
	play(&never, ever, true);
}

static void
budgets(void)
{
	static const struct duty_options tries = {.wakes_a_day = 2, .news_s = 7 * DUTY_DAY_S};
	static const struct step of_tries[] = {
	    {WAITS, 0, DUTY_NOW, 0},
	    {BEGAN, 0, DUTY_SYNCING, DUTY_FOREVER},
	    {ENDED, E_CONNECT, DUTY_FAILED, 15},
	    {TIME, 15, DUTY_NOW, 0},
	    {BEGAN, 0, DUTY_SYNCING, DUTY_FOREVER},
	    {ENDED, E_CONNECT, DUTY_WAKES, DUTY_DAY_S - 15},
	    {NEW_LINK, 0, DUTY_WAKES, DUTY_DAY_S - 15},
	    {TIME, 5, DUTY_WAKES, DUTY_DAY_S - 20},
	    {URGENT, 0, DUTY_NOW, 0}, /* goes past it */
	    {BEGAN, 0, DUTY_SYNCING, DUTY_FOREVER},
	    {ENDED, E_CONNECT, DUTY_FAILED, 15}, /* but does not run wild */
	    {URGENT, 0, DUTY_FAILED, 15},
	    {WAITS, 0, DUTY_WAKES, DUTY_DAY_S - 20},
	    {TIME, DUTY_DAY_S - 20, DUTY_NOW, 0},
	    {END, 0, DUTY_NOW, 0}};
	static const struct duty_options bytes = {.bytes_a_day = 16384};
	static const struct step of_bytes[] = {
	    {WAITS, 0, DUTY_NOW, 0},
	    {BEGAN, 0, DUTY_SYNCING, DUTY_FOREVER},
	    {USED, 12000, DUTY_BYTES, DUTY_DAY_S}, /* 288 and the part of what is urgent are left */
	    {TIME, 5, DUTY_BYTES, DUTY_DAY_S - 5},
	    {URGENT, 0, DUTY_NOW, 0},
	    {BEGAN, 0, DUTY_SYNCING, DUTY_FOREVER},
	    {USED, 4000, DUTY_BYTES, DUTY_DAY_S - 5},
	    {TIME, DUTY_DAY_S - 5, DUTY_NOW, 0},
	    {END, 0, DUTY_NOW, 0}};
	struct duty d;

	play(&tries, of_tries, true);
	play(&bytes, of_bytes, true);
	duty_init(&d, &bytes, 0);
	duty_link(&d, true, true);
	duty_waits(&d, true, false);
	CHECK(duty_next(&d).bytes_max == 12288);
	duty_waits(&d, true, true);
	CHECK(duty_next(&d).bytes_max == 16384);
	/* cut by the budget itself: what is left decides, not a failure's wait */
	duty_began(&d);
	duty_ended(&d, E_BUDGET, 0, 16000, 0);
	CHECK(duty_next(&d).why == DUTY_BYTES && d.failures == 0);
}

static void
busy_and_shut_out(void)
{
	static const struct step steps[] = {
	    {WAITS, 0, DUTY_NOW, 0},
	    {BEGAN, 0, DUTY_SYNCING, DUTY_FOREVER},
	    {ASKED, 600, DUTY_BUSY, 600},
	    {NEW_LINK, 0, DUTY_BUSY, 600},
	    {URGENT, 0, DUTY_BUSY, 600}, /* it would only be refused again */
	    {TIME, 599, DUTY_BUSY, 1},
	    {TIME, 1, DUTY_NOW, 0},
	    {BEGAN, 0, DUTY_SYNCING, DUTY_FOREVER},
	    {ENDED, E_REVOKED, DUTY_REFUSED, DUTY_FOREVER},
	    {NEW_LINK, 0, DUTY_REFUSED, DUTY_FOREVER},
	    {URGENT, 0, DUTY_REFUSED, DUTY_FOREVER},
	    {TIME, YEAR_S, DUTY_REFUSED, DUTY_FOREVER},
	    {END, 0, DUTY_NOW, 0}};

	play(&unbounded, steps, true);
}

static void
waits_are_bounded_and_by_chance(void)
{
	struct duty d;
	unsigned i, least = 0;

	duty_init(&d, &unbounded, 0);
	duty_link(&d, true, true);
	for (i = 0; i < 60; i++) {
		uint64_t wait;

		duty_began(&d);
		duty_ended(&d, E_CONNECT, 0, 0, i * 2654435761u);
		wait = duty_next(&d).in_s;
		CHECK(wait >= DUTY_RETRY_S_MIN / 2 && wait <= DUTY_RETRY_S_MAX);
		least += i > 10 && wait < DUTY_RETRY_S_MAX;
		duty_time(&d, d.now_s + wait);
	}
	CHECK(least > 30);
}

static void
clocks_jump(void)
{
	static const struct duty_options options = {.bytes_a_day = 16384, .news_s = 7 * DUTY_DAY_S};
	struct duty_kept kept = {
	    .calendar_s = 5 * YEAR_S, .day_s = 40000, .bytes = 12288, .wakes = 3, .ever = true};
	struct duty d;

	/* while it runs only the forward clock counts; one that goes back stands still */
	duty_init(&d, &options, 100);
	duty_resume(&d, &kept, kept.calendar_s);
	duty_time(&d, 50);
	CHECK(d.kept.day_s == 40000 && d.now_s == 100);
	/* back a year over a restart: the day goes on where it was, and ends */
	duty_init(&d, &options, 7);
	duty_resume(&d, &kept, 4 * YEAR_S);
	duty_link(&d, true, true);
	duty_waits(&d, true, false);
	CHECK(duty_next(&d).why == DUTY_BYTES && duty_next(&d).in_s == DUTY_DAY_S - 40000);
	duty_time(&d, 7 + DUTY_DAY_S - 40000);
	CHECK(duty_next(&d).now && d.kept.bytes == 0);
	/* a year ahead: a new day, once; kept and taken back it stays the same day */
	duty_init(&d, &options, 7);
	duty_resume(&d, &kept, 6 * YEAR_S);
	CHECK(d.kept.bytes == 0 && d.kept.wakes == 0);
	d.kept.bytes = 99;
	kept = duty_keep(&d, 6 * YEAR_S);
	duty_init(&d, &options, 7);
	duty_resume(&d, &kept, 5 * YEAR_S);
	CHECK(d.kept.bytes == 99);
}

/* What nobody counts is put down; attachments that got no further rest. */
static void
costs_and_rests(void)
{
	struct duty d;

	CHECK(duty_cost(1000, 0, 0) == 1000 && duty_cost(1000, 1, 0) == 1540 &&
	      duty_cost(0, 1, 2) == 1140);
	CHECK(duty_cost(UINT64_MAX, 1, 1) == UINT64_MAX);
	duty_init(&d, &unbounded, 1000);
	CHECK(duty_rests(&d, E_OK) == 1000 + DUTY_RETRY_S_MAX &&
	      duty_rests(&d, E_BUDGET) == 1000 + DUTY_DAY_S);
	duty_time(&d, 5000);
	CHECK(duty_rests(&d, E_BUDGET) == 1000 + DUTY_DAY_S);
}

CHECK_MAIN(T(links_come_and_go), T(idle_is_quiet), T(budgets), T(busy_and_shut_out),
	   T(waits_are_bounded_and_by_chance), T(clocks_jump), T(costs_and_rests))

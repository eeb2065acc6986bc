/*
 * clock: a wrong clock for one process, by LD_PRELOAD. BANYAN_TEST_CLOCK is the time at its start
 * in seconds since 1970; from there it goes on at the right pace. Only the calendar is wrong:
 * monotonic clocks are left alone.
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long
offset(const struct timespec *now)
{
	static long known;
	static int is_known;

	if (!is_known) {
		const char *want = getenv("BANYAN_TEST_CLOCK");

		known = want == NULL ? 0 : atol(want) - now->tv_sec;
		is_known = 1;
	}
	return known;
}

int
clock_gettime(clockid_t id, struct timespec *out)
{
	int code = (int)syscall(SYS_clock_gettime, id, out);

	if (code == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
		out->tv_sec += offset(out);
	return code;
}

int
gettimeofday(struct timeval *restrict out, void *restrict zone)
{
	struct timespec now;

	(void)zone;
	if (clock_gettime(CLOCK_REALTIME, &now) != 0)
		return -1;
	out->tv_sec = now.tv_sec;
	out->tv_usec = now.tv_nsec / 1000;
	return 0;
}

time_t
time(time_t *out)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (out != NULL)
		*out = now.tv_sec;
	return now.tv_sec;
}

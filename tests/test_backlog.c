/* test_backlog: how far behind with opening a node may be is ten minutes of its own speed, and
 * health says when it is more. */
#include "tests/check.h"
#include "tools/node/serve/serve_inside.h"

static void
ten_minutes_of_its_speed(void)
{
	static struct meters m;
	unsigned i;

	CHECK(meter_backlog_max(&m) == SERVE_BACKLOG_MAX); /* not known yet */
	meter_opening(&m, 0, 5000000);
	CHECK(meter_backlog_max(&m) == SERVE_BACKLOG_MAX);
	meter_opening(&m, 64, 64 * 2000); /* 500 a second */
	CHECK(meter_backlog_max(&m) == 300000);
	for (i = 0; i < 64; i++)
		meter_opening(&m, 64, 64 * 20000);
	CHECK(meter_backlog_max(&m) > 29000 && meter_backlog_max(&m) < 32000);
	for (i = 0; i < 64; i++)
		meter_opening(&m, 1, 10000000);
	CHECK(meter_backlog_max(&m) == SERVE_BACKLOG_MIN);
	for (i = 0; i < 200; i++)
		meter_opening(&m, 64, 1);
	CHECK(meter_backlog_max(&m) > SERVE_BACKLOG_MAX);
}

static void
health_says_when_it_is_more(void)
{
	static struct meters m;
	struct writer out;
	uint8_t memory[400];

	meter_opening(&m, 64, 64 * 10000); /* 60,000 are ten minutes */
	meter_add(&m, METER_BACKLOG, 60000);
	writer_init(&out, memory, sizeof(memory));
	CHECK(meter_health(&m, &out));
	meter_add(&m, METER_BACKLOG, 1);
	writer_init(&out, memory, sizeof(memory));
	CHECK(!meter_health(&m, &out));
}

CHECK_MAIN(T(ten_minutes_of_its_speed), T(health_says_when_it_is_more))

/* bench_extract: how many records a second a table is counted from, by a scan of the merged
 * records. [RECORDS] */
#include <stdlib.h>

#include "tests/extract_world.h"
#include "tools/extract/extract.h"

int
main(int argc, char **argv)
{
	static const char *const areas[] = {"A", "B", "C"};
	size_t records = argc > 1 ? (size_t)strtoul(argv[1], NULL, 10) : 20000, i;
	struct query_asked asked = {
	    .form = "T1", .by = "area,month,sex,child/age", .sum = "child/hours", .area = "P"};
	struct enrolment who;
	struct extracted x;
	struct world w;
	struct why why = {0};

	world_init(&w);
	for (i = 0; i < records; i += 32)
		world_add(
		    &w, areas[i / 32 % 3], 1704067200u + (uint32_t)(i % 300) * 86400u,
		    i % 64 == 0
			? "{\"sex\":\"f\",\"harm\":\"h1\",\"n\":2,\"child\":[{\"age\":\"young\",\"hours\":2},{\"age\":\"old\"}]}"
			: "{\"sex\":\"m\",\"harm\":\"h1 h2\",\"n\":1,\"child\":[{\"age\":\"old\",\"hours\":1}]}",
		    32);
	world_open(&w);
	memset(&who, 0, sizeof(who));
	who.id = w.officer->id;
	who.role = ROLE_OFFICER;
	if (extract_run(w.peer, &who, &asked, &x, &why) != E_OK) {
		fprintf(stderr, "%s: %s\n", err_name(why.e), why.thing);
		return 1;
	}
	printf("extract: %u records counted into %llu rows in %.3f s: %.0f records/s\n", x.records,
	       (unsigned long long)x.release.rows, x.scan_seconds, x.records / x.scan_seconds);
	extracted_free(&x);
	world_fini(&w);
	return 0;
}

/*
 * villages BANYAN VILLAGES RECORDS [SEED]: a province at work. Each village joins with an
 * invitation of its own, fills RECORDS returns at random, and syncs over TLS with a real node. Then
 * node and devices must agree, and what the node lists must be what was filled, record by record;
 * so must every published count of its extract.
 *
 * The devices are real stores in a few worker processes; each process notes what it filled in a
 * file.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "schemas/answers.h"
#include "tests/e2e/returns.h"
#include "tests/e2e/run.h"
#include "tools/node/link/link.h"
#include "tools/node/outbox/outbox.h"

#define WORKERS 4u
#define BATCH 20u
#define VILLAGES_MAX 500u
#define CODES_MAX 1000u
#define LINE 120

static const char *const forms[] = {"F2_situation", "F9_session"};

static struct stage stage;
static char areas[VILLAGES_MAX][32];                      /* the villages */
static char codes[CODES_MAX][32], parents[CODES_MAX][32]; /* the whole table */
static size_t code_count;
static unsigned villages, records;
static uint64_t seed;

struct times {
	double join, fill, sync;
	uint64_t bytes;
};

/* ---- one village ---- */

static void
village_join(const char *path, const char *area, struct peer **out)
{
	const char *argv[] = {stage.banyan,  "invite",     stage.node,     "--role", "member",
			      "--area",      area,         "--name",       area,     "--address",
			      stage.address, "--key-file", stage.key_file, NULL};
	uint8_t key[64];
	struct unlock unlock = {.key_file = BYTES(key, 32)};
	struct link_result result;
	struct invite invite;
	struct why why = {.e = E_OK};
	char *line = run_ok(argv), sentence[400];
	FILE *f = fopen(stage.key_file, "rb");

	if (f == NULL || fread(key, 1, 32, f) != 32 || fclose(f) != 0)
		die("%s: %s", stage.key_file, strerror(errno));
	if (invite_decode(line, &invite, &why) != E_OK ||
	    enrol_prepare(out, path, &unlock, &invite, &why) != E_OK ||
	    link_join(*out, &invite, &result, &why) != E_OK)
		die("%s cannot join: %s", area, why_sentence(&why, sentence, sizeof(sentence)));
	free(line);
}

/* Fill up to BATCH returns, as one `submit` would. */
static void
village_fill(struct peer *p, struct sealer *sealer, uint64_t *r, unsigned count, FILE *notes)
{
	struct answer_env env = {.now_ms = 1795312800000,
				 .zone_minutes = 420,
				 .device_id = "",
				 .username = "",
				 .area = peer_self(p)->area};
	struct finished finished[BATCH];
	const char *kind[BATCH];
	struct arena arena;
	struct why why = {.e = E_OK};
	unsigned i;

	memset(finished, 0, sizeof(finished));
	arena_init(&arena, 64u << 20);
	for (i = 0; i < count; i++) {
		struct finished *f = &finished[i];
		struct answer_fault fault;
		struct field_value *values;
		struct answers *a;
		size_t faults = 0, n;
		char json[4000];

		kind[i] = "-";
		f->form = peer_form(p, forms[i % 2]);
		n = i % 2 == 0 ? return_situation(r, json, sizeof(json))
			       : return_session(r, &kind[i], json, sizeof(json));
		if (f->form == NULL || answers_new(&a, f->form->form, &env, &why) != E_OK)
			die("%s: the form has not come", peer_self(p)->area);
		if (answers_set_json(a, json, n, &fault, 1, &faults) != E_OK ||
		    answers_check(a, &fault, 1, &faults) != E_OK)
			die("%s: %s: %s", json, fault.ref, fault.message);
		if (answers_values(a, &arena, &values, &f->value_count) != E_OK)
			die("no memory");
		f->values = values;
		f->area = peer_self(p)->area;
		f->time_s = peer_now_s(p);
		answers_free(a);
	}
	if (outbox_finish(sealer, finished, count, &why) != E_OK)
		die("%s: %s", peer_self(p)->area, why.thing);
	for (i = 0; i < count; i++) {
		char id[2 * ID_BYTES + 1];

		hex_encode(id, finished[i].id.b, ID_BYTES);
		(void)fprintf(notes, "%s %s %s\n", id, forms[i % 2], peer_self(p)->area);
		if (i % 2 == 1)
			(void)fprintf(notes, "# %s %s\n", peer_self(p)->area, kind[i]);
	}
	arena_free(&arena);
}

static void
village_live(unsigned v, FILE *notes, struct times *t)
{
	uint64_t r = seed * 0x9e3779b97f4a7c15u + v + 1;
	struct link_result result;
	struct sealer sealer;
	struct why why = {.e = E_OK};
	struct peer *p = NULL;
	char path[300], sentence[400];
	double at = now_s();
	unsigned done;

	(void)snprintf(path, sizeof(path), "%s/%s", stage.dir, areas[v]);
	village_join(path, areas[v], &p);
	t->join += now_s() - at;
	at = now_s();
	sealer_init(&sealer, p, peer_self(p));
	for (done = 0; done < records; done += BATCH)
		village_fill(p, &sealer, &r, records - done < BATCH ? records - done : BATCH,
			     notes);
	sealer_wipe(&sealer);
	t->fill += now_s() - at;
	at = now_s();
	if (link_sync(p, 0, &result, &why) != E_OK || !result.verified)
		die("%s cannot sync: %s", areas[v], why_sentence(&why, sentence, sizeof(sentence)));
	if (result.records_sent != records || result.records_waiting != 0)
		die("%s: %llu of %u records sent, %llu wait", areas[v],
		    (unsigned long long)result.records_sent, records,
		    (unsigned long long)result.records_waiting);
	t->sync += now_s() - at;
	t->bytes += result.counts.bytes_in + result.counts.bytes_out;
	peer_close(p);
}

static void
worker(unsigned w)
{
	struct times t = {0};
	char path[300];
	FILE *notes;
	unsigned v;

	(void)snprintf(path, sizeof(path), "%s/notes.%u", stage.dir, w);
	if ((notes = fopen(path, "w")) == NULL)
		die("%s: %s", path, strerror(errno));
	for (v = w; v < villages; v += WORKERS)
		village_live(v, notes, &t);
	(void)fprintf(notes, "! %f %f %f %llu\n", t.join, t.fill, t.sync,
		      (unsigned long long)t.bytes);
	if (fclose(notes) != 0)
		die("%s: %s", path, strerror(errno));
}

/* ---- what came of it ---- */

static char (*filled)[LINE];
static size_t filled_count;
static unsigned by_kind[VILLAGES_MAX][4];

static size_t
area_index(const char *area)
{
	size_t v;

	for (v = 0; v < villages; v++)
		if (strcmp(areas[v], area) == 0)
			return v;
	die("unknown area %s", area);
}

static int
compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void
read_notes(struct times *t)
{
	unsigned w, k;

	if ((filled = calloc((size_t)villages * records + 1, LINE)) == NULL)
		die("no memory");
	for (w = 0; w < WORKERS; w++) {
		char path[300], line[LINE], area[32], kind[32];
		struct times one;
		FILE *f;
		unsigned long long bytes;

		(void)snprintf(path, sizeof(path), "%s/notes.%u", stage.dir, w);
		if ((f = fopen(path, "r")) == NULL)
			die("%s: %s", path, strerror(errno));
		while (fgets(line, sizeof(line), f) != NULL) {
			line[strcspn(line, "\n")] = '\0';
			if (sscanf(line, "! %lf %lf %lf %llu", &one.join, &one.fill, &one.sync,
				   &bytes) == 4) {
				t->join += one.join;
				t->fill += one.fill;
				t->sync += one.sync;
				t->bytes += bytes;
			} else if (sscanf(line, "# %31s %31s", area, kind) == 2) {
				for (k = 0; k < 4; k++)
					by_kind[area_index(area)][k] +=
					    strcmp(kind, return_kinds[k]) == 0;
			} else if (filled_count < (size_t)villages * records) {
				(void)snprintf(filled[filled_count++], LINE, "%s", line);
			}
		}
		(void)fclose(f);
	}
	qsort(filled, filled_count, LINE, compare);
}

/* Each line that the node lists is a record that was filled; none is there twice, none lacks. */
static void
check_list(void)
{
	char *seen = calloc(filled_count + 1, 1);
	size_t i, count = 0;

	for (i = 0; i < 2; i++) {
		const char *argv[] = {stage.banyan, "list",       stage.node,     forms[i],
				      "--json",     "--key-file", stage.key_file, NULL};
		char *text = run_ok(argv), *line = text, *next;

		for (; *line != '\0'; line = next) {
			char want[LINE];
			const char *id, *form, *area, *state;
			char(*found)[LINE];
			json_t *row;

			next = line + strcspn(line, "\n");
			if (*next != '\0')
				*next++ = '\0';
			row = json_loads(line, 0, NULL);
			if (json_unpack(row, "{s:s,s:s,s:s,s:s}", "id", &id, "form", &form, "area",
					&area, "state", &state) != 0)
				die("list said: %s", line);
			(void)snprintf(want, sizeof(want), "%s %s %s", id, form, area);
			if (strcmp(state, "faulty") == 0 || strcmp(state, "conflict") == 0)
				die("%s is %s", want, state);
			if ((found = bsearch(want, filled, filled_count, LINE, compare)) == NULL)
				die("nobody filled %s", want);
			if (seen[found - filled]++)
				die("%s is listed twice", want);
			count++;
			json_decref(row);
		}
		free(text);
	}
	if (count != filled_count || filled_count != (size_t)villages * records)
		die("%zu records filled, %zu listed", filled_count, count);
	free(seen);
}

/* Codes do not nest by prefix: the parent is a column. */
static bool
is_below(const char *area, const char *above)
{
	size_t i;

	for (;;) {
		if (strcmp(area, above) == 0)
			return true;
		for (i = 0; i < code_count && strcmp(codes[i], area) != 0; i++)
			continue;
		if (i == code_count)
			return false;
		area = parents[i];
	}
}

/* Published counts of the extract by area and kind of session are counts of what was filled. */
static void
check_extract(void)
{
	const char *argv[] = {stage.banyan, "extract",    stage.node,           "--form",
			      "F9_session", "--by",       "area:district,kind", "-o",
			      NULL,         "--key-file", stage.key_file,       NULL};
	char path[300], line[400];
	unsigned published = 0, rows = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/table", stage.dir);
	argv[8] = path;
	free(run_ok(argv));
	(void)snprintf(path, sizeof(path), "%s/table/table.csv", stage.dir);
	if ((f = fopen(path, "r")) == NULL || fgets(line, sizeof(line), f) == NULL)
		die("%s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), f) != NULL) {
		char area[64], kind[64], status[64];
		unsigned count, sum = 0;
		size_t v, k;

		rows++;
		if (sscanf(line, "%63[^,],%63[^,],%u,%63[a-z]", area, kind, &count, status) != 4 ||
		    strcmp(status, "published") != 0)
			continue;
		for (v = 0; v < villages; v++)
			for (k = 0; k < 4; k++)
				if ((strcmp(area, "__total__") == 0 || is_below(areas[v], area)) &&
				    (strcmp(kind, "__total__") == 0 ||
				     strcmp(return_kinds[k], kind) == 0))
					sum += by_kind[v][k];
		published++;
		if (sum != count)
			die("the extract says %u of %s in %s; %u were filled", count, kind, area,
			    sum);
	}
	(void)fclose(f);
	if (published == 0)
		die("the extract publishes nothing of %u rows", rows);
	printf("extract: %u of %u rows published, all as filled\n", published, rows);
}

static bool
has_extract(void)
{
	const char *argv[] = {stage.banyan, "--help", NULL};
	char *text = run_ok(argv);
	bool has = strstr(text, " extract ") != NULL;

	free(text);
	return has;
}

static void
read_areas(void)
{
	char path[400], line[400], level[40];
	unsigned n = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/schemas/areas/demo_province.csv", stage.source);
	if ((f = fopen(path, "r")) == NULL)
		die("%s: %s", path, strerror(errno));
	while (code_count < CODES_MAX && fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "%31[^,],%31[^,],%39[^,]", codes[code_count], parents[code_count],
			   level) != 3)
			continue; /* the province has no parent */
		if (n < villages && strcmp(level, "village") == 0)
			memcpy(areas[n++], codes[code_count], sizeof(areas[0]));
		code_count++;
	}
	(void)fclose(f);
	if (n < villages)
		die("the area table has %u villages", n);
}

static void
live(void)
{
	pid_t children[WORKERS];
	unsigned w;
	int code, bad = 0;

	(void)fflush(NULL);
	for (w = 0; w < WORKERS; w++)
		if ((children[w] = fork()) == 0) {
			worker(w);
			exit(0);
		}
	for (w = 0; w < WORKERS; w++)
		bad |= waitpid(children[w], &code, 0) != children[w] || code != 0;
	if (bad)
		die("a village failed (seed %llu)", (unsigned long long)seed);
}

int
main(int argc, char **argv)
{
	struct times t = {0};
	double begun, lived, listed;

	if (argc < 4)
		die("usage: %s BANYAN VILLAGES RECORDS [SEED]", argv[0]);
	villages = (unsigned)strtoul(argv[2], NULL, 10);
	records = (unsigned)strtoul(argv[3], NULL, 10);
	seed = argc > 4 ? strtoull(argv[4], NULL, 10) : 1;
	if (villages < 1 || villages > VILLAGES_MAX || records < 1)
		die("from 1 to %u villages", VILLAGES_MAX);
	stage_begin(&stage, argv[1]);
	read_areas();
	stage_node(&stage, forms, 2);
	begun = now_s();
	live();
	lived = now_s();
	read_notes(&t);
	check_list();
	listed = now_s();
	printf("%u villages x %u records: all there, node and devices agree\n", villages, records);
	printf(
	    "%.1f s in %u processes: joining %.1f, filling %.1f, syncing %.1f process seconds; listing %.1f s\n",
	    lived - begun, WORKERS, t.join, t.fill, t.sync, listed - lived);
	printf("%.1f bytes a record on the link, everything counted\n",
	       (double)t.bytes / (double)filled_count);
	if (has_extract())
		check_extract();
	else
		printf("extract: not in this program\n");
	free(filled);
	stage_end(&stage);
	return 0;
}

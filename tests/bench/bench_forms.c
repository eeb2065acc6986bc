/*
 * bench_forms: the programme's forms: opening each, unpacking and checking a record as the node
 * does, working one answer out again. Figures beside their targets. bench_forms [FORMS_DIR]
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/limits.h"
#include "schemas/answers.h"
#include "schemas/xlsform.h"

#define RECORDS 2000u
#define OPENINGS 5u
#define ANSWERS 200u

static const struct answer_env env = {.now_ms = 1795311111000,
				      .zone_minutes = 420,
				      .seed = 1,
				      .device_id = "d",
				      .username = "u",
				      .area = ""};

static double
now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool
read_all(const char *folder, const char *name, struct writer *w)
{
	char path[4096], room[65536];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if ((f = fopen(path, "rb")) == NULL)
		return false;
	while ((n = fread(room, 1, sizeof(room), f)) > 0)
		writer_mem(w, room, n);
	fclose(f);
	return writer_end(w) == E_OK;
}

/* The XForm with the files that it needs. */
static bool
bundle_of(const char *folder, const char *name, struct writer *out)
{
	struct xlsform_report report = {.faults = NULL};
	struct writer text, xform, needed, files[8];
	struct form_file list[8];
	char file[128], areas[4096], *next;
	size_t n = 0, i;
	bool ok;

	writer_heap_init(&text, 16u << 20);
	writer_heap_init(&xform, 16u << 20);
	writer_heap_init(&needed, 1u << 20);
	snprintf(file, sizeof(file), "%s.md", name);
	snprintf(areas, sizeof(areas), "%s/../areas", folder);
	ok =
	    read_all(folder, file, &text) &&
	    xlsform_convert(&xform, writer_view(&text), XLSFORM_MD, name, &report, &needed) == E_OK;
	for (next = ok ? strtok((char *)(uintptr_t)writer_cstr(&needed), "\n") : NULL;
	     next != NULL && n < 8; next = strtok(NULL, "\n")) {
		writer_heap_init(&files[n], 16u << 20);
		/* the areas of the programme stand beside; one kept in another folder is the
		 * demonstration's */
		ok = (read_all(folder, next, &files[n]) ||
		      read_all(areas, "demo_province.csv", &files[n])) &&
		     ok;
		list[n].name = next;
		list[n].content = writer_view(&files[n]);
		n++;
	}
	ok = ok && form_bundle_write(out, writer_view(&xform), list, n) == E_OK;
	for (i = 0; i < n; i++)
		writer_free(&files[i]);
	xlsform_report_free(&report);
	writer_free(&text);
	writer_free(&xform);
	writer_free(&needed);
	return ok;
}

/* The first integer or select question that is asked takes its answer, again and again. */
static double
answer_again(struct answers *a, const struct form *f)
{
	double t0;
	size_t i, j;

	for (i = 0; i < form_field_count(f); i++) {
		const struct form_field *field = form_field(f, i);
		const char *two[2] = {"1", "2"};

		if (field->repeat >= 0 || field->calculated)
			continue;
		if (field->type == QUESTION_SELECT_ONE && form_choice_count(f, i) > 1) {
			two[0] = form_choice_name(f, i, 0);
			two[1] = form_choice_name(f, i, 1);
		} else if (field->type != QUESTION_INTEGER) {
			continue;
		}
		if (answers_set(a, field->path, two[0], NULL) != E_OK)
			continue;
		t0 = now_s();
		for (j = 1; j <= ANSWERS; j++)
			(void)answers_set(a, field->path, two[j % 2], NULL);
		return (now_s() - t0) / ANSWERS;
	}
	return 0;
}

static bool
check_records(const struct form *f, struct answers *a, double *each_s)
{
	struct field_value *values;
	struct answer_fault faults[4];
	struct arena arena;
	struct writer w[2];
	size_t count, i, n, group;
	double t0;
	bool ok;

	arena_init(&arena, 8u << 20);
	writer_heap_init(&w[0], 1u << 20);
	writer_heap_init(&w[1], 1u << 20);
	ok = answers_values(a, &arena, &values, &count) == E_OK &&
	     form_pack(f, false, values, count, &w[0], NULL) == E_OK &&
	     form_pack(f, true, values, count, &w[1], NULL) == E_OK;
	t0 = now_s();
	for (i = 0; ok && i < RECORDS; i++) {
		struct field_value *again, both[512];
		struct arena scratch;
		struct answers *b;
		size_t all = 0;

		arena_init(&scratch, 8u << 20);
		for (group = 0; ok && group < 2; group++) {
			ok = form_unpack(f, group == 1, writer_view(&w[group]), &scratch, &again,
					 &n, NULL) == E_OK &&
			     all + n <= 512;
			if (ok && n > 0)
				memcpy(both + all, again, n * sizeof(*both));
			all += ok ? n : 0;
		}
		ok = ok && answers_from_values(&b, f, &env, both, all, NULL) == E_OK;
		if (ok) {
			(void)answers_check(b, faults, 4, &n);
			answers_free(b);
		}
		arena_free(&scratch);
	}
	*each_s = (now_s() - t0) / RECORDS;
	writer_free(&w[0]);
	writer_free(&w[1]);
	arena_free(&arena);
	return ok;
}

/* The form's first sample, where there is one: a blank record is quicker than any real one. */
static bool
fill_in(const char *folder, const char *name, struct answers *a)
{
	struct answer_fault faults[4];
	char file[128];
	struct writer w;
	size_t n = 0, line;
	bool ok;

	snprintf(file, sizeof(file), "samples/%s.jsonl", name);
	writer_heap_init(&w, 16u << 20);
	ok = read_all(folder, file, &w);
	line = ok ? strcspn(writer_cstr(&w), "\n") : 0;
	ok = ok && answers_set_json(a, writer_cstr(&w), line, faults, 4, &n) == E_OK;
	writer_free(&w);
	return ok;
}

static bool
bench(const char *folder, const char *name)
{
	struct writer bundle;
	struct form *f = NULL;
	struct answers *a = NULL;
	double t0, opened, record = 0, answer;
	unsigned i;
	bool ok;

	writer_heap_init(&bundle, CONTROL_PLAIN_BYTES_MAX);
	ok = bundle_of(folder, name, &bundle);
	t0 = now_s();
	for (i = 0; ok && i < OPENINGS; i++) {
		form_free(f);
		ok = form_read(&f, writer_view(&bundle), NULL) == E_OK;
	}
	opened = (now_s() - t0) / OPENINGS;
	if (ok && (ok = answers_new(&a, f, &env, NULL) == E_OK)) {
		bool filled = fill_in(folder, name, a);

		ok = check_records(f, a, &record);
		answer = answer_again(a, f);
		printf(
		    "%-22s %4zu fields  opened %7.2f ms (target 100)  one answer %7.3f ms (target 1)  "
		    "%6.0f %s records/s unpacked and checked (target 2,000)\n",
		    name, form_field_count(f), opened * 1e3, answer * 1e3, 1 / record,
		    filled ? "sample" : "blank");
	}
	if (!ok)
		printf("%s: it could not be read\n", name);
	answers_free(a);
	form_free(f);
	writer_free(&bundle);
	return ok;
}

int
main(int argc, char **argv)
{
	static const char *const names[] = {"F1_committee", "F2_situation", "F3_departures",
					    "F4_referral", "F9_session"};
	const char *folder = argc > 1 ? argv[1] : "schemas/forms";
	bool ok = true;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ok = bench(folder, names[i]) && ok;
	return ok ? 0 : 1;
}

/* fill_world: the filler, driven with scripted lines; its form, drafts and records in memory. */
#ifndef BANYAN_TESTS_FILL_WORLD_H
#define BANYAN_TESTS_FILL_WORLD_H

#include <stdarg.h>
#include <stdlib.h>

#include "schemas/xlsform.h"
#include "tests/check.h"
#include "tools/fill/fill_parts.h"

static const char form_text[] =
    "| survey |\n"
    "| | type | name | label::English (en) | label::Khmer (km) | label::Lao (lo) | hint::English (en) | required | "
    "relevant | constraint | constraint_message::English (en) | guidance_hint::English (en) |\n"
    "| | note | hello | Write no names. | កុំសរសេរឈ្មោះ | ... | | | | | | |\n"
    "| | select_one yes_no | met | Did it meet? | បានប្រជុំទេ? | lo | This month. | yes | | | | It means a meeting with "
    "a paper. |\n"
    "| | integer | times | How many times? | ប៉ុន្មានដង? | lo | | yes | ${met} = 'yes' | . >= 1 and . <= 31 | From 1 to "
    "31. | |\n"
    "| | select_multiple topic | topics | About what? | km | lo | | | ${met} = 'yes' | | | |\n"
    "| | begin repeat | child | Child | កុមារ | lo | | | | | | |\n"
    "| | select_one age | age | Age? | អាយុ? | lo | | yes | | | | |\n"
    "| | end repeat | | | | | | | | | | |\n"
    "| | date | day | Which day? | ថ្ងៃ? | lo | | | | | | |\n"
    "| | text | remark | A remark? | កំណត់? | lo | | | | | | |\n"
    "\n"
    "| choices |\n"
    "| | list_name | name | label::English (en) | label::Khmer (km) | label::Lao (lo) |\n"
    "| | yes_no | yes | Yes | បាទ | lo |\n"
    "| | yes_no | no | No | ទេ | lo |\n"
    "| | topic | school | School | km | lo |\n"
    "| | topic | work | Work | km | lo |\n"
    "| | topic | travel | Travel | km | lo |\n"
    "| | age | 5 | up to 5 | km | lo |\n"
    "| | age | 12 | 6 to 12 | km | lo |\n"
    "\n"
    "| settings |\n"
    "| | form_title | form_id | version | default_language | banyan:draft_languages |\n"
    "| | A meeting | meeting | 1 | English (en) | km lo |\n";

#define DRAFTS_MAX 4

struct world {
	struct form *form;
	const char *accepted;
	const char *const *lines;
	size_t at;
	struct writer said;
	struct {
		uint8_t b[4096];
		size_t n;
	} drafts[DRAFTS_MAX];
	unsigned finished, dropped;
	enum err finish_error;
	unsigned full; /* so many times one cannot keep anything; then one can */
	char answers[2000], area[40];
};

static inline void
on_say(void *ctx, const char *text)
{
	writer_str(&((struct world *)ctx)->said, text);
}

static inline enum err
on_line(void *ctx, char *out, size_t cap)
{
	struct world *w = ctx;

	if (w->lines[w->at] == NULL)
		return E_INTERRUPTED;
	(void)snprintf(out, cap, "%s", w->lines[w->at++]);
	return E_OK;
}

static inline int64_t
on_now(void *ctx)
{
	(void)ctx;
	return 1780000000000 + 60000;
}

static inline enum err
on_form(void *ctx, const struct form **form, const char **accepted, struct why *why)
{
	struct world *w = ctx;

	(void)why;
	*form = w->form;
	*accepted = w->accepted;
	return E_OK;
}

static inline enum err
on_draft_next(void *ctx, unsigned *number, struct bytes *draft, struct why *why)
{
	struct world *w = ctx;
	unsigned i;

	(void)why;
	for (i = *number; i < DRAFTS_MAX; i++) {
		if (w->drafts[i].n > 0) {
			*number = i + 1;
			*draft = BYTES(w->drafts[i].b, w->drafts[i].n);
			return E_OK;
		}
	}
	return E_ABSENT;
}

static inline enum err
on_draft_save(void *ctx, unsigned *number, struct bytes draft, struct why *why)
{
	struct world *w = ctx;
	unsigned i = *number;

	if (w->full > 0) {
		w->full--;
		return why_set(why, E_STORE_FULL, "the draft");
	}
	if (i == 0) {
		while (i < DRAFTS_MAX && w->drafts[i].n > 0)
			i++;
		*number = ++i;
	}
	if (i > DRAFTS_MAX || draft.n > sizeof(w->drafts[0].b))
		return E_NO_ROOM;
	memcpy(w->drafts[i - 1].b, draft.p, draft.n);
	w->drafts[i - 1].n = draft.n;
	return E_OK;
}

static inline enum err
on_finish(void *ctx, const struct form *form, const char *area, const struct field_value *values,
	  size_t count, unsigned draft, char record[RECORD_TEXT_BYTES], struct why *why)
{
	struct world *w = ctx;
	struct writer json;

	if (w->full > 0)
		return why_set(why, E_STORE_FULL, "the record");
	if (w->finish_error != E_OK)
		return why_set(why, w->finish_error, "the test");
	writer_init(&json, w->answers, sizeof(w->answers));
	CHECK(form_values_json(form, values, count, &json) == E_OK);
	(void)writer_cstr(&json);
	(void)snprintf(w->area, sizeof(w->area), "%s", area);
	(void)snprintf(record, RECORD_TEXT_BYTES, "%032x", 0xabc);
	w->finished++;
	if (draft != 0) { /* with it */
		w->dropped++;
		w->drafts[draft - 1].n = 0;
	}
	return E_OK;
}

static inline bool
world_begin(struct world *w)
{
	struct xlsform_report report = {0};
	struct writer xform, bundle;
	struct why why = {.e = E_OK};
	enum err e;

	memset(w, 0, sizeof(*w));
	w->accepted = "";
	writer_heap_init(&w->said, 1u << 20);
	writer_heap_init(&xform, 1u << 20);
	writer_heap_init(&bundle, 1u << 20);
	e = xlsform_convert(&xform, bytes_of_str(form_text), XLSFORM_MD, "meeting", &report, NULL);
	if (e != E_OK && report.count > 0)
		fprintf(stderr, "row %u: %s\n", report.faults[0].row, report.faults[0].message);
	if (e == E_OK)
		e = form_bundle_write(&bundle, writer_view(&xform), NULL, 0);
	if (e == E_OK)
		e = form_read(&w->form, writer_view(&bundle), &why);
	CHECK_MSG(e == E_OK, "%s: %s", err_name(e), why.thing);
	xlsform_report_free(&report);
	writer_free(&xform);
	writer_free(&bundle);
	return e == E_OK;
}

static inline void
world_end(struct world *w)
{
	form_free(w->form);
	writer_free(&w->said);
}

/* fill: run with these lines. */
static inline enum err
fill(struct world *w, bool terminal, const struct fill_options *options, const char *const *lines)
{
	const struct fill_sink sink = {w, on_form, on_draft_next, on_draft_save, on_finish};
	const struct fill_io io = {w, terminal, on_say, on_line, on_now, NULL};
	struct why why = {.e = E_OK};
	enum err e;

	w->lines = lines;
	w->at = 0;
	writer_reset(&w->said);
	e = fill_run(&sink, &io, options, &why);
	(void)writer_cstr(&w->said);
	if (getenv("FILL_SHOW") != NULL)
		printf("-----\n%s[%s]\n", (const char *)w->said.p, err_name(e));
	return e;
}

#define LINES(...) ((const char *const[]){__VA_ARGS__, NULL})
static const struct fill_options plain = {.env = {.now_ms = 1780000000000,
						  .zone_minutes = 420,
						  .seed = 7,
						  .device_id = "",
						  .username = "",
						  .area = "SM01"}};

static inline bool
said(const struct world *w, const char *text)
{
	return strstr((const char *)w->said.p, text) != NULL;
}

#endif

/* The filler, driven with scripted lines; its form, drafts and records in memory. */
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

static void
on_say(void *ctx, const char *text)
{
	writer_str(&((struct world *)ctx)->said, text);
}

static enum err
on_line(void *ctx, char *out, size_t cap)
{
	struct world *w = ctx;

	if (w->lines[w->at] == NULL)
		return E_INTERRUPTED;
	(void)snprintf(out, cap, "%s", w->lines[w->at++]);
	return E_OK;
}

static int64_t
on_now(void *ctx)
{
	(void)ctx;
	return 1780000000000 + 60000;
}

static enum err
on_form(void *ctx, const struct form **form, const char **accepted, struct why *why)
{
	struct world *w = ctx;

	(void)why;
	*form = w->form;
	*accepted = w->accepted;
	return E_OK;
}

static enum err
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

static enum err
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

static enum err
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

static bool
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

static void
world_end(struct world *w)
{
	form_free(w->form);
	writer_free(&w->said);
}

/* fill: run with these lines. */
static enum err
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

static bool
said(const struct world *w, const char *text)
{
	return strstr((const char *)w->said.p, text) != NULL;
}

static void
from_first_to_last(void)
{
	struct world w;

	if (!world_begin(&w))
		return;
	CHECK(fill(&w, false, &plain,
		   LINES("1", "3", "1 travel", "y", "12", "n", "2026-05-01", "All well.",
			 "finish")) == E_OK);
	CHECK(w.finished == 1);
	CHECK_STR(w.area, "SM01");
	CHECK_STR(
	    w.answers,
	    "{\"met\":\"yes\",\"times\":3,\"topics\":[\"school\",\"travel\"],\"child\":[{\"age\":\"12\"}],"
	    "\"day\":\"2026-05-01\",\"remark\":\"All well.\"}");
	CHECK(said(&w, "Finished: record 00000000000000000000000000000abc"));
	world_end(&w);
}

static void
what_is_not_relevant_is_not_asked(void)
{
	struct world w;

	if (!world_begin(&w))
		return;
	CHECK(fill(&w, false, &plain, LINES("no", "n", "", "", "finish")) == E_OK);
	CHECK(!said(&w, "How many times?"));
	CHECK(w.finished == 1);
	CHECK_STR(w.answers, "{\"met\":\"no\"}");
	world_end(&w);
}

static void
wrong_answers_are_told_at_once(void)
{
	struct world w;

	if (!world_begin(&w))
		return;
	CHECK(fill(&w, false, &plain,
		   LINES("maybe", "", "1", "32", "", "two", "\xe1\x9f\xa2", "9 9", "1,2", "y", "7",
			 "5", "n", "31.5.2026", "today", "", "finish")) == E_OK);
	CHECK(said(&w, "\"maybe\" is not one of the choices"));
	CHECK(said(&w, "Please answer this question"));
	CHECK(said(&w, "! From 1 to 31."));
	CHECK(said(&w, "\"7\" is not one of the choices"));
	CHECK(w.finished == 1);
	CHECK_STR(
	    w.answers,
	    "{\"met\":\"yes\",\"times\":2,\"topics\":[\"school\",\"work\"],\"child\":[{\"age\":\"5\"}],"
	    "\"day\":\"2026-05-29\"}");
	world_end(&w);
}

static void
going_back_and_helping(void)
{
	struct world w;

	if (!world_begin(&w))
		return;
	/* no, back from the repeat to the first, yes; ? explains; list shows; a backslash makes a
	 * text of a word */
	CHECK(fill(&w, false, &plain,
		   LINES("<", "?", "no", "<", "yes", "1", "<", "2", "", "n", "-", "", "\\save",
			 "list", "finish")) == E_OK);
	CHECK(said(&w, "This is the first question."));
	CHECK(said(&w, "It means a meeting with a paper."));
	CHECK(said(&w, "A remark?: save"));
	CHECK(w.finished == 1);
	CHECK_STR(w.answers, "{\"met\":\"yes\",\"times\":2,\"remark\":\"save\"}");
	world_end(&w);
}

static void
rows_come_and_go(void)
{
	struct world w;

	if (!world_begin(&w))
		return;
	CHECK(fill(&w, false, &plain,
		   LINES("no", "y", "5", "y", "12", "y", "5", "-", "n", "", "", "finish")) == E_OK);
	CHECK_STR(w.answers, "{\"met\":\"no\",\"child\":[{\"age\":\"5\"},{\"age\":\"12\"}]}");
	CHECK(said(&w, "Child: 3 so far"));
	world_end(&w);
}

static void
what_is_missing_is_found_at_the_end(void)
{
	struct world w;

	if (!world_begin(&w))
		return;
	/* the age of an added row is passed over by going back and answering "no more" is not
	 * possible: finish finds it */
	CHECK(fill(&w, false, &plain, LINES("no", "y", "<", "", "list", "quit", "quit")) == E_OK);
	CHECK(w.finished == 0 && w.drafts[0].n == 0);
	CHECK(said(&w, "Nothing was kept."));
	world_end(&w);
}

static void
drafts_are_kept_and_gone_on_with(void)
{
	struct fill_options on = plain;
	struct world w;

	if (!world_begin(&w))
		return;
	CHECK(fill(&w, false, &plain, LINES("yes", "4", "save")) == E_OK);
	CHECK(w.drafts[0].n > 0 && w.finished == 0 && said(&w, "Kept as draft 1"));
	on.drafts = true;
	CHECK(fill(&w, false, &on, LINES("unused")) == E_OK);
	CHECK(said(&w, "draft 1  2026-05-29 03:26") || said(&w, "draft 1  2026-05-2"));
	CHECK(w.at == 0);
	on.drafts = false;
	on.draft = 2;
	CHECK(fill(&w, false, &on, LINES("unused")) == E_ABSENT);
	on.draft = 1;
	on.env.area = "SM02"; /* the draft's own area stays */
	CHECK(fill(&w, false, &on, LINES("", "", "", "n", "", "later", "finish")) == E_OK);
	CHECK(said(&w, "now: 4"));
	CHECK_STR(w.answers, "{\"met\":\"yes\",\"times\":4,\"remark\":\"later\"}");
	CHECK_STR(w.area, "SM01");
	CHECK(w.dropped == 1 && w.drafts[0].n == 0);
	world_end(&w);
}

static void
nothing_is_lost_when_the_input_ends_or_the_disk_is_full(void)
{
	struct world w;

	if (!world_begin(&w))
		return;
	CHECK(fill(&w, false, &plain, LINES("yes", "4")) == E_INTERRUPTED);
	CHECK(w.drafts[0].n > 0 && said(&w, "Kept as draft 1"));
	CHECK(fill(&w, false, &plain, (const char *const[]){NULL}) == E_INTERRUPTED);
	CHECK(w.drafts[1].n == 0); /* nothing was answered: nothing to keep */
	w.finish_error = E_STORE_FULL;
	CHECK(fill(&w, false, &plain, LINES("no", "n", "", "", "finish")) == E_STORE_FULL);
	CHECK(w.finished == 0 && w.drafts[1].n > 0);
	world_end(&w);
}

/* On a terminal the answers are nowhere else: a disk that is full is told, and one may mend that
 * and try again. */
static void
a_full_disk_does_not_end_it(void)
{
	struct world w;

	if (!world_begin(&w))
		return;
	w.full = 1; /* finish, and the draft behind it, fail */
	CHECK(fill(&w, true, &plain, LINES("", "", "no", "n", "", "", "finish", "finish")) == E_OK);
	CHECK(w.finished == 1 && said(&w, "! the disk is full") &&
	      said(&w, "The draft could not be kept."));
	w.full = 1;
	CHECK(fill(&w, true, &plain, LINES("", "", "no", "save", "save")) == E_OK);
	CHECK(w.drafts[0].n > 0 && said(&w, "! the disk is full") && said(&w, "Kept as draft 1"));
	w.full = 9; /* nobody is there who could mend it */
	CHECK(fill(&w, false, &plain, LINES("no", "n", "", "", "finish")) == E_STORE_FULL);
	CHECK(w.finished == 1 && said(&w, "The draft could not be kept."));
	world_end(&w);
}

/* What stands there is shown in words, not as the codes that are kept. */
static void
answers_are_shown_in_words(void)
{
	struct fill_options options = plain;
	struct world w;

	if (!world_begin(&w))
		return;
	w.accepted = "km";
	options.likely = "km"; /* of the person's terminal */
	CHECK(fill(&w, true, &options, LINES("", "", "no", "<", "list", "save")) == E_OK);
	CHECK(said(&w, "៖ ទេ\n") && said(&w, "?: ទេ\n") && !said(&w, ": no\n") &&
	      !said(&w, "៖ no\n"));
	CHECK(said(&w, "Language? (Enter: Khmer (km))"));
	world_end(&w);
}

static void
draft_languages_wait_for_an_officer(void)
{
	struct fill_options on = plain;
	struct world w;

	if (!world_begin(&w))
		return;
	on.lang = "km";
	CHECK(fill(&w, false, &on, LINES("unused")) == E_LANGUAGE && w.at == 0);
	w.accepted = "lox km";
	CHECK(fill(&w, false, &on, LINES("no", "n", "", "", "finish")) == E_OK);
	CHECK(said(&w, "\xe1\x9e\x94\xe1\x9e\xb6\xe1\x9e\x93") && !said(&w, "Did it meet?"));
	on.lang = "lo";
	CHECK(fill(&w, false, &on, LINES("unused")) == E_LANGUAGE);
	CHECK(fill(&w, false, &plain,
		   LINES("lang", "lang lo", "lang km", "no", "n", "", "", "finish")) == E_OK);
	CHECK(said(&w, "There is no accepted language \"lo\""));
	CHECK(said(&w, "  km     Khmer (km)") && !said(&w, "  lo     Lao"));
	CHECK(said(&w, "Did it meet?") && said(&w, "\xe1\x9e\x94\xe1\x9e\xb6\xe1\x9e\x93"));
	world_end(&w);
}

static void
a_terminal_is_led(void)
{
	struct world w;

	if (!world_begin(&w))
		return;
	w.accepted = "km";
	/* the language is asked, notes wait, what is kept is offered the next time */
	CHECK(fill(&w, true, &plain, LINES("xx", "", "", "no", "save")) == E_OK);
	CHECK(said(&w, "Language? (Enter: English (en))"));
	CHECK(said(&w, "Write no names.\n  (Enter goes on)"));
	CHECK(fill(&w, true, &plain, LINES("1", "", "", "", "", "", "finish")) == E_OK);
	CHECK(said(&w, "Go on with which draft?"));
	CHECK(w.finished == 1);
	world_end(&w);
}

/* placeholders: how many times a text holds one. */
static size_t
placeholders(const char *text, const char *which)
{
	size_t n = 0;

	for (; (text = strstr(text, which)) != NULL; text++)
		n++;
	return n;
}

static void
words_say_the_same_in_each_language(void)
{
	/* What is typed is the same everywhere: a translation that lost such a word would leave a
	 * person stuck. */
	static const char *const typed[] = {"finish",  "save",    "quit",  "list", "today",
					    "\"all\"", "--draft", "Enter", "<"};
	static const char *const codes[] = {"km", "lo", "my", "th", "vi", "id"};
	size_t word, i, j;

	for (word = 0; word < FILL_WORD_COUNT; word++) {
		const char *english = fill_word_text((enum fill_word)word, "en");

		CHECK(english == fill_word_text((enum fill_word)word, "xx"));
		for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
			const char *text = fill_word_text((enum fill_word)word, codes[i]);

			CHECK_MSG(text != english, "word %zu in %s", word, codes[i]);
			CHECK_MSG(placeholders(text, "{}") == placeholders(english, "{}") &&
				      placeholders(text, "{n}") == placeholders(english, "{n}"),
				  "placeholders of word %zu in %s", word, codes[i]);
			for (j = 0; j < sizeof(typed) / sizeof(typed[0]); j++)
				CHECK_MSG(strstr(english, typed[j]) == NULL ||
					      strstr(text, typed[j]) != NULL,
					  "word %zu in %s: %s", word, codes[i], typed[j]);
		}
	}
}

static void
an_accepted_language_is_spoken(void)
{
	struct fill_options on = plain;
	struct world w;

	if (!world_begin(&w))
		return;
	w.accepted = "km";
	on.lang = "km";
	CHECK(fill(&w, false, &on, LINES("maybe", "no", "n", "", "", "finish")) == E_OK);
	CHECK(said(&w, fill_word_text(FILL_LAST, "km")) && !said(&w, "That was the last question"));
	CHECK(said(&w, "! \"maybe\" \xe1\x9e\x98"));
	world_end(&w);
}

CHECK_MAIN(T(words_say_the_same_in_each_language), T(an_accepted_language_is_spoken),
	   T(from_first_to_last), T(what_is_not_relevant_is_not_asked),
	   T(wrong_answers_are_told_at_once), T(going_back_and_helping), T(rows_come_and_go),
	   T(what_is_missing_is_found_at_the_end), T(drafts_are_kept_and_gone_on_with),
	   T(nothing_is_lost_when_the_input_ends_or_the_disk_is_full),
	   T(a_full_disk_does_not_end_it), T(answers_are_shown_in_words),
	   T(draft_languages_wait_for_an_officer), T(a_terminal_is_led))

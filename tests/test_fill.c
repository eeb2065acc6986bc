/* The filler: questions asked and answered, drafts, ends. */
#include "tests/fill_world.h"

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

CHECK_MAIN(T(from_first_to_last), T(what_is_not_relevant_is_not_asked),
	   T(wrong_answers_are_told_at_once), T(going_back_and_helping), T(rows_come_and_go),
	   T(what_is_missing_is_found_at_the_end), T(drafts_are_kept_and_gone_on_with),
	   T(nothing_is_lost_when_the_input_ends_or_the_disk_is_full),
	   T(a_full_disk_does_not_end_it), T(a_terminal_is_led))

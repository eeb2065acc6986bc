/* The filler's words: labels and sentences in each language, and which of them may be spoken. */
#include "tests/fill_world.h"

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
	   T(answers_are_shown_in_words), T(draft_languages_wait_for_an_officer))

/*
 * test_form_train: answers by dice hold for every form of the programme; the same seed gives the
 * same bytes; a dictionary learned from them shortens others, and holds nothing of real answers'
 * identifying or sensitive questions.
 */
#include "schemas/form_train.h"

#include "core/squeeze.h"
#include "schemas/answers_random.h"
#include "tests/programme.h"

#define NOW 1795312800u

static const struct answer_env env = {.now_ms = NOW * 1000ll,
				      .zone_minutes = 420,
				      .device_id = "",
				      .username = "",
				      .area = "SM09010101"};

static void
answers_by_dice_hold(void)
{
	size_t i, k, f;

	for (i = 0; i < FORM_COUNT; i++) {
		struct form *form = compile(forms[i].id);
		size_t answered = 0;

		REQUIRE(form != NULL);
		for (k = 0; k < 20; k++) {
			const struct answer_dice dice = {.seed = k};
			struct answer_fault fault;
			struct field_value *values;
			struct arena arena;
			struct answers *a;
			enum err e = answers_random(&a, form, &env, &dice);
			size_t count = 0;

			CHECK_MSG(e == E_OK, "%s, seed %zu: %s", forms[i].id, k, err_name(e));
			if (e != E_OK)
				continue;
			CHECK_MSG(answers_check(a, &fault, 1, &f) == E_OK, "%s, seed %zu",
				  forms[i].id, k);
			arena_init(&arena, ROOM);
			CHECK(answers_values(a, &arena, &values, &count) == E_OK);
			answered += count;
			arena_free(&arena);
			answers_free(a);
		}
		CHECK_MSG(answered > 20u * 5u, "%s: %zu answers", forms[i].id, answered);
		form_free(form);
	}
}

static void
the_same_seed_gives_the_same(void)
{
	struct form *form = compile("F4_referral");
	struct writer a, b;

	writer_heap_init(&a, ROOM);
	writer_heap_init(&b, ROOM);
	CHECK(form_sample(form, NULL, 5, NOW, false, &a) == E_OK &&
	      form_sample(form, NULL, 5, NOW, false, &b) == E_OK);
	CHECK(a.n > 20 && bytes_equal(writer_view(&a), writer_view(&b)));
	b.n = 0;
	CHECK(form_sample(form, NULL, 6, NOW, false, &b) == E_OK &&
	      !bytes_equal(writer_view(&a), writer_view(&b)));
	a.n = b.n = 0;
	CHECK(form_train(form, NULL, 200, 1, NOW, 1024, &a) == E_OK &&
	      form_train(form, NULL, 200, 1, NOW, 1024, &b) == E_OK);
	CHECK(a.n >= 256 && a.n <= 1024 && bytes_equal(writer_view(&a), writer_view(&b)));
	writer_free(&a);
	writer_free(&b);
	form_free(form);
}

static void
shorter_on_what_was_not_trained_on(void)
{
	size_t i, k;

	for (i = 0; i < FORM_COUNT; i++) {
		struct form *form = compile(forms[i].id);
		struct writer dictionary, sample, with;
		size_t before = 0, after = 0;

		writer_heap_init(&dictionary, ROOM);
		CHECK(form_train(form, NULL, 400, 1, NOW, 1024, &dictionary) == E_OK);
		for (k = 0; k < 20; k++) {
			writer_heap_init(&sample, ROOM);
			writer_heap_init(&with, ROOM);
			CHECK(form_sample(form, NULL, 5000 + k, NOW, false, &sample) == E_OK);
			before += sample.n;
			if (squeeze_pack_block(&with, writer_view(&sample),
					       writer_view(&dictionary), 19) == E_OK)
				after += with.n + 1;
			else
				after += sample.n;
			writer_free(&sample);
			writer_free(&with);
		}
		CHECK_MSG(after * 10 < before * 9, "%s: %zu of %zu bytes", forms[i].id, after,
			  before);
		writer_free(&dictionary);
		form_free(form);
	}
}

static bool
holds(struct bytes all, const char *word)
{
	return memmem(all.p, all.n, word, strlen(word)) != NULL;
}

/* The form, what `times` answers like `line` leave to count, and what is learnt from dice alone and
 * with them. */
struct learnt {
	struct form *form;
	struct form_counts *counts;
	struct writer plain, counted;
};

static bool
learn(struct learnt *l, const char *id, const char *line, size_t times, size_t least,
      uint32_t bytes)
{
	struct answer_fault faults[32];
	struct field_value *values;
	struct arena arena;
	struct answers *a;
	size_t count, n, i;

	writer_heap_init(&l->plain, ROOM);
	writer_heap_init(&l->counted, ROOM);
	l->counts = NULL;
	if ((l->form = compile(id)) == NULL || form_counts_new(&l->counts, l->form) != E_OK)
		return false;
	arena_init(&arena, ROOM);
	for (i = 0; i < times && answers_new(&a, l->form, &env, NULL) == E_OK; i++) {
		(void)answers_set_json(a, line, strlen(line), faults, 32, &n);
		CHECK(answers_values(a, &arena, &values, &count) == E_OK && count >= least);
		form_counts_take(l->counts, values, count);
		answers_free(a);
	}
	arena_free(&arena);
	return i == times && form_train(l->form, NULL, times, 1, NOW, bytes, &l->plain) == E_OK &&
	       form_train(l->form, l->counts, times, 1, NOW, bytes, &l->counted) == E_OK;
}

static void
learnt_free(struct learnt *l)
{
	form_counts_free(l->counts);
	form_free(l->form);
	writer_free(&l->plain);
	writer_free(&l->counted);
}

/* Real answers leave only how often choices of class O and Q were chosen. */
static void
nothing_real_is_in_it(void)
{
	static const char line[] =
	    "{\"committee_new\":\"ZZ-MARKER-1\",\"profile_due\":\"no\",\"ctype\":\"watch\"}";
	struct learnt l;

	REQUIRE(learn(&l, "F1_committee", line, 300, 0, 2048));
	CHECK(!bytes_equal(writer_view(&l.plain),
			   writer_view(&l.counted))); /* what is often chosen was learnt */
	CHECK(!holds(writer_view(&l.counted), "MARKER"));
	learnt_free(&l);
}

/* Sensitive answers change no bit of the dictionary. */
static void
sensitive_ones_do_not_count(void)
{
	static const char line[] =
	    "{\"urgent/safe_now\":\"no\",\"worry/concern_type\":[\"sexual_abuse\"]}";
	struct form_counts *zero;
	struct writer none;
	struct learnt l;

	REQUIRE(learn(&l, "F4_referral", line, 200, 3, 1024));
	REQUIRE(form_counts_new(&zero, l.form) == E_OK);
	writer_heap_init(&none, ROOM);
	CHECK(form_train(l.form, zero, 200, 1, NOW, 1024, &none) == E_OK);
	CHECK(bytes_equal(writer_view(&l.counted), writer_view(&none)));
	form_counts_free(zero);
	writer_free(&none);
	learnt_free(&l);
}

CHECK_MAIN(T(answers_by_dice_hold), T(the_same_seed_gives_the_same),
	   T(shorter_on_what_was_not_trained_on), T(nothing_real_is_in_it),
	   T(sensitive_ones_do_not_count))

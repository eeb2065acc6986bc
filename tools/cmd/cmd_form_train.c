/* banyan form train: a dictionary that makes a form's records shorter on the link. */
#include <string.h>

#include "core/principals/rules.h"
#include "schemas/answers.h"
#include "schemas/form_train.h"
#include "tools/commands.h"
#include "tools/json.h"
#include "tools/node/acting.h"
#include "tools/node/dictionaries.h"
#include "tools/node/outbox/finish.h"

#define LINES_LEAST 100u /* fewer tell of persons rather than of habits */
#define LINE_ARENA_MAX (4u << 20)
#define SEEDS_MAX 64u /* tried for a hint that no other dictionary has */
#define MEASURED 200u

struct train {
	struct call *call;
	struct form_entry *form;
	struct form_counts *counts;
	uint64_t lines, passed_over;
	size_t samples, bytes;
};

/* One line of real answers: only how often each choice was chosen stays. */
static enum err
take_line(struct train *t, struct bytes line)
{
	struct answer_env env = {.now_ms = (int64_t)peer_now_s(call_peer(t->call)) * 1000,
				 .device_id = "",
				 .username = "",
				 .area = ""};
	struct answer_fault fault;
	struct field_value *values;
	struct answers *a;
	struct arena arena;
	size_t faults, count;
	enum err e = answers_new(&a, t->form->form, &env, call_why(t->call));

	if (e != E_OK)
		return e;
	arena_init(&arena, LINE_ARENA_MAX);
	t->lines++;
	if (answers_set_json(a, (const char *)line.p, line.n, &fault, 1, &faults) != E_OK)
		t->passed_over++;
	else if ((e = answers_values(a, &arena, &values, &count)) == E_OK)
		form_counts_take(t->counts, values, count);
	arena_free(&arena);
	answers_free(a);
	return e;
}

static enum err
take_answers(struct train *t)
{
	struct bytes in;
	enum err e;

	if (call_option(t->call, "answers") == NULL)
		return E_OK;
	if ((e = call_input(t->call, "answers", &in)) != E_OK ||
	    (e = form_counts_new(&t->counts, t->form->form)) != E_OK)
		return e;
	while (in.n > 0 && e == E_OK) {
		const uint8_t *end = memchr(in.p, '\n', in.n);
		size_t n = end == NULL ? in.n : (size_t)(end - in.p);

		if (memchr(in.p, '{', n) != NULL)
			e = take_line(t, BYTES(in.p, n));
		n += end != NULL;
		in.p += n;
		in.n -= n;
	}
	if (e == E_OK && t->lines - t->passed_over < LINES_LEAST)
		e = why_set(
		    call_why(t->call), E_ANSWERS_FORMAT,
		    "%llu good lines: at least %u are needed, so that none of them tells of a person; or leave --answers out",
		    (unsigned long long)(t->lines - t->passed_over), LINES_LEAST);
	return e;
}

/* From when made-up records are dated: the same for a month, so that training twice gives the same
 * bytes. */
static uint32_t
this_month(struct peer *p)
{
	uint32_t now = peer_now_s(p);

	return now - now % (30u * 86400u);
}

/* A dictionary whose hint no other one has, so that a reader need not try several. */
static enum err
train(struct train *t, struct writer *out)
{
	struct peer *p = call_peer(t->call);
	uint64_t seed = 1;
	enum err e;

	for (;;) {
		const struct dictionary *d = dictionaries_known(p);
		struct dictionary made;

		out->n = 0;
		e = form_train(t->form->form, t->counts, t->samples, seed, this_month(p), t->bytes,
			       out);
		if (e != E_OK)
			break;
		made = dictionary_of(t->form->key.v, writer_view(out));
		while (d != NULL && (d->hint != made.hint || bytes_equal(d->content, made.content)))
			d = d->next;
		if (d == NULL || ++seed > SEEDS_MAX)
			return E_OK;
	}
	if (e == E_ABSENT)
		return why_set(call_why(t->call), E_NO_TRAINING,
			       "no answers could be made up that the form takes");
	return why_set(call_why(t->call), e == E_SQUEEZE ? E_NO_TRAINING : e,
		       "there is too little to learn from");
}

/* What it gains on answers that it was not trained on: bytes a record, before and after. */
static enum err
measure(struct train *t, struct bytes content, double *before, double *after)
{
	static const struct programme_id programme;
	static const struct principal_id author;
	static const struct record_id record;
	struct run_recipient to = {.key_no = 1};
	struct dictionary d = dictionary_of(t->form->key.v, content);
	struct ec_key key;
	struct run run;
	size_t i, made = 0, total[2] = {0, 0};
	enum err e;

	if ((e = crypto_ec_new(&key)) != E_OK ||
	    (e = run_begin(&run, &programme, &author, 1, &to, &key.pub)) != E_OK)
		return e;
	for (i = 0; i < MEASURED && (e == E_OK || e == E_ABSENT); i++) {
		struct writer sample, sealed[2];

		writer_heap_init(&sample, SLICE_PLAIN_BYTES_MAX);
		writer_heap_init(&sealed[0], SLICE_BYTES_MAX);
		writer_heap_init(&sealed[1], SLICE_BYTES_MAX);
		e = form_sample(t->form->form, t->counts, 1000000 + i,
				peer_now_s(call_peer(t->call)), false, &sample);
		if (e == E_OK &&
		    (e = slice_seal(&run, SLICE_ANALYTIC, 0, &record, writer_view(&sample),
				    &sealed[0])) == E_OK &&
		    (e = slice_seal_as(&run, SLICE_ANALYTIC, 0, &record, writer_view(&sample), true,
				       &d, &sealed[1])) == E_OK) {
			total[0] += sealed[0].n;
			total[1] += sealed[1].n;
			made++;
		}
		writer_free(&sample);
		writer_free(&sealed[0]);
		writer_free(&sealed[1]);
	}
	run_wipe(&run);
	crypto_wipe(&key, sizeof(key));
	*before = made == 0 ? 0 : (double)total[0] / (double)made;
	*after = made == 0 ? 0 : (double)total[1] / (double)made;
	return e == E_ABSENT ? E_OK : e;
}

static void
tell(struct train *t, size_t bytes, bool already, double before, double after)
{
	struct call *c = t->call;
	struct writer w;

	if (!call_json(c)) {
		if (t->passed_over > 0)
			call_out(
			    c,
			    "%llu of %llu lines of answers do not fit this form and were passed over.\n",
			    (unsigned long long)t->passed_over, (unsigned long long)t->lines);
		call_out(
		    c,
		    "%s%s%s: a dictionary of %zu bytes%s. A record's analytic slice takes %.0f bytes instead of %.0f, by "
		    "made-up answers. Devices learn it at their next sync.\n",
		    form_id(t->form->form),
		    form_version(t->form->form)[0] == '\0' ? "" : " version ",
		    form_version(t->form->form), bytes, already ? ", which was there already" : "",
		    after, before);
		return;
	}
	writer_heap_init(&w, 4096);
	writer_str(&w, "{");
	json_key_str(&w, "form", form_id(t->form->form));
	json_key_str(&w, "version", form_version(t->form->form));
	json_key_u64(&w, "bytes", bytes);
	json_key_bool(&w, "added", !already);
	json_key_u64(&w, "passed_over", t->passed_over);
	call_out(c, "%s,\"slice_before\":%.1f,\"slice_after\":%.1f}\n", writer_cstr(&w), before,
		 after);
	writer_free(&w);
}

enum err
cmd_form_train(struct call *c)
{
	struct train t = {.call = c};
	struct peer *p = call_peer(c);
	uint64_t samples = TRAIN_SAMPLES_DEFAULT, bytes = DICTIONARY_BYTES_DEFAULT;
	double before = 0, after = 0;
	struct writer content;
	struct above above;
	bool already = false;
	enum err e;

	if (!peer_is_node(p))
		return why_set(call_why(c), E_NODE_ONLY, "form train");
	if ((e = acting_may(c, ACT_ADD_FORM, p->home.area, false)) != E_OK)
		return e;
	if (peer_above(p, &above) == E_OK) /* whoever is above must read what is sealed with it */
		return why_set(call_why(c), E_NOT_HERE, "form train below another node");
	if ((t.form = peer_form(p, call_arg(c, 0))) == NULL)
		return why_set(call_why(c), E_FORM_UNKNOWN, "%s", call_arg(c, 0));
	if ((e = call_number(c, "generate", "records", 100, TRAIN_SAMPLES_MAX, &samples)) != E_OK ||
	    (e = call_number(c, "size", "bytes", DICTIONARY_BYTES_LEAST, DICTIONARY_BYTES_MAX,
			     &bytes)) != E_OK)
		return e;
	t.samples = (size_t)samples;
	t.bytes = (size_t)bytes;
	writer_heap_init(&content, DICTIONARY_BYTES_MAX);
	if ((e = take_answers(&t)) == E_OK && (e = train(&t, &content)) == E_OK &&
	    (e = measure(&t, writer_view(&content), &before, &after)) == E_OK &&
	    (e = dictionaries_add(p, call_actor(c), t.form, writer_view(&content), &already,
				  call_why(c))) == E_OK)
		tell(&t, content.n, already, before, after);
	form_counts_free(t.counts);
	writer_free(&content);
	return e;
}

/*
 * extract_world: a node with a small area table and one form, records of any area and time, and
 * commands run on it as an officer or as a remote researcher, with what they write caught in
 * memory.
 */
#ifndef BANYAN_TESTS_EXTRACT_WORLD_H
#define BANYAN_TESTS_EXTRACT_WORLD_H

#include <time.h>

#include "schemas/answers.h"
#include "schemas/areas_table.h"
#include "schemas/xlsform.h"
#include "tests/check.h"
#include "tests/scratch.h"
#include "tools/call/call_parts.h"
#include "tools/commands.h"
#include "tools/node/acting.h"
#include "tools/node/down/down.h"
#include "tools/node/enrol/enrol.h"
#include "tools/node/opener/opener.h"
#include "tools/node/outbox/outbox.h"

#define WORLD_FILES_MAX 6u

static const char world_areas[] = "code,parent,level,name\n"
				  "P,,province,P\nD1,P,district,D1\nD2,P,district,D2\n"
				  "A,D1,commune,A\nB,D1,commune,B\nC,D2,commune,C\n";

static const char world_form[] = "| survey |\n| | type | name | bind::banyan:class | label |\n"
				 "| | select_one sex | sex | S | Sex |\n"
				 "| | select_multiple harm | harm | S | Harm |\n"
				 "| | integer | n | O | How many |\n"
				 "| | text | name | D | Name |\n"
				 "| | select_one sex | secret | D | Secret |\n"
				 "| | text | place | O | Place |\n"
				 "| | begin repeat | child | | Child |\n"
				 "| | select_one age | age | S | Age |\n"
				 "| | integer | hours | S | Hours |\n"
				 "| | text | nick | D | Nick |\n"
				 "| | end repeat | | | |\n"
				 "\n| choices |\n| | list_name | name | label |\n"
				 "| | sex | f | F |\n| | sex | m | M |\n"
				 "| | harm | h1 | 1 |\n| | harm | h2 | 2 |\n"
				 "| | age | young | Y |\n| | age | old | O |\n"
				 "\n| settings |\n| | form_id | version |\n| | T1 | 1 |\n";

struct world {
	char dir[PATH_MAX], at[PATH_MAX];
	struct peer *peer;
	struct identity *officer;
	struct principal_id researcher, second;
	struct form_entry *form;
	struct sealer sealer;
};

struct caught_file {
	char name[100];
	struct writer w;
};

/*
 * The clock of these tests stands on 2026-11-22: a record's days are written in what is expected,
 * and a day that lies years back is not believed.
 */
time_t
time(time_t *out)
{
	const time_t now = 1795305600;

	if (out != NULL)
		*out = now;
	return now;
}

struct caught {
	struct writer out, note;
	struct caught_file files[WORLD_FILES_MAX];
	size_t file_count;
	struct why why;
	enum err e;
};

static inline void
must(enum err e, const char *what, const struct why *why)
{
	if (e == E_OK)
		return;
	fprintf(stderr, "%s: %s (%s)\n", what, err_name(e), why == NULL ? "" : why->thing);
	exit(1);
}

static inline enum err
enrol_job(struct store_txn *txn, void *arg)
{
	return member_put(txn, arg);
}

static inline struct principal_id
world_researcher(struct world *w, const char *name, const char *area)
{
	struct ec_key sign, seal;
	struct member m = {.state = MEMBER_APPROVED};
	struct enrolment *x = &m.enrolment;

	crypto_ec_new(&sign);
	crypto_ec_new(&seal);
	crypto_random(x->id.b, ID_BYTES);
	x->programme = w->peer->programme.id;
	x->sign_pub = sign.pub;
	x->seal_pub = seal.pub;
	x->role = ROLE_RESEARCHER;
	snprintf(x->name, sizeof(x->name), "%s", name);
	snprintf(x->area, sizeof(x->area), "%s", area);
	x->issued_s = 1700000000;
	x->issuer = w->officer->id;
	m.joined_s = 1700000000;
	static uint8_t memory[STATEMENT_BYTES_MAX];
	struct writer s;
	writer_init(&s, memory, sizeof(memory));
	must(enrolment_encode(x, &peer_self(w->peer)->sign, &s), "enrolment", NULL);
	m.signed_enrolment = writer_view(&s);
	must(store_write(w->peer->store, enrol_job, &m), "enrol", NULL);
	return x->id;
}

static inline void
world_init(struct world *w)
{
	static const uint8_t key[32] = {1, 2, 3};
	struct unlock unlock = {.name = "officer", .key_file = {key, sizeof(key)}};
	struct foundation f = {.programme = "Test", .area = "P", .officer = "officer"};
	struct xlsform_report report = {0};
	struct writer areas, xform, bundle;
	struct areas_table table;
	struct arena arena;
	struct why why = {0};
	bool already;

	memset(w, 0, sizeof(*w));
	scratch_path(w->at, scratch_make(w->dir), "store");
	arena_init(&arena, 1u << 20);
	writer_heap_init(&areas, 1u << 20);
	writer_heap_init(&xform, 1u << 20);
	writer_heap_init(&bundle, 1u << 20);
	must(areas_table_parse(bytes_of_str(world_areas), &arena, &table, &why), "areas", &why);
	must(areas_table_pack(&table, &areas), "areas", NULL);
	f.areas = writer_view(&areas);
	must(enrol_found(&w->peer, w->at, &unlock, &f, &why), "found", &why);
	must(peer_identity(w->peer, "officer", &w->officer, &why), "officer", &why);
	must(xlsform_convert(&xform, bytes_of_str(world_form), XLSFORM_MD, "T1", &report, NULL),
	     "form", NULL);
	must(form_bundle_write(&bundle, writer_view(&xform), NULL, 0), "bundle", NULL);
	must(down_add_form(w->peer, &w->officer->id, writer_view(&bundle), &already, &why), "add",
	     &why);
	must(opener_all(w->peer, &why), "open", &why);
	w->form = peer_form(w->peer, "T1");
	if (w->form == NULL)
		must(E_FORM_UNKNOWN, "T1", NULL);
	w->researcher = world_researcher(w, "university", "P");
	w->second = world_researcher(w, "institute", "D1");
	sealer_init(&w->sealer, w->peer, w->officer);
	xlsform_report_free(&report);
	writer_free(&areas);
	writer_free(&xform);
	writer_free(&bundle);
	arena_free(&arena);
}

static inline void
world_fini(struct world *w)
{
	sealer_wipe(&w->sealer);
	peer_close(w->peer);
	scratch_remove(w->dir);
}

/* world_add: `count` records alike, by the officer. */
static inline struct record_id
world_add(struct world *w, const char *area, uint32_t time_s, const char *json, size_t count)
{
	struct answer_env env = {
	    .now_ms = (int64_t)time_s * 1000, .device_id = "", .username = "", .area = area};
	struct finished all[32], f = {.form = w->form, .area = area, .time_s = time_s};
	struct answer_fault faults[4];
	struct field_value *values;
	struct answers *a;
	struct arena arena;
	size_t n, i;

	arena_init(&arena, 1u << 20);
	must(answers_new(&a, w->form->form, &env, NULL), "answers", NULL);
	must(answers_set_json(a, json, strlen(json), faults, 4, &n), json, NULL);
	must(answers_values(a, &arena, &values, &f.value_count), "values", NULL);
	f.values = values;
	while (count > 0) {
		n = count < 32 ? count : 32;
		for (i = 0; i < n; i++)
			all[i] = f;
		must(outbox_finish(&w->sealer, all, n, NULL), "finish", NULL);
		count -= n;
	}
	answers_free(a);
	arena_free(&arena);
	return all[0].id;
}

static inline void
world_open(struct world *w)
{
	size_t parcels;

	must(outbox_gather(w->peer, w->officer, &parcels, NULL), "gather", NULL);
	must(opener_all(w->peer, NULL), "open", NULL);
}

static inline enum err
catch_piece(void *ctx, uint8_t stream, struct bytes b)
{
	struct caught *k = ctx;
	struct caught_file *f = &k->files[k->file_count];

	if (stream == ANSWER_FILE && k->file_count < WORLD_FILES_MAX) {
		snprintf(f->name, sizeof(f->name), "%.*s", (int)b.n, (const char *)b.p);
		writer_heap_init(&f->w, 16u << 20);
	} else if (stream == ANSWER_DATA) {
		writer_bytes(&f->w, b);
	} else if (stream == ANSWER_FILE_END) {
		k->file_count++;
	} else {
		writer_bytes(stream == ANSWER_NOTE ? &k->note : &k->out, b);
	}
	return E_OK;
}

/* world_call: a command with its options (name, value, name, value ..., NULL), asked by `remote` or
 * by the officer. */
static inline struct caught
world_call(struct world *w, const struct principal_id *remote, const char *command, const char *arg,
	   const char *const *options)
{
	struct call_option given[12];
	struct caught k = {.e = E_OK};
	size_t used;
	bool half;
	struct call *c;

	writer_heap_init(&k.out, 1u << 20);
	writer_heap_init(&k.note, 1u << 20);
	must(call_new(&c), "call", NULL);
	c->command = command_find(&command, 1, &used, &half);
	c->options = given;
	for (; options != NULL && options[0] != NULL; options += 2)
		given[c->option_count++] = (struct call_option){options[0], options[1]};
	c->args = &arg;
	c->arg_count = arg != NULL;
	c->remote = remote != NULL;
	call_set_actor(c, remote != NULL ? remote : &w->officer->id);
	c->answer = catch_piece;
	c->ctx = &k;
	k.e = acting_run(c, w->peer);
	k.why = *call_why(c);
	call_free(c);
	return k;
}

static inline const char *
caught_text(struct caught *k, const char *name)
{
	size_t i;

	for (i = 0; i < k->file_count; i++)
		if (strcmp(k->files[i].name, name) == 0)
			return writer_cstr(&k->files[i].w);
	return "";
}

static inline void
caught_free(struct caught *k)
{
	size_t i;

	for (i = 0; i < WORLD_FILES_MAX; i++)
		writer_free(&k->files[i].w);
	writer_free(&k->out);
	writer_free(&k->note);
}

#endif

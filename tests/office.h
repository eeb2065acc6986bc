/*
 * office: a district office and its devices in temporary folders, without a network: for tests of
 * commands. What a session would carry is carried by hand: office_carry takes a device's parcels to
 * the node and the node's words back.
 */
#ifndef BANYAN_TESTS_OFFICE_H
#define BANYAN_TESTS_OFFICE_H

#include "core/parcel/arrival.h"
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

#define OFFICE_AREAS \
	"code,parent,level,name\nP,,province,Province\nD,P,district,District\nV1,D,village,One\nV2,D,village,Two\nX,P,district,Elsewhere\n"
#define OFFICE_FORM \
	"| survey |\n" \
	"| | type | name | bind::banyan:class | label | constraint | constraint_message | calculation |\n" \
	"| | integer | girls | O | Girls | . >= 0 | Give a number, 0 or more. | |\n" \
	"| | integer | boys | O | Boys | . >= 0 | Give a number, 0 or more. | |\n" \
	"| | calculate | all | O | | | | ${girls} + ${boys} |\n" \
	"| | text | child | D | Name of the child | | | |\n" \
	"| | select_one yn | seen | S | Seen? | | | |\n" \
	"| | begin repeat | visit | | Visits | | | |\n" \
	"| | text | place | O | Place | | | |\n" \
	"| | end repeat | | | | | | |\n" \
	"| choices |\n" \
	"| | list_name | name | label |\n" \
	"| | yn | yes | Yes |\n" \
	"| | yn | no | No |\n" \
	"| settings |\n" \
	"| | form_id | form_title | version | banyan:draft_languages |\n" \
	"| | T1 | Test | 1 | |\n"

static uint8_t office_secret[32] = "a key file kept elsewhere, of 32";
static struct unlock
office_unlock(const char *name)
{
	return (struct unlock){.name = name,
			       .key_file = BYTES(office_secret, sizeof(office_secret))};
}

struct office_world {
	char dir[PATH_MAX];
	struct peer *node;
	struct why why;
};

static inline void
office_form(struct peer *node, const char *md, struct why *why)
{
	struct xlsform_report report = {0};
	struct writer xform, bundle;
	bool already;

	writer_heap_init(&xform, 16u << 20);
	writer_heap_init(&bundle, 16u << 20);
	CHECK(xlsform_convert(&xform, bytes_of_str(md), XLSFORM_MD, "T1", &report, NULL) == E_OK);
	CHECK(form_bundle_write(&bundle, writer_view(&xform), NULL, 0) == E_OK);
	CHECK_MSG(down_add_form(node, &node->identities[1].id, writer_view(&bundle), &already,
				why) == E_OK,
		  "%s", why->thing);
	writer_free(&xform);
	writer_free(&bundle);
	xlsform_report_free(&report);
}

static inline bool
office_open(struct office_world *w)
{
	struct foundation f = {.programme = "Test", .area = "D", .officer = "officer"};
	struct unlock unlock = office_unlock("officer");
	struct areas_table table;
	struct arena arena;
	struct writer packed;
	char path[PATH_MAX];
	enum err e;

	memset(w, 0, sizeof(*w));
	scratch_make(w->dir);
	arena_init(&arena, 16u << 20);
	writer_heap_init(&packed, 1u << 20);
	e = areas_table_parse(BYTES_LIT(OFFICE_AREAS), &arena, &table, &w->why);
	if (e == E_OK)
		e = areas_table_pack(&table, &packed);
	f.areas = writer_view(&packed);
	if (e == E_OK)
		e = enrol_found(&w->node, scratch_path(path, w->dir, "node"), &unlock, &f, &w->why);
	CHECK_MSG(e == E_OK, "%s %s", err_name(e), w->why.thing);
	if (e == E_OK)
		office_form(w->node, OFFICE_FORM, &w->why);
	writer_free(&packed);
	arena_free(&arena);
	return e == E_OK;
}

static inline void
office_close(struct office_world *w)
{
	peer_close(w->node);
	scratch_remove(w->dir);
}

/* One more officer of the node's own store would do; this one has a store of its own, or is a
 * device. */
static inline struct peer *
office_join(struct office_world *w, enum role role, const char *area, const char *name)
{
	struct invitation v = {
	    .role = role, .area = area, .name = name, .address = "127.0.0.1:1", .days = 1};
	struct unlock unlock = office_unlock(NULL);
	struct message_welcome welcome;
	struct message_join join;
	struct invite invite;
	struct peer *p = NULL;
	struct writer line;
	struct arena arena;
	char path[PATH_MAX];
	enum err e;

	arena_init(&arena, 1u << 20);
	writer_heap_init(&line, 4096);
	memset(&join, 0, sizeof(join));
	e = enrol_invite(w->node, &w->node->identities[1], &v, &line, &w->why);
	if (e == E_OK && (e = invite_decode(writer_cstr(&line), &invite, &w->why)) == E_OK)
		e = enrol_prepare(&p, scratch_path(path, w->dir, name), &unlock, &invite, &w->why);
	if (e == E_OK) {
		memcpy(join.secret, invite.secret, sizeof(join.secret));
		join.principal = peer_self(p)->id;
		join.seal_public = peer_self(p)->seal.pub;
		e = enrol_join(w->node, &join, &peer_self(p)->sign.pub, &welcome, &arena, &w->why);
	}
	if (e == E_OK)
		e = enrol_welcomed(p, &invite, &peer_self(w->node)->sign.pub, &welcome, &w->why);
	CHECK_MSG(e == E_OK, "%s: %s %s", name, err_name(e), w->why.thing);
	writer_free(&line);
	arena_free(&arena);
	return p;
}

struct office_append {
	struct arrival a;
	bool urgent;
};

static enum err
office_append_job(struct store_txn *txn, void *arg)
{
	struct office_append *job = arg;
	enum arrival_result result;
	enum err e = arrival_append(txn, &job->a, &result);

	return e == E_OK && result == ARRIVAL_NEW ? opener_note(txn, &job->a, job->urgent) : e;
}

/* Copies of the parcels of one log, into `take`. */
static inline enum err
office_parcels(struct peer *from, struct log_id log, uint64_t number, struct writer *bytes,
	       struct arrival *a)
{
	struct store_txn *txn;
	struct parcel_hash hash;
	uint64_t seq;
	enum err e = store_read_begin(from->store, &txn);

	if (e != E_OK)
		return e;
	writer_reset(bytes);
	if ((e = arrival_find(txn, &log, number, &seq, &hash)) == E_OK &&
	    (e = arrival_get(txn, seq, a)) == E_OK) {
		writer_bytes(bytes, a->parcel);
		e = writer_end(bytes);
		a->parcel = writer_view(bytes);
	}
	store_read_end(txn);
	return e;
}

/* Where the device stands in one of the node's logs. */
static inline uint64_t
office_taken(struct peer *device, int log)
{
	struct down_cursor cursors[2];
	struct store_txn *txn;

	if (store_read_begin(device->store, &txn) != E_OK)
		return 0;
	CHECK(down_cursors(device, txn, cursors) == E_OK);
	store_read_end(txn);
	return cursors[log].number;
}

/* What the device has to say, told to the node and opened there; and the node's words taken to the
 * device. */
static inline void
office_carry(struct office_world *w, struct peer *device)
{
	struct log_id logs[3] = {{peer_self(device)->id, peer_self(device)->epoch},
				 down_broadcast_log(w->node),
				 down_inbox_log(w->node, &peer_self(device)->id)};
	struct writer bytes;
	size_t parcels;
	uint64_t n;
	int i;

	CHECK(outbox_gather(device, peer_self(device), &parcels, &w->why) == E_OK);
	writer_heap_init(&bytes, PARCEL_BYTES_MAX);
	for (i = 0; i < 3; i++)
		for (n = i == 0 ? 1 : office_taken(device, i - 1) + 1;; n++) {
			struct office_append job = {0};
			enum err e =
			    office_parcels(i == 0 ? device : w->node, logs[i], n, &bytes, &job.a);

			if (e != E_OK)
				break;
			if (i == 0) {
				uint64_t number;
				uint8_t flags = 0;

				CHECK(parcel_peek(job.a.parcel, &number, &flags) == E_OK);
				job.urgent = (flags & PARCEL_URGENT) != 0;
				job.a.via = peer_self(device)->id;
				job.a.flags = ARRIVAL_UNVERIFIED;
				job.a.received_s = peer_now_s(w->node);
				CHECK(store_write(w->node->store, office_append_job, &job) == E_OK);
			} else {
				e = down_take(device, i == 2, logs[i].epoch, job.a.parcel, &w->why);
				CHECK_MSG(e == E_OK, "%s %s", err_name(e), w->why.thing);
			}
		}
	writer_free(&bytes);
	CHECK(opener_all(w->node, &w->why) == E_OK);
}

/* A record of "field=value" pairs, finished at `p`; its id as hexadecimal digits. */
static inline void
office_finish(struct peer *p, struct identity *author, const char *area, const char *const *pairs,
	      bool urgent, char hex[2 * ID_BYTES + 1])
{
	struct form_entry *form = peer_form(p, "T1");
	struct field_value values[16];
	struct finished f = {.form = form,
			     .area = area,
			     .values = values,
			     .time_s = peer_now_s(p),
			     .urgent = urgent};
	struct sealer sealer;
	struct why why = {0};
	struct arena arena;
	char path[64];

	hex[0] = '\0';
	REQUIRE(form != NULL);
	arena_init(&arena, 1u << 20);
	for (; *pairs != NULL; pairs++) {
		const char *equals = strchr(*pairs, '=');

		(void)snprintf(path, sizeof(path), "%.*s", (int)(equals - *pairs), *pairs);
		CHECK_MSG(form_value_parse(form->form, path, equals + 1, &arena,
					   &values[f.value_count], &why) == E_OK,
			  "%s: %s", *pairs, why.thing);
		f.value_count++;
	}
	sealer_init(&sealer, p, author);
	CHECK_MSG(outbox_finish(&sealer, &f, 1, &why) == E_OK, "%s", why.thing);
	sealer_wipe(&sealer);
	arena_free(&arena);
	hex_encode(hex, f.id.b, ID_BYTES);
}

/* ---- a command, as a person would start it ---- */

/* What opens the store, and what shall: NULL: the key file, and none. */
static const char *office_passphrase, *office_new_passphrase;
static const char *office_store = ""; /* STORE of a command that needs no open one */
static bool office_files; /* what it writes into files is written, as the program does */

static inline void
office_set_secret(struct secret *s, const char *passphrase)
{
	s->kind = passphrase != NULL ? SECRET_PASSPHRASE : SECRET_KEY_FILE;
	s->count = passphrase != NULL ? strlen(passphrase) : sizeof(office_secret);
	memcpy(s->b, passphrase != NULL ? (const void *)passphrase : office_secret, s->count);
}

struct office_said {
	struct call *call;
	struct writer out, notes;
	enum err e;
	char thing[240];
};

static enum err
office_hear(void *ctx, uint8_t stream, struct bytes piece)
{
	struct office_said *said = ctx;

	if (stream == ANSWER_OUT)
		writer_bytes(&said->out, piece);
	else if (stream == ANSWER_NOTE)
		writer_bytes(&said->notes, piece);
	else if (office_files &&
		 (stream == ANSWER_FILE || stream == ANSWER_DATA || stream == ANSWER_FILE_END))
		return call_apply(said->call, stream, piece);
	return E_OK;
}

/*
 * office_run: `words` are the command, its positionals without STORE, and options as "--name",
 * "value" ("--json" alone). `actor` NULL: the store's own way of telling; `remote`: asked over TLS.
 */
static inline enum err
office_run(struct peer *p, const struct principal_id *actor, bool remote, struct office_said *said,
	   const char *const *words)
{
	static const char *const flags[] = {"json", "rebuild", "drafts"};
	const char *args[16];
	struct call_option options[16];
	struct call *c;
	size_t used, count = 0, i;
	bool half;

	writer_heap_init(&said->out, 16u << 20);
	writer_heap_init(&said->notes, 1u << 20);
	said->thing[0] = '\0';
	if (call_new(&c) != E_OK)
		return said->e = E_NO_MEMORY;
	while (words[count] != NULL)
		count++;
	c->command = command_find(words, count, &used, &half);
	if (c->command == NULL) {
		CHECK_MSG(false, "no command %s", words[0]);
		call_free(c);
		return said->e = E_USAGE;
	}
	c->args = args;
	c->options = options;
	for (i = used; i < count; i++) {
		size_t k;
		bool flag = false;

		if (strncmp(words[i], "--", 2) != 0) {
			args[c->arg_count++] = words[i];
			continue;
		}
		for (k = 0; k < sizeof(flags) / sizeof(flags[0]); k++)
			flag = flag || strcmp(words[i] + 2, flags[k]) == 0;
		options[c->option_count++] =
		    (struct call_option){words[i] + 2, flag ? "" : words[i + 1]};
		c->json = c->json || strcmp(words[i], "--json") == 0;
		i += !flag;
	}
	office_set_secret(&c->secret, office_passphrase);
	c->secret_sought = true;
	if (office_new_passphrase != NULL)
		office_set_secret(&c->new_secret, office_new_passphrase);
	c->answer = office_hear;
	c->ctx = said;
	said->call = c;
	c->remote = remote;
	c->store = p == NULL ? office_store : p->path;
	if (actor == NULL && p != NULL)
		actor = &p->identities[peer_is_node(p) ? 1 : 0].id;
	call_set_actor(c, actor);
	said->e = p == NULL ? call_run(c) : acting_run(c, p);
	(void)snprintf(said->thing, sizeof(said->thing), "%s", call_why(c)->thing);
	call_free(c);
	(void)writer_cstr(&said->out);
	(void)writer_cstr(&said->notes);
	return said->e;
}

static inline void
office_forget(struct office_said *said)
{
	writer_free(&said->out);
	writer_free(&said->notes);
}

/* What a record of OFFICE_FORM says, where it does not matter. */
static const char *const FIVE[] = {"girls=2",        "boys=3",   "all=5",
				   "child=Sok Dara", "seen=yes", NULL};

/* An office, a member's device of V1, and a record on it that was not brought yet; `id`: its name,
 * as hexadecimal digits. */
static inline bool
office_with_record(struct office_world *w, struct peer **village, char id[static 2 * ID_BYTES + 1])
{
	if (!office_open(w) || (*village = office_join(w, ROLE_MEMBER, "V1", "one")) == NULL)
		return false;
	office_carry(w, *village);
	office_finish(*village, peer_self(*village), "V1", FIVE, false, id);
	return true;
}

#define SAY(...) ((const char *const[]){__VA_ARGS__, NULL})
/* A command that must end so, whose output has `want` in it. */
#define OFFICE_EXPECT(peer, actor, remote, err_wanted, want, ...) \
	do { \
		struct office_said said_; \
		enum err e_ = office_run(peer, actor, remote, &said_, SAY(__VA_ARGS__)); \
		CHECK_MSG(e_ == (err_wanted), "got %s: %s", err_name(e_), said_.thing); \
		CHECK_MSG(strstr(e_ == E_OK ? writer_cstr(&said_.out) : said_.thing, want) != \
			      NULL, \
			  "\"%s\" is not in: %s", want, \
			  e_ == E_OK ? writer_cstr(&said_.out) : said_.thing); \
		office_forget(&said_); \
	} while (0)

#endif

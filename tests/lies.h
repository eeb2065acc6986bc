/*
 * lies: a world with an honest member, a member that lies in what it signs, and an officer; and
 * what must hold after every lie: the honest member's records are there, whole, and its own; it is
 * still heard; the store verifies; status tells.
 */
#ifndef BANYAN_TESTS_LIES_H
#define BANYAN_TESTS_LIES_H

#include "tests/asking.h"
#include "tests/node_fixture.h"
#include "tools/node/opener/verify.h"

static struct node n;
static struct device honest, liar, officer;
static struct record_id kept; /* the honest member's, opened before the lie */

/* A text as the note of a map of changes. */
static inline struct bytes
note_map(struct writer *map, const char *text)
{
	const struct form *form = n.peer->forms->form;

	writer_reset(map);
	pack_map(map, 1);
	pack_u64(map, form_field(form, form_field_find(form, "note"))->key.v);
	pack_cstr(map, text);
	return writer_view(map);
}

static inline bool
amends(struct device *d, struct record_id *id, const char *text)
{
	struct revision_body amend = {.kind = REVISION_AMEND, .time_s = 900};
	struct record_row row;
	uint8_t memory[256];
	struct writer map;
	struct arena arena;

	writer_init(&map, memory, sizeof(memory));
	amend.answers = note_map(&map, text);
	arena_init(&arena, 1u << 20);
	if (opener_all(n.peer, &n.why) == E_OK && node_record(&n, id, &row, &arena)) {
		amend.parent_count = row.head_count;
		memcpy(amend.parents, row.heads, row.head_count * sizeof(row.heads[0]));
	}
	arena_free(&arena);
	return node_say(&n, d, NULL, &amend, id) == E_OK;
}

static inline void
lies_begin(void)
{
	struct revision_body create = {.kind = REVISION_CREATE, .time_s = 900};

	REQUIRE(node_begin(&n));
	REQUIRE(node_join(&n, &honest, ROLE_MEMBER, "V1", "honest") == E_OK);
	REQUIRE(node_join(&n, &liar, ROLE_MEMBER, "V1", "liar") == E_OK);
	REQUIRE(node_join(&n, &officer, ROLE_OFFICER, "P", "second") == E_OK);
	REQUIRE(enrol_approve(n.peer, &n.peer->identities[1], "second", &n.why) == E_OK);
	REQUIRE(node_say(&n, &honest, NULL, &create, &kept) == E_OK &&
		amends(&honest, &kept, "mine"));
	REQUIRE(opener_all(n.peer, &n.why) == E_OK);
}

/* `banyan status --json`, asked by the officer at the node; left in `heard`. */
static inline bool
status(void)
{
	return asks(n.peer, &n.peer->identities[1].id, false, "status", NULL, 0) == E_OK;
}

static inline void
lies_fault(void *arg, const char *sentence)
{
	(void)arg;
	fprintf(stderr, "check says: %s\n", sentence);
}

static inline void
lies_progress(void *arg, const char *what, uint64_t done, uint64_t total)
{
	(void)arg, (void)what, (void)done, (void)total;
}

/* The record as the node shows it: its author's, neither void nor reviewed, and its note is `text`.
 */
static inline void
stands(const struct record_id *id, const struct device *author, const char *text)
{
	struct record_row row = {0};
	struct store_txn *txn;
	struct arena arena;

	arena_init(&arena, 1u << 20);
	REQUIRE(store_read_begin(n.peer->store, &txn) == E_OK);
	CHECK(record_row_get(txn, id, &arena, &row) == E_OK);
	CHECK(ID_EQUAL(&row.author, &author->self.id) && row.review == REVIEW_NONE &&
	      !(row.flags & RECORD_VOID) && row.conflicts == 0);
	CHECK(row.value_count == 1 && row.values[0].value.n == strlen(text) + 1 &&
	      memcmp(row.values[0].value.p + 1, text, strlen(text)) == 0);
	store_read_end(txn);
	arena_free(&arena);
}

/* What a lie leads to: `aside` parcels set aside, the last for `reason` (E_OK: any reason). Ends
 * the world. */
static inline void
lies_end(size_t aside, enum err reason)
{
	struct revision_body create = {.kind = REVISION_CREATE, .time_s = 900};
	struct verified v = {0};
	struct record_id next;
	enum err last;
	size_t is;

	CHECK_MSG(opener_all(n.peer, &n.why) == E_OK, "%s", n.why.thing);
	is = node_aside(&n, &last);
	CHECK_MSG(is == aside && (reason == E_OK || last == reason), "%zu aside, %s", is,
		  err_name(last));
	stands(&kept, &honest, "mine");
	CHECK(amends(&honest, &kept, "mine still") &&
	      node_say(&n, &honest, NULL, &create, &next) == E_OK && amends(&honest, &next, "new"));
	CHECK(opener_all(n.peer, &n.why) == E_OK);
	CHECK(node_aside(&n, &last) == aside);
	stands(&kept, &honest, "mine still");
	stands(&next, &honest, "new");
	CHECK(verify_store(n.peer, &v, lies_fault, lies_progress, NULL, &n.why) == E_OK);
	CHECK_MSG(v.bad_parcels == 0 && v.bad_records == 0 && v.set_aside == aside,
		  "%d bad, %d bad records, %d aside", (int)v.bad_parcels, (int)v.bad_records,
		  (int)v.set_aside);
	CHECK(status());
	CHECK_MSG((strstr(heard, "\"from\":\"liar\"") != NULL) == (aside > 0), "%s", heard);
	CHECK(strstr(heard, "\"from\":\"honest\"") == NULL);
	node_end(&n);
}

/* [kind, form, time, parents | answers, tail...]: `count` such revisions in one slice. */
static inline struct bytes
revision(struct writer *w, uint8_t kind, uint32_t form, struct bytes fourth, struct bytes tail,
	 uint32_t count)
{
	uint32_t i;

	writer_reset(w);
	pack_array(w, count);
	for (i = 0; i < count; i++) {
		pack_array(w, tail.n > 0 ? 5 : 4);
		pack_u64(w, kind);
		pack_u64(w, form);
		pack_u64(w, 900);
		writer_bytes(w, fourth);
		writer_bytes(w, tail);
	}
	return writer_view(w);
}

#define NO_PARENTS BYTES_LIT("\x90")

#endif

/*
 * What a node says to its devices, and what is asked of it, to the byte: control items, notices,
 * and calls that travel.
 */
#include "core/pack.h"
#include "tests/keys.h"
#include "tests/vector.h"
#include "tools/call/call_parts.h"
#include "tools/node/down/down_item.h"
#include "tools/options.h"

static uint8_t room[4096];

struct item_row {
	const char *vector, *what, *statement;
	struct down_item item;
};

static const struct item_row items[] = {
    {"item_form",
     "FORM: the seventh, Khmer and Lao accepted",
     NULL,
     {.kind = DOWN_FORM,
      .order = 7,
      .languages = "km lo",
      .content = BYTES_LIT("a form's bundle")}},
    {"item_areas", "AREAS", "area_table", {.kind = DOWN_AREAS}},
    {"item_office", "OFFICE", "office_1", {.kind = DOWN_OFFICE}},
    {"item_revocation", "REVOCATION", "revocation_1", {.kind = DOWN_REVOCATION}},
    {"item_erasure", "ERASURE", "erasure_1", {.kind = DOWN_ERASURE}},
    {"item_retention", "RETENTION", "retention", {.kind = DOWN_RETENTION}},
    {"item_languages",
     "LANGUAGES",
     NULL,
     {.kind = DOWN_LANGUAGES, .form = "F2_situation", .languages = "km"}},
    {"item_addresses",
     "ADDRESSES: nobody else",
     NULL,
     {.kind = DOWN_ADDRESSES, .content = BYTES_LIT("\x90")}},
    {"item_codecs", "CODECS", NULL, {.kind = DOWN_CODECS, .highest = 3}},
    {"item_dictionary",
     "DICTIONARY",
     NULL,
     {.kind = DOWN_DICTIONARY,
      .form_key = 0x0a0b0c0d,
      .content = BYTES_LIT("a form's dictionary")}},
    {"item_review",
     "REVIEW of record record-000000001",
     NULL,
     {.kind = DOWN_REVIEW,
      .record = {"record-000000001"},
      .state = REVIEW_HAS_ISSUES,
      .note = "which school?",
      .time_s = 1700000500}},
    {"item_office_key",
     "OFFICE KEY: the third, 5a..",
     NULL,
     {.kind = DOWN_OFFICE_KEY, .key_no = 3, .secret = {0x5a, 0x5b, 0x5c}}},
    {"item_above", "ABOVE: where the node above is", "above_content", {.kind = DOWN_ABOVE}},
    {"item_enrolment", "ENROLMENT", "enrolment_1", {.kind = DOWN_ENROLMENT}},
};

static bool
same(const struct down_item *a, const struct down_item *b)
{
	return a->kind == b->kind && a->order == b->order && bytes_equal(a->content, b->content) &&
	       strcmp(a->languages, b->languages) == 0 && strcmp(a->form, b->form) == 0 &&
	       ID_EQUAL(&a->record, &b->record) && a->state == b->state &&
	       strcmp(a->note, b->note) == 0 && a->time_s == b->time_s && a->key_no == b->key_no &&
	       a->highest == b->highest && a->form_key == b->form_key &&
	       memcmp(a->secret, b->secret, sizeof(a->secret)) == 0;
}

static void
control_items_and_notices(void)
{
	struct down_item got;
	struct writer w;
	size_t i, n;

	for (i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
		struct down_item want = items[i].item;

		if (items[i].statement != NULL)
			want.content = vector_read(items[i].statement, room, sizeof(room));
		writer_heap_init(&w, 8192);
		down_item_write(&w, &want);
		REQUIRE(writer_end(&w) == E_OK && w.n > 2);
		CHECK(vector_holds(items[i].vector, items[i].what, writer_view(&w)));
		CHECK(down_item_read(writer_view(&w), &got) == E_OK && same(&got, &want));
		for (n = 0; n < w.n; n++) {
			enum err e = down_item_read(BYTES(w.p, n), &got);

			CHECK_MSG(e == E_PARCEL || (n >= 2 && e == E_PACK_CUT), "%s cut at %zu: %s",
				  items[i].vector, n, err_name(e));
		}
		writer_u8(&w, 0);
		CHECK(down_item_read(writer_view(&w), &got) == E_PACK_EXTRA);
		w.p[0]++; /* one element more than its kind has */
		CHECK(down_item_read(BYTES(w.p, w.n), &got) == E_PACK_TYPE);
		writer_free(&w);
	}
}

/* A kind of a later version is told apart from nonsense: it is passed over. */
static void
kinds_of_another_version(void)
{
	static const struct {
		const char *bytes;
		size_t n;
		enum err e;
	} rows[] = {{"\x91\x0f", 2, E_OK},         {"\x93\x14\xc0\xc0", 4, E_OK},
		    {"\x92\xcc\xff\x01", 4, E_OK}, {"", 0, E_PARCEL},
		    {"\x90", 1, E_PARCEL},         {"\x91\xa1x", 3, E_PARCEL},
		    {"\xc0", 1, E_PARCEL}};
	struct down_item got;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK_MSG(down_item_read(BYTES(rows[i].bytes, rows[i].n), &got) == rows[i].e,
			  "row %zu", i);
}

/* ---- calls ---- */

static enum err
unheard(void *ctx, uint8_t stream, struct bytes piece)
{
	(void)ctx;
	(void)stream;
	(void)piece;
	return E_OK;
}

struct call_row {
	const char *vector, *what;
	int argc;
	char *argv[10];
	bool with_secret; /* the local socket: passphrase "golden passphrase" rides along */
	const char *input;
};

static const struct call_row calls[] = {
    {"call_list",
     "banyan list STORE F2_situation --json, over TLS",
     5,
     {(char *)"banyan", (char *)"list", (char *)"store", (char *)"F2_situation", (char *)"--json"},
     false,
     NULL},
    {"call_review",
     "banyan review STORE RECORD --state has_issues --note ..., over TLS",
     8,
     {(char *)"banyan", (char *)"review", (char *)"store", (char *)"7265636f", (char *)"--state",
      (char *)"has_issues", (char *)"--note", (char *)"which school?"},
     false,
     NULL},
    {"call_submit",
     "banyan submit STORE F1 --answers FILE, through the socket, with a passphrase",
     6,
     {(char *)"banyan", (char *)"submit", (char *)"store", (char *)"F1", (char *)"--answers",
      (char *)"unread"},
     true,
     "{\"met\":\"yes\"}\n"},
};

static struct call *
call_of(const struct call_row *row)
{
	struct call *c;

	if (call_new(&c) != E_OK)
		abort();
	CHECK_MSG(options_parse(c, row->argc, row->argv) == E_OK, "%s", call_why(c)->thing);
	c->secret_sought = true;
	if (row->with_secret) {
		c->secret.kind = SECRET_PASSPHRASE;
		c->secret.count = strlen("golden passphrase");
		memcpy(c->secret.b, "golden passphrase", c->secret.count);
	}
	if (row->input != NULL)
		CHECK(call_input_add(c, "answers", bytes_of_str(row->input)) == E_OK);
	c->terminal = c->notes_terminal = false;
	return c;
}

static void
calls_that_travel(void)
{
	struct call_asker asker = {.answer = unheard};
	struct call *c, *asked;
	struct bytes content;
	struct writer w;
	size_t i, n;

	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		const struct call_row *row = &calls[i];

		c = call_of(row);
		writer_heap_init(&w, 8192);
		REQUIRE(call_ask_write(c, row->with_secret, &w) == E_OK);
		CHECK(vector_holds(row->vector, row->what, writer_view(&w)));
		asker.remote = !row->with_secret;
		REQUIRE(call_asked_new(&asked, writer_view(&w), &asker, NULL) == E_OK);
		CHECK_STR(call_command(asked)->name, call_command(c)->name);
		CHECK_STR(call_arg(asked, 0), call_arg(c, 0));
		CHECK(call_json(asked) == call_json(c) &&
		      call_secret(asked)->kind == c->secret.kind);
		if (row->input != NULL)
			CHECK(call_input(asked, "answers", &content) == E_OK &&
			      bytes_equal(content, bytes_of_str(row->input)));
		call_free(asked);
		for (n = 0; n < w.n; n++) {
			enum err e = call_asked_new(&asked, BYTES(w.p, n), &asker, NULL);

			CHECK_MSG(e == E_PACK_CUT && asked == NULL, "%s cut at %zu: %s",
				  row->vector, n, err_name(e));
		}
		writer_u8(&w, 0);
		CHECK(call_asked_new(&asked, writer_view(&w), &asker, NULL) == E_PACK_EXTRA);
		w.p[1] = 2; /* an asker of a later version */
		CHECK(call_asked_new(&asked, BYTES(w.p, w.n - 1), &asker, NULL) == E_VERSION);
		writer_free(&w);
		call_free(c);
	}
}

CHECK_MAIN(T(control_items_and_notices), T(kinds_of_another_version), T(calls_that_travel))

#include "core/record/revision.h"

#include "core/crypto/crypto.h"
#include "core/pack.h"
#include "tests/vector.h"

#define ID_HEX(d) "c410" d d d d d d d d d d d d d d d d
#define KEY "ce11223344" /* form key 0x11223344 */
#define TIME "ce65000000"

static const struct {
	const char *name, *analytic, *identifying;
	enum err e;
} rows[] = {
    {"create", "91 94 00" KEY TIME "90", "", E_OK},
    {"create, two, one identifying", "92 94 00" KEY TIME "9101 94 00" KEY TIME "9102",
     "92 c0 91a141", E_OK},
    {"create with extras", "91 95 00" KEY TIME "90 82 01 a26b6d 03" ID_HEX("07"), "", E_OK},
    {"unknown extra", "91 95 00" KEY TIME "90 81 7f c3", "", E_OK},
    {"amend", "91 95 01" KEY TIME "91" ID_HEX("01") "82 01 c0 02 a178", "91 81 05 a179", E_OK},
    {"amend without parents", "91 95 01" KEY TIME "90 80", "", E_OK},
    {"void", "91 94 02" KEY TIME "91" ID_HEX("01"), "91 a3647570", E_OK},
    {"void, its reason erased", "91 94 02" KEY TIME "91" ID_HEX("01"), "", E_OK},
    {"review", "91 95 03" KEY TIME "91" ID_HEX("01") "02", "91 c0", E_OK},
    {"a kind not known yet", "91 97 2a" KEY TIME "91" ID_HEX("01") "01 80 a161", "91 07", E_OK},

    {"nothing", "", "", E_PACK_CUT},
    {"no array", "80", "", E_PACK_TYPE},
    {"no revision", "90", "", E_PARCEL},
    {"65 of them", "dc0041", "", E_PACK_CUT},
    {"bytes after the end", "91 94 00" KEY TIME "90 00", "", E_PACK_EXTRA},
    {"too few elements", "91 93 00" KEY TIME, "", E_PARCEL},
    {"too many elements", "91 96 00" KEY TIME "90 8101a26b6d c0", "", E_PARCEL},
    {"empty extras", "91 95 00" KEY TIME "90 80", "", E_PARCEL},
    {"extras out of order", "91 95 00" KEY TIME "90 82 03" ID_HEX("07") "01 a26b6d", "", E_PARCEL},
    {"extra twice", "91 95 00" KEY TIME "90 82 01 a26b6d 01 a26b6d", "", E_PARCEL},
    {"submit key too short", "91 95 00" KEY TIME "90 81 03 c401ff", "", E_PACK_TYPE},
    {"answers no array", "91 94 00" KEY TIME "80", "", E_PACK_TYPE},
    {"time past 32 bits", "91 94 00" KEY "cf0000000100000000 90", "", E_PACK_TYPE},
    {"form key negative", "91 94 00 ff" TIME "90", "", E_PACK_TYPE},
    {"kind past 8 bits", "91 94 cd0100" KEY TIME "90", "", E_PACK_TYPE},
    {"create beside amend", "92 94 00" KEY TIME "90 95 01" KEY TIME "90 80", "", E_PARCEL},
    {"two amends", "92 95 01" KEY TIME "90 80 95 01" KEY TIME "90 80", "", E_PARCEL},
    {"changes out of order", "91 95 01" KEY TIME "90 82 02 01 01 01", "", E_PARCEL},
    {"change twice", "91 95 01" KEY TIME "90 82 02 01 02 01", "", E_PARCEL},
    {"change without value", "91 95 01" KEY TIME "90 81 02", "", E_PACK_CUT},
    {"parents out of order", "91 95 01" KEY TIME "92" ID_HEX("02") ID_HEX("01") "80", "", E_PARCEL},
    {"parent twice", "91 95 01" KEY TIME "92" ID_HEX("01") ID_HEX("01") "80", "", E_PARCEL},
    {"parent cut", "91 95 01" KEY TIME "91 c40f010101010101010101010101010101 80", "", E_PACK_TYPE},
    {"review of state none", "91 95 03" KEY TIME "90 00", "", E_PACK_TYPE},
    {"review of a state past the last", "91 95 03" KEY TIME "90 05", "", E_PACK_TYPE},
    {"not the shortest form", "91 94 cc00" KEY TIME "90", "", E_PACK_LONG},
    {"identifying not aligned", "91 94 00" KEY TIME "90", "92 c0 c0", E_PARCEL},
    {"identifying answers no array", "91 94 00" KEY TIME "90", "91 a161", E_PACK_TYPE},
    {"reason no text", "91 94 02" KEY TIME "90", "91 c40161", E_PACK_TYPE},
    {"reason no UTF-8", "91 94 02" KEY TIME "90", "91 a2c080", E_PACK_TYPE},
    {"identifying bytes after the end", "91 94 00" KEY TIME "90", "91 90 90", E_PACK_EXTRA},
};

static void
good_and_bad_bytes(void)
{
	uint8_t a[512], b[512];
	struct revision_body out[4];
	struct why why;
	size_t i, count;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum err e = revisions_read(hex_bytes(rows[i].analytic, a, sizeof(a)),
					    hex_bytes(rows[i].identifying, b, sizeof(b)), out, 4,
					    &count, &why);

		CHECK_MSG(e == rows[i].e, "%s: %s", rows[i].name, err_name(e));
		CHECK_MSG((e == E_OK) == (count > 0), "%s", rows[i].name);
	}
}

/* Every prefix of good bytes is refused, and so is a byte more. */
static void
cut_bytes_are_refused(void)
{
	uint8_t a[512], b[512];
	struct revision_body out[4];
	size_t i, n, count;

	for (i = 0; rows[i].e == E_OK; i++) {
		struct bytes analytic = hex_bytes(rows[i].analytic, a, sizeof(a));
		struct bytes identifying = hex_bytes(rows[i].identifying, b, sizeof(b));

		for (n = 0; n < analytic.n; n++)
			CHECK_MSG(revisions_read(BYTES(a, n), identifying, out, 4, &count, NULL) !=
				      E_OK,
				  "%s cut to %zu", rows[i].name, n);
		for (n = 1; n < identifying.n; n++)
			CHECK_MSG(revisions_read(analytic, BYTES(b, n), out, 4, &count, NULL) !=
				      E_OK,
				  "%s cut to %zu", rows[i].name, n);
	}
}

static void
limits(void)
{
	struct revision_body out[3], one = {.kind = REVISION_CREATE}, many[SLICE_REVISIONS_MAX + 1];
	uint8_t room[8192];
	struct writer w, none;
	size_t i, count;

	writer_init(&w, room, sizeof(room));
	writer_init(&none, NULL, 0);
	for (i = 0; i <= SLICE_REVISIONS_MAX; i++)
		many[i] = one;
	CHECK(revisions_write(many, 0, &w, &none) == E_LIMIT);
	CHECK(revisions_write(many, SLICE_REVISIONS_MAX + 1, &w, &none) == E_LIMIT);
	one.kind = REVISION_AMEND;
	one.parent_count = PARENTS_MAX + 1;
	CHECK(revisions_write(&one, 1, &w, &none) == E_LIMIT);
	CHECK(w.n == 0);
	CHECK(revisions_write(many, 4, &w, &none) == E_OK);
	CHECK(none.n == 0); /* nothing identifying: no such slice */
	CHECK(revisions_read(writer_view(&w), BYTES_NONE, out, 3, &count, NULL) == E_LIMIT);
	writer_init(&w, room, 5);
	CHECK(revisions_write(many, 4, &w, &none) == E_NO_ROOM);
}

static struct revision_body
sample(enum revision_kind kind)
{
	static const uint8_t positional[] = {0x93, 0x01, 0xc0, 0xa1, 'x'},
			     changes[] = {0x81, 0x07, 0xa1, 'y'};
	static const uint8_t name[] = {0x91, 0xa4, 'D', 'a', 'r', 'a'},
			     name_change[] = {0x81, 0x08, 0xa1, 'D'};
	struct revision_body r = {
	    .kind = (uint8_t)kind, .form = {0x11223344}, .time_s = 1700000000};

	if (kind == REVISION_CREATE) {
		r.answers = BYTES(positional, sizeof(positional));
		r.identifying = BYTES(name, sizeof(name));
		r.lang = BYTES_LIT("km");
		r.has_entered_for = r.has_submit_key = true;
		memset(r.entered_for.b, 0xe1, ID_BYTES);
		memset(r.submit_key, 0xe2, sizeof(r.submit_key));
		return r;
	}
	r.parent_count = 2; /* not in order: the writer sorts */
	memset(r.parents[0].b, 0x22, ID_BYTES);
	memset(r.parents[1].b, 0x11, ID_BYTES);
	if (kind == REVISION_AMEND) {
		r.answers = BYTES(changes, sizeof(changes));
		r.identifying = BYTES(name_change, sizeof(name_change));
	} else {
		r.text = BYTES_LIT("entered twice");
	}
	if (kind == REVISION_REVIEW)
		r.state = REVIEW_HAS_ISSUES;
	return r;
}

static void
there_and_back(void)
{
	static const char *const names[][2] = {{"revision_create", "revision_create_identifying"},
					       {"revision_amend", "revision_amend_identifying"},
					       {"revision_void", "revision_void_identifying"},
					       {"revision_review", "revision_review_identifying"}};
	uint8_t a[512], b[512];
	struct writer wa, wb;
	size_t count;
	int kind;

	for (kind = REVISION_CREATE; kind <= REVISION_REVIEW; kind++) {
		struct revision_body in = sample((enum revision_kind)kind), out;

		writer_init(&wa, a, sizeof(a));
		writer_init(&wb, b, sizeof(b));
		REQUIRE(revisions_write(&in, 1, &wa, &wb) == E_OK);
		CHECK(
		    vector_holds(names[kind][0], "payload of an ANALYTIC slice", writer_view(&wa)));
		CHECK(vector_holds(names[kind][1], "payload of the IDENTIFYING slice beside it",
				   writer_view(&wb)));
		REQUIRE(revisions_read(writer_view(&wa), writer_view(&wb), &out, 1, &count, NULL) ==
			E_OK);
		CHECK(count == 1 && out.kind == in.kind && out.form.v == in.form.v &&
		      out.time_s == in.time_s);
		CHECK(bytes_equal(out.answers, in.answers) &&
		      bytes_equal(out.identifying, in.identifying));
		CHECK(bytes_equal(out.text, in.text) && bytes_equal(out.lang, in.lang) &&
		      out.state == in.state);
		CHECK(out.parent_count == in.parent_count &&
		      out.has_entered_for == in.has_entered_for &&
		      out.has_submit_key == in.has_submit_key);
		CHECK(ID_EQUAL(&out.entered_for, &in.entered_for));
		CHECK(memcmp(out.submit_key, in.submit_key, 16) == 0);
		if (kind != REVISION_CREATE)
			CHECK(ID_EQUAL(&out.parents[0], &in.parents[1]) &&
			      ID_EQUAL(&out.parents[1], &in.parents[0]));
		/* Erased: the rest is readable. */
		REQUIRE(revisions_read(writer_view(&wa), BYTES_NONE, &out, 1, &count, NULL) ==
			E_OK);
		CHECK(out.text.n == 0 && out.identifying.n == 0);
	}
}

static void
names_of_states(void)
{
	enum review_state s;
	int i;

	for (i = REVIEW_RECEIVED; i <= REVIEW_APPROVED; i++) {
		CHECK(review_state_parse(review_state_name((enum review_state)i), &s));
		CHECK((int)s == i);
	}
	CHECK_STR(review_state_name(REVIEW_HAS_ISSUES), "has_issues");
	CHECK(!review_state_parse("none", &s) && !review_state_parse("", &s) &&
	      !review_state_parse("Approved", &s));
}

static void
ids(void)
{
	uint8_t leaf[HASH_BYTES];
	struct revision_id a, b;

	memset(leaf, 0x5a, sizeof(leaf));
	revision_id_of(&a, leaf, 258);
	revision_id_of(&b, leaf, 259);
	CHECK(!ID_EQUAL(&a, &b));
	CHECK(vector_holds("revision_id", "id of revision 258 of the leaf 5a..5a",
			   BYTES(a.b, ID_BYTES)));
}

CHECK_MAIN(T(good_and_bad_bytes), T(cut_bytes_are_refused), T(limits), T(there_and_back),
	   T(names_of_states), T(ids))

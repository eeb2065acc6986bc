/*
 * Every byte of everything that others write (tests/vectors): cut there, each bit flipped, left
 * out, doubled, turned with the next; and all of it twice. What reads it says an error of err.def,
 * or takes it as well formed; what is signed, sealed or counted by a hash is never believed with
 * another byte. A vector that no row has fails. In their places in a session: test_bytes_session,
 * test_bytes_nodes.
 */
#include <dirent.h>
#include <fnmatch.h>

#include "tests/bytes_readers.h"

/* NEVER: no other bytes are believed. FORM: the form only is looked at here; who said it is known
 * by other means. */
enum belief { NEVER, FORM };

static const struct row {
	const char *vector; /* `*` stands for anything */
	enum err (*read)(struct bytes);
	enum belief belief;
	bool dear; /* a signature or a key exchange each: each byte is changed a few times, not in
		      every way */
} rows[] = {
    {"message_*", read_message, FORM, false},
    {"parcel", read_parcel, NEVER, true},
    {"carried", read_carried, FORM, false},
    {"receipt", read_receipt, NEVER, true},
    {"batch", read_batch, NEVER, true},
    {"enrolment_1", read_enrolment, NEVER, true},
    {"revocation_1", read_revocation, NEVER, true},
    {"office_1", read_office, NEVER, true},
    {"succession_1", read_succession, NEVER, true},
    {"erasure_1", read_erasure, NEVER, true},
    {"attachment_offer", read_offer, NEVER, true},
    {"attachment_held", read_held, NEVER, true},
    {"attachment_list", read_list, NEVER, false},
    {"attachment_reference", read_reference, FORM, false},
    {"attachment_chunk", read_chunk, NEVER, false},
    {"bundle", read_bundle, NEVER, false},
    {"envelope", read_envelope, NEVER, true},
    {"stanza", read_stanza, NEVER, true},
    {"item_*", read_item, FORM, false},
    {"area_table", read_areas, FORM, false},
    {"retention", read_retention, FORM, false},
    {"reissue", read_reissue, FORM, false},
    {"revision_*_identifying", read_identifying, FORM, false},
    {"revision_[acrv]*", read_revision, FORM, false},
    {"invitation", read_invitation, NEVER, false},
    {"certificate", read_certificate, FORM, false},
    {"call_*", read_call, FORM, false},
    {"key_slots", read_slots, FORM, false},
    {"backup*", read_backup, NEVER, true},
};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

/* Vectors that are not read from anybody, or not as they stand. */
static const struct {
	const char *vector, *reason;
} without[] = {
    {"row_*", "of the own store: tests/golden_rows.h cuts each row, and gives it another version"},
    {"store_1_*", "whole stores: e2e_store_1"},
    {"record_id", "worked out"},
    {"revision_id", "worked out"},
    {"parcel_hash", "worked out"},
    {"attachment_id", "worked out: attachment_list"},
    {"audit_head", "worked out"},
    {"above_content", "in an item, of the office's other node: test_golden_tree cuts it"},
    {"office_key", "worked out"},
    {"meeting", "proofs, compared whole: test_meeting"},
    {"meeting_satchel", "each byte changed: test_meeting"},
    {"sketch_items", "worked out"},
    {"sketch_cells", "read as CELLS: test_bytes_nodes, test_sketch hostile_cells"},
    {"slice_*", "behind a seal: test_slice, fuzz_squeeze"},
    {"dictionary", "any bytes are one; what they squeezed: test_slice"},
    {"hpke_p256", "RFC 9180's own: test_hpke"},
};

static const struct row *
row_of(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(without) / sizeof(without[0]); i++)
		if (fnmatch(without[i].vector, name, 0) == 0)
			return NULL;
	for (i = 0; i < ROW_COUNT; i++)
		if (fnmatch(rows[i].vector, name, 0) == 0)
			return &rows[i];
	CHECK_MSG(false, "tests/vectors/%s: no row says what reads it", name);
	return NULL;
}

static size_t tried;

/* Bytes that differ from the good ones: on the heap at their own length, so that a step past their
 * end shows. */
static void
try(const struct row *row, const char *name, struct bytes good, struct bytes changed,
    const char *what, size_t at)
{
	uint8_t *alone = malloc(changed.n + 1);
	enum err e;

	if (alone == NULL || bytes_equal(good, changed)) {
		free(alone);
		return;
	}
	memcpy(alone, changed.p, changed.n);
	alone = realloc(alone, changed.n > 0 ? changed.n : 1);
	e = row->read(BYTES(alone, changed.n));
	free(alone);
	tried++;
	CHECK_MSG(e < ERR_COUNT, "%s, byte %zu %s: read, and written as other bytes", name, at,
		  what);
	CHECK_MSG(e != E_OK || row->belief == FORM, "%s, byte %zu %s: believed", name, at, what);
}

static void
change_byte(const struct row *row, const char *name, struct bytes good, uint8_t *room, size_t at)
{
	struct bytes after = BYTES(good.p + at, good.n - at);
	size_t bit;

	memcpy(room, good.p, good.n);
	try(row, name, good, BYTES(room, at), "cut there", at);
	for (bit = 0; bit < 9; bit++) {
		if (row->dear && bit != at % 8)
			continue;
		room[at] = (uint8_t)(after.p[0] ^ (bit < 8 ? 1u << bit : 0xffu));
		try(row, name, good, BYTES(room, good.n), "flipped", at);
	}
	room[at] = after.p[0];
	if (row->dear && at % 8 != 0)
		return;
	memcpy(room + at, after.p + 1, after.n - 1);
	try(row, name, good, BYTES(room, good.n - 1), "left out", at);
	memcpy(room + at + 1, after.p, after.n);
	room[at] = after.p[0];
	try(row, name, good, BYTES(room, good.n + 1), "doubled", at);
	memcpy(room, good.p, good.n);
	if (after.n > 1) {
		room[at] = after.p[1];
		room[at + 1] = after.p[0];
		try(row, name, good, BYTES(room, good.n), "turned with the next", at);
	}
}

static void
change_all(const struct row *row, const char *name)
{
	static uint8_t memory[1u << 15], room[1u << 16];
	struct bytes good = vector_read(name, memory, sizeof(memory));
	size_t at;
	enum err e;

	REQUIRE(good.n > 0 && 2 * good.n + 1 < sizeof(room));
	vector_name = name;
	e = row->read(good);
	CHECK_MSG(e == E_OK, "%s, as it is: %s", name,
		  e < ERR_COUNT ? err_name(e) : "written as other bytes");
	for (at = 0; at < good.n; at++)
		change_byte(row, name, good, room, at);
	memcpy(room, good.p, good.n);
	memcpy(room + good.n, good.p, good.n);
	if (row->read != read_message) /* a frame ends by itself: the next one follows */
		try(row, name, good, BYTES(room, 2 * good.n), "all of it twice", 0);
}

static void
every_byte_of_every_vector(void)
{
	DIR *d = opendir(TESTS_DIR "/vectors");
	struct dirent *entry;
	bool used[ROW_COUNT] = {false};
	char name[96];
	size_t i;

	REQUIRE(d != NULL && readers_begin());
	while ((entry = readdir(d)) != NULL) {
		const struct row *row;

		snprintf(name, sizeof(name), "%.90s", entry->d_name);
		name[strcspn(name, ".")] = '\0';
		if (name[0] == '\0' || (row = row_of(name)) == NULL)
			continue;
		used[row - rows] = true;
		change_all(row, name);
	}
	closedir(d);
	scratch_remove(scratch_dir);
	for (i = 0; i < ROW_COUNT; i++)
		CHECK_MSG(used[i], "no vector is %s", rows[i].vector);
	printf("     %zu changes\n", tried);
}

CHECK_MAIN(T(every_byte_of_every_vector))

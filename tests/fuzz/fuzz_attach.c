/*
 * A reference to an attachment, wherever it stands; a list of its chunks; and the bytes as a file
 * that is sealed, then changed by themselves: what was not changed opens as it was, all else does
 * not.
 */
#include "core/record/attach.h"
#include "tests/fuzz/fuzz.h"

static void
refer(struct bytes in, struct writer *w)
{
	struct attach_ref ref, same;
	struct attach_id id;
	char name[256];
	size_t at = 0, before;
	enum err e;

	if (attach_ref_read(in, &ref)) {
		attach_ref_write(&ref, w);
		MUST(writer_end(w) == E_OK && attach_ref_read(writer_view(w), &same));
		MUST(memcmp(&ref.id, &same.id, sizeof(ref.id)) == 0 && ref.size == same.size &&
		     strcmp(ref.name, same.name) == 0);
		attach_file_name(&ref, name, sizeof(name));
		MUST(strchr(name, '/') == NULL && name[0] != '.');
	}
	for (before = 0; attach_ref_next(in, &at, &id); before = at)
		MUST(at > before && at <= in.n);
	e = attach_id_of(in, &id);
	MUST(e == E_OK || e == E_ATTACHMENT);
}

/* The first half is the file; the second is added, bit by bit, to what it was sealed as, from a
 * place on that the last byte says. */
static void
seal(struct bytes in, struct writer *list, struct writer *sealed, struct writer *plain)
{
	struct bytes file = BYTES(in.p, in.n / 2);
	struct attach_ref ref;
	struct attach_id id;
	size_t i, from = in.n == 0 ? 0 : (size_t)in.p[in.n - 1] * 4;
	bool same = true;

	memset(&ref, 3, sizeof(ref));
	MUST(attach_seal(&ref, file, list, sealed) == E_OK);
	MUST(attach_id_of(writer_view(list), &id) == E_OK && memcmp(&id, &ref.id, sizeof(id)) == 0);
	MUST(sealed->n == attach_chunk_bytes(ref.size, 0));
	for (i = file.n; i + 1 < in.n && from < sealed->n; i++, from++) {
		sealed->p[from] ^= in.p[i];
		same = same && in.p[i] == 0;
	}
	if (same) {
		MUST(attach_open(&ref, 0, writer_view(sealed), plain) == E_OK &&
		     bytes_equal(writer_view(plain), file));
		ref.size++; /* as the start of a longer one, or of another length, it is refused */
		writer_reset(plain);
	}
	MUST(attach_open(&ref, 0, writer_view(sealed), plain) == E_ATTACHMENT && plain->n == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct writer w, list, sealed;

	writer_heap_init(&w, 1u << 20);
	writer_heap_init(&list, ATTACH_LIST_BYTES_MAX);
	writer_heap_init(&sealed, 1u << 20);
	refer(BYTES(data, size), &w);
	writer_reset(&w);
	if (size <= ATTACH_CHUNK_BYTES)
		seal(BYTES(data, size), &list, &sealed, &w);
	writer_free(&w);
	writer_free(&list);
	writer_free(&sealed);
	return 0;
}

/* Attachments: their bytes. FORMATS.md "Attachments". */
#include <stdlib.h>

#include "tests/attachment_file.h"
#include "tests/vector.h"

static void
golden(void)
{
	struct attach_ref ref = {.name = "a.jpg"}, again;
	struct writer list, sealed, text, plain;

	memset(ref.key, 7, sizeof(ref.key));
	writer_heap_init(&list, 1u << 16);
	writer_heap_init(&sealed, 1u << 16);
	writer_heap_init(&text, 1024);
	writer_heap_init(&plain, 1024);
	REQUIRE(attach_seal(&ref, BYTES_LIT("a scanned page"), &list, &sealed) == E_OK);
	CHECK(vector_holds("attachment_chunk",
			   "the one chunk of \"a scanned page\", key 32 times 07",
			   writer_view(&sealed)));
	CHECK(vector_holds("attachment_list", "its list of hashes", writer_view(&list)));
	CHECK(vector_holds("attachment_id", "its id", BYTES(ref.id.b, ATTACH_ID_BYTES)));
	attach_ref_write(&ref, &text);
	CHECK(vector_holds("attachment_reference", "the answer that names it, UTF-8",
			   writer_view(&text)));
	REQUIRE(attach_ref_read(writer_view(&text), &again));
	CHECK(memcmp(&again, &ref, sizeof(ref)) == 0);
	CHECK(attach_open(&again, 0, writer_view(&sealed), &plain) == E_OK);
	CHECK(bytes_equal(writer_view(&plain), BYTES_LIT("a scanned page")));
	CHECK(!attach_ref_read(BYTES(text.p, text.n - 6), &again));
	CHECK(!attach_ref_read(BYTES_LIT("photo.jpg"), &again));
	CHECK(sealed.n == 1024 + AEAD_TAG_BYTES); /* its length says little */
	writer_free(&list);
	writer_free(&sealed);
	writer_free(&text);
	writer_free(&plain);
}

static void
chunks_hold_together(void)
{
	struct attached_new n, other;
	struct writer plain;
	struct attach_ref shorter;
	uint32_t i;

	make(&n);
	make(&other);
	CHECK(!ID_EQUAL(&n.ref.id, &other.ref.id)); /* equal files, different names */
	CHECK(attach_chunks(n.ref.size) == 4);
	writer_heap_init(&plain, FILE_BYTES);
	for (i = 0; i < 4; i++)
		CHECK(attach_open(&n.ref, i,
				  BYTES(n.sealed.p + i * ATTACH_SEALED_BYTES_MAX,
					attach_chunk_bytes(n.ref.size, i)),
				  &plain) == E_OK);
	CHECK(bytes_equal(writer_view(&plain), BYTES(file, sizeof(file))));
	/* another place, another file, another length */
	CHECK(attach_open(&n.ref, 1, BYTES(n.sealed.p, ATTACH_SEALED_BYTES_MAX), &plain) ==
	      E_ATTACHMENT);
	CHECK(attach_open(&other.ref, 0, BYTES(n.sealed.p, ATTACH_SEALED_BYTES_MAX), &plain) ==
	      E_ATTACHMENT);
	shorter = n.ref;
	shorter.size -= 100;
	CHECK(attach_open(&shorter, 0, BYTES(n.sealed.p, ATTACH_SEALED_BYTES_MAX), &plain) ==
	      E_ATTACHMENT);
	CHECK(attach_open(&n.ref, 4, BYTES(n.sealed.p, ATTACH_SEALED_BYTES_MAX), &plain) ==
	      E_ATTACHMENT);
	writer_free(&plain);
	attached_free(&n);
	attached_free(&other);
}

static void
limits(void)
{
	struct attached_new n;
	uint8_t *large = calloc(1, ATTACH_BYTES_MAX + 1u);
	char name[ATTACH_NAME_BYTES_MAX + 2];
	struct attach_id id;

	REQUIRE(large != NULL);
	memset(name, 'n', sizeof(name));
	name[ATTACH_NAME_BYTES_MAX + 1] = '\0';
	CHECK(attached_seal(&n, name, BYTES(large, 1)) == E_LIMIT);
	attached_free(&n);
	CHECK(attached_seal(&n, name + 1, BYTES(large, 1)) == E_OK);
	attached_free(&n);
	CHECK(attached_seal(&n, "l", BYTES(large, ATTACH_BYTES_MAX + 1u)) == E_LIMIT);
	attached_free(&n);
	CHECK(attached_seal(&n, "", BYTES(large, 1)) == E_LIMIT);
	attached_free(&n);
	CHECK(attached_seal(&n, "l", BYTES_NONE) == E_OK && attach_chunks(n.ref.size) == 1);
	attached_free(&n);
	CHECK(attach_id_of(BYTES(large, 31), &id) == E_ATTACHMENT);
	CHECK(attach_id_of(BYTES_NONE, &id) == E_ATTACHMENT);
	CHECK(attach_id_of(BYTES(large, ATTACH_LIST_BYTES_MAX + SHA256_BYTES), &id) ==
	      E_ATTACHMENT);
	free(large);
}

CHECK_MAIN(T(golden), T(chunks_hold_together), T(limits))

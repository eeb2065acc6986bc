/* test_bounds_files: the bounds of an answer that names a file, and of the file's chunks. */
#include "core/record/attach.h"
#include "tests/check.h"

static struct writer w;

static uint8_t big[ATTACH_CHUNK_BYTES + 100];

#define D8 "01234567"
#define D64 D8 D8 D8 D8 D8 D8 D8 D8

static void
references(void)
{
	static const struct {
		const char *what, *tail;
		bool good;
	} rows[] = {
	    {"as it is written", D64 ":" D64 ":12:photo.jpg", true},
	    {"the largest", D64 ":" D64 ":8388608:p", true},
	    {"larger than any file", D64 ":" D64 ":8388609:p", false},
	    {"a size past the machine's", D64 ":" D64 ":99999999999999999999999:p", false},
	    {"a negative size", D64 ":" D64 ":-1:p", false},
	    {"no size", D64 ":" D64 "::p", false},
	    {"an id that is no number", "x1234567" D8 D8 D8 D8 D8 D8 D8 ":" D64 ":12:p", false},
	    {"a key that is no number", D64 ":x1234567" D8 D8 D8 D8 D8 D8 D8 ":12:p", false},
	    {"no colon behind the id", D64 ";" D64 ":12:p", false},
	    {"no colon behind the key", D64 ":" D64 ";12:p", false},
	    {"no colon behind the size", D64 ":" D64 ":12p", false},
	    {"cut", D64 ":" D64, false}};
	struct attach_ref ref, written = {.size = 1};
	char text[600], name[ATTACH_NAME_BYTES_MAX + 2], prefix[64];
	size_t i;

	writer_heap_init(&w, 4096);
	attach_ref_write(&written, &w);
	snprintf(prefix, sizeof(prefix), "%.*s",
		 (int)(strstr(writer_cstr(&w), "0000") - writer_cstr(&w)), writer_cstr(&w));
	writer_free(&w);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), "%s%s", prefix, rows[i].tail);
		CHECK_MSG(attach_ref_read(bytes_of_str(text), &ref) == rows[i].good, "%s",
			  rows[i].what);
	}
	memset(name, 'n', sizeof(name));
	name[ATTACH_NAME_BYTES_MAX + 1] = '\0';
	snprintf(text, sizeof(text), "%s" D64 ":" D64 ":1:%s", prefix, name + 1);
	CHECK(attach_ref_read(bytes_of_str(text), &ref) &&
	      strlen(ref.name) == ATTACH_NAME_BYTES_MAX);
	snprintf(text, sizeof(text), "%s" D64 ":" D64 ":1:%s", prefix, name);
	CHECK(!attach_ref_read(bytes_of_str(text), &ref));
	snprintf(text, sizeof(text), "x%s" D64 ":" D64 ":1:n", prefix + 1);
	CHECK(!attach_ref_read(bytes_of_str(text), &ref));
	snprintf(text, sizeof(text), "%s" D64 ":" D64 ":1:name", prefix);
	i = strlen(text);
	text[i - 2] = '\0';
	CHECK(!attach_ref_read(BYTES(text, i), &ref));
	memset(text, 'n', sizeof(text));
	memcpy(text, prefix, strlen(prefix));
	CHECK(!attach_ref_read(BYTES(text, sizeof(text)), &ref));
}

/* A chunk that is none of the file's; and a name from elsewhere leads to no other folder, and hides
 * nothing. */
static void
files(void)
{
	static const char *const names[] = {
	    "../../etc/passwd", "/etc/passwd", "a\nb",         "a b",
	    ".hidden",          "\x1b[2J",     "\xe1\x9e\x80", ""};
	struct attach_ref ref = {.size = 0};
	struct writer list, sealed, plain;
	char out[64 + ATTACH_NAME_BYTES_MAX];
	struct bytes chunk;
	size_t i;

	writer_heap_init(&list, 1u << 16);
	writer_heap_init(&sealed, 1u << 20);
	writer_heap_init(&plain, 1u << 20);
	crypto_random(ref.key, sizeof(ref.key));
	REQUIRE(attach_seal(&ref, BYTES(big, sizeof(big)), &list, &sealed) == E_OK);
	chunk = BYTES(sealed.p + attach_chunk_bytes(ref.size, 0), attach_chunk_bytes(ref.size, 1));
	CHECK(attach_open(&ref, 1, chunk, &plain) == E_OK && plain.n == 100);
	CHECK(attach_open(&ref, 0, chunk, &plain) == E_ATTACHMENT);
	CHECK(attach_open(&ref, 2, chunk, &plain) == E_ATTACHMENT);
	CHECK(attach_open(&ref, UINT32_MAX, chunk, &plain) == E_ATTACHMENT);
	chunk.n--;
	CHECK(attach_open(&ref, 1, chunk, &plain) == E_ATTACHMENT && plain.n == 100);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *p;

		snprintf(ref.name, sizeof(ref.name), "%s", names[i]);
		attach_file_name(&ref, out, sizeof(out));
		CHECK_MSG(out[0] != '.', "%s", out);
		for (p = out; *p != '\0'; p++)
			CHECK_MSG(
			    strchr(
				"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-",
				*p) != NULL,
			    "row %zu", i);
	}
	writer_free(&list);
	writer_free(&sealed);
	writer_free(&plain);
}

CHECK_MAIN(T(references), T(files))

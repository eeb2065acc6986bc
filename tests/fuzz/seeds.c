/*
 * seeds: what the fuzzers begin from: VECTORS/NAME.hex as bytes, FORMS/NAME.md behind the byte that says so to
 * fuzz_xlsform, an invitation, and key slots.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#define TESTS_DIR ".."
#include "core/invite.h"
#include "schemas/xlsform.h"
#include "core/keyring.h"
#include "tests/vector.h"

static bool
put(const char *seeds, const char *name, size_t name_bytes, struct bytes b)
{
	char path[4096];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%.*s", seeds, (int)name_bytes, name);
	if ((f = fopen(path, "wb")) == NULL)
		return false;
	n = fwrite(b.p, 1, b.n, f);
	return fclose(f) == 0 && n == b.n;
}

/* A small XForm made from an XLSForm, for fuzz_form; the big ones are past what the fuzzers take. */
static bool
put_xform(const char *seeds, const char *name, struct bytes text)
{
	struct xlsform_report report = {.faults = NULL};
	struct writer xform, needed;
	char file[256];
	bool ok = true;

	writer_heap_init(&xform, 8u << 20);
	writer_heap_init(&needed, 1u << 20);
	if (xlsform_convert(&xform, text, XLSFORM_MD, name, &report, &needed) == E_OK && xform.n <= 32768) {
		snprintf(file, sizeof(file), "%s.xml", name);
		ok = put(seeds, file, strlen(file), writer_view(&xform));
	}
	xlsform_report_free(&report);
	writer_free(&xform);
	writer_free(&needed);
	return ok;
}

/* What the readers of answers and of expressions begin from. */
static bool
put_answers(const char *seeds)
{
	static const char *const texts[] = {
		"{\"t\":\"x\",\"i\":3,\"n\":1.5,\"k\":\"a\",\"m\":[\"p\"],\"r\":[{\"w\":2,\"z\":[{\"y\":\"1\"}]}]}",
		"if(selected(/d/b, 'x') and count(//b[. > 2]) != 0, concat(/d/c/e, position(..)), round(1.234, 1))",
		"sum(instance('d')/d/b[position() = last()]/preceding-sibling::*) + decimal-date-time(/d/c/e) div -2",
		"regex(/d/b, '^(a|b+)*[0-9]{2,}$') or format-date(today(), '%Y-%n') = substr('abc', 1) | /d/@a",
	};
	bool ok = true;
	char name[16];
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		snprintf(name, sizeof(name), "text_%zu", i);
		ok &= put(seeds, name, strlen(name), bytes_of_str(texts[i]));
	}
	return ok;
}

/* vector: hexadecimal digits; form: the text behind a zero. */
static bool
convert(const char *folder, const char *name, bool form, const char *seeds)
{
	static char text[1 << 20];
	static uint8_t room[1 << 19];
	char path[4096];
	struct bytes b;
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if ((f = fopen(path, "r")) == NULL)
		return false;
	text[0] = '\0';
	n = fread(text + 1, 1, sizeof(text) - 2, f);
	fclose(f);
	text[n + 1] = '\0';
	b = form ? BYTES(text, n + 1) : hex_bytes(text + 1, room, sizeof(room));
	if (b.p == NULL)
		return true; /* another kind of file; its test knows it */
	return put(seeds, name, strlen(name) - (form ? 0 : 4), b) &&
	       (!form || put_xform(seeds, name, bytes_of_str(text + 1)));
}

static bool
convert_all(const char *folder, const char *ending, bool form, const char *seeds)
{
	struct dirent *entry;
	bool ok = true;
	DIR *d = opendir(folder);

	if (d == NULL)
		return false;
	while ((entry = readdir(d)) != NULL) {
		size_t n = strlen(entry->d_name), k = strlen(ending);

		if (n > k && strcmp(entry->d_name + n - k, ending) == 0)
			ok &= convert(folder, entry->d_name, form, seeds);
	}
	closedir(d);
	return ok;
}

static bool
put_invitation(const char *seeds)
{
	struct invite invite = {.role = ROLE_MEMBER, .expires_s = 1800000000, .address = "node.example:4711",
	                        .name = "Dara", .area = "KH0302"};
	uint8_t line[INVITE_LINE_BYTES_MAX];
	struct writer w;

	memset(invite.programme.b, 1, ID_BYTES);
	memset(invite.node.b, 2, ID_BYTES);
	writer_init(&w, line, sizeof(line));
	return invite_encode(&invite, &w) == E_OK && put(seeds, "invitation", 10, writer_view(&w));
}

static bool
put_keys(const char *seeds)
{
	static const struct keyring_cost cheap = {.memory_kib = 64, .passes = 1};
	struct store_key key = {{7}};
	struct unlock first = {.name = "dara", .passphrase = BYTES_LIT("rice")};
	uint8_t file[1024];
	struct writer w;

	writer_init(&w, file, sizeof(file));
	return keyring_seal_first(&key, &first, &cheap, &w) == E_OK &&
	       put(seeds, "keys", 4, writer_view(&w));
}

int
main(int argc, char **argv)
{
	if (argc != 4) {
		fprintf(stderr, "usage: fuzz_seeds VECTORS FORMS SEEDS\n");
		return 64;
	}
	return convert_all(argv[1], ".hex", false, argv[3]) && convert_all(argv[2], ".md", true, argv[3]) &&
	               put_invitation(argv[3]) && put_answers(argv[3]) && put_keys(argv[3])
	           ? 0
	           : 74;
}

/*
 * seeds: what the fuzzers begin from: VECTORS/NAME.hex as bytes, FORMS/NAME.md behind the byte that says so to
 * fuzz_xlsform, an invitation, and key slots.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#define TESTS_DIR ".."
#include "core/invite.h"
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
	return put(seeds, name, strlen(name) - (form ? 0 : 4), b);
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
	               put_invitation(argv[3]) && put_keys(argv[3])
	           ? 0
	           : 74;
}

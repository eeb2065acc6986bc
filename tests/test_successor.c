/* What an office lives on with: its keys out of the recovery key, the file that was kept. */
#include <stdlib.h>
#include <unistd.h>

#include "tests/scratch.h"
#include "tests/vector.h"
#include "tools/node/office_keys.h"
#include "tools/root_file.h"

static void
office_keys(void)
{
	struct ec_key recovery, key, other;

	memset(recovery.secret, 0x11, sizeof(recovery.secret));
	CHECK(crypto_ec_from_secret(&recovery, recovery.secret) == E_OK);
	CHECK(office_key_of(&recovery, "SM0901", 2, &key) == E_OK);
	CHECK(vector_holds("office_key", "key 2 of the office SM0901; recovery key 11..11", BYTES(key.secret, EC_SECRET_BYTES)));
	CHECK(office_key_of(&recovery, "SM0901", 3, &other) == E_OK);
	CHECK(memcmp(&key, &other, sizeof(key)) != 0);
	CHECK(office_key_of(&recovery, "SM09", 2, &other) == E_OK);
	CHECK(memcmp(&key, &other, sizeof(key)) != 0);
}

static enum err
read_text(const char *path, const char *text, struct root_file *out)
{
	FILE *f = fopen(path, "w");

	CHECK(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0);
	return root_file_read(out, path, NULL);
}

#define D31 "0000000000000000000000000000000000000000000000000000000000000" /* 61 digits */

static void
root_files(void)
{
	struct root_file f = {.programme = "A name, with words", .area = "SM09", .node_count = 1}, got;
	struct principal_id more = {{7}};
	char dir[PATH_MAX], path[PATH_MAX + 8];
	struct writer w;

	scratch_make(dir);
	snprintf(path, sizeof(path), "%s/root", dir);
	memset(f.nodes[0].b, 0x42, ID_BYTES);
	CHECK(crypto_ec_new(&f.root) == E_OK && crypto_ec_new(&f.recovery) == E_OK);
	writer_heap_init(&w, 8192);
	root_file_write(&w, &f);
	CHECK(writer_end(&w) == E_OK && read_text(path, writer_cstr(&w), &got) == E_OK);
	CHECK(memcmp(&got.root, &f.root, sizeof(f.root)) == 0 && memcmp(&got.recovery, &f.recovery, sizeof(f.root)) == 0);
	CHECK(strcmp(got.programme, f.programme) == 0 && strcmp(got.area, f.area) == 0 && got.node_count == 1);
	CHECK(root_file_add(path, &more, NULL) == E_OK && root_file_read(&got, path, NULL) == E_OK);
	CHECK(got.node_count == 2 && ID_EQUAL(&got.nodes[0], &f.nodes[0]) && ID_EQUAL(&got.nodes[1], &more));
	/* of an older version; what a later one adds is passed over */
	CHECK(read_text(path, "banyan root 1\r\nroot " D31 "001\r\nrecovery " D31 "002\r\n", &got) == E_OK);
	CHECK(read_text(path, "banyan root 1\n# a note\nlater word\nroot " D31 "001\nrecovery " D31 "002\n", &got) == E_OK);
	CHECK(got.node_count == 0 && got.area[0] == '\0');
	CHECK(read_text(path, "banyan root 1\nroot " D31 "001\n", &got) == E_ROOT_FILE);
	CHECK(read_text(path, "banyan root 2\nroot " D31 "001\nrecovery " D31 "002\n", &got) == E_ROOT_FILE);
	CHECK(read_text(path, "banyan root 1\nroot " D31 "01\nrecovery " D31 "002\n", &got) == E_ROOT_FILE);
	CHECK(read_text(path, "banyan root 1\nroot " D31 "000\nrecovery " D31 "002\n", &got) == E_ROOT_FILE);
	CHECK(read_text(path, "banyan root 1\nroot " D31 "0g1\nrecovery " D31 "002\n", &got) == E_ROOT_FILE);
	CHECK(unlink(path) == 0 && root_file_read(&got, path, NULL) == E_FILE_ABSENT);
	writer_free(&w);
	scratch_remove(dir);
}

CHECK_MAIN(T(office_keys), T(root_files))

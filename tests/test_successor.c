/* What an office lives on with: its keys out of the recovery key, the file that was kept. */
#include <stdlib.h>
#include <unistd.h>

#include "tests/scratch.h"
#include "tests/vector.h"
#include "tools/node/enrol/office_keys.h"
#include "tools/node/enrol/succeed.h"
#include "tools/root_file.h"
#include "tools/successor_file.h"

static void
office_keys(void)
{
	struct ec_key recovery, key, other;

	memset(recovery.secret, 0x11, sizeof(recovery.secret));
	CHECK(crypto_ec_from_secret(&recovery, recovery.secret) == E_OK);
	CHECK(office_key_of(&recovery, "SM0901", 2, &key) == E_OK);
	CHECK(vector_holds("office_key", "key 2 of the office SM0901; recovery key 11..11",
			   BYTES(key.secret, EC_SECRET_BYTES)));
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
	struct root_file f = {.programme = "A name, with words", .area = "SM09", .node_count = 1},
			 got;
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
	CHECK(memcmp(&got.root, &f.root, sizeof(f.root)) == 0 &&
	      memcmp(&got.recovery, &f.recovery, sizeof(f.root)) == 0);
	CHECK(strcmp(got.programme, f.programme) == 0 && strcmp(got.area, f.area) == 0 &&
	      got.node_count == 1);
	CHECK(root_file_add(path, &more, NULL) == E_OK && root_file_read(&got, path, NULL) == E_OK);
	CHECK(got.node_count == 2 && ID_EQUAL(&got.nodes[0], &f.nodes[0]) &&
	      ID_EQUAL(&got.nodes[1], &more));
	/* of an older version; what a later one adds is passed over */
	CHECK(read_text(path, "banyan root 1\r\nroot " D31 "001\r\nrecovery " D31 "002\r\n",
			&got) == E_OK);
	CHECK(read_text(path,
			"banyan root 1\n# a note\nlater word\nroot " D31 "001\nrecovery " D31
			"002\n",
			&got) == E_OK);
	CHECK(got.node_count == 0 && got.area[0] == '\0');
	CHECK(read_text(path, "banyan root 1\nroot " D31 "001\n", &got) == E_ROOT_FILE);
	CHECK(read_text(path, "banyan root 2\nroot " D31 "001\nrecovery " D31 "002\n", &got) ==
	      E_ROOT_FILE);
	CHECK(read_text(path, "banyan root 1\nroot " D31 "01\nrecovery " D31 "002\n", &got) ==
	      E_ROOT_FILE);
	CHECK(read_text(path, "banyan root 1\nroot " D31 "000\nrecovery " D31 "002\n", &got) ==
	      E_ROOT_FILE);
	CHECK(read_text(path, "banyan root 1\nroot " D31 "0g1\nrecovery " D31 "002\n", &got) ==
	      E_ROOT_FILE);
	/* an office's below, without a root; of too many nodes the newest count */
	CHECK(read_text(path, "banyan recovery 1\narea SM0901\nrecovery " D31 "002\n", &got) ==
		  E_OK &&
	      !root_file_has_root(&got));
	CHECK(read_text(path, "banyan recovery 1\nroot " D31 "001\nrecovery " D31 "002\n", &got) ==
	      E_ROOT_FILE);
	CHECK(read_text(path, "banyan recovery 1\nrecovery " D31 "002\n", &got) == E_OK);
	for (more.b[0] = 0; more.b[0] < ROOT_FILE_NODES_MAX + 2; more.b[0]++)
		CHECK(root_file_add(path, &more, NULL) == E_OK);
	CHECK(root_file_read(&got, path, NULL) == E_OK && got.node_count == ROOT_FILE_NODES_MAX);
	CHECK(got.nodes[0].b[0] == 2 &&
	      got.nodes[ROOT_FILE_NODES_MAX - 1].b[0] == ROOT_FILE_NODES_MAX + 1);
	CHECK(unlink(path) == 0 && root_file_read(&got, path, NULL) == E_FILE_ABSENT);
	writer_free(&w);
	scratch_remove(dir);
}

static struct succession
a_succession(struct ec_key *root)
{
	struct succession m = {.area = "SM0901", .number = 1790000000, .count = 2};
	struct ec_key key;
	uint8_t scalar[EC_SECRET_BYTES] = {0};

	scalar[31] = 1;
	CHECK(crypto_ec_from_secret(root, scalar) == E_OK);
	programme_id_of(&m.programme, &root->pub);
	m.issuer = principal_root(&m.programme);
	scalar[31] = 2;
	CHECK(crypto_ec_from_secret(&key, scalar) == E_OK);
	m.sign_pub = key.pub;
	scalar[31] = 3;
	CHECK(crypto_ec_from_secret(&key, scalar) == E_OK);
	m.seal_pub = key.pub;
	memset(m.id.b, 0x11, ID_BYTES);
	memset(m.nodes[0].b, 0x22, ID_BYTES);
	memset(m.nodes[1].b, 0x33, ID_BYTES);
	return m;
}

static void
successions(void)
{
	uint8_t memory[STATEMENT_BYTES_MAX], bad[STATEMENT_BYTES_MAX];
	struct ec_key root;
	struct succession m = a_succession(&root), got;
	struct writer w;
	struct bytes b;
	size_t i;

	writer_init(&w, memory, sizeof(memory));
	CHECK(succession_encode(&m, &root, &w) == E_OK);
	b = writer_view(&w);
	CHECK(vector_holds("succession_1", "a node's succession, by the root 1", b));
	CHECK(succession_decode(b, &m.programme, &got, NULL) == E_OK);
	CHECK(got.count == 2 && got.number == m.number && strcmp(got.area, m.area) == 0 &&
	      ID_EQUAL(&got.nodes[1], &m.nodes[1]));
	CHECK(principal_verify(STATEMENT_SUCCESSION, b, &m.programme, &root.pub) == E_OK);
	CHECK(principal_verify(STATEMENT_OFFICE, b, &m.programme, &root.pub) == E_SIGNATURE);
	CHECK(principal_verify(STATEMENT_SUCCESSION, b, &m.programme, &m.sign_pub) == E_SIGNATURE);
	for (i = 0; i < b.n; i++) { /* each byte changed, each cut */
		memcpy(bad, b.p, b.n);
		bad[i] ^= 1;
		CHECK(succession_decode(BYTES(bad, b.n), &m.programme, &got, NULL) != E_OK ||
		      principal_verify(STATEMENT_SUCCESSION, BYTES(bad, b.n), &m.programme,
				       &root.pub) != E_OK);
		CHECK(succession_decode(BYTES(b.p, i), &m.programme, &got, NULL) != E_OK);
	}
	m.count = 0;
	writer_reset(&w);
	CHECK(succession_encode(&m, &root, &w) == E_LIMIT && w.n == 0);
	m.count = SUCCESSION_NODES_MAX + 1;
	CHECK(succession_encode(&m, &root, &w) == E_LIMIT);
}

/* What an office below sends to the root's holder, and what comes back. */
static void
successor_files(void)
{
	struct ec_key root;
	struct succession m = a_succession(&root), got;
	char dir[PATH_MAX], path[PATH_MAX + 8];
	struct writer text, statement;
	size_t i;

	scratch_make(dir);
	snprintf(path, sizeof(path), "%s/asks", dir);
	writer_heap_init(&text, 16384);
	writer_heap_init(&statement, STATEMENT_BYTES_MAX);
	successor_write(&text, &m);
	CHECK(writer_end(&text) == E_OK &&
	      successor_create(path, writer_view(&text), NULL) == E_OK);
	CHECK(successor_create(path, writer_view(&text), NULL) == E_FILE_EXISTS);
	CHECK(successor_read(path, &got, NULL) == E_OK && ID_EQUAL(&got.id, &m.id) &&
	      ID_EQUAL(&got.programme, &m.programme));
	CHECK(got.count == 2 && ID_EQUAL(&got.nodes[1], &m.nodes[1]) && got.number == m.number &&
	      strcmp(got.area, m.area) == 0);
	CHECK(memcmp(&got.sign_pub, &m.sign_pub, sizeof(m.sign_pub)) == 0 &&
	      memcmp(&got.seal_pub, &m.seal_pub, sizeof(m.seal_pub)) == 0);
	CHECK(successor_word_read(path, &statement, NULL) == E_SUCCESSOR_FILE);
	/* more nodes than a word names, in the file as in a statement */
	for (i = m.count; i <= SUCCESSION_NODES_MAX; i++)
		writer_printf(&text, "node %032zu\n", i);
	CHECK(unlink(path) == 0 && successor_create(path, writer_view(&text), NULL) == E_OK);
	CHECK(successor_read(path, &got, NULL) == E_SUCCESSOR_FILE);
	m.count = SUCCESSION_NODES_MAX + 1;
	CHECK(succession_encode(&m, &root, &statement) == E_LIMIT);
	m.count = 2;
	writer_reset(&statement);
	writer_reset(&text);
	CHECK(succession_encode(&m, &root, &statement) == E_OK);
	successor_word_write(&text, writer_view(&statement), m.area);
	CHECK(unlink(path) == 0 && successor_create(path, writer_view(&text), NULL) == E_OK);
	writer_reset(&text);
	CHECK(successor_word_read(path, &text, NULL) == E_OK &&
	      bytes_equal(writer_view(&text), writer_view(&statement)));
	CHECK(successor_read(path, &got, NULL) == E_SUCCESSOR_FILE);
	writer_free(&text);
	writer_free(&statement);
	scratch_remove(dir);
}

/* The file with the lines that begin with `word` left out, and `line` in their place. */
static void
write_bent(const char *path, struct bytes good, const char *word, const char *line)
{
	const char *at = (const char *)good.p, *end = at + good.n, *next;
	FILE *f = fopen(path, "w");
	bool done = false;

	if (f == NULL)
		abort();
	for (; at < end; at = next) {
		next = (const char *)memchr(at, '\n', (size_t)(end - at)) + 1;
		if (strncmp(at, word, strlen(word)) != 0)
			CHECK(fwrite(at, 1, (size_t)(next - at), f) == (size_t)(next - at));
		else if (!done)
			done = fprintf(f, "%s\n", line) > 0;
	}
	CHECK(fclose(f) == 0 && done);
}

#define HEX15 "222222222222222222222222222222"
#define OFF_CURVE "04" HEX15 HEX15 HEX15 HEX15 "22222222"

static const struct {
	const char *word, *line;
	enum err e;
} bends[] = {{"programme", "programme " HEX15, E_SUCCESSOR_FILE},
	     {"programme", "programme " HEX15 "2222", E_SUCCESSOR_FILE},
	     {"area", "", E_SUCCESSOR_FILE},
	     {"area", "area " HEX15 HEX15 HEX15, E_SUCCESSOR_FILE},
	     {"id", "id " HEX15 "2z", E_SUCCESSOR_FILE},
	     {"sign", "", E_SUCCESSOR_FILE},
	     {"sign", "sign 04", E_SUCCESSOR_FILE},
	     {"sign", "sign " OFF_CURVE, E_SUCCESSOR_FILE},
	     {"seal", "", E_SUCCESSOR_FILE},
	     {"seal", "seal 04", E_SUCCESSOR_FILE},
	     {"seal", "seal " OFF_CURVE, E_SUCCESSOR_FILE},
	     {"number", "number 12x", E_SUCCESSOR_FILE},
	     {"number", "number 9223372036854775807", E_SUCCESSOR_FILE},
	     {"number", "number 9223372036854775806", E_OK},
	     {"node", "", E_SUCCESSOR_FILE},
	     {"node", "node " HEX15, E_SUCCESSOR_FILE},
	     {"node", "node " HEX15 "22", E_OK},
	     {"number", "of-a-later-version word", E_OK},
	     {"banyan", "", E_SUCCESSOR_FILE},
	     {"banyan", "banyan word 1", E_SUCCESSOR_FILE},
	     {"banyan", "banyan successor 2", E_SUCCESSOR_FILE}};

static void
bent_files(void)
{
	struct ec_key root;
	struct succession m = a_succession(&root), got;
	char dir[PATH_MAX], path[PATH_MAX + 8];
	struct writer text, statement;
	size_t i;

	scratch_make(dir);
	snprintf(path, sizeof(path), "%s/asks", dir);
	writer_heap_init(&text, 1u << 16);
	writer_heap_init(&statement, 1u << 16);
	successor_write(&text, &m);
	for (i = 0; i < sizeof(bends) / sizeof(bends[0]); i++) {
		write_bent(path, writer_view(&text), bends[i].word, bends[i].line);
		CHECK_MSG(successor_read(path, &got, NULL) == bends[i].e, "%s -> %s", bends[i].word,
			  bends[i].line);
	}
	while (text.n < 17000)
		writer_printf(&text, "# a note, and another one, and one more\n");
	write_bent(path, writer_view(&text), "number", "number 1");
	CHECK(successor_read(path, &got, NULL) == E_SUCCESSOR_FILE); /* no office writes so much */
	/* the root's word: the longest that there is, a byte more, half a byte less, none */
	for (i = 0; i < 4; i++) {
		size_t digits = i == 3 ? 0
				       : 2 * STATEMENT_BYTES_MAX + (i == 1   ? 2
								    : i == 2 ? (size_t)-1
									     : 0);

		writer_reset(&text);
		writer_str(&text, "banyan word 1\nof-a-later-version word\nsuccession ");
		memset(writer_space(&text, digits), '5', digits);
		writer_str(&text, "\n");
		CHECK(unlink(path) == 0 &&
		      successor_create(path, writer_view(&text), NULL) == E_OK);
		writer_reset(&statement);
		CHECK_MSG(successor_word_read(path, &statement, NULL) ==
			      (i == 0 ? E_OK : E_SUCCESSOR_FILE),
			  "%zu digits", digits);
		CHECK(statement.n == (i == 0 ? STATEMENT_BYTES_MAX : 0));
	}
	writer_free(&statement);
	writer_free(&text);
	scratch_remove(dir);
}

/* Who had a word of the first is shown the second, also when nobody kept the first one's number. */
static void
two_of_one_second_are_in_order(void)
{
	struct succession first = {.count = 1}, second = {.count = 2};
	uint64_t number = succeed_number(1000, &first, 0);

	CHECK(succeed_number(1000, &second, 0) > number);
	CHECK(succeed_number(1000, &second, number) > number);
	CHECK(succeed_number(1, &second, number) == number + 1); /* a clock that was set back */
}

CHECK_MAIN(T(successions), T(two_of_one_second_are_in_order), T(office_keys), T(root_files),
	   T(successor_files), T(bent_files))

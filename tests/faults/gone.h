/* The office's computer is gone: a successor, one that begins anew, and the root's word for one
 * further down. */
#ifndef BANYAN_TESTS_FAULTS_GONE_H
#define BANYAN_TESTS_FAULTS_GONE_H

#include "tests/faults/offices.h"
#include "tools/root_file.h"
#include "tools/successor_file.h"

static void
node_of_root(void)
{
	char *at;

	(void)read_file("node.root", answer, sizeof(answer));
	at = strstr(answer, "\nnode ");
	(void)snprintf(node_id, sizeof(node_id), "%.32s", at == NULL ? "" : at + 6);
}

static size_t
noted(void)
{
	size_t n = 0;
	char *at;

	(void)read_file("node.root", answer, sizeof(answer));
	for (at = answer; (at = strstr(at, "\nnode ")) != NULL; at++)
		n++;
	return n;
}

static void
succeeded(void)
{
	bool told = strstr(said, "add a line to it by hand") != NULL;

	CHECK(noted() == 2 || told);
	expect(0, "", SAY("status", "next", "--passphrase-file", "sokha"));
}

static void
began_anew(void)
{
	bool told = strstr(said, "add a line to it by hand") != NULL;

	CHECK(noted() == 3 || told);
	expect(0, "", SAY("status", "bare", "--passphrase-file", "sokha"));
}

static void
went_over(void)
{
	expect(0, "\"records_waiting\":0", SAY("sync", "two", "--json"));
	CHECK(node_stop() == 0);
	CHECK(lines(other, SAY("list", "next", "T1", "--json", "--passphrase-file", "sokha")) == 1);
}

/* What an office further down would bring to the root's holder. */
static void
asks_for_a_word(void)
{
	struct succession m = {.area = "V1", .number = 1, .count = 1};
	struct root_file root;
	struct ec_key sign, seal;
	struct writer text;
	FILE *f = fopen("asked", "wb");

	REQUIRE(f != NULL && root_file_read(&root, "node.root", NULL) == E_OK &&
		crypto_ec_new(&sign) == E_OK && crypto_ec_new(&seal) == E_OK);
	programme_id_of(&m.programme, &root.root.pub);
	crypto_random(m.id.b, ID_BYTES);
	crypto_random(m.nodes[0].b, ID_BYTES);
	m.sign_pub = sign.pub;
	m.seal_pub = seal.pub;
	writer_heap_init(&text, 4096);
	successor_write(&text, &m);
	REQUIRE(writer_end(&text) == E_OK && fwrite(text.p, 1, text.n, f) == text.n &&
		fclose(f) == 0);
	writer_free(&text);
}

static void
vouched(void)
{
	struct writer word;

	writer_heap_init(&word, STATEMENT_BYTES_MAX);
	CHECK(successor_word_read("word", &word, NULL) == E_OK && word.n > 0);
	writer_free(&word);
}

static void
the_computer_is_gone(void)
{
	node_of_root();
	expect(0, "", SAY("backup", "node", "-o", "last"));
	STEP("replace",
	     SAY("replace", "next", node_id, "--as", "officer", "--root", "node.root", "--backup",
		 "last", "--new-key", "--new-passphrase-file", "sokha"),
	     .again = 73, .verify = succeeded);
	submitted("two");
	served = &successor;
	STEP("sync, successor", SAY("sync", "two"), .node = FAILS, .verify_repeats = true,
	     .whole = "two next", .verify = went_over);
	STEP("replace, anew",
	     SAY("replace", "bare", node_id, "--root", "node.root", "--areas", "areas.csv",
		 "--new-passphrase-file", "sokha"),
	     .again = 73, .verify = began_anew);
	asks_for_a_word();
	STEP("vouch", SAY("vouch", "asked", "--root", "node.root", "--area", "V1", "-o", "word"),
	     .again = 73, .verify = vouched);
	served = &node;
}

#endif

/*
 * The formats that other tests hold no vector of: what was written once must be read for ever. A
 * vector is made by BANYAN_NEW_VECTORS=1 and never changed; where a format has random parts, it is
 * read, not made again.
 */
#include <stdlib.h>
#include <unistd.h>

#include "core/store/audit.h"
#include "core/store/backup.h"
#include "core/crypto/cert.h"
#include "core/principals/invite.h"
#include "core/crypto/keyring.h"
#include "schemas/areas_table.h"
#include "tests/keys.h"
#include "tests/vector.h"

static uint8_t room[1 << 16];

static struct unlock
unlock(void)
{
	return (struct unlock){.name = "officer", .passphrase = BYTES_LIT("golden passphrase")};
}

static void
certificate(void)
{
	struct ec_key key = test_key(KEY_AUTHOR);
	struct principal_id id = TEST_AUTHOR, read;
	struct ec_public pub;
	struct writer der;

	writer_heap_init(&der, 4096);
	REQUIRE(cert_make(&key, &id, &der) == E_OK);
	CHECK(vector_holds("certificate",
			   "the certificate of principal author-000000001, key 11..11",
			   writer_view(&der)));
	CHECK(cert_read(writer_view(&der), &read, &pub) == E_OK && ID_EQUAL(&read, &id));
	writer_free(&der);
}

static void
invitation(void)
{
	struct invite v = {.programme = TEST_PROGRAMME,
			   .node = TEST_OTHER,
			   .node_key_sha256 = {1, 2, 3},
			   .address = "node.example.org:7447",
			   .secret = {9, 8, 7},
			   .role = ROLE_MEMBER,
			   .expires_s = 1900000000,
			   .name = "Lvea Sdau",
			   .area = "SM09010101"};
	struct invite read;
	struct writer line;
	char copy[1024];

	writer_heap_init(&line, 4096);
	REQUIRE(invite_encode(&v, &line) == E_OK);
	CHECK(vector_holds("invitation", "the line of an invitation, as text", writer_view(&line)));
	snprintf(copy, sizeof(copy), "%s", writer_cstr(&line));
	REQUIRE(invite_decode(copy, &read, NULL) == E_OK);
	CHECK(ID_EQUAL(&read.programme, &v.programme) && ID_EQUAL(&read.node, &v.node) &&
	      read.role == v.role && read.expires_s == v.expires_s);
	CHECK(memcmp(read.node_key_sha256, v.node_key_sha256, sizeof(v.node_key_sha256)) == 0 &&
	      memcmp(read.secret, v.secret, sizeof(v.secret)) == 0);
	CHECK_STR(read.address, v.address);
	CHECK_STR(read.name, v.name);
	CHECK_STR(read.area, v.area);
	writer_free(&line);
}

static void
area_table(void)
{
	static const char csv[] =
	    "code,parent,level,name,name:km\nP,,province,Serei,សេរី\n0905-07,V-1,village,Down,\n"
	    "V-1,P,district,Up,\n";
	struct areas_table table;
	struct writer packed;
	struct arena arena;

	arena_init(&arena, 1u << 20);
	writer_heap_init(&packed, 4096);
	REQUIRE(areas_table_parse(BYTES(csv, sizeof(csv) - 1), &arena, &table, NULL) == E_OK);
	REQUIRE(areas_table_pack(&table, &packed) == E_OK);
	CHECK(vector_holds("area_table",
			   "three areas, one with a Khmer name; a parent after its child",
			   writer_view(&packed)));
	writer_free(&packed);
	arena_free(&arena);
}

/* A store key wrapped for an officer's passphrase, at the least cost. */
static void
key_slots(void)
{
	struct keyring_cost cost = {.memory_kib = 64, .passes = 1};
	struct unlock how = unlock(), wrong = {.passphrase = BYTES_LIT("another passphrase")};
	struct store_key key, read;
	char name[KEYRING_NAME_BYTES_MAX + 1];
	struct bytes file;
	struct writer w;

	memset(&key, 0x5a, sizeof(key));
	file = vector_read("key_slots", room, sizeof(room));
	if (file.p == NULL && getenv("BANYAN_NEW_VECTORS") != NULL) {
		writer_heap_init(&w, 4096);
		REQUIRE(keyring_seal_first(&key, &how, &cost, &w) == E_OK);
		vector_write("key_slots",
			     "a keys file: store key 5a..5a, slot officer, \"golden passphrase\"",
			     writer_view(&w));
		writer_free(&w);
		file = vector_read("key_slots", room, sizeof(room));
	}
	REQUIRE(file.n > 0);
	CHECK(keyring_unseal(file, &wrong, &read, name, NULL) == E_STORE_KEY);
	REQUIRE(keyring_unseal(file, &how, &read, name, NULL) == E_OK);
	CHECK(memcmp(&read, &key, sizeof(key)) == 0);
	CHECK_STR(name, "officer");
}

static enum err
write_rows(struct store_txn *txn, void *arg)
{
	struct principal_id actor = TEST_AUTHOR;
	enum err e;

	(void)arg;
	if ((e = store_meta_put(txn, "golden", BYTES_LIT("a value of the golden store"))) != E_OK ||
	    (e = audit_append(txn, 1700000000, &actor, "init", "Golden", "SM09")) != E_OK)
		return e;
	return audit_append(txn, 1700000001, &actor, "form add", "F9_session", "");
}

/* What every restored golden store must hold. */
static void
check_store(struct store *store)
{
	struct store_txn *txn;
	struct bytes value;
	uint8_t hash[HASH_BYTES];
	uint64_t n;

	REQUIRE(store_read_begin(store, &txn) == E_OK);
	CHECK(store_meta_get(txn, "golden", &value) == E_OK &&
	      bytes_equal(value, BYTES_LIT("a value of the golden store")));
	CHECK(audit_verify(txn, &n, NULL) == E_OK && n == 2);
	REQUIRE(audit_head(txn, &n, hash) == E_OK);
	CHECK(vector_holds("audit_head", "the hash of the second of two audit entries",
			   BYTES(hash, sizeof(hash))));
	store_read_end(txn);
}

static void
put_file(const char *path, struct bytes b)
{
	FILE *f = fopen(path, "wb");

	CHECK(f != NULL && fwrite(b.p, 1, b.n, f) == b.n);
	if (f != NULL)
		(void)fclose(f);
}

static enum err
renew(struct store *store, const struct unlock *how)
{
	static const struct keyring_cost cost = {.memory_kib = 64, .passes = 1};
	struct store_key fresh;
	struct writer keys;
	enum err e;

	writer_heap_init(&keys, KEYRING_FILE_BYTES_MAX);
	crypto_random(fresh.b, sizeof(fresh.b));
	if ((e = keyring_seal_first(&fresh, how, &cost, &keys)) == E_OK)
		e = store_renew(store, &fresh, writer_view(&keys), NULL, NULL);
	writer_free(&keys);
	return e;
}

static struct bytes
new_backup(const char *name, const char *comment, const char *store_path, const char *path,
	   bool renewed)
{
	struct store_options options = {.cost = {.memory_kib = 64, .passes = 1}};
	struct unlock how = unlock();
	struct backup_info info;
	struct store *store;
	struct bytes bundle = BYTES_NONE;
	char command[96];
	FILE *f;

	if (store_create(store_path, &how, &options, &store, NULL) != E_OK)
		return bundle;
	CHECK(store_write(store, write_rows, NULL) == E_OK);
	CHECK(!renewed || renew(store, &how) == E_OK);
	CHECK(backup_write(store, path, &info, NULL) == E_OK);
	store_close(store);
	if ((f = fopen(path, "rb")) != NULL) {
		bundle = BYTES(room, fread(room, 1, sizeof(room), f));
		(void)fclose(f);
	}
	vector_write(name, comment, bundle);
	snprintf(command, sizeof(command), "rm -rf %s", store_path);
	CHECK(system(command) == 0);
	return bundle;
}

/* A backup that was written once restores for ever. */
static void
restores(const char *name, const char *comment, uint8_t version, bool renewed)
{
	char dir[] = "/tmp/banyan-golden-XXXXXX", path[64], store_path[64], command[96];
	struct store_options options = {.cost = {.memory_kib = 64, .passes = 1}};
	struct backup_info info;
	struct unlock how = unlock();
	struct store *store;
	struct bytes bundle;

	REQUIRE(mkdtemp(dir) != NULL);
	snprintf(path, sizeof(path), "%s/bundle", dir);
	snprintf(store_path, sizeof(store_path), "%s/store", dir);
	bundle = vector_read(name, room, sizeof(room));
	if (bundle.p == NULL && getenv("BANYAN_NEW_VECTORS") != NULL)
		bundle = new_backup(name, comment, store_path, path, renewed);
	REQUIRE(bundle.n > 14);
	CHECK(bundle.p[13] == version); /* behind the magic, the header's length and its array */
	put_file(path, bundle);
	CHECK(backup_check(path, &how, &info, NULL) == E_OK);
	REQUIRE(backup_restore(path, store_path, &how, &options, &info, NULL) == E_OK);
	REQUIRE(store_open(store_path, &how, NULL, &store, NULL) == E_OK);
	check_store(store);
	CHECK(store_format_of(store) == STORE_FORMAT);
	store_close(store);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	CHECK(system(command) == 0);
}

static void
backup(void)
{
	restores("backup", "a backup of a store with three rows, \"golden passphrase\"", 1, false);
	restores("backup_3", "the same of a store of format 3", 3, false);
	restores("backup_3_names", "the same of one whose key was renewed", 3, true);
}

CHECK_MAIN(T(certificate), T(invitation), T(area_table), T(key_slots), T(backup))

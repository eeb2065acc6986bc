#include "core/crypto/keyring.h"

#include <sys/stat.h>

#include "core/fault.h"
#include "core/file.h"
#include "core/pack.h"
#include "tests/check.h"
#include "tests/scratch.h"

/* As cheap as Argon2 goes: what is tested is not its cost. */
static const struct keyring_cost cheap = {.memory_kib = 64, .passes = 1};
static const struct unlock mona = {.name = "mona-chan", .passphrase = {(const uint8_t *)"rice", 4}};
static const struct unlock somchai = {.name = "somchai", .passphrase = {(const uint8_t *)"tea", 3}};
static const struct unlock stranger = {.passphrase = {(const uint8_t *)"wrong", 5}};
static const uint8_t file_bytes[40] = "a key file, forty bytes, kept elsewhere";

static struct store_key
make(const char *dir)
{
	struct store_key key;
	struct writer w;

	crypto_random(key.b, sizeof(key.b));
	writer_heap_init(&w, KEYRING_FILE_BYTES_MAX);
	CHECK(keyring_seal_first(&key, &mona, &cheap, &w) == E_OK);
	CHECK(keyring_write(dir, writer_view(&w), NULL) == E_OK);
	writer_free(&w);
	return key;
}

static void
slots_open_and_refuse(void)
{
	char dir[PATH_MAX], name[KEYRING_NAME_BYTES_MAX + 1];
	struct store_key key, got = {{0}};
	struct unlock how = mona;
	struct why why = {0};

	scratch_make(dir);
	key = make(dir);
	CHECK(keyring_open(dir, &mona, &got, name, &why) == E_OK);
	CHECK(memcmp(&key, &got, sizeof(key)) == 0);
	CHECK_STR(name, "mona-chan");
	how.name = NULL;
	CHECK(keyring_open(dir, &how, &got, name, NULL) == E_OK);
	CHECK_STR(name, "mona-chan");
	how.name = "somchai";
	CHECK(keyring_open(dir, &how, &got, NULL, NULL) == E_STORE_KEY);
	CHECK(keyring_open(dir, &stranger, &got, NULL, &why) == E_STORE_KEY);
	CHECK(strstr(why.thing, "wrong") == NULL);
	CHECK(!scratch_holds(dir, "mona-chan", 9));
	CHECK(!scratch_holds(dir, &key, sizeof(key)));
	scratch_remove(dir);
}

static void
slots_of_every_kind(void)
{
	char dir[PATH_MAX], name[KEYRING_NAME_BYTES_MAX + 1];
	struct keyring_slot slots[KEYRING_SLOTS_MAX];
	struct unlock by_file = {.name = "service", .key_file = {file_bytes, sizeof(file_bytes)}};
	struct unlock short_file = {.name = "short", .key_file = {file_bytes, 31}};
	struct unlock by_recovery = {.name = "recovery"};
	struct ec_key recovery, other;
	struct store_key key, got;
	size_t n;

	scratch_make(dir);
	key = make(dir);
	CHECK(crypto_ec_new(&recovery) == E_OK && crypto_ec_new(&other) == E_OK);
	by_recovery.recovery = &recovery;
	CHECK(keyring_add(dir, &key, &somchai, &cheap, NULL) == E_OK);
	CHECK(keyring_add(dir, &key, &somchai, &cheap, NULL) == E_NAME_TAKEN);
	CHECK(keyring_add(dir, &key, &by_file, NULL, NULL) == E_OK);
	CHECK(keyring_add(dir, &key, &short_file, NULL, NULL) == E_USAGE);
	CHECK(keyring_add(dir, &key, &by_recovery, NULL, NULL) == E_OK);
	CHECK(keyring_list(dir, &key, slots, &n, NULL) == E_OK);
	CHECK(n == 4 && slots[2].kind == KEYRING_KEY_FILE);
	CHECK_STR(slots[1].name, "somchai");
	CHECK(keyring_open(dir, &by_file, &got, name, NULL) == E_OK);
	CHECK_STR(name, "service");
	CHECK(keyring_open(dir, &by_recovery, &got, name, NULL) == E_OK);
	CHECK(memcmp(&key, &got, sizeof(key)) == 0);
	by_recovery.recovery = &other;
	CHECK(keyring_open(dir, &by_recovery, &got, name, NULL) == E_STORE_KEY);
	CHECK(keyring_remove(dir, &key, "recovery", NULL) == E_OK);
	CHECK(keyring_remove(dir, &key, "recovery", NULL) == E_ABSENT);
	CHECK(keyring_remove(dir, &key, "service", NULL) == E_OK);
	CHECK(keyring_remove(dir, &key, "mona-chan", NULL) == E_OK);
	CHECK(keyring_open(dir, &mona, &got, NULL, NULL) == E_STORE_KEY);
	CHECK(keyring_remove(dir, &key, "somchai", NULL) == E_USAGE);
	CHECK(keyring_open(dir, &somchai, &got, NULL, NULL) == E_OK);
	scratch_remove(dir);
}

static void
a_passphrase_is_replaced(void)
{
	char dir[PATH_MAX];
	struct unlock changed = {.name = "mona-chan", .passphrase = BYTES_LIT("noodles")};
	struct unlock nobody = {.name = "nobody", .passphrase = BYTES_LIT("x")};
	struct unlock empty = {.name = "mona-chan", .passphrase = BYTES_LIT("")};
	struct store_key key, got;

	scratch_make(dir);
	key = make(dir);
	CHECK(keyring_replace(dir, &key, &nobody, &cheap, NULL) == E_ABSENT);
	CHECK(keyring_replace(dir, &key, &empty, &cheap, NULL) == E_USAGE);
	CHECK(keyring_replace(dir, &key, &changed, &cheap, NULL) == E_OK);
	CHECK(keyring_open(dir, &mona, &got, NULL, NULL) == E_STORE_KEY);
	CHECK(keyring_open(dir, &changed, &got, NULL, NULL) == E_OK);
	CHECK(memcmp(&key, &got, sizeof(key)) == 0);
	scratch_remove(dir);
}

/* Every byte of the file changed: never a wrong key, never a crash. Every cut: the same.
 */
static void
every_byte_changed_or_cut(void)
{
	char dir[PATH_MAX], path[PATH_MAX];
	struct store_key got;
	struct writer w;
	uint8_t bad[KEYRING_FILE_BYTES_MAX];
	size_t i, n;

	scratch_make(dir);
	make(dir);
	writer_heap_init(&w, KEYRING_FILE_BYTES_MAX);
	REQUIRE(file_read(scratch_path(path, dir, "keys"), KEYRING_FILE_BYTES_MAX, &w, NULL) ==
		E_OK);
	n = w.n;
	for (i = 0; i < n; i++) {
		enum err e;

		memcpy(bad, w.p, n);
		/* Not a cost of Argon2: 64 passes over a GiB are refused by a limit,
		 * slowly below it. */
		bad[i] ^= 0x01;
		e = keyring_unseal(BYTES(bad, n), &mona, &got, NULL, NULL);
		CHECK_MSG(e == E_STORE_KEY || e == E_STORE_DAMAGED || e == E_STORE_NEWER ||
			      e == E_CRYPTO,
			  "byte %zu: %s", i, err_name(e));
		e = keyring_unseal(BYTES(w.p, i), &mona, &got, NULL, NULL);
		CHECK_MSG(e == E_STORE_DAMAGED, "cut at %zu: %s", i, err_name(e));
	}
	writer_free(&w);
	scratch_remove(dir);
}

static void
wiped_is_gone(void)
{
	char dir[PATH_MAX], path[PATH_MAX];
	struct store_key got;
	FILE *f;

	scratch_make(dir);
	CHECK(keyring_open(dir, &mona, &got, NULL, NULL) == E_STORE_ABSENT);
	CHECK(keyring_wipe(dir, NULL) == E_STORE_ABSENT);
	make(dir);
	f = fopen(scratch_path(path, dir, "data.mdb"), "w");
	REQUIRE(f != NULL);
	fclose(f);
	CHECK(keyring_wipe(dir, NULL) == E_OK);
	CHECK(keyring_open(dir, &mona, &got, NULL, NULL) == E_STORE_WIPED);
	CHECK(access(scratch_path(path, dir, "keys"), F_OK) != 0);
	scratch_remove(dir);
}

static void
newer_file(void)
{
	struct store_key got;
	struct writer w;
	uint8_t b[64];

	writer_init(&w, b, sizeof(b));
	pack_array(&w, 3);
	pack_cstr(&w, "banyan keys");
	pack_u64(&w, 2);
	pack_array(&w, 0);
	CHECK(keyring_unseal(writer_view(&w), &mona, &got, NULL, NULL) == E_STORE_NEWER);
}

/* Each call failing in turn: the change is whole or not there, and is never reported
 * wrongly. */
static void
every_call_fails_in_turn(void)
{
	char dir[PATH_MAX];
	struct keyring_slot slots[KEYRING_SLOTS_MAX];
	struct store_key key, got;
	unsigned n = 0;
	size_t count;
	bool fired;

	scratch_make(dir);
	key = make(dir);
	do {
		enum err e;

		fault_arm(n++);
		e = keyring_add(dir, &key, &somchai, &cheap, NULL);
		fired = fault_fired();
		fault_disarm();
		REQUIRE(keyring_list(dir, &key, slots, &count, NULL) == E_OK);
		if (e == E_OK) { /* only tidying up may fail unseen */
			CHECK(count == 2);
			CHECK(keyring_open(dir, &somchai, &got, NULL, NULL) == E_OK);
		} else {
			CHECK(fired);
			CHECK(keyring_open(dir, &mona, &got, NULL, NULL) == E_OK);
		}
		if (count == 2)
			REQUIRE(keyring_remove(dir, &key, "somchai", NULL) == E_OK);
	} while (fired && n < 200);
	CHECK(n > 8 && n < 200);
	n = 0;
	do {
		enum err e;

		fault_arm(n++);
		e = keyring_open(dir, &mona, &got, NULL, NULL);
		fired = fault_fired();
		fault_disarm();
		CHECK((e == E_OK) == !fired);
	} while (fired && n < 200);
	scratch_remove(dir);
}

CHECK_MAIN(T(slots_open_and_refuse), T(slots_of_every_kind), T(a_passphrase_is_replaced),
	   T(every_byte_changed_or_cut), T(wiped_is_gone), T(newer_file),
	   T(every_call_fails_in_turn))

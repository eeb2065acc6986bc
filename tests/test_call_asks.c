/* Asks that no program of ours writes: what another one may send to a store's socket, or an
 * officer's to the node. */
#include "core/pack.h"
#include "tests/check.h"
#include "tools/call/call_asked.h"
#include "tools/call/call_parts.h"
#include "tools/commands.h"

struct said {
	const char *what, *command;
	uint32_t words;
	const char *options[2]; /* "name=value" */
	uint64_t flags;
	unsigned kind; /* of the secret; 0: none */
	size_t secret_bytes;
	enum err e;
};

static void
write_secret(struct writer *w, unsigned kind, size_t bytes)
{
	static const uint8_t some[KEYRING_KEY_FILE_BYTES_MAX + 1] = "a secret";

	if (kind == 99) { /* there is none, and it is said so by its kind */
		kind = SECRET_NONE;
	} else if (kind == 0) {
		pack_nil(w);
		return;
	}
	pack_array(w, 2);
	pack_u64(w, kind);
	pack_bin(w, BYTES(some, bytes));
}

static void
write_ask(struct writer *w, const struct said *s)
{
	uint32_t i, options = s->options[1] != NULL ? 2 : s->options[0] != NULL ? 1 : 0;

	writer_reset(w);
	pack_array(w, 8);
	pack_u64(w, 1);
	pack_cstr(w, s->command);
	pack_array(w, s->words);
	for (i = 0; i < s->words; i++)
		pack_cstr(w, "a");
	pack_array(w, options);
	for (i = 0; i < options; i++) {
		const char *equals = strchr(s->options[i], '=');

		pack_array(w, 2);
		pack_str(w, BYTES(s->options[i], (size_t)(equals - s->options[i])));
		pack_cstr(w, equals + 1);
	}
	pack_array(w, 0);
	pack_u64(w, s->flags);
	write_secret(w, s->kind, s->secret_bytes);
	write_secret(w, s->kind, s->secret_bytes);
	CHECK(writer_end(w) == E_OK);
}

static enum err
hear(void *ctx, uint8_t stream, struct bytes piece)
{
	(void)ctx, (void)stream, (void)piece;
	return E_OK;
}

#define WHY \
	{ \
		"reason=x", NULL \
	}

static const struct said asks[] = {
    {"as it should be", "revoke", 1, WHY, 0, 0, 0, E_OK},
    {"without its word", "revoke", 0, WHY, 0, 0, 0, E_USAGE},
    {"a word too many", "revoke", 2, WHY, 0, 0, 0, E_USAGE},
    {"without what it needs", "revoke", 1, {NULL, NULL}, 0, 0, 0, E_USAGE},
    {"twice what stands once", "revoke", 1, {"reason=x", "reason=y"}, 0, 0, 0, E_USAGE},
    {"twice what may", "amend", 1, {"set=a=1", "set=b=2"}, 0, 0, 0, E_OK},
    {"another's option", "revoke", 1, {"reason=x", "set=a=1"}, 0, 0, 0, E_USAGE},
    {"a word that may be left out", "audit", 0, {NULL, NULL}, 0, 0, 0, E_OK},
    {"and that there is one of", "audit", 2, {NULL, NULL}, 0, 0, 0, E_USAGE},
    {"as many as one likes", "form add", 9, {NULL, NULL}, 0, 0, 0, E_OK},
    {"but one", "form add", 0, {NULL, NULL}, 0, 0, 0, E_USAGE},
    {"the most words", "form add", CALL_WORDS_MAX, {NULL, NULL}, 0, 0, 0, E_OK},
    {"more words than that", "form add", CALL_WORDS_MAX + 1, {NULL, NULL}, 0, 0, 0, E_NO_ROOM},
    {"flags of a later version", "revoke", 1, WHY, 8, 0, 0, E_PACK_TYPE},
    {"the longest secret", "revoke", 1, WHY, 7, SECRET_PASSPHRASE, KEYRING_KEY_FILE_BYTES_MAX,
     E_OK},
    {"a longer one", "revoke", 1, WHY, 0, SECRET_PASSPHRASE, KEYRING_KEY_FILE_BYTES_MAX + 1,
     E_PACK_TYPE},
    {"one of no kind", "revoke", 1, WHY, 0, 99, 1, E_PACK_TYPE},
    {"of a later kind", "revoke", 1, WHY, 0, SECRET_RECOVERY + 1, 1, E_PACK_TYPE}};

static void
what_is_asked(void)
{
	struct writer w;
	size_t i;
	int remote;

	writer_heap_init(&w, 1u << 20);
	for (i = 0; i < sizeof(asks) / sizeof(asks[0]); i++) {
		write_ask(&w, &asks[i]);
		for (remote = 0; remote < 2; remote++) {
			struct call_asker asker = {.answer = hear, .remote = remote == 1};
			size_t secret = asks[i].kind == 0 || remote == 1 ? 0 : asks[i].secret_bytes;
			struct why why = {.e = E_OK};
			struct call *c;
			enum err e = call_asked_new(&c, writer_view(&w), &asker, &why);

			if (remote == 1 && strcmp(asks[i].command, "audit") == 0) {
				CHECK(e == E_NOT_HERE && c == NULL);
				continue;
			}
			CHECK_MSG(e == asks[i].e && (e == E_OK) == (c != NULL), "%s: %s",
				  asks[i].what, err_name(e));
			if (e != E_OK)
				continue;
			CHECK(call_arg_count(c) == asks[i].words &&
			      call_json(c) == ((asks[i].flags & 1) != 0));
			/* over TLS no secret is looked at, the new one neither */
			CHECK_MSG(c->secret.count == secret && c->new_secret.count == secret, "%s",
				  asks[i].what);
			CHECK((c->secret.kind == SECRET_NONE) == (secret == 0) &&
			      (c->new_secret.kind == SECRET_NONE) == (secret == 0));
			call_free(c);
		}
	}
	writer_free(&w);
}

CHECK_MAIN(T(what_is_asked))

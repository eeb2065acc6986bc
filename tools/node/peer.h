/*
 * peer: an open store with what it needs to act: its programme, its keys, the area table, the
 * forms. Here sync, schemas and core are introduced to each other. A village handset, a node, an
 * officer's desk and a researcher's store are all peers; they differ by role and by what their
 * tables hold.
 *
 * A peer may be used from several threads: reads through store_read_begin, writes through the
 * store's one writer. Area tables and forms are only added while the peer is open, under `lock`;
 * one that was handed out stays valid until peer_close.
 */
#ifndef BANYAN_TOOLS_NODE_PEER_H
#define BANYAN_TOOLS_NODE_PEER_H

#include <pthread.h>

#include "core/principals/area.h"
#include "core/crypto/keyring.h"
#include "core/limits.h"
#include "core/principals/principal.h"
#include "core/store/store.h"
#include "schemas/form.h"

#define IDENTITIES_MAX 32u /* the store's own, and the officers of a node */
#define K_DEFAULT 10u      /* least cell of a released table, unless the programme says otherwise */
#define K_LEAST 5u

/* Who a principal is, with its secrets. */
struct identity {
	struct principal_id id;
	enum role role;
	char area[AREA_CODE_BYTES_MAX + 1];
	char name[NAME_BYTES_MAX + 1];
	struct ec_key sign, seal;
	uint64_t epoch;       /* of its log here */
	uint64_t incarnation; /* of the store when the epoch was drawn */
};

struct programme {
	struct programme_id id;
	char name[NAME_BYTES_MAX + 1];
	struct ec_public root;
	uint32_t k;
};

/* The office that this peer belongs to: what it seals to; at its node, what it opens with. */
struct home {
	char area[AREA_CODE_BYTES_MAX + 1];
	uint32_t key_no;
	struct ec_key seal; /* seal.secret only at a node */
	bool has_secret;
	struct principal_id node; /* the home node, and how it is recognised and reached */
	struct ec_public node_sign;
	char address[256];
};

/* A key that the office had before. */
#define OLD_KEYS_MAX 64u
struct old_key {
	uint32_t key_no;
	struct ec_key key;
};

/* Where a store syncs to: a device's home node, or the node above a node (known false: it has
 * none). */
struct above {
	bool known;
	bool twin; /* it is another node of this very office */
	struct principal_id node;
	struct ec_public sign, seal;
	char area[AREA_CODE_BYTES_MAX + 1];
	char address[256];
};

struct form_entry {
	struct form_entry *next;
	struct form *form;
	struct form_key key;
	uint64_t order;      /* of arrival: the newest version of an id is the one to fill */
	char languages[128]; /* accepted draft languages, codes separated by spaces */
};

struct areas_entry {
	struct areas_entry *next;
	struct area_table *table;
};

struct peer {
	struct store *store;
	char path[512];
	struct programme programme;
	struct identity identities[IDENTITIES_MAX]; /* [0] is the store's own */
	size_t identity_count;
	struct home home;
	struct old_key old_keys[OLD_KEYS_MAX]; /* office_keys.h */
	size_t old_key_count;
	struct above above; /* of a node that joined another one */
	struct above upper; /* of a second node: the node above the office, for when the first is
			       away: upper.h */
	struct areas_entry *areas; /* the first is in force */
	struct form_entry *forms;
	const struct dictionary *dictionaries; /* the newest first: dictionaries.h */
	bool blocks;                           /* the office reads codecs 2 and 3 */
	pthread_rwlock_t lock;
	pthread_mutex_t syncing; /* held while it syncs with the node above, and by whatever else
				    moves its log */
	pthread_mutex_t acting;  /* held by who opens arrivals, gathers, or changes an epoch */
	/* the opener's, under `acting` */
	struct crew *crew;       /* computes along, while a daemon serves; else NULL */
	struct known *known;     /* authors' keys; NULL: none are kept */
	struct carry_sets *sets; /* what is shared with other nodes, kept up to date: carry_sets.h;
				    NULL: with none yet */
	bool approved;
	char officer[NAME_BYTES_MAX +
		     1]; /* while a node joins: what its first officer is called; "": officer */
	const struct ec_key
	    *again; /* while a node joins for an office that was there before: its recovery key */
};

/*
 * peer_create: a store that holds these identities; nothing else is in it. The peer is open
 * afterwards, and its store appears with store_publish: if it is closed before that, nothing is
 * left. `second`: of one more key slot, or NULL. E_STORE_*. The identities are copied.
 */
enum err peer_create(struct peer **out, const char *path, const struct unlock *,
		     const struct unlock *second, const struct programme *, const struct home *,
		     const struct identity *, size_t count, bool approved, struct why *);
/* peer_open: E_STORE_*; E_STORE_KEY for a wrong passphrase. peer_close(NULL) is harmless. */
enum err peer_open(struct peer **out, const char *path, const struct unlock *, struct why *);
void peer_close(struct peer *);

static inline struct identity *
peer_self(struct peer *p)
{
	return &p->identities[0];
}
bool peer_is_node(const struct peer *);
/*
 * peer_identity: who acts. `name` NULL: a node's one officer, or the store's own principal
 * elsewhere. E_PRINCIPAL_UNKNOWN; E_USAGE when a node has several officers and none was named.
 */
enum err peer_identity(struct peer *, const char *name, struct identity **out, struct why *);
struct identity *peer_identity_by_id(struct peer *, const struct principal_id *);

/*
 * peer_above: whom this store syncs with: of a device (and of a node that is just joining) the home
 * node, with `area` the office's and no sealing key; of a node the one above it. E_NOT_HERE: it is
 * the topmost.
 */
enum err peer_above(const struct peer *, struct above *out);

/* The area table in force; NULL before the first one came. */
const struct area_table *peer_areas(struct peer *);
/* peer_form: by form id, the newest version; by key, any. NULL if unknown. */
struct form_entry *peer_form(struct peer *, const char *form_id);
struct form_entry *peer_form_by_key(struct peer *, struct form_key);
/* peer_learn_form, peer_learn_areas: put a newly stored one in force here (the store has it
 * already). */
enum err peer_learn_form(struct peer *, struct bytes bundle, uint64_t order, const char *languages,
			 struct why *);
enum err peer_learn_areas(struct peer *, struct bytes table, struct why *);
enum err peer_learn_languages(struct peer *, const char *form_id, const char *languages);

/* Write jobs' helpers: the META rows of identities, home and programme. */
enum err peer_put_identities(struct store_txn *, const struct peer *);
enum err peer_put_home(struct store_txn *, const struct home *);
enum err peer_put_above(struct store_txn *, const struct above *);
enum err peer_put_upper(struct store_txn *, const struct above *);
enum err peer_put_programme(struct store_txn *, const struct programme *);

/*
 * peer_now_s: this machine's clock, but never behind the newest time that the store has seen: a
 * clock in 1970 goes on from there. peer_clock_behind: by how many seconds it is behind that.
 */
uint32_t peer_now_s(struct peer *);
uint32_t peer_clock_behind_s(struct peer *);
/* peer_saw_time: in a node's write jobs: META "clock" rises with the times that were given out. */
enum err peer_saw_time(struct store_txn *, uint32_t now_s);

/* Rows of the small tables: who is enrolled. Views live as those of store_get. */
enum member_state {
	MEMBER_PENDING = 0,
	MEMBER_APPROVED = 1,
	MEMBER_REVOKED = 2,
	/* of another office: known by a neighbour's word, so that its parcels can be verified. It
	   may not talk to us. */
	MEMBER_KNOWN = 3,
	MEMBER_KNOWN_REVOKED = 4
};
static inline bool
member_is_ours(enum member_state s)
{
	return s == MEMBER_PENDING || s == MEMBER_APPROVED || s == MEMBER_REVOKED;
}
struct member {
	struct enrolment enrolment;
	enum member_state state;
	uint32_t joined_s, last_seen_s;
	struct bytes signed_enrolment;     /* as it travels */
	char reason[REASON_BYTES_MAX + 1]; /* of the revocation */
};
enum err member_get(struct store_txn *, const struct principal_id *, struct member *out);
enum err member_put(struct store_txn *, const struct member *);
enum err member_read(struct bytes value, struct member *out);
/* member_walk: f for each of this office (valid during the call); anything but E_OK ends it. */
typedef enum err member_fn(void *arg, const struct member *);
enum err member_walk(struct store_txn *, member_fn *, void *arg);
/* member_find: by name (exact), or by the first 8 or more digits of the id. E_PRINCIPAL_UNKNOWN. */
enum err member_find(struct store_txn *, const char *name, struct member *out, struct why *);

#endif

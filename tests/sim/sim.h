/*
 * sim: many devices and one node in one process under one seed. No sockets, no files, no clock, no
 * threads. README.md says what is real here and what is a model.
 */
#ifndef BANYAN_TESTS_SIM_H
#define BANYAN_TESTS_SIM_H

#include "core/limits.h"
#include "core/record/merge.h"
#include "core/parcel/parcel.h"
#include "core/record/revision.h"
#include "sync/session.h"

#define DEVICES_MAX 24u /* with clones */
#define OTHERS_MAX 2u   /* nodes besides the one: behind the devices, device[DEVICES_MAX] on */
#define EPOCHS_SIM_MAX 64u
#define DAY_MS 86400000u
#define FIELDS 3 /* analytic fields of the model's form; as many identifying ones */
#define TRUE_TIME_S 1780000000u

/* ---- chance: everything is drawn from the seed ---- */

uint64_t draw(void);                 /* what the world does */
uint64_t draw_below(uint64_t limit); /* 0 .. limit - 1 */
bool chance(unsigned permille);
void draw_seed(uint64_t seed);
uint64_t draw_apart(uint64_t seed, uint64_t what); /* from neither stream */
void sim_random(void *out, size_t count);          /* what crypto_random gives: another stream */

/* ---- kinds of fault, switched by the seed ---- */

enum fault_kind {
#define X(code, ...) code,
#include "tests/sim/fault.def"
#undef X
	FAULT_COUNT
};
#define FAULT_ROADS FAULT_BUDGET
#define FAULT_LATER FAULT_ERASE
/* ---- bugs planted on purpose, to see that they are caught ---- */
enum bug {
	BUG_NONE,
#define X(name, ...) name,
#include "tests/sim/bug.def"
#undef X
	BUG_COUNT
};

/* ---- what lies on disks ---- */

struct entry { /* a parcel */
	struct log_id log;
	uint64_t number;
	struct parcel_hash hash;
	uint32_t received_s;
	bool fork, doomed;  /* doomed: an order to erase is about something in it */
	uint64_t seq;       /* where it stands in its store; of models 0 */
	struct bytes bytes; /* in the world's arena */
};
struct entries {
	struct entry *e;
	size_t n, cap;
};
void entries_add(struct entries *, const struct entry *);
/* entries_find: the first one of (log, number), or NULL. */
const struct entry *entries_find(const struct entries *, const struct log_id *, uint64_t number);
const struct entry *entries_find_hash(const struct entries *, const struct log_id *,
				      uint64_t number, const struct parcel_hash *);
/* entries_head: all of 1..number are there. */
struct session_head entries_head(const struct entries *, const struct log_id *);

struct row { /* a sealed slice in the outbox */
	bool urgent, has_record;
	char area[8];
	struct run_recipient to;
	uint8_t enc[EC_PUBLIC_BYTES];
	uint64_t epoch;
	uint32_t index;
	struct record_id record;
	struct bytes analytic, identifying;
	size_t count; /* of records that it begins; a world of models has one in each */
};

struct sim_own {
	struct record_id id;
	struct revision_id head;
	char area[8];
	bool is_void;
	uint32_t review;
};

struct cursor {
	uint64_t epoch, number;
	struct parcel_hash hash;
};

struct device_disk {
	uint64_t epoch;
	struct entries log; /* own parcels, and those that came down */
	struct row *outbox;
	size_t outbox_n, outbox_cap;
	struct sim_own *own;
	size_t own_n, own_cap;
	struct {
		uint64_t epoch, number, older;
	} acked[EPOCHS_SIM_MAX]; /* older: to be offered once more, up to */
	size_t acked_n;
	struct cursor cursor[2];
	uint64_t node_incarnation, safe;
};
void disk_copy(struct device_disk *to, const struct device_disk *from);
void disk_free(struct device_disk *);
uint64_t disk_acked(const struct device_disk *, uint64_t epoch);

struct principal { /* a member; clones share one */
	char name[32];
	struct principal_id id;
	struct ec_key sign, seal;
	char area[8];
	bool cloned;
	bool repacked; /* put back from a copy: what was delivered since may come once more */
	bool lies;     /* liar.c: what it says of itself, and what it has, is nobody's word */
	bool revoked;
	struct {
		uint64_t epoch, number;
	} revoked_logs[EPOCHS_SIM_MAX];
	size_t revoked_n;
	size_t
	    heard_at; /* what the second node held, and one, when it heard of that; 0: it has not */
	uint64_t forks_flagged;
};

/* Another node, which is a device to the one that invited it. */
enum other { OTHER_NONE, OTHER_TWIN, OTHER_BELOW };

struct conn;
struct real_device;
struct real_node;
struct real_conn;

struct device {
	struct real_device *real; /* of a world with real stores: real.h */
	struct world *world;
	size_t index;
	struct principal *who;
	enum other other;
	struct device_disk disk, old; /* old: what a copy or a backup of it holds */
	bool has_old;
	int64_t clock_error_s;
	uint64_t full_until_ms;
	bool crashed; /* the process: until it is started again */
	struct conn *conn;
	struct device *visits;    /* the second node, if that is where it goes; NULL: the first */
	struct principal_id home; /* the node whose logs its cursors are about; zeros: the first */
	uint64_t sessions, verified_sessions, last_verified_ms;
	uint64_t offered; /* of the run that is going on: link.c's */
	uint64_t acked, acked_epoch, safe_seen;
	bool memory_changed, again, forked, verified;
	struct {
		uint64_t epoch, upto, acked;
		bool forked;
	} older; /* upto 0: the present log's exchange */
	uint64_t healed_sessions, healed_bytes;
	bool settled; /* verified with nothing waiting, after the heal */
};

/* A revision that somebody finished: what must be at the node in the end. */
struct truth {
	struct record_id record;
	struct revision_id id;
	struct principal *author;
	uint8_t kind;
	struct revision_id parent;
	bool has_parent;
	uint32_t claimed_s;
	struct merge_field fields[2 * FIELDS];
	size_t field_count;
	struct bytes sealed; /* its analytic slice: what to look for on disks */
	struct bytes sealed_identifying;
	bool below;   /* finished at the office below: its identifying parts stay there */
	bool wild;    /* about an area outside its author's scope */
	bool excused; /* went down with the only disk that had it */
	bool ordered; /* somebody ordered to erase its record: it may be gone from now on */
	bool erased; /* and that order is kept beside a store: it must be gone wherever the order is
			known */
	bool again;  /* it shared its slice with such a record: the office says it again, in another
			slice */
	bool said;   /* that was done already in what the node was put back from last */
	bool shared; /* its slice began several records */
};

struct derived { /* a revision as the node opened it */
	struct record_id record;
	struct merge_revision m;
	struct revision_id parents[PARENTS_MAX];
	struct merge_field fields[2 * FIELDS];
};

struct down_row { /* what the node said, to publish again after a restore */
	struct bytes body;
	uint64_t order;
};

struct node_disk {
	uint64_t incarnation, epoch;
	struct entries arrivals, down;
	struct down_row *forms;
	size_t forms_n, forms_cap;
	struct derived *derived;
	size_t derived_n, derived_cap;
	size_t opened, quarantined;
	size_t safe; /* arrivals in a second copy */
};

struct job {               /* waits for the node's next commit */
	struct conn *conn; /* NULL: gone */
	struct entry entry;
	struct principal *who;
	bool settled_early, forked;
	enum err e;
};

struct node {
	struct node_disk disk;
	bool up;
	struct principal_id id;
	struct ec_key sign, seal;
	struct job *jobs;
	size_t jobs_n, jobs_cap;
	uint64_t full_until_ms, newest_s;
	int64_t clock_error_s;
	bool has_backup;
	struct {
		size_t arrivals, down, forms;
	} backup;
	bool much_older;  /* was once put back from before the last two backups */
	bool rolled_back; /* put back without a new incarnation: its own log has a twin */
	uint64_t restores;
	struct real_node *real;
};

/* One meeting of a device and the node. */
struct conn {
	struct world *world;
	struct device *device, *at; /* at: the second node's; NULL: the first one's */
	struct session *up, *down;  /* the device's end; the node's */
	struct writer to_node, to_device;
	size_t to_node_taken, to_device_taken;
	uint64_t cut_after, bytes, opened_ms, last_moved_ms;
	struct writer parcel_d, parcel_n;
	uint64_t epoch, number; /* serve_session's: the parcel that came just before */
	struct parcel_hash hash;
	bool finished, dead, greeted;
	struct writer honest; /* of a liar: what its session said, before liar_speaks */
	size_t honest_taken;
	uint64_t lied_epoch;
	uint64_t slow_ms, budget; /* budget: bytes that it may cost; or 0 */
	/* what the node had when it computed its last word, for the check of "verified" */
	struct session_heads said;
	bool has_said;
	struct real_conn *real;
};

struct event {
	uint64_t at_ms, order;
	int kind;
	size_t index;
	struct conn *conn;
};

/*
 * What a world's peers are: a model of tools/node over lists in memory (mode_model), or tools/node
 * itself over its stores (mode_real), which are then mirrored in the same lists for the checks.
 */
struct mode {
	const char *name;
	bool roads;                    /* it has the kinds of fault from FAULT_ROADS on */
	void (*begin)(struct world *); /* the node */
	void (*end)(struct world *);
	void (*look)(struct world *); /* the lists, whole, before the last checks */
	void (*device_begin)(struct device *);
	void (*device_clone)(struct device *to, struct device *from);
	void (*device_copy)(struct device *); /* what an older backup of it holds */
	void (*device_restore)(struct device *);
	void (*device_work)(struct device *);
	void (*device_sync)(struct device *);
	void (*device_event)(struct conn *, const struct session_event *);
	void (*device_left)(struct conn *, bool finished); /* its link is gone */
	struct session_source (*device_source)(struct conn *);
	/* E_OK, or with what a newcomer is refused. */
	enum err (*node_admit)(struct conn *, struct session_config *, char thing[240]);
	void (*node_event)(struct conn *, const struct session_event *);
	void (*node_left)(struct conn *);
	void (*node_commit)(struct world *);
	void (*node_open)(struct world *);
	void (*node_say)(struct world *);
	void (*node_stop)(struct world *); /* its process is gone */
	void (*node_start)(struct world *);
	void (*node_backup)(struct world *);
	void (*node_restore)(struct world *, bool new_incarnation);
	void (*node_revoke)(struct world *, struct principal *);
	/* With roads: which there are is known; something happens on one of them; is everybody in
	 * step, after the faults? */
	void (*roads_begin)(struct world *);
	void (*door_commit)(struct device *); /* another node's turn, for those who visit it */
	void (*door_open)(struct device *);
	void (*roads_step)(struct world *);
	void (*office_acts)(struct world *, enum fault_kind);
	bool (*roads_agreed)(struct world *);
};
extern const struct mode mode_model, mode_real, mode_roads;

struct world {
	const struct mode *mode;
	uint64_t seed, days, now_ms, event_order, liar_state;
	bool on[FAULT_COUNT], verbose, quiet, healed;
	enum bug bug;
	struct arena arena;
	struct programme_id programme;
	struct device device[DEVICES_MAX + OTHERS_MAX];
	size_t device_n, devices_max;
	struct principal principal[DEVICES_MAX];
	size_t principal_n;
	struct principal other_node[OTHERS_MAX], other_officer[OTHERS_MAX];
	size_t other_n;
	struct node node;
	struct truth *truth;
	size_t truth_n, truth_cap, orders; /* orders to erase, that were given */
	struct event *events;
	size_t events_n, events_cap;
	struct conn *dying; /* at most one at a time */
	bool failed;
	char failure[400];
	uint64_t counts_sessions, counts_verified, counts_parcels, counts_crashes, counts_forks,
	    counts_cuts, counts_lies, counts_bytes, counts_sticks, counts_meetings, counts_carried;
};

/* What of a seed runs: all of it, or less, to find out what of it fails. */
struct world_plan {
	const struct mode *mode;
	uint64_t seed, days;
	size_t devices_max; /* 0: as the seed has it */
	uint32_t without;   /* kinds of fault that stay away: bits */
	enum bug bug;
	bool verbose;
};

/* world_run: one seed from beginning to end. False: a check failed, world->failure says which. */
bool world_run(struct world *, const struct world_plan *);
void world_free(struct world *);
/* sim_fail: the first one counts. */
void sim_fail(struct world *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sim_say(struct world *, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct bytes world_keep(struct world *, struct bytes);
void *grow(void *array, size_t n, size_t *cap, size_t each);

enum event_kind {
	EVENT_WORK,
	EVENT_SYNC,
	EVENT_CONN,
	EVENT_COMMIT,
	EVENT_OPEN,
	EVENT_SAY,
	EVENT_NODE_UP,
	EVENT_BACKUP,
	EVENT_DISASTER,
	EVENT_ROAD
};
void world_at(struct world *, uint64_t delay_ms, enum event_kind, size_t index, struct conn *);

/* ---- disaster.c ---- */
/* The kinds that this seed has, less those of `without` (bits), and when they strike. */
void world_switch_faults(struct world *, uint32_t without);
void world_disaster(struct world *, enum fault_kind);
const char *fault_name(enum fault_kind);
const char *fault_words(enum fault_kind);

/* ---- records.c: making, opening, what must be true of them ---- */
void device_work(struct device *);
void row_leaf(const struct row *, uint8_t leaf[HASH_BYTES]);
struct bytes value_of(struct world *, struct device *, bool identifying);
enum err node_open_entry(struct world *, const struct entry *);
enum err node_review(struct world *, struct principal *, const struct record_id *);

/* ---- device.c ---- */
void device_init(struct device *, struct world *, struct principal *);
/* A durable step: E_OK go on and change the disk, then device_durable; or E_STORE_FULL; or a crash.
 */
enum err device_durable_begin(struct device *);
enum err device_durable_end(struct device *);
void device_sync(struct device *);
/* device_pack.c */
enum err device_gather(struct device *);
void device_unpack(struct device *, uint64_t epoch, uint64_t from, uint64_t upto);
void device_unpack_past(struct device *, uint64_t number);
void device_number_again(struct device *); /* a planted bug */
void device_event(struct conn *, const struct session_event *);
uint32_t device_now_s(const struct device *);
void device_new_epoch(struct device *, uint64_t number);
struct session_source device_source(struct conn *);
void device_remember(struct device *);
/* device_older.c: tools/node/link/link_older.c once more. */
void device_older_note(struct device *);
bool device_older_begin(struct conn *);
bool device_older_end(struct device *, enum err);
/* Put back from an older copy by `banyan restore`: a new log begins. */
void device_restore(struct device *);
void device_clone(struct device *to, struct device *from);
void device_copy(struct device *);
void device_left(struct conn *, bool finished);

/* ---- node.c ---- */
void node_init(struct world *);
uint32_t node_now_s(struct world *);
/* A step that is durable at once. False: the node is down now, or its disk is full; nothing
 * happened. */
bool node_durable_begin(struct world *);
void node_durable_end(struct world *);
void node_event(struct conn *, const struct session_event *);
struct session_source node_source(struct conn *);
enum err node_admit(struct conn *, struct session_config *, char thing[240]);
void node_stop(struct world *);
void node_left(struct conn *);
void node_commit(struct world *);
void node_open(struct world *);
void node_crash(struct world *, const char *why);
void node_start(struct world *);
void node_say(struct world *); /* a new form for everyone */
void node_backup(struct world *);
void node_restore(struct world *, bool new_incarnation);
void node_revoke(struct world *, struct principal *);
enum err node_publish(struct world *, struct log_id, const struct parcel_item *);
uint64_t node_inbox_epoch(struct world *, const struct principal *);

/* ---- liar.c ---- */
/* liar_choose: in so many seeds of a thousand, one principal lies from now on. */
void liar_choose(struct world *, unsigned permille);
/* liar_speaks: what its session had to say goes onto the link, more or less. */
void liar_speaks(struct conn *);
/* liar_robbed: whose the slice is that a liar gives as its own; `author` if that is no liar. For a
 * planted bug. */
const struct principal_id *
liar_robbed(const struct world *, const struct principal_id *author, const uint8_t *enc);

/* ---- conn.c ---- */
void conn_open(struct device *);
void conn_step(struct conn *);
void conn_kill(struct conn *, const char *why);
void conn_reap(struct world *);

/* ---- check.c ---- */
/* After each commit of the node: what was acknowledged is there still. */
void check_acked(struct world *, struct principal *);
void derived_link(struct world *);
/* After a restore: what the node lost of what it acknowledged is still on a device. `officer`, or
 * NULL: who worked there alone. */
void check_after_restore(struct world *, const struct principal *officer);
void check_ack(struct conn *, uint64_t epoch, uint64_t number);
void check_cursors(struct device *);
void check_down(struct conn *, const struct session_event *);
void check_verified(struct conn *);
/* After any road: what this device takes for acknowledged is durable at the office. */
void check_receipts(struct device *);
/* Of a liar: it may give others' slices as its own, which nobody opens. */
bool check_is_liars(const struct world *, const struct log_id *);
/* Is this sealed slice in one of the parcels? */
bool check_holds(const struct entries *, struct bytes sealed);
/* whole: with its identifying fields; else without any. */
bool check_same_revision(const struct derived *, const struct truth *, bool whole);
void check_budget(struct conn *);
void check_end(struct world *);
bool check_on_other_disk(const struct world *, const struct truth *);
/* A device's disk is gone: what only it had is nobody's fault. */
void check_device_loss(struct world *);

#endif

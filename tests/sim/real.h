/*
 * real: a world whose peers are tools/node itself: enrolment, outbox, gather, link, serve, opener,
 * down, over LMDB stores in one directory (a RAM file system where there is one), driven by the
 * world's events. What their stores hold is mirrored into the lists that the checks read.
 */
#ifndef BANYAN_TESTS_SIM_REAL_H
#define BANYAN_TESTS_SIM_REAL_H

#include "core/principals/invite.h"
#include "tests/sim/sim.h"
#include "tools/node/link/link_inside.h"
#include "tools/node/serve/serve_inside.h"

#define REAL_PATH_MAX 256u
#define REAL_FORM "N"
#define REAL_ADDRESS "127.0.0.1:1" /* of the node, as invitations name it */

struct real_device {
	struct real_node *door; /* of a second node: its daemon */
	char path[REAL_PATH_MAX],
	    old[REAL_PATH_MAX]; /* the store; a backup of it (or, for a planted bug, a copy) */
	struct peer *peer;      /* NULL: no process has it open */
	struct invite invite;
	struct link link; /* of the run that is going on */
	struct link_result result;
	struct why why;
	bool linked, dirty; /* dirty: a commit since it was mirrored */
	bool restored;      /* a second node that was put back */
	uint64_t seen_seq;
};

struct real_aside {
	void (*run)(void *), (*done)(void *);
	void *arg;
};

struct real_node {
	struct serve serve; /* first: the host's functions are given it */
	struct world *world;
	char dir[REAL_PATH_MAX], path[REAL_PATH_MAX], backup[REAL_PATH_MAX],
	    snapshot[REAL_PATH_MAX];
	struct device *
	    other; /* of the second node: what its own store is to the world; NULL: the first one */
	struct peer *peer; /* NULL: down */
	bool crashing; /* a commit stopped the machine: the process ends when its call returns */
	bool commit_due, committing, put_back;
	struct real_aside asides[8];
	size_t aside_n;
	uint64_t seen_seq, devices;
	struct bytes areas;
	unsigned forms;
	struct ec_key root, recovery; /* as the officer keeps them beside the store */
	uint32_t keys;                /* that the office has had */
	char older[REAL_PATH_MAX];    /* the backup before the newest one */
	char oldest[REAL_PATH_MAX];   /* the one before that */
	bool has_older, has_oldest;
	struct real_stick *sticks; /* on their way */
	size_t stick_n, stick_cap;
};

struct real_conn {
	struct serve_conn *serve;     /* NULL: refused at the door, or gone */
	struct session_source source; /* as the node reads; what it says last is noted */
};

/* real_disk.c: directories, and what becomes of a commit. real_act: whose clock, and whose commits,
 * from here on. */
void real_dir(struct world *);
void real_dir_end(struct world *);
void real_act(struct world *, struct device *);
void real_calm(int more); /* commits go well while the sum is above 0 */
/* Its disk was full, or its machine stopped: it may say so. d NULL: the first node. */
bool real_excusable(struct world *, struct device *d, enum err);
void real_remove(const char *path);
void real_copy(struct world *, const char *from, const char *to);
struct unlock real_unlock(void);

/* real_bugs.c: the bug that is planted here, from now on; NULL: none. */
void real_bugs(struct world *);
bool real_planted(enum bug);
/* A device takes what came by a stick or relay. real_bug_given: what it handed over counts. */
extern bool real_on_road;
void real_bug_given(struct device *);

/* real_mirror.c */
void mirror_device(struct device *);
void mirror_node(struct world *, struct store *);
void mirror_node_forget(struct world *);
/* All that the node derived; and what it stored of each record is what its revisions come to. */
void mirror_derived(struct world *);
void mirror_derived_of(struct world *, struct peer *, struct node_disk *out);

/* real_device.c. real_open: a process opens the store. False: it stopped again, or its disk is
 * full. */
bool real_open(struct device *);
/* After each call into a device's code: mirror what became durable; end the process if its machine
 * stopped. */
void real_after(struct device *);
void real_close(struct device *);
/* real_twin.c. real_twin: NULL: there is none. */
struct device *real_twin(struct world *);
void real_twin_restore(struct world *);
void real_device_begin(struct device *);
void real_device_clone(struct device *to, struct device *from);
void real_device_copy(struct device *);
void real_device_restore(struct device *);
void real_device_sync(struct device *);
void real_device_event(struct conn *, const struct session_event *);
void real_device_left(struct conn *, bool finished);
struct session_source real_device_source(struct conn *);
void real_device_end(struct device *);

/* real_other.c: the twin and the office below. real_other_ready: it may sync now. */
void real_others_begin(struct world *);
bool real_other_ready(struct device *);
struct device *real_below(struct world *); /* NULL: there is none, or it has not joined */
void real_other_work(struct device *);
bool real_roads_agreed(struct world *);
/* In the end: what must be there, is. */
void real_others_check(struct world *);

/* real_door.c: the second node's daemon, for devices that visit it. Opened while its store is;
 * NULL: it cannot be visited now. */
struct real_node *real_door_open(struct device *);
void real_door_close(struct device *); /* before its store closes; whoever is there is cut */
void real_door_crash(struct device *);
void real_door_after(struct device *); /* after each call into its code */
void real_door_end(struct device *);
void real_door_commit(struct device *);
void real_door_turn(struct device *);
/* Which node this device goes to now. False: it is not there. */
bool real_device_goes(struct device *);

/*
 * real_erase.c. real_erase_said: a node is put back: what was said again in the backup, and beside
 * it. real_erase: an officer erases a record. real_settle: what the daemon and each command do:
 * what is due goes. real_erase_look: after each mirroring: who obeyed an order has nothing of the
 * record. d NULL: the first node.
 */
void real_erase_said(struct world *, struct store *, struct store *beside);
void real_erase(struct world *);
void real_settle(struct world *, struct device *d);
enum err real_obey(const char *path, const struct unlock *,
		   struct why *); /* as `banyan restore`: the orders beside it */
bool real_erase_doomed(const struct world *, const struct entry *);
void real_erase_finished(struct world *, struct truth *);
enum err real_erase_look(struct world *, struct device *d, struct store_txn *);
/* In the end everybody has heard of each order. fail: who has not fails the seed. */
bool real_erase_agreed(struct world *, bool fail);

/* real_keys.c. real_keys_again: after a restore, the keys that the office has had since the backup.
 */
void real_rotate(struct world *);
void real_keys_again(struct world *);

/* real_stick.c: envelopes that lie on a stick: packed by somebody, taken by somebody else. */
void real_stick_step(struct world *);
void real_sticks_end(struct world *);

/* real_relay.c: two devices meet; one who carries meets the node. */
void real_relay_step(struct world *);

/* real_roads.c */
void real_roads_end(struct world *);

/* real_work.c */
void real_work(struct device *);

/* real_node.c, real_office.c */
void real_node_begin(struct world *);
void real_node_end(struct world *);
void real_node_stop(struct world *);
void real_node_start(struct world *);
/* After each call into the node's code. */
void real_node_after(struct world *);
extern const struct serve_host real_host;
/* A turn of a node's loop: what waits for a commit, in one. Its own checks are the caller's. */
void real_node_turn(struct real_node *);
/* Its process ends: jobs that wait fail, and nobody hears of them. */
void real_node_leave(struct real_node *);
enum err real_node_admit(struct conn *, struct session_config *, char thing[240]);
void real_node_event(struct conn *, const struct session_event *);
void real_node_left(struct conn *);
void real_node_commit(struct world *);
void real_node_open(struct world *);
bool real_office_begin(struct world *);
void real_office_say(struct world *);
void real_office_backup(struct world *);
void real_office_restore(struct world *, bool new_incarnation);
void real_office_revoke(struct world *, struct principal *);
void real_office_again(struct world *);
void real_office_review(struct world *);

#endif

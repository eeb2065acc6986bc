/* down_row: the FORM rows, shared by the node that says and the device that takes. */
#ifndef BANYAN_TOOLS_NODE_DOWN_DOWN_ROW_H
#define BANYAN_TOOLS_NODE_DOWN_DOWN_ROW_H

#include "tools/node/down/down.h"

/* form_key_of: the key of a bundle that was not compiled yet: first 4 bytes of its SHA-256. */
struct form_key form_key_of(struct bytes bundle);
/* Rows [1, order, languages, bundle]. down_read_form: views into the value; E_VERSION, E_PACK_*. */
struct form_row {
	uint64_t order;
	char languages[128];
	struct bytes bundle;
};
enum err down_read_form(struct bytes value, struct form_row *out);
enum err down_put_form(struct store_txn *, struct form_key, uint64_t order, const char *languages,
		       struct bytes bundle);
/* down_put_languages: the accepted draft languages of all versions of a form. */
enum err
down_put_languages(struct store_txn *, struct peer *, const char *form_id, const char *languages);
/* META "down broadcast" (0) and "down inbox" (1): zeros if the row is not there. E_STORE_DAMAGED.
 */
enum err down_cursor_get(struct store_txn *, int which, struct down_cursor *out);
enum err down_cursor_put(struct store_txn *, int which, const struct down_cursor *);
/* The same by their names: of a node that this store does not speak with just now (twins.h). */
enum err down_cursor_named(struct store_txn *, const char *name, struct down_cursor *out);
enum err down_cursor_put_named(struct store_txn *, const char *name, const struct down_cursor *);
/*
 * down_spare.c. down_fill: put the bodies of control items that were left out of a parcel of the
 * node into it, from what it said before; into the arena. E_ABSENT: one is not here.
 * down_knows_older: has another log of the node, or of one that it follows, more than `now` has
 * come to? down_may_spare: at the node: may the bodies of this parcel of the broadcast be there
 * from an earlier life?
 */
struct parcel;
bool down_may_spare(struct bytes parcel);
enum err down_fill(struct peer *, struct parcel *, struct arena *);
enum err down_knows_older(struct store_txn *, const struct principal_id *node,
			  const struct down_cursor *now, bool *out);
/*
 * down_again.c. Arrivals may be here already that were set aside for a word that was not: of
 * another node's devices, or of a node that was put back. down_open_again: in a job, by
 * DOWN_NEWS_*; down_open_again_now: once the opener knows the word too.
 */
#define DOWN_NEWS_FORM 1u
#define DOWN_NEWS_DICTIONARY 2u
#define DOWN_NEWS_KEY 4u
enum err down_open_again(struct store_txn *, unsigned news);
enum err down_open_again_now(struct peer *, unsigned news, struct why *);
/*
 * down_on.c, in jobs at a node that takes an item for everyone from the one above. down_on_read: is
 * it here, and said on, already? A form gets the place in order that it has here: *body may be
 * another one then, in the arena. down_on_say: say it on to this node's devices.
 */
enum err
down_on_read(struct peer *, struct store_txn *, struct bytes *body, struct arena *, bool *here);
enum err down_on_say(struct peer *, struct store_txn *, struct bytes body);
/* In a job at the node: publish an office or revocation. */
enum err
down_publish_statement(struct peer *, struct store_txn *, enum down_kind, struct bytes statement);

#endif

/*
 * libbanyan: a Banyan device inside another program: open its store, take finished questionnaires,
 * meet the node. Link with what `pkg-config --libs banyan` prints.
 *
 * A store is made with `banyan join`. One process owns a store; a handle may be used from one
 * thread at a time. Functions return 0 or a status of sysexits.h (65 the answers are refused, 75
 * try again, 76 protocol, 77 shut out or wrong passphrase); banyan_message then has the sentence
 * for a person, until the next call on the handle.
 */
#ifndef BANYAN_H
#define BANYAN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BANYAN_RECORD_BYTES 33 /* 32 hexadecimal digits and a zero */

struct banyan; /* an open store */

struct banyan_synced {
	uint64_t records_sent, records_waiting, parcels_received, bytes_sent, bytes_received;
	int verified; /* both sides agree */
};

/* Open the store in a folder. On failure *out is still a handle for banyan_message (or NULL: no
 * memory); close it. */
int banyan_open(struct banyan **out, const char *store, const char *passphrase,
		size_t passphrase_bytes);
/* Open it with the bytes of a key file instead. */
int banyan_open_key(struct banyan **out, const char *store, const void *key, size_t key_bytes);
void banyan_close(struct banyan *); /* NULL is harmless */

/*
 * Take one finished questionnaire: a JSON object {"group/field": value}, checked by the form.
 * `area` NULL: the device's own. On 0 it is sealed and durable, and `record` is its id.
 */
int banyan_submit(struct banyan *, const char *form, const char *area, const char *json,
		  size_t json_bytes, char record[BANYAN_RECORD_BYTES]);
/* Meet the node once. What it acknowledged is on its disk; the rest stays here. */
int banyan_sync(struct banyan *, struct banyan_synced *);

/* What went wrong last, and what to do, as a sentence; "" after a success. */
const char *banyan_message(const struct banyan *);

#ifdef __cplusplus
}
#endif

#endif

/*
 * form_train: a form version's dictionary for analytic payloads, learned from generated answers.
 * Nothing in it comes from a record: of real answers only how often each choice of a field of class
 * O or Q was chosen is taken (core/SECURITY.md).
 */
#ifndef BANYAN_SCHEMAS_FORM_TRAIN_H
#define BANYAN_SCHEMAS_FORM_TRAIN_H

#include "schemas/form.h"

#define TRAIN_SAMPLES_DEFAULT 2000u
#define TRAIN_SAMPLES_MAX 20000u
#define DICTIONARY_BYTES_DEFAULT 1024u /* measured: FORMATS.md "Dictionaries" */

/* How often each choice was chosen: counts[field][choice], or NULL. form_counts_free(NULL) is
 * harmless. */
struct form_counts;
enum err form_counts_new(struct form_counts **, const struct form *);
void form_counts_free(struct form_counts *);
/* form_counts_take: count one record's choices; those of class D and S, and what is no choice of a
 * list, are passed over. */
void form_counts_take(struct form_counts *, const struct field_value *values, size_t count);

/*
 * form_sample: append the analytic payload (a CREATE of FORMATS.md "Revisions") of answers made by
 * dice; the same seed gives the same bytes. `identifying` true: the other payload, for measuring.
 * now_s: records are dated in the half year from it. E_ABSENT: the dice found no answers that hold.
 */
enum err form_sample(const struct form *, const struct form_counts *, uint64_t seed, uint32_t now_s,
		     bool identifying, struct writer *);
/* form_train: append a dictionary of at most max_bytes. E_ABSENT as above, E_SQUEEZE: there is
 * nothing to learn. */
enum err form_train(const struct form *, const struct form_counts *, size_t samples, uint64_t seed,
		    uint32_t now_s, size_t max_bytes, struct writer *out);

#endif

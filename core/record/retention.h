/*
 * retention: for how many days a programme keeps what, by what goes (what identifies, or the whole
 * record) and if wanted by form. FORMATS.md "Retention".
 */
#ifndef BANYAN_CORE_RECORD_RETENTION_H
#define BANYAN_CORE_RECORD_RETENTION_H

#include "core/record/erasure.h"

struct retention_rule {
	enum erasure_parts parts;
	char form[RETENTION_FORM_BYTES_MAX +
		  1]; /* a form's id; "": every form that has no rule of its own */
	uint32_t days;
};

struct retention {
	struct retention_rule rules[RETENTION_RULES_MAX]; /* by rising parts, then form */
	size_t count;
};

/* retention_write: append the rules. E_LIMIT: one out of its bounds, or out of order. */
enum err retention_write(const struct retention *, struct writer *out);
/* retention_read: E_PACK_*, E_VERSION, E_LIMIT; *out has no rule then. */
enum err retention_read(struct bytes, struct retention *out);
/* retention_set: the rule for these parts and this form ("") is so many days; 0: there is none.
 * E_LIMIT. */
enum err retention_set(struct retention *, enum erasure_parts, const char *form, uint32_t days);
/* retention_days: the period for a form's records, by its own rule or the one of every form; 0:
 * they are kept. */
uint32_t retention_days(const struct retention *, enum erasure_parts, const char *form);

#endif

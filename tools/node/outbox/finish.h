/*
 * finish: a finished questionnaire becomes a record: who may, for which area, sealed and durable;
 * at a node it is opened at once. For `fill`, `submit` and whoever embeds a device.
 */
#ifndef BANYAN_TOOLS_NODE_OUTBOX_FINISH_H
#define BANYAN_TOOLS_NODE_OUTBOX_FINISH_H

#include "schemas/answers.h"
#include "tools/node/records/local.h"
#include "tools/node/outbox/outbox.h"

/* Who enters what, where: found once a run. */
struct finishing {
	struct peer *peer;
	struct identity *author;
	struct form_entry *form;
	char area[AREA_CODE_BYTES_MAX + 1];
	struct sealer sealer;
	struct local local; /* the form's local lists, as they stood at the beginning */
	struct why behind;  /* what followed upon the records last kept: E_OK, or what the next
			       command makes up for */
};

/*
 * finish_begin: `author` enters `form_id` for `area` (NULL: its own). E_NOT_HERE when author is
 * NULL (it works at another store), E_FORM_UNKNOWN, E_AREA_UNKNOWN, E_SCOPE, E_FORBIDDEN.
 * finish_end wipes the run's key.
 */
enum err finish_begin(struct finishing *, struct peer *, struct identity *author,
		      const char *form_id, const char *area, struct why *);
void finish_end(struct finishing *);

/* The evaluator's inputs on this machine: clock, zone, a fresh seed, and who and where. */
struct answer_env finish_env(const struct finishing *, size_t lang);

/* finish_refresh: read the local lists again, after records were kept. Env made before points to
 * what is gone. */
enum err finish_refresh(struct finishing *, struct why *);

/*
 * finish_records: seal and keep them, all or none; ids are set. At most SLICE_REVISIONS_MAX. At a
 * node they are opened, too; when that fails the records are kept all the same, and `behind` has
 * why.
 */
enum err finish_records(struct finishing *, struct finished *, size_t count, struct why *);

/* finish_urgent: does the form call these answers urgent? FORMS.md "Urgent records". */
bool finish_urgent(const struct form *, const struct field_value *, size_t count);

#endif

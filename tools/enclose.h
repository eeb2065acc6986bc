/*
 * enclose: the files that a record's answers name are read and sealed at once, and the answers
 * become references to them (core/record/attach.h). schemas/FORMS.md "Attachments".
 */
#ifndef BANYAN_TOOLS_ENCLOSE_H
#define BANYAN_TOOLS_ENCLOSE_H

#include "tools/call/call.h"
#include "tools/node/outbox/outbox.h"

struct enclosed {
	struct attached_new files[ATTACH_RECORD_MAX];
	size_t count;
};

/*
 * enclose: for each answered media question of `values`, whose paths are relative to the folder of
 * `beside` (NULL: this one); references are allocated in `arena`. *field is the question that an
 * error is about: E_ANSWER_CONSTRAINT with the the sentence in *why. enclose_free also after an
 * error.
 */
enum err
enclose(struct call *, const struct form *, const char *beside, struct field_value *values,
	size_t count, struct arena *, struct enclosed *, const char **field, struct why *why);
void enclose_free(struct enclosed *);

#endif

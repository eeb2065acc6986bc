/*
 * columns: a form laid out as sheets for `banyan export`: one for the form, one for each repeat. A
 * column a field in form order; fields that only older versions have come after them.
 */
#ifndef BANYAN_TOOLS_EXTRACT_COLUMNS_H
#define BANYAN_TOOLS_EXTRACT_COLUMNS_H

#include "tools/node/records/view.h"

struct column {
	const char *path;     /* from the sheet's own repeat, or the root */
	struct field_key key; /* of the outermost unit, in the form's sheet */
	bool text;            /* what a person typed: guarded (sheet_text) */
	bool identifying;
};

struct sheet {
	const char *repeat;        /* path; "": the form's own */
	struct field_key unit;     /* the outermost repeat that its rows are in */
	const struct sheet *outer; /* of a nested repeat */
	const char *in_row;        /* nested: its path within a row of `outer` */
	struct column *columns;
	size_t column_count;
};

struct columns {
	struct arena arena;
	struct sheet *sheets; /* the form's own first */
	size_t sheet_count;
};

/* columns_of: of all versions of a form; class D only if `identifying`. Free with columns_free. */
enum err
columns_of(struct columns *, struct peer *, const char *form_id, bool identifying, struct why *);
void columns_free(struct columns *);
void columns_header(const struct sheet *, struct writer *);
/* columns_write: what a record has for this sheet: one line, or one a row of its repeat; *rows
 * counts them. */
enum err columns_write(const struct sheet *, const struct view_record *, const struct record_row *,
		       struct writer *, uint64_t *rows);

#endif

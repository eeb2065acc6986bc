/*
 * areas_table: the programme's tree of areas as authored (a CSV) and as it travels (MessagePack).
 *
 * The CSV has a header line with the columns code, parent, level and name, in any order, and
 * optional columns with the name in other languages: `name:km` or `name::km`. Other columns are
 * ignored. `parent` is the code of another row, anywhere in the file, or empty for a root: it is
 * never guessed from the code, for codes do not always nest by prefix.
 *
 * Compiled, canonical: [1, [[code str, parent uint, level str, name str, [[lang str, name str]
 * ...]] ...]] with rows in file order, parent = index of the parent's row + 1, 0 for a root;
 * languages in column order, names that are empty left out.
 */
#ifndef BANYAN_SCHEMAS_AREAS_TABLE_H
#define BANYAN_SCHEMAS_AREAS_TABLE_H

#include "core/bytes.h"
#include "core/limits.h"

struct areas_name {
	const char *lang, *name;
};

struct areas_row {
	const char *code;
	size_t parent; /* index of the parent's row + 1; 0: a root */
	const char *level, *name;
	const struct areas_name *names;
	size_t name_count;
	unsigned line; /* of the CSV; 0 when it came compiled */
};

struct areas_table {
	struct areas_row *rows;
	size_t count;
};

/*
 * areas_table_parse: a CSV, checked; rows and strings live in `arena` (give it 16 times the text's
 * size). E_AREA_TABLE names the line: a column missing or twice, no rows, a code empty, twice, too
 * long or with spaces, a parent that is not in the table, an area that is its own ancestor or too
 * deep, a level or name empty, too long or with a control character (devices refuse it), too many
 * rows. E_CSV for text that is no CSV, E_NO_MEMORY.
 */
enum err areas_table_parse(struct bytes csv, struct arena *, struct areas_table *out, struct why *);
/* areas_table_csv: append it as CSV with LF line ends; areas_table_parse gives the same rows back.
 */
enum err areas_table_csv(const struct areas_table *, struct writer *);
/* areas_table_pack: append it compiled. The table must have come from parse or unpack. */
enum err areas_table_pack(const struct areas_table *, struct writer *);
/* areas_table_unpack: the reverse, with the same checks; E_PACK_*, E_VERSION, E_AREA_TABLE. */
enum err
areas_table_unpack(struct bytes packed, struct arena *, struct areas_table *out, struct why *);
/* areas_table_find: the row of a code; SIZE_MAX if there is none. It looks at every row. */
size_t areas_table_find(const struct areas_table *, const char *code);

#endif

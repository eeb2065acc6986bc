/*
 * area: the compiled table of the programme's areas, ready for questions: which area has this code,
 * is this area within that one, what lies below. FORMATS.md section "Area tables". A table is read
 * only once made, so any thread may ask.
 */
#ifndef BANYAN_CORE_PRINCIPALS_AREA_H
#define BANYAN_CORE_PRINCIPALS_AREA_H

#include "core/bytes.h"
#include "core/limits.h"

#define AREA_NONE UINT32_MAX

struct area_name {
	const char *lang, *name;
};

/* A row; strings are the table's. Indices are rows in the order of the file. */
struct area {
	const char *code, *level, *name;
	uint32_t parent, first_child, next_sibling; /* AREA_NONE: none */
	uint32_t depth;                             /* 0: a root */
	uint32_t enter, leave; /* place in a walk from the roots: everything below has enter <= its
				  enter < leave */
	const struct area_name *names;
	uint32_t name_count;
};

struct area_table;

/*
 * area_table_read: copies what it needs from `packed`. E_PACK_*, E_VERSION; E_AREA_TABLE names the
 * row and what is wrong: a code empty, too long or twice, an unknown parent, a circle, too deep,
 * too many, none. Free with area_table_free (NULL is harmless).
 */
enum err area_table_read(struct area_table **out, struct bytes packed, struct why *);
void area_table_free(struct area_table *);

uint32_t area_count(const struct area_table *);
/* area_at: index < area_count */
const struct area *area_at(const struct area_table *, uint32_t index);
/* area_find: index of a code, AREA_NONE if there is none. Constant time whatever the table's size.
 */
uint32_t area_find(const struct area_table *, const char *code);
/* area_is_within: is `code` the area `ancestor` or below it? False if either is unknown. */
bool area_is_within(const struct area_table *, const char *ancestor, const char *code);
bool area_index_within(const struct area_table *, uint32_t ancestor, uint32_t index);
/* area_name_in: the name in a language, or its plain name where the table has none. */
const char *area_name_in(const struct area_table *, uint32_t index, const char *lang);

#endif

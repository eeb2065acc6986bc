/*
 * query: what `banyan extract` was asked, read and checked: which dimensions a table has, their
 * codes, the field that is summed, the period and the least cell. README.md, "A query".
 */
#ifndef BANYAN_TOOLS_EXTRACT_QUERY_H
#define BANYAN_TOOLS_EXTRACT_QUERY_H

#include "tools/extract/cube.h"
#include "tools/node/peer.h"

#define QUERY_TEXT_BYTES_MAX 2048u
#define CODE_TOTAL "__total__"
#define CODE_NONE "__none__"

enum dimension_kind {
	DIMENSION_AREA,  /* areas at every level */
	DIMENSION_LEVEL, /* areas of one level; records below are rolled up */
	DIMENSION_MONTH,
	DIMENSION_YEAR,
	DIMENSION_CHOICE
};

/* A field of the form, as records hold it. */
struct query_field {
	const char *path;
	enum question type;
	struct field_key unit; /* the field's own key, or its repeat's */
	bool in_repeat;
	const char *in_row; /* in_repeat: its path within a row */
};

struct dimension {
	const char *name; /* as asked: the column's name */
	enum dimension_kind kind;
	struct query_field field; /* CHOICE */
	bool multiple;            /* a record stands under each code that it has */
	struct cube_dimension cube;
	const char **codes; /* of the rows */
	uint32_t *parent;
	uint32_t *base_of_area; /* AREA, LEVEL: by index in the area table; CUBE_NONE: outside */
	int32_t first;          /* MONTH, YEAR: what node 1 stands for */
};

struct query {
	struct arena arena; /* all of it lives here */
	struct form_entry *form;
	const struct area_table *areas;
	const char *scope; /* area of who asks: nothing outside counts */
	struct dimension dimensions[EXTRACT_DIMENSIONS_MAX];
	size_t dimension_count;
	bool by_row; /* rows of a repeat are counted, not records */
	struct field_key row_unit;
	const char *row_path;
	bool has_sum;
	struct query_field sum;
	bool has_period;
	int32_t from_day, to_day; /* both included; without a period all there are */
	uint32_t k;
	char text[QUERY_TEXT_BYTES_MAX]; /* canonical: equal queries have equal texts */
};

/* As given on the command line; NULL: not given. */
struct query_asked {
	const char *form, *by, *sum, *period, *k, *area;
};

/*
 * query_read: check what was asked. Free with query_free, also after a failure. Without a period
 * the codes of month and year are unknown: query_needs_span tells; then give the first and last day
 * to query_span. E_FORM_UNKNOWN, E_FIELD_UNKNOWN, E_DISCLOSURE (a class D field, named), E_USAGE,
 * E_AREA_UNKNOWN, E_LIMIT.
 */
enum err query_read(struct query *, struct peer *, const struct query_asked *, struct why *);
void query_free(struct query *);
bool query_needs_span(const struct query *);
enum err query_span(struct query *, int32_t first_day, int32_t last_day, struct why *);

/* dimension_*: fill in one dimension's codes. For query_read. */
enum err dimension_areas(struct query *, struct dimension *, const char *level, struct why *);
enum err dimension_times(struct query *, struct dimension *, int32_t first_day, int32_t last_day,
			 struct why *);
enum err dimension_choices(struct query *, struct peer *, struct dimension *, struct why *);

#endif

/*
 * cube: counts (and sums) over the full product of some dimensions, and which of them may be
 * released. It knows no store and no form. README.md, "Which cells are published", has the
 * argument.
 *
 * A dimension has nodes. Those without children are *base* nodes; each thing counted lies in base
 * nodes only. A node with children is a *margin*: what it has is what its children have. A *hidden*
 * node is a base node without a row in the table: what lies in an area itself and in none below it.
 */
#ifndef BANYAN_TOOLS_EXTRACT_CUBE_H
#define BANYAN_TOOLS_EXTRACT_CUBE_H

#include "core/bytes.h"
#include "core/limits.h"

#define CUBE_NONE UINT32_MAX

struct cube_dimension {
	uint32_t code_count;    /* nodes 0 .. code_count - 1 have rows */
	uint32_t node_count;    /* the others are hidden */
	const uint32_t *parent; /* parent[n] < n, or CUBE_NONE; the caller's, as long as the cube */
	bool sums_overlap; /* one record's value may lie in several nodes: sums of margins are no
			      sums */
};

struct cube;

/* cube_new: E_LIMIT past EXTRACT_CELLS_MAX (EXTRACT_SUM_CELLS_MAX with sums), E_NO_MEMORY. */
enum err
cube_new(struct cube **out, const struct cube_dimension *, size_t count, bool sums, struct why *);
void cube_free(struct cube *);

/*
 * cube_add: one more thing at base nodes `at`. `record` numbers the record it is of, rising from 1.
 * With sums: the value that it gives (once a record and cell if `once`); has_value false: none.
 */
struct cube_value {
	bool has_value, once;
	double value;
};
void cube_add(struct cube *, const uint32_t *at, uint32_t record, struct cube_value);

/* cube_close: no more is added; margins are worked out, and what is withheld is marked. */
void cube_close(struct cube *, uint32_t k);

struct cube_cell {
	uint32_t count;
	double sum;
	bool published, sum_published; /* a withheld count withholds the sum */
};
struct cube_cell cube_at(const struct cube *, const uint32_t *at);

#endif

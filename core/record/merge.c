#include "core/record/merge.h"

#include <stdlib.h>

/* One revision, in the order of ids; `order` and the ancestors follow from it alone. */
struct node {
	const struct merge_revision *rev;
	uint32_t input;  /* index into the caller's array */
	uint32_t rank;   /* 0 is shown first of all */
	uint32_t time_s; /* what its time counts as */
	uint32_t parents[PARENTS_MAX];
	uint32_t parent_count; /* those that are here */
	uint64_t *ancestors;   /* a bit a node */
};

struct merger {
	struct node *nodes; /* by id */
	uint32_t count;
	size_t words;      /* of a bit set */
	uint32_t *order;   /* node indices, parents first */
	uint32_t *by_rank; /* node indices, shown first first */
	struct arena *arena;
};

static bool
bit_get(const uint64_t *bits, uint32_t i)
{
	return bits[i / 64] >> (i % 64) & 1;
}

static void
bits_join(uint64_t *into, const uint64_t *from, size_t words)
{
	size_t i;

	for (i = 0; i < words; i++)
		into[i] |= from[i];
}

static uint64_t *
bits_new(const struct merger *m)
{
	return arena_alloc(m->arena, m->words * sizeof(uint64_t));
}

static int
id_order(const void *a, const void *b)
{
	const struct node *x = a, *y = b;
	int c = memcmp(x->rev->id.b, y->rev->id.b, ID_BYTES);

	return c != 0 ? c : (x->input > y->input) - (x->input < y->input);
}

/* node_find: the index of the revision `id`, or UINT32_MAX. */
static uint32_t
node_find(const struct merger *m, const struct revision_id *id)
{
	uint32_t low = 0, high = m->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int c = memcmp(m->nodes[middle].rev->id.b, id->b, ID_BYTES);

		if (c == 0)
			return middle;
		if (c < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return UINT32_MAX;
}

/* Sort by id, drop what stands twice, and look the parents up. */
static enum err
nodes_make(struct merger *m, const struct merge_revision *revisions, size_t count, bool *incomplete)
{
	uint32_t i, n = 0;
	size_t k;

	m->nodes = arena_alloc(m->arena, (count + 1) * sizeof(*m->nodes));
	m->order = arena_alloc(m->arena, (count + 1) * sizeof(*m->order));
	m->by_rank = arena_alloc(m->arena, (count + 1) * sizeof(*m->by_rank));
	if (m->nodes == NULL || m->order == NULL || m->by_rank == NULL)
		return E_NO_MEMORY;
	for (i = 0; i < count; i++)
		m->nodes[i] = (struct node){.rev = &revisions[i], .input = i};
	qsort(m->nodes, count, sizeof(*m->nodes), id_order);
	for (i = 0; i < count; i++) {
		if (n == 0 || !ID_EQUAL(&m->nodes[n - 1].rev->id, &m->nodes[i].rev->id))
			m->nodes[n++] = m->nodes[i];
	}
	m->count = n;
	m->words = ((size_t)n + 63) / 64;
	for (i = 0; i < n; i++) {
		const struct merge_revision *rev = m->nodes[i].rev;

		if (rev->parent_count > PARENTS_MAX)
			return E_LIMIT;
		for (k = 0; k < rev->parent_count; k++) {
			uint32_t p = node_find(m, &rev->parents[k]);

			if (p == UINT32_MAX)
				*incomplete = true;
			else
				m->nodes[i].parents[m->nodes[i].parent_count++] = p;
		}
	}
	return E_OK;
}

/*
 * Parents before children. A node is placed once its last parent is, so each round of the
 * outer loop walks depth first with a stack: `state` 0 unseen, 1 on the stack, 2 placed.
 */
static enum err
order_make(struct merger *m)
{
	uint8_t *state = arena_alloc(m->arena, m->count + 1u);
	uint8_t *next = arena_alloc(m->arena, m->count + 1u);
	uint32_t *stack = arena_alloc(m->arena, (m->count + 1u) * sizeof(*stack));
	uint32_t i, depth, placed = 0;

	if (state == NULL || next == NULL || stack == NULL)
		return E_NO_MEMORY;
	for (i = 0; i < m->count; i++) {
		if (state[i] != 0)
			continue;
		stack[0] = i;
		state[i] = 1;
		for (depth = 1; depth > 0;) {
			uint32_t at = stack[depth - 1];

			if (next[at] == m->nodes[at].parent_count) {
				state[at] = 2;
				m->order[placed++] = at;
				depth--;
				continue;
			}
			at = m->nodes[at].parents[next[at]++];
			if (state[at] == 1)
				return E_PARCEL;
			if (state[at] == 0) {
				state[at] = 1;
				stack[depth++] = at;
			}
		}
	}
	return E_OK;
}

/* What each descends from, and what its time counts as. */
static enum err
ancestors_make(struct merger *m)
{
	uint32_t i, k;

	for (i = 0; i < m->count; i++) {
		struct node *n = &m->nodes[m->order[i]];
		uint32_t least = 0;

		if ((n->ancestors = bits_new(m)) == NULL)
			return E_NO_MEMORY;
		for (k = 0; k < n->parent_count; k++) {
			const struct node *p = &m->nodes[n->parents[k]];

			bits_join(n->ancestors, p->ancestors, m->words);
			n->ancestors[n->parents[k] / 64] |= (uint64_t)1 << (n->parents[k] % 64);
			least = p->time_s > least ? p->time_s : least;
		}
		n->time_s = n->rev->received_s;
		if (n->rev->claimed_s >= least && n->rev->claimed_s < n->time_s)
			n->time_s = n->rev->claimed_s;
	}
	return E_OK;
}

struct rank_key {
	int role; /* its rank */
	uint32_t time_s, node;
};

static int
rank_order(const void *a, const void *b)
{
	const struct rank_key *x = a, *y = b;

	if (x->role != y->role)
		return x->role > y->role ? -1 : 1;
	if (x->time_s != y->time_s)
		return x->time_s < y->time_s ? -1 : 1;
	return (x->node > y->node) - (x->node < y->node); /* nodes are by id */
}

static enum err
ranks_make(struct merger *m)
{
	struct rank_key *keys = arena_alloc(m->arena, (m->count + 1u) * sizeof(*keys));
	uint32_t i;

	if (keys == NULL)
		return E_NO_MEMORY;
	for (i = 0; i < m->count; i++)
		keys[i] =
		    (struct rank_key){role_rank(m->nodes[i].rev->role), m->nodes[i].time_s, i};
	qsort(keys, m->count, sizeof(*keys), rank_order);
	for (i = 0; i < m->count; i++) {
		m->by_rank[i] = keys[i].node;
		m->nodes[keys[i].node].rank = i;
	}
	return E_OK;
}

/*
 * first_live: the first shown of the nodes of these kinds (a bit a kind) that no other of
 * them descends from, or UINT32_MAX. `covered`: what any of them descends from.
 */
static uint32_t
first_live(const struct merger *m, unsigned kinds, uint64_t *covered)
{
	uint32_t i;

	memset(covered, 0, m->words * sizeof(*covered));
	for (i = 0; i < m->count; i++) {
		if (m->nodes[i].rev->kind < 8 && (kinds >> m->nodes[i].rev->kind & 1) != 0)
			bits_join(covered, m->nodes[i].ancestors, m->words);
	}
	for (i = 0; i < m->count; i++) {
		uint32_t n = m->by_rank[i];

		if (m->nodes[n].rev->kind < 8 && (kinds >> m->nodes[n].rev->kind & 1) != 0 &&
		    !bit_get(covered, n))
			return n;
	}
	return UINT32_MAX;
}

#define KIND(kind) (1u << (kind))

/* Void, review and form: each one value of the whole record. */
static void
merge_record(const struct merger *m, struct merged *out, uint64_t *voided, uint64_t *covered)
{
	uint32_t i, n;

	if ((n = first_live(m, KIND(REVISION_CREATE) | KIND(REVISION_AMEND), covered)) !=
	    UINT32_MAX)
		out->form = m->nodes[n].rev->form;
	if ((n = first_live(m, KIND(REVISION_REVIEW), covered)) != UINT32_MAX) {
		out->review = m->nodes[n].rev->state;
		out->review_revision = m->nodes[n].input;
		for (i = 0; i < m->count; i++) {
			const struct merge_revision *rev = m->nodes[i].rev;

			if (rev->kind == REVISION_REVIEW && !bit_get(covered, i) &&
			    rev->state != out->review)
				out->review_conflict = true;
			if (rev->kind <= REVISION_AMEND && !bit_get(m->nodes[n].ancestors, i))
				out->changed_since_review = true;
		}
	}
	if ((n = first_live(m, KIND(REVISION_VOID), voided)) == UINT32_MAX)
		return;
	out->is_void = true;
	out->void_revision = m->nodes[n].input;
	for (i = 0; i < m->count; i++) {
		if (m->nodes[i].rev->kind <= REVISION_AMEND && !bit_get(voided, i))
			out->void_conflict = true;
	}
}

/* Heads, and the order of the ids, which is that of the nodes. */
static enum err
merge_heads(const struct merger *m, struct merged *out, uint64_t *covered)
{
	uint32_t i;

	memset(covered, 0, m->words * sizeof(*covered));
	for (i = 0; i < m->count; i++)
		bits_join(covered, m->nodes[i].ancestors, m->words);
	if ((out->heads = arena_alloc(m->arena, (m->count + 1u) * sizeof(*out->heads))) == NULL)
		return E_NO_MEMORY;
	for (i = 0; i < m->count; i++) {
		if (!bit_get(covered, i))
			out->heads[out->head_count++] = m->nodes[i].rev->id;
	}
	return E_OK;
}

/* One setting of one field. */
struct setting {
	struct field_key key;
	bool identifying;
	uint32_t rank, node;
	struct bytes value;
};

static int
setting_order(const void *a, const void *b)
{
	const struct setting *x = a, *y = b;

	if (x->key.v != y->key.v)
		return x->key.v < y->key.v ? -1 : 1;
	if (x->identifying != y->identifying)
		return x->identifying ? 1 : -1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return bytes_compare(x->value, y->value);
}

static bool
is_nil(struct bytes value)
{
	return value.n == 0 || (value.n == 1 && value.p[0] == 0xc0);
}

/* The settings of one field, `n` of them, shown first first: those that live become
 * values. */
static void
merge_field(const struct merger *m, const struct setting *s, size_t n, const uint64_t *voided,
	    uint64_t *covered, struct merged *out)
{
	struct merged_value *first = out->values + out->value_count;
	size_t i, k, live = 0;

	memcpy(covered, voided, m->words * sizeof(*covered));
	for (i = 0; i < n; i++)
		bits_join(covered, m->nodes[s[i].node].ancestors, m->words);
	for (i = 0; i < n; i++) {
		if (bit_get(covered, s[i].node))
			continue;
		for (k = 0; k < live; k++) {
			if (bytes_equal(first[k].value, s[i].value))
				break;
		}
		if (k < live)
			continue;
		first[live] = (struct merged_value){s[i].key, s[i].identifying, s[i].value,
						    m->nodes[s[i].node].input, live == 0};
		live++;
	}
	if (live == 1 && is_nil(first[0].value))
		live = 0;
	out->value_count += live;
	out->conflict_count += live > 1;
}

static enum err
merge_fields(const struct merger *m, struct merged *out, const uint64_t *voided, uint64_t *covered)
{
	static const uint8_t nil[1] = {0xc0};
	struct setting *settings;
	size_t i, k, total = 0, n = 0;

	for (i = 0; i < m->count; i++)
		total += m->nodes[i].rev->field_count;
	settings = arena_alloc(m->arena, (total + 1) * sizeof(*settings));
	out->values = arena_alloc(m->arena, (total + 1) * sizeof(*out->values));
	if (settings == NULL || out->values == NULL)
		return E_NO_MEMORY;
	for (i = 0; i < m->count; i++) {
		for (k = 0; k < m->nodes[i].rev->field_count; k++) {
			const struct merge_field *f = &m->nodes[i].rev->fields[k];

			settings[n++] =
			    (struct setting){f->key, f->identifying, m->nodes[i].rank, (uint32_t)i,
					     is_nil(f->value) ? BYTES(nil, 1) : f->value};
		}
	}
	qsort(settings, total, sizeof(*settings), setting_order);
	for (i = 0; i < total; i += n) {
		for (n = 1; i + n < total && settings[i + n].key.v == settings[i].key.v &&
			    settings[i + n].identifying == settings[i].identifying;
		     n++)
			;
		merge_field(m, settings + i, n, voided, covered, out);
	}
	return E_OK;
}

enum err
merge_revisions(struct merged *out, const struct merge_revision *revisions, size_t count,
		struct arena *arena)
{
	struct merger m = {.arena = arena};
	uint64_t *voided, *covered;
	enum err e;

	*out = (struct merged){.review = REVIEW_NONE};
	if (count > REVISIONS_MAX)
		return E_LIMIT;
	if ((e = nodes_make(&m, revisions, count, &out->incomplete)) != E_OK)
		return e;
	if ((e = order_make(&m)) != E_OK || (e = ancestors_make(&m)) != E_OK ||
	    (e = ranks_make(&m)) != E_OK)
		return e;
	voided = bits_new(&m);
	covered = bits_new(&m);
	if (voided == NULL || covered == NULL)
		return E_NO_MEMORY;
	merge_record(&m, out, voided, covered);
	if ((e = merge_heads(&m, out, covered)) != E_OK)
		return e;
	return merge_fields(&m, out, voided, covered);
}

/* Lists of what is to be said, or was taken: bytes one after the other. */
#include <stdlib.h>

#include "tools/node/carry/carry_inside.h"

enum err
carry_things_add(struct carry_things *t, uint8_t type, uint64_t kind, const uint8_t *leaf,
		 struct bytes b)
{
	struct carry_thing *x;

	if (t->count == t->cap) {
		size_t cap = t->cap == 0 ? 64 : 2 * t->cap;
		struct carry_thing *more = realloc(t->thing, cap * sizeof(*more));

		if (more == NULL)
			return E_NO_MEMORY;
		t->thing = more;
		t->cap = cap;
	}
	x = &t->thing[t->count];
	*x = (struct carry_thing){.type = type, .kind = kind, .at = t->bytes.n, .count = b.n};
	if (leaf != NULL)
		memcpy(x->leaf, leaf, HASH_BYTES);
	writer_bytes(&t->bytes, b);
	if (writer_end(&t->bytes) != E_OK)
		return writer_end(&t->bytes);
	t->count++;
	return E_OK;
}

void
carry_things_clear(struct carry_things *t)
{
	t->count = 0;
	writer_reset(&t->bytes);
}

void
carry_things_free(struct carry_things *t)
{
	free(t->thing);
	t->thing = NULL;
	t->count = t->cap = 0;
	writer_free(&t->bytes);
}

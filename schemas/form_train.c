#include "schemas/form_train.h"

#include <stdlib.h>

#include "core/limits.h"
#include "core/record/revision.h"
#include "core/squeeze.h"
#include "schemas/answers_random.h"
#include "schemas/form_inside.h"

struct form_counts {
	const struct form *form;
	uint32_t **of; /* by field; NULL where it is not counted */
};

enum err
form_counts_new(struct form_counts **out, const struct form *form)
{
	struct form_counts *c = calloc(1, sizeof(*c));
	size_t i;

	*out = c;
	if (c == NULL || (c->of = calloc(form->field_count + 1, sizeof(*c->of))) == NULL)
		goto failed;
	c->form = form;
	for (i = 0; i < form->field_count; i++) {
		size_t choices = form_choice_count(form, i);

		if (choices == 0 || form->fields[i].cls == CLASS_D ||
		    form->fields[i].cls == CLASS_S)
			continue;
		if ((c->of[i] = calloc(choices, sizeof(uint32_t))) == NULL)
			goto failed;
	}
	return E_OK;
failed:
	form_counts_free(c);
	*out = NULL;
	return E_NO_MEMORY;
}

void
form_counts_free(struct form_counts *c)
{
	size_t i;

	if (c == NULL)
		return;
	for (i = 0; c->of != NULL && c->form != NULL && i < c->form->field_count; i++)
		free(c->of[i]);
	free(c->of);
	free(c);
}

static void
take_choice(struct form_counts *c, size_t field, struct bytes name)
{
	size_t at = form_choices_find(c->form->more[field].choices, (const char *)name.p, name.n);

	if (at != SIZE_MAX && c->of[field][at] < UINT32_MAX / 2)
		c->of[field][at]++;
}

/* One named value; a repeat's rows are maps of such. */
static void
take_value(struct form_counts *c, size_t field, struct reader *r)
{
	enum value_kind kind = c->form->more[field].kind;
	bool counted = c->of[field] != NULL;
	uint32_t n, i, cells;

	if (kind == VALUE_CHOICE && counted && reader_peek(r) == PACK_STR) {
		take_choice(c, field, reader_str(r));
	} else if (kind == VALUE_CHOICES && counted && reader_peek(r) == PACK_ARRAY) {
		for (n = reader_array(r); n > 0 && r->e == E_OK; n--)
			take_choice(c, field, reader_str(r));
	} else if (kind == VALUE_ROWS && reader_peek(r) == PACK_ARRAY) {
		for (n = reader_array(r); n > 0 && r->e == E_OK; n--)
			for (cells = reader_map(r), i = 0; i < cells && r->e == E_OK; i++) {
				size_t inner =
				    form_place_find(c->form, false, (int)field, reader_str(r));

				if (inner == SIZE_MAX)
					reader_skip(r);
				else
					take_value(c, inner, r);
			}
	} else {
		reader_skip(r);
	}
}

void
form_counts_take(struct form_counts *c, const struct field_value *values, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		size_t field = form_field_find_key(c->form, values[i].key);
		struct reader r;

		if (field == SIZE_MAX || values[i].identifying)
			continue;
		reader_init(&r, values[i].value);
		take_value(c, field, &r);
	}
}

static enum err
write_payloads(const struct form *form, const struct field_value *values, size_t count,
	       uint32_t time_s, struct writer *analytic, struct writer *identifying)
{
	struct revision_body body = {.kind = REVISION_CREATE, .form = form->key, .time_s = time_s};
	struct writer group[2];
	enum err e;

	writer_heap_init(&group[0], SLICE_PLAIN_BYTES_MAX);
	writer_heap_init(&group[1], SLICE_PLAIN_BYTES_MAX);
	if ((e = form_pack(form, false, values, count, &group[0], NULL)) == E_OK &&
	    (e = form_pack(form, true, values, count, &group[1], NULL)) == E_OK) {
		body.answers = writer_view(&group[0]);
		if (group[1].n > 1)
			body.identifying = writer_view(&group[1]);
		e = revisions_write(&body, 1, analytic, identifying);
	}
	writer_free(&group[0]);
	writer_free(&group[1]);
	return e;
}

enum err
form_sample(const struct form *form, const struct form_counts *counts, uint64_t seed,
	    uint32_t now_s, bool identifying, struct writer *out)
{
	const struct answer_dice dice = {
	    seed, counts == NULL ? NULL : (const uint32_t *const *)counts->of};
	uint32_t time_s = now_s + (uint32_t)(seed * 2654435761u % (182u * 86400u));
	const struct answer_env env = {.now_ms = (int64_t)time_s * 1000,
				       .zone_minutes = 420,
				       .seed = seed,
				       .device_id = "",
				       .username = "",
				       .area = ""};
	struct field_value *values;
	struct writer payloads[2];
	struct answers *a;
	struct arena arena;
	size_t count;
	enum err e = answers_random(&a, form, &env, &dice);

	if (e != E_OK)
		return e;
	arena_init(&arena, 4u * SLICE_PLAIN_BYTES_MAX);
	writer_heap_init(&payloads[0], SLICE_PLAIN_BYTES_MAX);
	writer_heap_init(&payloads[1], SLICE_PLAIN_BYTES_MAX);
	if ((e = answers_values(a, &arena, &values, &count)) == E_OK &&
	    (e = write_payloads(form, values, count, time_s, &payloads[0], &payloads[1])) == E_OK) {
		writer_bytes(out, writer_view(&payloads[identifying]));
		e = writer_end(out);
	}
	writer_free(&payloads[0]);
	writer_free(&payloads[1]);
	arena_free(&arena);
	answers_free(a);
	return e;
}

enum err
form_train(const struct form *form, const struct form_counts *counts, size_t samples, uint64_t seed,
	   uint32_t now_s, size_t max_bytes, struct writer *out)
{
	size_t *sizes = calloc(samples + 1, sizeof(*sizes)), i, made = 0, misses = 0;
	struct writer all;
	enum err e = sizes == NULL ? E_NO_MEMORY : E_OK;

	writer_heap_init(&all, 256u << 20);
	for (i = 0; made < samples && e == E_OK; i++) {
		size_t from = all.n;

		e = form_sample(form, counts, seed + i, now_s, false, &all);
		if (e == E_ABSENT && ++misses <= samples / 4 + 8)
			e = E_OK;
		else if (e == E_OK)
			sizes[made++] = all.n - from;
	}
	if (e == E_OK)
		e = squeeze_train(out, all.p, sizes, made, max_bytes);
	writer_free(&all);
	free(sizes);
	return e;
}

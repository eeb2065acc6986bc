/* What a revision says of its record's fields, as core merges it. */
#include "core/pack.h"
#include "tools/node/opener/opener_item.h"

static enum err
merge_fields(struct opening *o, const struct field_value *a, size_t a_count,
	     const struct field_value *b, size_t b_count, struct merge_revision *m)
{
	struct merge_field *fields =
	    arena_alloc(&o->arena, (a_count + b_count + 1) * sizeof(*fields));
	size_t i;

	if (fields == NULL)
		return E_NO_MEMORY;
	for (i = 0; i < a_count + b_count; i++) {
		const struct field_value *v = i < a_count ? &a[i] : &b[i - a_count];

		fields[i] = (struct merge_field){v->key, v->identifying, v->value};
	}
	m->fields = fields;
	m->field_count = a_count + b_count;
	return E_OK;
}

enum err
opener_create_fields(struct opening *o, const struct form *form, const struct revision_body *body,
		     struct merge_revision *m, struct why *why)
{
	struct field_value *a = NULL, *b = NULL;
	size_t a_count = 0, b_count = 0;
	enum err e;

	if ((e = form_unpack(form, false, body->answers, &o->arena, &a, &a_count, why)) != E_OK)
		return e;
	if (body->identifying.n > 0 &&
	    (e = form_unpack(form, true, body->identifying, &o->arena, &b, &b_count, why)) != E_OK)
		return e;
	return merge_fields(o, a, a_count, b, b_count, m);
}

/* An AMEND's maps {field key: named value}. A field of class D in the analytic map, or the reverse,
 * is refused. */
static enum err
amend_map(struct opening *o, const struct form *form, struct bytes map, bool identifying,
	  struct field_value **out, size_t *count, struct why *why)
{
	struct reader r;
	uint32_t i, n;

	*out = NULL;
	*count = 0;
	if (map.n == 0)
		return E_OK;
	reader_init(&r, map);
	n = reader_map(&r);
	if (r.e != E_OK || (*out = arena_alloc(&o->arena, (n + 1) * sizeof(**out))) == NULL)
		return r.e != E_OK ? r.e : E_NO_MEMORY;
	for (i = 0; i < n; i++) {
		struct field_value *v = &(*out)[i];
		size_t field;

		v->key.v = (uint32_t)reader_u64_max(&r, UINT32_MAX);
		v->value = reader_skip(&r);
		v->identifying = identifying;
		if (r.e != E_OK)
			return r.e;
		field = form_field_find_key(form, v->key);
		if (field == SIZE_MAX || form_field(form, field)->repeat >= 0)
			return why_set(why, E_FIELD_UNKNOWN, "%08x", v->key.v);
	}
	*count = n;
	return reader_end(&r);
}

enum err
opener_amend_fields(struct opening *o, const struct form *form, const struct revision_body *body,
		    struct merge_revision *m, struct why *why)
{
	struct field_value *a, *b;
	size_t a_count, b_count;
	enum err e;

	if ((e = amend_map(o, form, body->answers, false, &a, &a_count, why)) != E_OK ||
	    (e = amend_map(o, form, body->identifying, true, &b, &b_count, why)) != E_OK)
		return e;
	return merge_fields(o, a, a_count, b, b_count, m);
}

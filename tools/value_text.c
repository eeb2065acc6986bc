#include "tools/value_text.h"

#include <stdio.h>
#include <string.h>

#include "core/record/attach.h"
#include "core/pack.h"

enum err
value_lang(const struct form *f, const char *name, size_t *out, struct why *why)
{
	size_t i;

	*out = 0;
	if (name == NULL)
		return E_OK;
	for (i = 0; i < form_language_count(f); i++)
		if (strcmp(form_language_code(f, i), name) == 0 ||
		    strcmp(form_language(f, i), name) == 0) {
			*out = i;
			return E_OK;
		}
	return why_set(why, E_LANGUAGE, "%s", name);
}

static void
put_str(const struct form *f, size_t field, struct bytes s, size_t lang, struct writer *w)
{
	size_t i, n = field == SIZE_MAX ? 0 : form_choice_count(f, field);
	char name[ATTACH_NAME_BYTES_MAX + 20];
	struct attach_ref ref;

	for (i = 0; i < n; i++)
		if (bytes_equal(bytes_of_str(form_choice_name(f, field, i)), s)) {
			writer_str(w, form_choice_label(f, field, i, lang));
			return;
		}
	if (field != SIZE_MAX && form_media(f, field) &&
	    attach_ref_read(s, &ref)) { /* never its key */
		attach_file_name(&ref, name, sizeof(name));
		writer_printf(w, "%s (%u bytes)", name, (unsigned)ref.size);
		crypto_wipe(&ref, sizeof(ref));
		return;
	}
	writer_bytes(w, s);
}

static void put(const struct form *, size_t field, struct reader *, size_t lang, unsigned depth,
		struct writer *);

/* The field that a key of a row names, below the repeat. */
static size_t
below(const struct form *f, size_t repeat, struct bytes key)
{
	char path[400];

	if (repeat == SIZE_MAX)
		return SIZE_MAX;
	(void)snprintf(path, sizeof(path), "%s/%.*s", form_field(f, repeat)->path,
		       (int)(key.n > 200 ? 200 : key.n), (const char *)key.p);
	return form_field_find(f, path);
}

static void
put_row(const struct form *f, size_t repeat, struct reader *r, size_t lang, unsigned depth,
	struct writer *w)
{
	uint32_t n = reader_map(r), i;

	for (i = 0; i < n && r->e == E_OK; i++) {
		struct bytes key = reader_str(r);
		size_t field = below(f, repeat, key);

		if (i > 0)
			writer_str(w, "; ");
		if (field == SIZE_MAX)
			writer_bytes(w, key);
		else
			writer_str(w, form_field_label(f, field, lang));
		writer_str(w, ": ");
		put(f, field, r, lang, depth + 1, w);
	}
}

static void
put_list(const struct form *f, size_t field, struct reader *r, size_t lang, unsigned depth,
	 struct writer *w)
{
	uint32_t n = reader_array(r), i;

	for (i = 0; i < n && r->e == E_OK; i++) {
		bool row = reader_peek(r) == PACK_MAP;

		if (row)
			writer_printf(w, "\n%*s%u. ", 4 + 2 * (int)depth, "", i + 1);
		else if (i > 0)
			writer_str(w, ", ");
		put(f, field, r, lang, depth, w);
	}
}

static void
put(const struct form *f, size_t field, struct reader *r, size_t lang, unsigned depth,
    struct writer *w)
{
	if (depth > PACK_DEPTH_MAX) {
		reader_fail(r, E_PACK_TYPE);
		return;
	}
	switch (reader_peek(r)) {
	case PACK_NIL:
		(void)reader_nil(r);
		writer_str(w, "(no answer)");
		break;
	case PACK_STR:
		put_str(f, field, reader_str(r), lang, w);
		break;
	case PACK_UINT:
	case PACK_INT:
		writer_printf(w, "%lld", (long long)reader_i64(r));
		break;
	case PACK_F64:
		writer_printf(w, "%.15g", reader_f64(r));
		break;
	case PACK_BOOL:
		writer_str(w, reader_bool(r) ? "yes" : "no");
		break;
	case PACK_ARRAY:
		put_list(f, field, r, lang, depth, w);
		break;
	case PACK_MAP:
		put_row(f, field, r, lang, depth, w);
		break;
	case PACK_NONE:
	case PACK_BIN:
	case PACK_EXT:
		reader_fail(r, E_PACK_TYPE);
		break;
	}
}

enum err
value_text(const struct form *f, size_t field, struct bytes value, size_t lang, struct writer *w)
{
	struct reader r;

	reader_init(&r, value);
	put(f, field, &r, lang, 0, w);
	return reader_end(&r);
}

enum err
value_json(const struct form *f, const struct field_value *v, struct writer *w)
{
	struct writer object;
	struct bytes text;
	const uint8_t *colon;
	enum err e;

	if (v->value.n == 1 && v->value.p[0] == 0xc0) {
		writer_str(w, "null");
		return E_OK;
	}
	writer_heap_init(&object, 8u << 20);
	e = form_values_json(f, v, 1, &object);
	text = writer_view(&object);
	/* {"path":VALUE}; a path has no colon */
	colon = e == E_OK ? memchr(text.p, ':', text.n) : NULL;
	if (colon != NULL && text.n > 2)
		writer_mem(w, colon + 1, (size_t)(text.p + text.n - 1 - (colon + 1)));
	else
		writer_str(w, "null");
	writer_free(&object);
	return e;
}

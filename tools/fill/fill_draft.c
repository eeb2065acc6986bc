/*
 * Drafts: [1, form key, language, area, saved ms, answers, [[field key, identifying, value]...]].
 * The sink keeps them as bytes, under the store's key.
 */
#include <string.h>
#include <time.h>

#include "core/crypto/crypto.h"
#include "core/pack.h"
#include "tools/fill/fill_parts.h"

#define DRAFT_VALUES_MAX 4096u

static void
copy_str(struct reader *r, char *out, size_t cap)
{
	struct bytes s = reader_str(r);

	if (s.n >= cap)
		reader_fail(r, E_PACK_TYPE);
	if (r->e == E_OK && s.n > 0)
		memcpy(out, s.p, s.n);
	out[r->e == E_OK ? s.n : 0] = '\0';
}

enum err
draft_head_read(struct reader *r, struct bytes draft, struct draft_head *h)
{
	reader_begin(r, draft, 1, 7);
	h->form = reader_u64_max(r, UINT32_MAX);
	copy_str(r, h->lang, sizeof(h->lang));
	copy_str(r, h->area, sizeof(h->area));
	h->saved_ms = reader_i64(r);
	h->answers = reader_u64(r);
	return r->e;
}

void
fill_values_write(struct writer *w, const struct field_value *values, size_t count)
{
	size_t i;

	pack_array(w, (uint32_t)count);
	for (i = 0; i < count; i++) {
		pack_array(w, 3);
		pack_u64(w, values[i].key.v);
		pack_bool(w, values[i].identifying);
		pack_bin(w, values[i].value);
	}
}

void
draft_write(struct writer *w, const struct draft_head *h, const struct field_value *values,
	    size_t count)
{
	pack_array(w, 7);
	pack_u64(w, 1);
	pack_u64(w, h->form);
	pack_cstr(w, h->lang);
	pack_cstr(w, h->area);
	pack_i64(w, h->saved_ms);
	pack_u64(w, count);
	fill_values_write(w, values, count);
}

enum err
fill_draft_save(struct fill *f)
{
	struct field_value *values;
	struct arena arena;
	struct writer w;
	size_t count;
	enum err e;

	arena_init(&arena, FILL_DRAFT_BYTES_MAX);
	writer_heap_init(&w, FILL_DRAFT_BYTES_MAX);
	if ((e = answers_values(f->answers, &arena, &values, &count)) == E_OK) {
		struct draft_head h = {.form = form_key(f->form).v,
				       .saved_ms = f->options->env.now_ms};

		if (form_language_count(f->form) > 0)
			(void)snprintf(h.lang, sizeof(h.lang), "%s",
				       form_language_code(f->form, f->lang));
		(void)snprintf(h.area, sizeof(h.area), "%s", f->area);
		draft_write(&w, &h, values, count);
		e = writer_end(&w);
	}
	if (e == E_OK)
		e = f->sink->draft_save(f->sink->ctx, &f->draft, writer_view(&w), f->why);
	if (e == E_OK)
		fill_word_line(f, FILL_KEPT, "", f->draft);
	writer_free(&w);
	arena_free(&arena);
	return e;
}

/* values_read: the rest of a draft; values point into it. */
enum err
draft_values_read(struct reader *r, struct arena *arena, struct field_value **out, size_t *count)
{
	uint32_t n = reader_array(r), i;

	if (n > DRAFT_VALUES_MAX)
		reader_fail(r, E_NO_ROOM);
	*out = r->e == E_OK ? arena_alloc(arena, (n + 1) * sizeof(**out)) : NULL;
	if (*out == NULL)
		return r->e == E_OK ? E_NO_MEMORY : r->e;
	for (i = 0; i < n && r->e == E_OK; i++) {
		reader_array_of(r, 3);
		(*out)[i].key.v = (uint32_t)reader_u64_max(r, UINT32_MAX);
		(*out)[i].identifying = reader_bool(r);
		(*out)[i].value = reader_bin(r);
	}
	*count = n;
	return reader_end(r);
}

enum err
fill_values_read(struct bytes in, struct arena *arena, struct field_value **out, size_t *count)
{
	struct reader r;

	reader_init(&r, in);
	return draft_values_read(&r, arena, out, count);
}

enum err
fill_draft_load(struct fill *f, unsigned number)
{
	struct draft_head h;
	struct field_value *values;
	struct answer_env env = f->options->env;
	struct arena arena;
	struct bytes draft;
	struct reader r;
	size_t count;
	unsigned at = number - 1;
	enum err e = f->sink->draft_next(f->sink->ctx, &at, &draft, f->why);

	if (e == E_ABSENT || (e == E_OK && at != number))
		return why_set(f->why, E_ABSENT, "draft %u", number);
	if (e != E_OK)
		return e;
	if ((e = draft_head_read(&r, draft, &h)) != E_OK)
		return why_set(f->why, e, "draft %u", number);
	if (h.form != form_key(f->form).v)
		return why_set(f->why, E_ABSENT, "draft %u of this version of the form", number);
	arena_init(&arena, FILL_DRAFT_BYTES_MAX);
	if ((e = draft_values_read(&r, &arena, &values, &count)) == E_OK) {
		if (f->options->lang == NULL && h.lang[0] != '\0')
			(void)fill_language(f, h.lang);
		(void)snprintf(f->area, sizeof(f->area), "%s", h.area);
		env.area = f->area;
		env.local = env.local && strcmp(f->area, f->options->env.area) ==
					     0; /* the lists at hand are that area's */
		env.lang = f->lang;
		e = answers_from_values(&f->answers, f->form, &env, values, count, f->why);
		f->draft = number;
	} else {
		(void)why_set(f->why, e, "draft %u", number);
	}
	arena_free(&arena);
	return e;
}

size_t
fill_drafts_show(struct fill *f)
{
	unsigned number = 0;
	struct bytes draft;
	size_t count = 0;

	while (f->sink->draft_next(f->sink->ctx, &number, &draft, NULL) == E_OK) {
		struct draft_head h;
		struct reader r;
		struct tm tm;
		char when[32] = "";
		time_t s;

		if (draft_head_read(&r, draft, &h) != E_OK || h.form != form_key(f->form).v)
			continue;
		s = (time_t)(h.saved_ms / 1000 +
			     (f->options->json ? 0 : f->options->env.zone_minutes * 60));
		if (gmtime_r(&s, &tm) != NULL)
			(void)strftime(when, sizeof(when),
				       f->options->json ? "%Y-%m-%dT%H:%M:%SZ" : "%Y-%m-%d %H:%M",
				       &tm);
		count++;
		if (f->options->json) {
			fill_say(
			    f, "{\"draft\":%u,\"saved\":\"%s\",\"answers\":%llu,\"area\":\"%s\"}\n",
			    number, when, (unsigned long long)h.answers, h.area);
			continue;
		}
		fill_say(f, "  draft %u  %s  %llu answers%s%s\n", number, when,
			 (unsigned long long)h.answers, h.area[0] != '\0' ? "  " : "", h.area);
	}
	return count;
}

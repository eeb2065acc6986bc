#include "tools/enclose.h"

#include <stdio.h>
#include <string.h>

#include "core/file.h"
#include "core/pack.h"

/*
 * The name of a file beside another. Asked through the store's own socket, names begin where the
 * asker is: it is the same user's or root's, so nothing is read for anybody who might not; nobody
 * else's names are looked at.
 */
static enum err
place_of(struct call *c, char *out, size_t cap, const char *beside, struct bytes name)
{
	const char *slash = beside == NULL || name.p[0] == '/' ? NULL : strrchr(beside, '/');
	int folder = slash == NULL ? 0 : (int)(slash - beside) + 1, n;
	struct bytes here = BYTES_NONE;
	bool whole = name.p[0] == '/' || (folder > 0 && beside[0] == '/');

	if (!whole && call_is_asked(c) && call_input(c, CALL_PLACE, &here) != E_OK)
		return E_ABSENT;
	n = snprintf(out, cap, "%.*s%s%.*s%.*s", (int)here.n, (const char *)here.p,
		     here.n > 0 ? "/" : "", folder, beside == NULL ? "" : beside, (int)name.n,
		     (const char *)name.p);
	return n > 0 && (size_t)n < cap && memchr(name.p, '\0', name.n) == NULL ? E_OK : E_LIMIT;
}

static enum err
seal_file(const char *path, struct attached_new *out, struct why *why)
{
	const char *slash = strrchr(path, '/'), *name = slash == NULL ? path : slash + 1;
	struct writer plain;
	enum err e;

	writer_heap_init(&plain, ATTACH_BYTES_MAX + 1u);
	if ((e = file_read(path, ATTACH_BYTES_MAX, &plain, why)) == E_OK)
		e = attached_seal(out, name, writer_view(&plain));
	if (plain.p != NULL)
		crypto_wipe(plain.p, plain.n);
	writer_free(&plain);
	return e;
}

static enum err
enclose_one(struct call *c, const struct form *form, const char *beside, struct bytes text,
	    struct attached_new *out, struct why *why)
{
	char path[4096];
	enum err e;

	memset(out, 0, sizeof(*out));
	if (!form_attachments(form))
		return why_set(why, E_ANSWER_CONSTRAINT, "%s",
			       "the form does not allow attachments");
	if (call_is_remote(c))
		return why_set(why, E_ANSWER_CONSTRAINT, "%s",
			       "attachments are taken in where the store is, not from elsewhere");
	if (text.n == 0 || place_of(c, path, sizeof(path), beside, text) != E_OK)
		return why_set(why, E_ANSWER_CONSTRAINT, "%s", "the file's name is too long");
	e = seal_file(path, out, NULL);
	if (e == E_LIMIT)
		return why_set(why, E_ANSWER_CONSTRAINT,
			       "the file or its name is too long: %u bytes at most",
			       ATTACH_BYTES_MAX);
	return e == E_FILE_ABSENT
		   ? why_set(why, E_ANSWER_CONSTRAINT, "there is no file %.200s", path)
	       : e == E_OK
		   ? E_OK
		   : why_set(why, E_ANSWER_CONSTRAINT, "the file %.200s cannot be read", path);
}

enum err
enclose(struct call *c, const struct form *form, const char *beside, struct field_value *values,
	size_t count, struct arena *arena, struct enclosed *out, const char **field,
	struct why *why)
{
	enum err e = E_OK;
	size_t i;

	out->count = 0;
	for (i = 0; i < count && e == E_OK; i++) {
		size_t index = form_field_find_key(form, values[i].key);
		uint8_t memory[ATTACH_REF_BYTES_MAX + 8], text_memory[ATTACH_REF_BYTES_MAX];
		struct writer w, text;
		struct reader r;

		reader_init(&r, values[i].value);
		if (index == SIZE_MAX || !form_media(form, index) || reader_peek(&r) != PACK_STR)
			continue;
		*field = form_field(form, index)->path;
		if (out->count == ATTACH_RECORD_MAX)
			return why_set(why, E_ANSWER_CONSTRAINT,
				       "a record has at most %u attachments", ATTACH_RECORD_MAX);
		if ((e = enclose_one(c, form, beside, reader_str(&r), &out->files[out->count++],
				     why)) != E_OK)
			break;
		writer_init(&text, text_memory, sizeof(text_memory));
		attach_ref_write(&out->files[out->count - 1].ref, &text);
		writer_init(&w, memory, sizeof(memory));
		pack_str(&w, writer_view(&text));
		if (writer_end(&text) != E_OK || writer_end(&w) != E_OK)
			e = E_LIMIT;
		else if ((values[i].value = arena_bytes(arena, writer_view(&w))).p == NULL)
			e = E_NO_MEMORY;
		crypto_wipe(memory, sizeof(memory));
		crypto_wipe(text_memory, sizeof(text_memory));
	}
	return e;
}

void
enclose_free(struct enclosed *x)
{
	while (x->count > 0)
		attached_free(&x->files[--x->count]);
}

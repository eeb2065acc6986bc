/* The asker's side: what a command reads is read here, and the call is written down to travel. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/pack.h"
#include "schemas/xlsform.h"
#include "tools/call/call_parts.h"
#include "tools/commands.h"

enum err
call_input_add(struct call *c, const char *name, struct bytes content)
{
	const size_t step = 16;

	if (c->input_count % step == 0) {
		struct call_input *more =
		    arena_alloc(&c->arena, (c->input_count + step) * sizeof(*more));

		if (more == NULL)
			return why_set(&c->why, E_NO_MEMORY, "%s", name);
		if (c->input_count > 0)
			memcpy(more, c->inputs, c->input_count * sizeof(*more));
		c->inputs = more;
	}
	c->inputs[c->input_count++] = (struct call_input){name, content};
	return E_OK;
}

/* read_file: a whole file into the call's arena; "-" is the standard input. */
static enum err
read_file(struct call *c, const char *path, struct bytes *out)
{
	bool standard = strcmp(path, "-") == 0;
	FILE *f = standard ? stdin : fopen(path, "rb");
	struct writer w;
	enum err e = E_OK;

	if (f == NULL)
		return why_set(&c->why, errno == ENOENT ? E_FILE_ABSENT : E_IO, "%s", path);
	writer_heap_init(&w, INPUT_BYTES_MAX);
	while (e == E_OK && !feof(f)) {
		uint8_t piece[16384];
		size_t n = fread(piece, 1, sizeof(piece), f);

		writer_mem(&w, piece, n);
		if (ferror(f) != 0)
			e = why_set(&c->why, E_IO, "%s", standard ? "the standard input" : path);
		else if (writer_end(&w) != E_OK)
			e = why_set(&c->why, E_LIMIT, "the size of %s", path);
	}
	if (!standard)
		(void)fclose(f);
	if (e == E_OK) {
		*out = arena_bytes(&c->arena, writer_view(&w));
		if (out->p == NULL && w.n > 0)
			e = why_set(&c->why, E_NO_MEMORY, "%s", path);
	}
	writer_free(&w); /* wipes: answers were in it */
	return e;
}

/* gather_beside: the choice files that a form names, from the form's own folder; absent ones are
 * left to the command, which can say where the form names them. */
static enum err
gather_beside(struct call *c, const char *path, struct bytes form)
{
	struct xlsform_report report = {0};
	struct writer xform, names;
	enum xlsform_kind kind;
	const char *slash = strrchr(path, '/');
	char *name, *rest;
	enum err e = E_OK;

	if (!xlsform_kind_of(path, &kind))
		return E_OK;
	writer_heap_init(&xform, 64u << 20);
	writer_heap_init(&names, 64u << 10);
	(void)xlsform_convert(&xform, form, kind, "form", &report, &names);
	(void)writer_cstr(&names); /* ends them */
	e = writer_end(&names);
	for (name = e == E_OK && names.n > 0 ? strtok_r((char *)names.p, "\n", &rest) : NULL;
	     name != NULL && e == E_OK; name = strtok_r(NULL, "\n", &rest)) {
		int folder = slash == NULL ? 0 : (int)(slash - path) + 1;
		char place[1024], input[300];
		struct bytes content;

		if (strchr(name, '/') != NULL || name[0] == '.')
			continue;
		(void)snprintf(place, sizeof(place), "%.*s%s", folder, path, name);
		(void)snprintf(input, sizeof(input), "FILE/%s", name);
		if (call_input_at(c, input, 0, &content) == E_OK)
			continue;
		e = read_file(c, place, &content);
		if (e == E_OK)
			e = call_input_add(c, arena_str(&c->arena, input, strlen(input)), content);
		else if (e == E_FILE_ABSENT)
			e = E_OK;
	}
	xlsform_report_free(&report);
	writer_free(&xform);
	writer_free(&names);
	return e;
}

enum err
call_give_place(struct call *c)
{
	char here[4096];
	struct bytes kept;

	if (getcwd(here, sizeof(here)) == NULL)
		return E_OK; /* names that begin with a slash do without */
	kept = arena_bytes(&c->arena, bytes_of_str(here));
	return kept.p == NULL ? why_set(&c->why, E_NO_MEMORY, "%s", CALL_PLACE)
			      : call_input_add(c, CALL_PLACE, kept);
}

static enum err
gather_positionals(struct call *c)
{
	const char *at = c->command->positionals;
	struct positional p;
	size_t i = 0;
	enum err e = E_OK;

	while (e == E_OK && positional_next(&at, &p)) {
		if (strcmp(p.name, "STORE") == 0)
			continue;
		do {
			struct bytes content;
			const char *path = call_arg(c, i++);

			if (!p.input || path == NULL)
				continue;
			e = read_file(c, path, &content);
			if (e == E_OK)
				e = call_input_add(c, arena_str(&c->arena, p.name, strlen(p.name)),
						   content);
			if (e == E_OK)
				e = gather_beside(c, path, content);
		} while (e == E_OK && p.repeated && i < c->arg_count);
	}
	return e;
}

enum err
call_gather(struct call *c)
{
	enum err e = E_OK;
	size_t i;

	for (i = 0; e == E_OK && i < c->option_count; i++) {
		const char *name = c->options[i].name;
		const struct option_row *o = option_find(c->command, name, strlen(name));
		struct bytes content;

		if (o->kind != OPTION_INPUT && o->kind != OPTION_INPUT_NEED)
			continue;
		e = read_file(c, c->options[i].value, &content);
		if (e == E_OK)
			e = call_input_add(c, o->name, content);
	}
	return e == E_OK ? gather_positionals(c) : e;
}

static struct unlock_from
from_of(const struct call *c)
{
	return (struct unlock_from){.passphrase_file = call_option(c, "passphrase-file"),
				    .key_file = call_option(c, "key-file"),
				    .recover = call_option(c, "recover"),
				    .store = c->store};
}

enum err
call_find_secret(struct call *c)
{
	struct unlock_from from = from_of(c);

	if (c->secret_sought || c->asked)
		return E_OK;
	c->secret_sought = true;
	return unlock_find(&c->secret, &from, &c->why);
}

/* replaces_secret: the command asks for a new secret beside the one that opens the store. */
static bool
replaces_secret(const struct call *c)
{
	return option_find(c->command, "new-passphrase-file", strlen("new-passphrase-file")) !=
	       NULL;
}

enum err
call_new_secret(struct call *c, struct secret *out)
{
	struct unlock_from from = from_of(c);
	const char *warn = NULL;
	enum err e = E_OK;

	if (c->new_secret.kind == SECRET_NONE && !c->asked) {
		if (replaces_secret(c))
			from = (struct unlock_from){.passphrase_file =
							call_option(c, "new-passphrase-file"),
						    .key_file = call_option(c, "new-key-file"),
						    .store = c->store,
						    .ignore_environment = true};
		e = unlock_new(&c->new_secret, &from, &warn, &c->why);
		if (e == E_STORE_KEY_MISSING && replaces_secret(c))
			e = why_set(
			    &c->why, E_USAGE,
			    "a new passphrase is needed: give --new-passphrase-file FILE, or run it on a terminal, "
			    "in the foreground");
		if (e == E_OK && warn != NULL)
			call_note(c, "banyan %s: %s\n", c->command->name, warn);
	} else if (c->new_secret.kind == SECRET_NONE) {
		e = why_set(&c->why, E_STORE_KEY_MISSING, "the new passphrase");
	}
	memcpy(out, &c->new_secret, sizeof(*out));
	return e;
}

static void
pack_secret(struct writer *w, const struct secret *s, bool give)
{
	if (!give || s->kind == SECRET_NONE) {
		pack_nil(w);
		return;
	}
	pack_array(w, 2);
	pack_u64(w, (uint64_t)s->kind);
	pack_bin(w, BYTES(s->b, s->count));
}

/* stays_here: options about files and secrets of the person's own machine. */
static bool
stays_here(const char *name)
{
	static const char *const names[] = {"passphrase-file", "key-file", "new-passphrase-file",
					    "new-key-file",    "json",     "help",
					    "recover"};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], name) == 0)
			return true;
	}
	return false;
}

enum err
call_ask_write(struct call *c, bool with_secret, struct writer *w)
{
	size_t i, options = 0;
	struct secret unused;
	enum err e;

	if (with_secret && replaces_secret(c)) {
		e = call_new_secret(c, &unused);
		secret_wipe(&unused);
		if (e != E_OK)
			return e;
	}
	for (i = 0; i < c->option_count; i++)
		options += !stays_here(c->options[i].name);
	pack_array(w, 8);
	pack_u64(w, 1);
	pack_cstr(w, c->command->name);
	pack_array(w, (uint32_t)c->arg_count);
	for (i = 0; i < c->arg_count; i++)
		pack_cstr(w, c->args[i]);
	pack_array(w, (uint32_t)options);
	for (i = 0; i < c->option_count; i++) {
		if (stays_here(c->options[i].name))
			continue;
		pack_array(w, 2);
		pack_cstr(w, c->options[i].name);
		pack_cstr(w, c->options[i].value);
	}
	pack_array(w, (uint32_t)c->input_count);
	for (i = 0; i < c->input_count; i++) {
		pack_array(w, 2);
		pack_cstr(w, c->inputs[i].name);
		pack_bin(w, c->inputs[i].content);
	}
	pack_u64(w, (c->json ? 1u : 0u) | (c->terminal ? 2u : 0u) | (c->notes_terminal ? 4u : 0u));
	pack_secret(w, &c->secret, with_secret);
	pack_secret(w, &c->new_secret, with_secret);
	e = writer_end(w);
	return e == E_OK ? E_OK : why_set(&c->why, e, "what banyan %s was given", c->command->name);
}

/* The answerer's side: a call of an ask. Every byte of an ask is somebody else's. */
#include "tools/call/call_asked.h"

#include <string.h>

#include "core/pack.h"
#include "tools/call/call_parts.h"
#include "tools/commands.h"
#include "tools/fill/desk.h"

/* text: a string of the ask as a C string; one with a zero byte in it is no ask. */
static const char *
text(struct call *c, struct reader *r)
{
	struct bytes s = reader_str(r);

	if (s.n > 0 && memchr(s.p, 0, s.n) != NULL)
		reader_fail(r, E_PACK_TYPE);
	return r->e == E_OK ? arena_str(&c->arena, (const char *)s.p, s.n) : NULL;
}

static uint32_t
count_of(struct reader *r)
{
	uint32_t n = reader_array(r);

	if (n > CALL_WORDS_MAX)
		reader_fail(r, E_NO_ROOM);
	return r->e == E_OK ? n : 0;
}

static void
read_secret(struct reader *r, struct secret *s)
{
	struct bytes b;
	uint64_t kind;

	if (reader_nil(r))
		return;
	reader_array_of(r, 2);
	kind = reader_u64_max(r, SECRET_RECOVERY);
	b = reader_bin(r);
	if (r->e == E_OK && (kind == SECRET_NONE || b.n > sizeof(s->b)))
		reader_fail(r, E_PACK_TYPE);
	if (r->e != E_OK)
		return;
	s->kind = (enum secret_kind)kind;
	s->count = b.n;
	memcpy(s->b, b.p, b.n);
}

static enum err
read_command(struct call *c, struct reader *r)
{
	char name[64];
	const char *words[2];
	struct bytes s = reader_str(r);
	char *space;
	size_t used;
	bool half;

	if (r->e != E_OK)
		return r->e;
	(void)snprintf(name, sizeof(name), "%.*s", (int)(s.n < 63 ? s.n : 63), (const char *)s.p);
	words[0] = name;
	if ((space = strchr(name, ' ')) != NULL)
		*space = '\0';
	words[1] = space == NULL ? "" : space + 1;
	if ((c->command = command_find(words, space == NULL ? 1 : 2, &used, &half)) == NULL) {
		if (space != NULL)
			*space = ' ';
		c->command = desk_command(name);
	}
	if (c->command == NULL)
		return why_set(&c->why, E_USAGE, "this banyan knows no command \"%s\"", name);
	if (c->command->where == COMMAND_ALONE || (c->remote && c->command->where != COMMAND_ASKS))
		return why_set(&c->why, E_NOT_HERE, "banyan %s", c->command->name);
	return E_OK;
}

static enum err
read_options(struct call *c, struct reader *r)
{
	uint32_t n = count_of(r), i;

	c->options = arena_alloc(&c->arena, (n + 1) * sizeof(*c->options));
	if (c->options == NULL)
		return E_NO_MEMORY;
	for (i = 0; i < n && r->e == E_OK; i++) {
		const struct option_row *o;
		const char *name, *value;

		reader_array_of(r, 2);
		name = text(c, r);
		value = text(c, r);
		if (name == NULL || value == NULL)
			return r->e == E_OK ? E_NO_MEMORY : r->e;
		o = option_find(c->command, name, strlen(name));
		if (o == NULL)
			return why_set(&c->why, E_USAGE,
				       "this banyan knows no option --%.40s of %s", name,
				       c->command->name);
		if (o->kind != OPTION_MANY && call_option(c, name) != NULL)
			return why_set(&c->why, E_USAGE, "--%s is given twice", o->name);
		c->options[c->option_count++] = (struct call_option){o->name, value};
	}
	return r->e;
}

/* check_args: as many as the command takes; the asker's program saw to it, but it may not be ours.
 */
static enum err
check_args(struct call *c)
{
	const char *at = c->command->positionals;
	struct positional p;
	size_t least = 0, most = 0, i;

	while (positional_next(&at, &p)) {
		if (strcmp(p.name, "STORE") == 0)
			continue;
		least += !p.optional;
		most = p.repeated ? SIZE_MAX : most == SIZE_MAX ? most : most + 1;
	}
	if (c->arg_count < least || c->arg_count > most)
		return why_set(&c->why, E_USAGE, "banyan %s %s was asked with %zu words",
			       c->command->name, c->command->positionals, c->arg_count);
	for (i = 0; i < option_count(); i++) {
		const struct option_row *o = option_at(i);

		if ((o->kind == OPTION_NEED || o->kind == OPTION_INPUT_NEED) &&
		    option_is_of(o, c->command) && call_option(c, o->name) == NULL)
			return why_set(&c->why, E_USAGE, "--%s %s is missing", o->name, o->value);
	}
	return E_OK;
}

static enum err
read_ask(struct call *c, struct bytes ask)
{
	struct reader r;
	uint32_t n, i;
	uint64_t flags;
	enum err e;

	if (ask.n > ASK_BYTES_MAX)
		return why_set(&c->why, E_NO_ROOM, "what was asked");
	reader_init(&r, ask);
	reader_array_of(&r, 8);
	if (reader_u64(&r) != 1 && r.e == E_OK)
		return why_set(&c->why, E_VERSION, "the asker");
	if ((e = read_command(c, &r)) != E_OK)
		return e;
	n = count_of(&r);
	if ((c->args = arena_alloc(&c->arena, (n + 1) * sizeof(*c->args))) == NULL)
		return E_NO_MEMORY;
	for (i = 0; i < n && r.e == E_OK; i++) {
		if ((c->args[c->arg_count++] = text(c, &r)) == NULL)
			return r.e == E_OK ? E_NO_MEMORY : r.e;
	}
	if ((e = read_options(c, &r)) != E_OK)
		return e;
	n = count_of(&r);
	for (i = 0; i < n && r.e == E_OK; i++) {
		const char *name;
		struct bytes content;

		reader_array_of(&r, 2);
		name = text(c, &r);
		content = reader_bin(&r);
		if (name == NULL || r.e != E_OK)
			return r.e == E_OK ? E_NO_MEMORY : r.e;
		if ((e = call_input_add(c, name, content)) != E_OK)
			return e;
	}
	flags = reader_u64_max(&r, 7);
	read_secret(&r, &c->secret);
	read_secret(&r, &c->new_secret);
	c->json = (flags & 1) != 0;
	c->terminal = (flags & 2) != 0;
	c->notes_terminal = (flags & 4) != 0;
	if ((e = reader_end(&r)) != E_OK)
		return e;
	/* Over TLS no secret is meant to travel: one that does is not looked at. */
	if (c->remote) {
		secret_wipe(&c->secret);
		secret_wipe(&c->new_secret);
	}
	return check_args(c);
}

enum err
call_asked_new(struct call **out, struct bytes ask, const struct call_asker *asker, struct why *why)
{
	struct call *c;
	enum err e = call_new(&c);

	*out = NULL;
	if (e != E_OK)
		return why_set(why, e, "what was asked");
	c->asked = c->secret_sought = true;
	c->remote = asker->remote;
	c->peer = asker->peer;
	c->answer = asker->answer;
	c->ctx = asker->ctx;
	call_set_actor(c, asker->actor);
	if ((e = read_ask(c, ask)) == E_OK) {
		*out = c;
		return E_OK;
	}
	(void)why_set(why, e, "%s", c->why.e == e ? c->why.thing : "what was asked");
	call_free(c);
	return e;
}

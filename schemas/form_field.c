/* form_field: which nodes are fields, of which type and class, and what merges with what. */
#include <stdlib.h>

#include "core/crypto/crypto.h"
#include "schemas/form_inside.h"

static enum question
media_question(const char *media_type)
{
	if (media_type != NULL && strncmp(media_type, "image", 5) == 0)
		return QUESTION_IMAGE;
	if (media_type != NULL && strncmp(media_type, "audio", 5) == 0)
		return QUESTION_AUDIO;
	if (media_type != NULL && strncmp(media_type, "video", 5) == 0)
		return QUESTION_VIDEO;
	return QUESTION_FILE;
}

static const struct {
	const char *bind, *preload, *params;
	enum question input, question;
} types[] = {
    /* by bind type, for an input */
    {"int", NULL, NULL, 1, QUESTION_INTEGER},
    {"integer", NULL, NULL, 1, QUESTION_INTEGER},
    {"decimal", NULL, NULL, 1, QUESTION_DECIMAL},
    {"date", NULL, NULL, 1, QUESTION_DATE},
    {"time", NULL, NULL, 1, QUESTION_TIME},
    {"dateTime", NULL, NULL, 1, QUESTION_DATETIME},
    {"geopoint", NULL, NULL, 1, QUESTION_GEOPOINT},
    {"geotrace", NULL, NULL, 1, QUESTION_GEOTRACE},
    {"geoshape", NULL, NULL, 1, QUESTION_GEOSHAPE},
    {"barcode", NULL, NULL, 1, QUESTION_BARCODE},
    /* by preload */
    {NULL, "timestamp", "start", 0, QUESTION_START},
    {NULL, "timestamp", "end", 0, QUESTION_END},
    {NULL, "date", "today", 0, QUESTION_TODAY},
    {NULL, "uid", NULL, 0, QUESTION_INSTANCE_ID},
    {NULL, "property", "deviceid", 0, QUESTION_DEVICEID},
    {NULL, "property", "username", 0, QUESTION_USERNAME},
    {NULL, "property", "phonenumber", 0, QUESTION_PHONENUMBER},
    {NULL, "property", "email", 0, QUESTION_EMAIL},
};

static enum question
input_question(const struct form_node *n)
{
	size_t i;

	for (i = 0; n->bind_type != NULL && i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].input && strcmp(types[i].bind, n->bind_type) == 0)
			return types[i].question;
	return QUESTION_TEXT;
}

static bool
always_true(const struct xpath *x)
{
	struct xpath_value v;
	struct xpath_context context = {0};

	/* Only a constant needs no context: true(), "true()" or a number. */
	return x != NULL && xpath_constant(x) && xpath_eval(x, &context, &v, NULL) == E_OK &&
	       xpath_boolean(&v);
}

static enum question
silent_question(const struct form_node *n)
{
	size_t i;

	for (i = 0; n->preload != NULL && i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].preload != NULL && strcmp(types[i].preload, n->preload) == 0 &&
		    (types[i].params == NULL || (n->preload_params != NULL &&
						 strcmp(types[i].params, n->preload_params) == 0)))
			return types[i].question;
	if (strcmp(n->path, "meta/instanceID") == 0)
		return QUESTION_INSTANCE_ID;
	if (strcmp(n->path, "meta/instanceName") == 0)
		return QUESTION_INSTANCE_NAME;
	if (strcmp(n->path, "meta/audit") == 0)
		return QUESTION_AUDIT;
	return n->calculate != NULL ? QUESTION_CALCULATE : QUESTION_HIDDEN;
}

static enum question
question_of(const struct form_node *n)
{
	const struct form_control *c = n->control;
	bool from_file = c != NULL && c->choices != NULL && c->choices->from_file;

	if (n->repeat)
		return QUESTION_REPEAT;
	if (c == NULL)
		return silent_question(n);
	if (strcmp(c->tag, "select1") == 0)
		return from_file ? QUESTION_SELECT_ONE_FROM_FILE : QUESTION_SELECT_ONE;
	if (strcmp(c->tag, "select") == 0)
		return from_file ? QUESTION_SELECT_MULTIPLE_FROM_FILE : QUESTION_SELECT_MULTIPLE;
	if (strcmp(c->tag, "rank") == 0)
		return QUESTION_RANK;
	if (strcmp(c->tag, "range") == 0)
		return QUESTION_RANGE;
	if (strcmp(c->tag, "trigger") == 0)
		return QUESTION_ACKNOWLEDGE;
	if (strcmp(c->tag, "upload") == 0)
		return media_question(c->media_type);
	if (input_question(n) == QUESTION_TEXT && n->calculate == NULL && !n->has_action &&
	    n->tree->text[0] == '\0' && n->preload == NULL && always_true(n->readonly))
		return QUESTION_NOTE;
	return input_question(n);
}

static enum value_kind
kind_of(const struct form_node *n, enum question type)
{
	bool plain = type == QUESTION_CALCULATE || type == QUESTION_HIDDEN;

	if (plain && n->bind_type != NULL)
		return question_kinds[input_question(n)];
	if (type == QUESTION_RANGE && n->bind_type != NULL && strcmp(n->bind_type, "int") == 0)
		return VALUE_INTEGER;
	return question_kinds[type];
}

static size_t
count_fields(const struct form_node *n)
{
	const struct form_node *c;
	size_t count = n->first == NULL || n->repeat;

	for (c = n->first; c != NULL; c = c->next)
		count += count_fields(c);
	return count;
}

static void
add_field(struct form *f, struct form_node *n, int repeat)
{
	size_t i = f->field_count++;
	struct form_field *field = &f->fields[i];
	uint8_t hash[SHA256_BYTES];

	n->field = (int)i;
	field->path = n->path;
	field->name = n->name;
	field->type = question_of(n);
	field->urgent = n->urgent;
	field->cls = n->cls != NULL ? (enum sensitivity)n->cls[0] : question_classes[field->type];
	field->repeat = repeat;
	field->unit = repeat < 0 ? (int)i : f->fields[repeat].unit;
	crypto_sha256(hash, bytes_of_str(n->path));
	field->key.v = be32_get(hash);
	field->metadata = field->type >= QUESTION_START;
	field->calculated = n->calculate != NULL;
	f->more[i].node = n;
	f->more[i].kind = kind_of(n, field->type);
	if (n->control != NULL && n->control->kind == CONTROL_QUESTION)
		f->more[i].choices = n->control->choices;
}

static void
add_fields(struct form *f, struct form_node *n, int repeat)
{
	struct form_node *c;

	if (n->first == NULL || n->repeat)
		add_field(f, n, repeat);
	if (n->repeat)
		repeat = n->field;
	for (c = n->first; c != NULL; c = c->next)
		add_fields(f, c, repeat);
}

/* From open to identifying. */
static int
strictness(enum sensitivity c)
{
	return c == CLASS_D ? 3 : c == CLASS_S ? 2 : c == CLASS_Q ? 1 : 0;
}

struct referred {
	struct form *form;
	const struct form_node *at;
	int strictest;
};

static void
refer(void *user, const char *path)
{
	struct referred *r = user;
	const struct form_node *n = form_node_at(r->form, r->at, path);

	if (n != NULL && n != r->at && n->field >= 0 && !n->repeat &&
	    strictness(r->form->fields[n->field].cls) > r->strictest)
		r->strictest = strictness(r->form->fields[n->field].cls);
}

/* A calculation is as sensitive as what it is made of; calculations of calculations need more
 * rounds. */
static enum err
derive_classes(struct form *f)
{
	static const enum sensitivity classes[] = {CLASS_O, CLASS_Q, CLASS_S, CLASS_D};
	bool *derived = calloc(f->field_count + 1, sizeof(*derived));
	size_t i, round;
	bool changed = true;

	if (derived == NULL)
		return E_NO_MEMORY; /* or a name would be counted among what anybody may see */
	for (round = 0; changed && round < f->field_count; round++) {
		changed = false;
		for (i = 0; i < f->field_count; i++) {
			struct form_node *n = f->more[i].node;
			struct referred r = {f, n, derived[i] ? strictness(f->fields[i].cls) : -1};

			if (n->calculate == NULL || n->cls != NULL)
				continue;
			xpath_paths(n->calculate, refer, &r);
			if (r.strictest < 0 ||
			    (derived[i] && classes[r.strictest] == f->fields[i].cls))
				continue;
			f->fields[i].cls = classes[r.strictest];
			derived[i] = changed = true;
		}
	}
	free(derived);
	return E_OK;
}

static enum err
build_places(struct form_build *b, bool identifying)
{
	struct form *f = b->form;
	struct form_places *places = arena_alloc(b->arena, (f->field_count + 1) * sizeof(*places));
	uint32_t *room = arena_alloc(b->arena, (f->field_count + 1) * sizeof(*room));
	size_t i;

	if (places == NULL || room == NULL)
		return E_NO_MEMORY;
	for (i = 0; i < f->field_count; i++)
		if (f->more[i].in_group[identifying])
			places[f->fields[i].repeat + 1].count++;
	for (i = 0; i <= f->field_count; i++) {
		places[i].fields = room;
		room += places[i].count;
		places[i].count = 0;
	}
	for (i = 0; i < f->field_count; i++)
		if (f->more[i].in_group[identifying]) {
			struct form_places *p = &places[f->fields[i].repeat + 1];

			p->fields[p->count++] = (uint32_t)i;
		}
	f->places[identifying] = places;
	return E_OK;
}

static int
by_key(const void *a, const void *b, void *fields)
{
	const struct form_field *f = fields;
	uint32_t x = f[*(const uint32_t *)a].key.v, y = f[*(const uint32_t *)b].key.v;

	return (x > y) - (x < y);
}

static enum err
index_keys(struct form_build *b)
{
	struct form *f = b->form;
	size_t i;

	if ((f->by_key = arena_alloc(b->arena, (f->field_count + 1) * sizeof(uint32_t))) == NULL)
		return E_NO_MEMORY;
	for (i = 0; i < f->field_count; i++)
		f->by_key[i] = (uint32_t)i;
	qsort_r(f->by_key, f->field_count, sizeof(uint32_t), by_key, f->fields);
	for (i = 1; i < f->field_count; i++)
		if (f->fields[f->by_key[i]].key.v == f->fields[f->by_key[i - 1]].key.v)
			return why_set(b->why, E_XFORM,
				       "the fields %.80s and %.80s have the same key; rename one",
				       f->fields[f->by_key[i - 1]].path,
				       f->fields[f->by_key[i]].path);
	return E_OK;
}

enum err
form_build_fields(struct form_build *b)
{
	struct form *f = b->form;
	size_t count = count_fields(f->root), i;
	enum err e;

	if (count > FORM_FIELDS_MAX)
		return why_set(b->why, E_LIMIT, "the number of questions");
	f->fields = arena_alloc(b->arena, (count + 1) * sizeof(*f->fields));
	f->more = arena_alloc(b->arena, (count + 1) * sizeof(*f->more));
	if (f->fields == NULL || f->more == NULL)
		return E_NO_MEMORY;
	add_fields(f, f->root, -1);
	for (i = 0; f->about_child && i < f->field_count; i++)
		if (f->fields[i].type == QUESTION_IMAGE || f->fields[i].type == QUESTION_AUDIO ||
		    f->fields[i].type == QUESTION_VIDEO || f->fields[i].type == QUESTION_FILE)
			return why_set(
			    b->why, E_XFORM,
			    "%.120s is of type %s, but the form is about a child: no photographs, sound, film or "
			    "files of a child; leave the question out",
			    f->fields[i].path, question_names[f->fields[i].type]);
	if (derive_classes(f) != E_OK)
		return E_NO_MEMORY;
	for (i = f->field_count; i-- > 0;) {
		struct field_more *m = &f->more[i];
		int repeat = f->fields[i].repeat;

		if (m->kind == VALUE_NONE)
			continue;
		if (m->kind != VALUE_ROWS)
			m->in_group[f->fields[i].cls == CLASS_D] = true;
		if (repeat >= 0) {
			f->more[repeat].in_group[0] = f->more[repeat].in_group[0] || m->in_group[0];
			f->more[repeat].in_group[1] = f->more[repeat].in_group[1] || m->in_group[1];
		}
	}
	if ((e = build_places(b, false)) != E_OK || (e = build_places(b, true)) != E_OK)
		return e;
	return index_keys(b);
}

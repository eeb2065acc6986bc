/* answers: an instance made, answered and looked at. */
#include "schemas/answers.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/limits.h"
#include "schemas/answers_inside.h"
#include "schemas/xpath_inside.h"

static struct xml_node *
host_instance(void *user, const char *id)
{
	struct answers *a = user;
	struct form_instance *in = form_instance_find(a->form, id);
	struct xml_node *own =
	    in == NULL || a->local_roots == NULL ? NULL : a->local_roots[in - a->form->instances];

	return in == NULL ? NULL : own != NULL ? own : in->root;
}

static const char *
host_itext(void *user, struct arena *arena, const char *id)
{
	struct answers *a = user;
	const struct form_itext *it = form_itext_find(a->form, id);

	return it == NULL ? NULL : answers_label(a, &it->label, a->instance, arena);
}

static const char *
host_choice_label(void *user, struct arena *arena, const char *value, struct xml_node *n)
{
	struct answers *a = user;
	const struct form_node *f = n->tag;
	const struct form_control *c = f == NULL ? NULL : f->control;
	struct shown_choice *list;
	size_t count, i;

	if (c == NULL || value[0] == '\0')
		return "";
	if (c->choices != NULL) {
		i = form_choices_find(c->choices, value, strlen(value));
		return i == SIZE_MAX ? "" : answers_label(a, &c->choices->list[i].label, n, arena);
	}
	if (c->nodeset == NULL || answers_list_choices(a, n, arena, &list, &count) != E_OK)
		return "";
	for (i = 0; i < count; i++)
		if (strcmp(list[i].name, value) == 0)
			return list[i].label;
	return "";
}

static bool
host_is_row(void *user, const struct xml_node *n)
{
	(void)user;
	return n->tag != NULL && node_of(n)->repeat;
}

static const char *
keep(struct answers *a, const char *s)
{
	return arena_str(&a->arena, s == NULL ? "" : s, s == NULL ? 0 : strlen(s));
}

enum err
answers_blank(struct answers **out, const struct form *f, const struct answer_env *env)
{
	struct answers *a = calloc(1, sizeof(*a));

	*out = NULL;
	if (a == NULL)
		return E_NO_MEMORY;
	a->form = f;
	a->lang = env->lang < f->language_count ? env->lang : 0;
	arena_init(&a->arena, ANSWERS_ARENA_BYTES_MAX);
	arena_init(&a->scratch, ANSWERS_ARENA_BYTES_MAX);
	arena_init(&a->shown, ANSWERS_ARENA_BYTES_MAX);
	a->host = (struct xpath_host){.user = a,
				      .instance = host_instance,
				      .itext = host_itext,
				      .choice_label = host_choice_label,
				      .is_row = host_is_row,
				      .now_ms = env->now_ms,
				      .zone_minutes = env->zone_minutes,
				      .random = env->seed};
	a->device_id = keep(a, env->device_id);
	a->username = keep(a, env->username);
	a->area = keep(a, env->area);
	a->root = xml_new(&a->arena, XML_ROOT, "", "");
	a->instance = a->root == NULL ? NULL : xml_copy(&a->arena, f->primary);
	if (a->instance == NULL || a->area == NULL || answers_take_local(a, env) != E_OK) {
		answers_free(a);
		return E_NO_MEMORY;
	}
	xml_append(a->root, a->instance);
	xml_renumber(a->root);
	*out = a;
	return E_OK;
}

/* Metadata that the program knows (jr:preload). `end_only`: at finishing. */
static void
preload(struct answers *a, struct xml_node *n, bool end_only)
{
	const struct form_node *f = node_of(n);
	enum question type = f->field < 0 ? QUESTION_TEXT : a->form->fields[f->field].type;
	const char *params = f->preload_params == NULL ? "" : f->preload_params;
	struct xml_node *c;
	char text[64];

	for (c = n->first; c != NULL; c = c->next)
		preload(a, c, end_only);
	if (f->first != NULL || f->preload == NULL || (end_only && type != QUESTION_END))
		return;
	xpath_moment_text(a->host.now_ms - a->host.now_ms % 1000, a->host.zone_minutes, text);
	if (type == QUESTION_TODAY)
		text[10] = '\0';
	else if (type == QUESTION_INSTANCE_ID)
		snprintf(text, sizeof(text), "uuid:%08x-%04x-4%03x-8%03x-%012llx",
			 (unsigned)xpath_draw(&a->host), (unsigned)xpath_draw(&a->host) & 0xffff,
			 (unsigned)xpath_draw(&a->host) & 0xfff,
			 (unsigned)xpath_draw(&a->host) & 0xfff,
			 (unsigned long long)xpath_draw(&a->host) & 0xffffffffffff);
	else if (type != QUESTION_START && type != QUESTION_END)
		text[0] = '\0';
	if (text[0] != '\0')
		answers_store(a, n, text);
	else if (type == QUESTION_DEVICEID)
		answers_store(a, n, a->device_id);
	else if (type == QUESTION_USERNAME)
		answers_store(a, n, a->username);
	else if (strcmp(f->preload, "property") == 0 && strcmp(params, "area") == 0)
		answers_store(a, n, a->area);
}

enum err
answers_new(struct answers **out, const struct form *f, const struct answer_env *env,
	    struct why *why)
{
	struct answers *a;
	enum err e = answers_blank(&a, f, env);

	*out = NULL;
	if (e != E_OK)
		return why_set(why, e, "a questionnaire");
	a->filling = true;
	preload(a, a->instance, false);
	answers_recalculate(a);
	answers_act(a, "odk-instance-first-load", a->instance, NULL);
	answers_recalculate(a);
	if (a->out_of_memory) {
		answers_free(a);
		return why_set(why, E_NO_MEMORY, "a questionnaire");
	}
	*out = a;
	return E_OK;
}

void
answers_free(struct answers *a)
{
	if (a == NULL)
		return;
	arena_free(&a->arena);
	arena_free(&a->scratch);
	arena_free(&a->shown);
	free(a);
}

void
answers_set_language(struct answers *a, size_t lang)
{
	if (lang < a->form->language_count)
		a->lang = lang;
	answers_recalculate(a); /* jr:itext() and jr:choice-name() may stand in calculations */
}

void
answers_set_now(struct answers *a, int64_t now_ms)
{
	a->host.now_ms = now_ms;
	if (!a->end_given)
		preload(a, a->instance, true);
	answers_recalculate(a);
}

struct xml_node *
answers_find(struct answers *a, const char *ref, const struct form_node **node,
	     struct xml_node **parent)
{
	struct xml_node *at = a->instance, *above = NULL;
	const struct form_node *f = a->form->root;

	*node = NULL;
	*parent = NULL;
	if (ref[0] == '\0')
		return NULL;
	while (*ref != '\0') {
		size_t n = strcspn(ref, "/["), index = 1;
		const char *name = ref;

		for (f = f->first;
		     f != NULL && (strlen(f->name) != n || memcmp(f->name, name, n) != 0);
		     f = f->next)
			;
		if (f == NULL || at == NULL)
			return NULL;
		ref += n;
		if (*ref == '[') {
			index = strtoul(ref + 1, NULL, 10);
			ref += strcspn(ref, "]");
			ref += *ref == ']';
		}
		if (*ref == '/')
			ref++;
		above = at;
		at = index == 0 ? NULL : answers_row(at, f, index - 1);
	}
	*node = f;
	*parent = above;
	return at;
}

static void
write_ref(const struct xml_node *n, struct writer *w)
{
	const struct xml_node *s;
	unsigned index = 1;

	if (n->parent == NULL || n->parent->kind == XML_ROOT)
		return;
	write_ref(n->parent, w);
	if (w->n > 0)
		writer_u8(w, '/');
	writer_str(w, n->name);
	if (node_of(n)->repeat) {
		for (s = n->prev; s != NULL; s = s->prev)
			index += s->tag == n->tag;
		writer_printf(w, "[%u]", index);
	}
}

void
answers_ref(const struct xml_node *n, char *out, size_t out_bytes)
{
	struct writer w;

	writer_init(&w, out, out_bytes - 1);
	write_ref(n, &w);
	out[w.n] = '\0';
}

static bool
in_filtered(struct answers *a, struct xml_node *n, const char *text)
{
	const struct form_control *c = node_of(n)->control;
	struct xpath_value v;
	size_t i;

	if ((c->local && !a->local) || answers_nodes(a, c->nodeset, n, &v) != E_OK)
		return true; /* the form's fault, told by answers_check */
	for (text += strspn(text, " "); *text != '\0'; text += strspn(text, " ")) {
		size_t length = strcspn(text, " ");

		for (i = 0; i < v.count; i++) {
			const struct xml_node *x = xml_child(v.nodes[i], c->value_ref);
			const char *s = x == NULL ? "" : xml_string(x, &a->scratch);

			if (s != NULL && strlen(s) == length && memcmp(s, text, length) == 0)
				break;
		}
		if (i == v.count)
			return false;
		text += length;
	}
	return true;
}

enum err
answers_allowed(struct answers *a, struct xml_node *n, const char *text, struct answer_fault *fault)
{
	const struct form_node *f = node_of(n);
	uint8_t room[1024];
	struct writer w;
	enum err e;

	if (strlen(text) < sizeof(room) / 2)
		writer_init(&w, room, sizeof(room));
	else
		writer_heap_init(&w, SLICE_PLAIN_BYTES_MAX);
	e = form_value_write(a->form, (size_t)f->field, text, &w, NULL);
	if (e == E_OK)
		e = writer_end(&w);
	writer_free(&w);
	if (e == E_OK && f->control != NULL && f->control->nodeset != NULL &&
	    f->control->filtered && !in_filtered(a, n, text))
		e = E_CHOICE_UNKNOWN;
	if (e != E_OK)
		answers_fault_value(a, fault, e, n, text);
	answers_forget(a);
	return e;
}

enum err
answers_constrained(struct answers *a, struct xml_node *n, struct answer_fault *fault)
{
	const struct form_node *f = node_of(n);
	const char *message;
	char text[400];

	if (f->constraint == NULL || n->text[0] == '\0' || n->hidden ||
	    (f->local_constraint && !a->local) || answers_true(a, f->constraint, n))
		return E_OK;
	if (a->out_of_memory)
		return fault == NULL
			   ? E_NO_MEMORY
			   : answers_fault_about(fault, E_NO_MEMORY, n, answers_name(a, n));
	if (fault == NULL)
		return E_ANSWER_CONSTRAINT;
	message = answers_label(a, &f->constraint_message, n, &a->scratch);
	if (message[0] == '\0') {
		snprintf(text, sizeof(text),
			 "the form does not take this answer to \"%.200s\"; correct it",
			 answers_name(a, n));
		message = text;
	}
	return answers_fault(fault, E_ANSWER_CONSTRAINT, n, message);
}

/* A date given with a time keeps its day; spaces around and between choices are made one. */
static const char *
normal_text(struct answers *a, enum value_kind kind, const char *text)
{
	char *copy = arena_str(&a->scratch, text, strlen(text)), *to = copy;

	if (copy == NULL)
		return text;
	if (kind == VALUE_DATE && strlen(copy) > 10)
		copy[10] = '\0';
	if (kind != VALUE_CHOICES)
		return copy;
	for (text += strspn(text, " "); *text != '\0'; text += strspn(text, " ")) {
		if (to != copy)
			*to++ = ' ';
		while (*text != '\0' && *text != ' ')
			*to++ = *text++;
	}
	*to = '\0';
	return copy;
}

enum err
answers_set(struct answers *a, const char *ref, const char *text, struct answer_fault *fault)
{
	const struct form_node *f;
	struct xml_node *parent, *n = answers_find(a, ref, &f, &parent);
	enum value_kind kind;
	enum err e;

	if (n == NULL || f->field < 0)
		return answers_fault_about(fault, E_FIELD_UNKNOWN, NULL, ref);
	kind = a->form->more[f->field].kind;
	if (n->hidden)
		return answers_fault_of(a, fault, E_ANSWER_IRRELEVANT, n);
	if (f->calculate != NULL || kind == VALUE_NONE ||
	    (f->readonly != NULL && answers_true(a, f->readonly, n)))
		return answers_fault_of(a, fault, E_ANSWER_READONLY, n);
	if (text[0] != '\0' && (e = answers_allowed(a, n, text, fault)) != E_OK)
		return e;
	a->end_given = a->end_given || a->form->fields[f->field].type == QUESTION_END;
	if (answers_store(a, n, normal_text(a, kind, text))) {
		answers_act(a, "xforms-value-changed", a->instance, f);
		answers_recalculate(a);
	}
	if (a->out_of_memory)
		return answers_fault_about(fault, E_NO_MEMORY, n, ref);
	e = answers_constrained(a, n, fault);
	answers_forget(a);
	return e;
}

enum err
answers_add_row(struct answers *a, const char *repeat_ref, struct answer_fault *fault)
{
	const struct form_node *f;
	struct xml_node *parent, *row;

	answers_find(a, repeat_ref, &f, &parent);
	if (f == NULL || !f->repeat || parent == NULL)
		return answers_fault_about(fault, E_FIELD_UNKNOWN, NULL, repeat_ref);
	if (f->fixed_rows)
		return answers_fault_about(fault, E_ANSWER_READONLY, NULL, repeat_ref);
	if ((row = answers_insert_row(a, parent, f)) == NULL)
		return answers_fault_about(fault, E_LIMIT, NULL, repeat_ref);
	preload(a, row, false);
	answers_recalculate(a);
	answers_act(a, "odk-new-repeat", row, NULL);
	answers_recalculate(a);
	return E_OK;
}

enum err
answers_remove_row(struct answers *a, const char *row_ref, struct answer_fault *fault)
{
	const struct form_node *f;
	struct xml_node *parent, *row = answers_find(a, row_ref, &f, &parent);

	if (row == NULL || !f->repeat)
		return answers_fault_about(fault, E_FIELD_UNKNOWN, NULL, row_ref);
	if (f->fixed_rows)
		return answers_fault_about(fault, E_ANSWER_READONLY, NULL, row_ref);
	xml_remove(row);
	xml_renumber(a->root);
	answers_recalculate(a);
	return E_OK;
}

size_t
answers_row_count(const struct answers *a, const char *repeat_ref)
{
	const struct form_node *f;
	struct xml_node *parent;
	size_t n = 0;

	answers_find((struct answers *)(uintptr_t)a, repeat_ref, &f, &parent);
	if (f == NULL || parent == NULL)
		return 0;
	while (answers_row(parent, f, n) != NULL)
		n++;
	return n;
}

const char *
answers_get(struct answers *a, const char *ref)
{
	const struct form_node *f;
	struct xml_node *parent, *n = answers_find(a, ref, &f, &parent);

	return n == NULL || n->hidden || n->first != NULL ? "" : n->text;
}

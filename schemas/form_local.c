/* form_local: lists that the device which fills a form keeps itself. FORMS.md 6a. */
#include <stdlib.h>

#include "schemas/form_inside.h"
#include "schemas/xpath_inside.h"

#define LIST_NAME_BYTES_MAX 40u

static bool
is_word(const char *list, const char *word)
{
	size_t length = strlen(word);

	for (list += strspn(list, " "); *list != '\0'; list += strspn(list, " ")) {
		size_t n = strcspn(list, " ");

		if (n == length && memcmp(list, word, n) == 0)
			return true;
		list += n;
	}
	return false;
}

enum err
form_build_local(struct form_build *b)
{
	struct form *f = b->form;
	const char *names = xml_attribute(f->primary, NS_BANYAN, "local");
	size_t i, words = 0;

	if (names == NULL)
		return E_OK;
	for (i = 0; names[i] != '\0'; i++)
		words += names[i] != ' ' && (i == 0 || names[i - 1] == ' ');
	for (i = 0; i < f->instance_count; i++) {
		struct form_instance *in = &f->instances[i];

		in->local = in->from_file && strlen(in->id) <= LIST_NAME_BYTES_MAX &&
			    is_word(names, in->id);
		f->local_count += in->local;
	}
	if (f->local_count != words)
		return why_set(
		    b->why, E_XFORM,
		    "banyan:local names \"%.80s\", and not each of them is a file that the form "
		    "reads; name a list of at most 40 letters that has a CSV with its columns",
		    names);
	return E_OK;
}

static bool
names_local(const struct form *f, const struct xpath *x)
{
	const struct form_instance *in;

	if (x->op != OP_CALL || x->argc == 0 ||
	    (strcmp(x->string, "instance") != 0 && strcmp(x->string, "pulldata") != 0))
		return false;
	if (x->args[0]->op != OP_LITERAL)
		return true; /* it may be any of them */
	in = form_instance_find(f, x->args[0]->string);
	return in != NULL && in->local;
}

static bool
reads(const struct form *f, const struct xpath *x)
{
	size_t i, j;

	if (names_local(f, x))
		return true;
	for (i = 0; i < x->argc; i++)
		if (reads(f, x->args[i]))
			return true;
	for (i = 0; i < x->filter_count; i++)
		if (reads(f, x->filters[i]))
			return true;
	for (i = 0; i < x->step_count; i++)
		for (j = 0; j < x->steps[i].predicate_count; j++)
			if (reads(f, x->steps[i].predicates[j]))
				return true;
	return false;
}

bool
form_reads_local(const struct form *f, const struct xpath *x)
{
	return x != NULL && f->local_count > 0 && reads(f, x);
}

/* Is the class of all that a calculation is made of open enough to be remembered? */
struct made_of {
	const struct form *form;
	const struct form_node *at;
	unsigned depth;
	const struct form_node *sealed; /* one that is not */
};

static void
look(void *user, const char *path)
{
	struct made_of *m = user;
	const struct form_node *at = m->at, *n = form_node_at(m->form, at, path);
	enum sensitivity cls;

	if (n == NULL || n == at || n->field < 0 || n->repeat || m->depth > 64 || m->sealed != NULL)
		return;
	cls = m->form->fields[n->field].cls;
	if (cls == CLASS_D || cls == CLASS_S) {
		m->sealed = n;
	} else if (n->calculate != NULL) {
		m->at = n;
		m->depth++;
		xpath_paths(n->calculate, look, m);
		m->depth--;
		m->at = at;
	}
}

static bool
may_be_kept(enum question type)
{
	return type == QUESTION_SELECT_ONE || type == QUESTION_SELECT_MULTIPLE ||
	       type == QUESTION_INTEGER || type == QUESTION_DECIMAL || type == QUESTION_RANGE ||
	       type == QUESTION_DATE || type == QUESTION_SELECT_ONE_FROM_FILE ||
	       type == QUESTION_CALCULATE;
}

static bool
has_column(const struct form_instance *in, const char *column)
{
	const struct xml_node *list = in->root->first, *item = list == NULL ? NULL : list->first;

	return item == NULL /* a header only: its columns are not kept */ ||
	       xml_child(item, column) != NULL;
}

static enum err
check_remember(struct form_build *b, const struct form_node *n)
{
	struct form *f = b->form;
	const struct form_field *field = n->field < 0 ? NULL : &f->fields[n->field];
	const char *dot = strchr(n->remember, '.');
	struct made_of m = {.form = f, .at = n};
	const struct form_instance *in;
	char list[LIST_NAME_BYTES_MAX + 1] = "";

	if (dot != NULL && (size_t)(dot - n->remember) < sizeof(list))
		memcpy(list, n->remember, (size_t)(dot - n->remember));
	in = form_instance_find(f, list);
	if (dot == NULL || in == NULL || strcmp(list, FORM_LOCAL_OWN) == 0 || !in->local ||
	    !has_column(in, dot + 1) || dot[1] == '\0')
		return why_set(b->why, E_XFORM,
			       "%.80s is remembered as \"%.60s\"; write LIST.COLUMN of a list that "
			       "banyan:local names",
			       n->path, n->remember);
	if (field == NULL || n->repeat || field->repeat >= 0)
		return why_set(b->why, E_XFORM,
			       "%.100s cannot be remembered: it stands in a repeat, or is a group",
			       n->path);
	if (n->calculate != NULL)
		xpath_paths(n->calculate, look, &m);
	if (field->cls == CLASS_D || field->cls == CLASS_S || m.sealed != NULL)
		return why_set(
		    b->why, E_XFORM,
		    "%.80s cannot be remembered: it, or what it is made of (%.60s), is of class "
		    "D or S, and nothing of those stays on a device",
		    n->path, m.sealed != NULL ? m.sealed->path : n->path);
	if (!may_be_kept(field->type))
		return why_set(
		    b->why, E_XFORM,
		    "%.80s cannot be remembered: only choices, numbers, dates and calculations "
		    "are, never what is written freely",
		    n->path);
	return E_OK;
}

enum err
form_check_local(struct form_build *b)
{
	struct form *f = b->form;
	size_t i;
	enum err e;

	for (i = 0; i < f->field_count; i++) {
		struct form_node *n = f->more[i].node, *up;

		for (up = n; up != NULL; up = up->parent)
			if (form_reads_local(f, up->relevant) ||
			    form_reads_local(f, up->required) ||
			    form_reads_local(f, up->readonly) || form_reads_local(f, up->row_count))
				return why_set(
				    b->why, E_XFORM,
				    "%.100s depends on a local list, which the office does not have; "
				    "calculate it in a field of its own and name that",
				    up->path);
		n->local_calculate = form_reads_local(f, n->calculate);
		n->local_constraint = form_reads_local(f, n->constraint);
		if (n->remember != NULL && (e = check_remember(b, n)) != E_OK)
			return e;
	}
	return E_OK;
}

size_t
form_local_count(const struct form *f)
{
	return f->local_count;
}

const char *
form_local_name(const struct form *f, size_t index)
{
	size_t i;

	for (i = 0; i < f->instance_count; i++)
		if (f->instances[i].local && index-- == 0)
			return f->instances[i].id;
	return "";
}

static struct form_note *
note_of(struct form_note *notes, size_t *count, const char *list, struct arena *arena)
{
	size_t i;

	for (i = 0; i < *count; i++)
		if (strcmp(notes[i].list, list) == 0)
			return &notes[i];
	notes[i] = (struct form_note){.list = arena_str(arena, list, strlen(list))};
	(*count)++;
	return &notes[i];
}

static enum err
note_value(const struct form *f, size_t field, struct bytes value, struct arena *arena,
	   struct form_note *notes, size_t *count)
{
	const char *remember = f->more[field].node->remember, *dot = strchr(remember, '.');
	char list[LIST_NAME_BYTES_MAX + 1] = "";
	struct form_note *note;
	struct reader r;
	struct writer w;
	enum err e;

	memcpy(list, remember, (size_t)(dot - remember));
	writer_heap_init(&w, 4096);
	reader_init(&r, value);
	form_value_text(f->more[field].kind, &r, &w);
	if ((e = reader_end(&r)) == E_OK && (e = writer_end(&w)) == E_OK) {
		note = note_of(notes, count, list, arena);
		if (note->count < FORM_NOTE_COLUMNS_MAX) {
			note->columns[note->count] = dot + 1;
			note->values[note->count] = arena_str(arena, writer_cstr(&w), w.n);
			if (note->values[note->count++] == NULL || note->list == NULL)
				e = E_NO_MEMORY;
		}
	}
	writer_free(&w);
	return e;
}

enum err
form_notes(const struct form *f, const struct field_value *values, size_t count,
	   struct arena *arena, struct form_note **out, size_t *note_count)
{
	struct form_note *notes = arena_alloc(arena, (f->local_count + 1) * sizeof(*notes));
	size_t i;
	enum err e = notes == NULL ? E_NO_MEMORY : E_OK;

	*out = notes;
	*note_count = 0;
	for (i = 0; i < count && e == E_OK; i++) {
		size_t field = form_field_find_key(f, values[i].key);

		if (field == SIZE_MAX || values[i].identifying || values[i].value.n == 0 ||
		    values[i].value.p[0] == 0xc0 || f->more[field].node->remember == NULL)
			continue;
		e = note_value(f, field, values[i].value, arena, notes, note_count);
	}
	return e;
}

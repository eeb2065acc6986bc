/* xpath_choices: functions of choices, texts and lists. */
#include <math.h>

#include "schemas/xpath_functions.h"

/* The next word of a space-separated answer; NULL at the end. */
static const char *
next_word(const char **at, size_t *length)
{
	const char *word;

	*at += strspn(*at, " \t\r\n");
	word = *at;
	*length = strcspn(word, " \t\r\n");
	*at += *length;
	return *length == 0 ? NULL : word;
}

enum err
fn_selected(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	const char *list, *want, *word;
	size_t n, skip;
	enum err e;

	if ((e = xpath_work_string(ev, x->args[0], &list)) != E_OK ||
	    (e = xpath_work_string(ev, x->args[1], &want)) != E_OK)
		return e;
	skip = strspn(want, " \t\r\n");
	want += skip;
	*out = xpath_of_boolean(*want == '\0' && xml_blank(list));
	while (!out->boolean && (word = next_word(&list, &n)) != NULL)
		out->boolean = strncmp(want, word, n) == 0 && xml_blank(want + n);
	return E_OK;
}

enum err
fn_selected_at(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	const char *list, *word;
	double index;
	size_t n;
	enum err e;

	if ((e = xpath_work_string(ev, x->args[0], &list)) != E_OK ||
	    (e = xpath_work_number(ev, x->args[1], &index)) != E_OK)
		return e;
	*out = xpath_of_string("");
	if (!(index >= 0))
		return E_OK;
	for (index = trunc(index); (word = next_word(&list, &n)) != NULL; index--)
		if (index < 1) {
			word = arena_str(ev->arena, word, n);
			return word == NULL ? xpath_no_memory(ev) : give_string(ev, word, out);
		}
	return E_OK;
}

enum err
fn_count_selected(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	const char *list;
	size_t n, count = 0;
	enum err e = xpath_work_string(ev, x->args[0], &list);

	if (e != E_OK)
		return e;
	while (next_word(&list, &n) != NULL)
		count++;
	*out = xpath_of_number((double)count);
	return E_OK;
}

/* jr:choice-name(value, '/path/to/select'): the path may be a text or a path. */
enum err
fn_choice_name(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	const struct xpath_host *host = ev->context->host;
	const struct xpath *path;
	struct xpath_value v;
	const char *value, *label;
	enum err e;

	if (host == NULL || host->choice_label == NULL)
		return why_set(ev->why, E_XPATH_EVAL, "there are no choices here");
	if ((e = xpath_work_string(ev, x->args[0], &value)) != E_OK ||
	    (e = xpath_work(ev, x->args[1], &v)) != E_OK)
		return e;
	if (v.kind != XPATH_NODES) {
		if ((e = xpath_compile(&path, ev->arena, xpath_string(&v, ev->arena), NULL,
				       ev->why)) != E_OK ||
		    (e = xpath_work_nodes(ev, path, &v)) != E_OK)
			return e;
	}
	*out = xpath_of_string("");
	if (v.count == 0)
		return E_OK;
	label = host->choice_label(host->user, ev->arena, value, v.nodes[0]);
	if (label != NULL)
		out->string = label;
	return E_OK;
}

enum err
fn_itext(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	const struct xpath_host *host = ev->context->host;
	const char *id, *text;
	enum err e = xpath_work_string(ev, x->args[0], &id);

	if (e != E_OK)
		return e;
	text = host == NULL || host->itext == NULL ? NULL : host->itext(host->user, ev->arena, id);
	*out = xpath_of_string(text == NULL ? "" : text);
	return E_OK;
}

/* pulldata('list', 'column', 'key column', key): from the items of an instance. */
enum err
fn_pulldata(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	const char *column, *key_column, *key, *s;
	const struct xml_node *item, *cell;
	struct xpath_value v;
	enum err e;

	if ((e = fn_instance(ev, x, &v)) != E_OK ||
	    (e = xpath_work_string(ev, x->args[1], &column)) != E_OK ||
	    (e = xpath_work_string(ev, x->args[2], &key_column)) != E_OK ||
	    (e = xpath_work_string(ev, x->args[3], &key)) != E_OK)
		return e;
	*out = xpath_of_string("");
	item = xml_child(v.nodes[0], "");
	for (item = item == NULL ? NULL : xml_child(item, ""); item != NULL;
	     item = xml_sibling(item, "")) {
		cell = xml_child(item, key_column);
		s = cell == NULL ? NULL : xml_string(cell, ev->arena);
		if (s == NULL || strcmp(s, key) != 0 || (cell = xml_child(item, column)) == NULL)
			continue;
		out->string =
		    xpath_string(&(struct xpath_value){.kind = XPATH_STRING,
						       .string = xml_string(cell, ev->arena)},
				 ev->arena);
		return E_OK;
	}
	return E_OK;
}

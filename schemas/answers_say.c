/* answers_say: what a person reads about an answer that cannot stand: the form's own words, else
 * what to do. */
#include <stdio.h>

#include "schemas/answers_inside.h"
#include "schemas/utf8.h"

#define NAMED_CHOICES_MAX 12u /* more are no help in one line */

void
answers_say(char *out, size_t out_bytes, const char *text)
{
	struct bytes b = bytes_of_str(text);
	size_t at = 0, n = 0;

	while (at < b.n) {
		size_t from = at;

		if (utf8_next(b, &at) < 0) {
			at++;
			continue;
		}
		if (n + (at - from) >= out_bytes)
			break;
		memcpy(out + n, b.p + from, at - from);
		n += at - from;
	}
	out[n] = '\0';
}

enum err
answers_fault(struct answer_fault *fault, enum err e, const struct xml_node *n, const char *message)
{
	if (fault == NULL)
		return e;
	fault->e = e;
	fault->ref[0] = '\0';
	if (n != NULL)
		answers_ref(n, fault->ref, sizeof(fault->ref));
	answers_say(fault->message, sizeof(fault->message), message);
	return e;
}

const char *
answers_name(struct answers *a, struct xml_node *n)
{
	const struct form_node *f = node_of(n);
	const char *label =
	    f->control == NULL ? "" : answers_label(a, &f->control->label, n, &a->scratch);

	return label[0] == '\0' ? f->path : label;
}

enum err
answers_fault_about(struct answer_fault *fault, enum err e, const struct xml_node *n,
		    const char *thing)
{
	struct why why = {0};
	char text[400];

	why_set(&why, e, "%s", thing);
	return answers_fault(fault, e, n, why_sentence(&why, text, sizeof(text)));
}

enum err
answers_fault_of(struct answers *a, struct answer_fault *fault, enum err e, struct xml_node *n)
{
	char name[140];

	if (fault == NULL)
		return e;
	snprintf(name, sizeof(name), "\"%.130s\"", answers_name(a, n));
	return answers_fault_about(fault, e, n, name);
}

/* The choices that may be chosen now, if they are few. */
static void
name_choices(struct answers *a, struct xml_node *n, char *out, size_t out_bytes)
{
	struct shown_choice *list;
	size_t count = 0, i, used;

	used = (size_t)snprintf(out, out_bytes, "use a code of its list");
	if (answers_list_choices(a, n, &a->scratch, &list, &count) != E_OK || count == 0 ||
	    count > NAMED_CHOICES_MAX)
		return;
	used = (size_t)snprintf(out, out_bytes, "use %s", count > 1 ? "one of: " : "");
	for (i = 0; i < count && used < out_bytes; i++)
		used += (size_t)snprintf(out + used, out_bytes - used, "%s%s", i > 0 ? ", " : "",
					 list[i].name);
	if (used >= out_bytes)
		snprintf(out, out_bytes, "use a code of its list");
}

enum err
answers_fault_value(struct answers *a, struct answer_fault *fault, enum err e, struct xml_node *n,
		    const char *given)
{
	const struct form_node *f = node_of(n);
	const struct form_field *field = &a->form->fields[f->field];
	char text[400], choices[200];

	if (fault == NULL)
		return e;
	if (e == E_ANSWER_TYPE) {
		snprintf(text, sizeof(text), "answer \"%.150s\" with %s", answers_name(a, n),
			 form_value_wanted(a->form, (size_t)f->field));
	} else if (e == E_CHOICE_UNKNOWN) {
		/* What was answered to a question about who somebody is, is not said again. */
		name_choices(a, n, choices, sizeof(choices));
		snprintf(text, sizeof(text), "%.70s is not a choice of \"%.100s\" now; %s",
			 field->cls == CLASS_D ? "the answer" : given, answers_name(a, n), choices);
	} else {
		return answers_fault_of(a, fault, e, n);
	}
	return answers_fault(fault, e, n, text);
}

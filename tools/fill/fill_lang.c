/* Languages of a form: a draft is offered only once an officer has accepted it. */
#include <string.h>
#include <strings.h>

#include "tools/fill/fill_parts.h"

bool
fill_offered(const struct fill *f, size_t lang)
{
	const char *code = form_language_code(f->form, lang), *at = f->accepted;
	size_t n = strlen(code);

	if (!form_language_draft(f->form, lang))
		return true;
	while (at != NULL && *at != '\0') {
		size_t word = strcspn(at, " ");

		if (word == n && strncmp(at, code, n) == 0 && n > 0)
			return true;
		at += word + (at[word] == ' ');
	}
	return false;
}

enum err
fill_language(struct fill *f, const char *name)
{
	size_t i;

	for (i = 0; i < form_language_count(f->form); i++) {
		if (strcasecmp(form_language_code(f->form, i), name) != 0 &&
		    strcasecmp(form_language(f->form, i), name) != 0)
			continue;
		if (!fill_offered(f, i))
			break;
		f->lang = i;
		if (f->answers != NULL)
			answers_set_language(f->answers, i);
		return E_OK;
	}
	return why_set(f->why, E_LANGUAGE, "%s", name);
}

void
fill_languages_show(struct fill *f)
{
	size_t i;

	for (i = 0; i < form_language_count(f->form); i++) {
		if (fill_offered(f, i))
			fill_say(f, "  %-6s %s%s\n", form_language_code(f->form, i),
				 form_language(f->form, i), i == f->lang ? "  (now)" : "");
	}
}

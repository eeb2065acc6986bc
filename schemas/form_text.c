/* form_text: languages, itext, labels and messages. */
#include <stdio.h>
#include <stdlib.h>

#include "schemas/form_inside.h"

static int
by_id(const void *a, const void *b)
{
	return strcmp(((const struct form_itext *)a)->id, ((const struct form_itext *)b)->id);
}

const struct form_itext *
form_itext_find(const struct form *f, const char *id)
{
	struct form_itext key = {.id = id};

	if (f->itext_count == 0)
		return NULL;
	return bsearch(&key, f->itexts, f->itext_count, sizeof(key), by_id);
}

/* What an element says: its text, and <output value="..."/> between. */
static enum err
read_pieces(struct form_build *b, const struct xml_node *element, struct form_text *out)
{
	const struct xml_node *n;
	size_t count = 0;
	enum err e;

	for (n = element->first; n != NULL; n = n->next)
		count++;
	if ((out->pieces = arena_alloc(b->arena, (count + 1) * sizeof(*out->pieces))) == NULL)
		return E_NO_MEMORY;
	for (n = element->first; n != NULL; n = n->next) {
		struct form_piece *p = &out->pieces[out->count];

		if (n->kind == XML_TEXT) {
			p->string = n->text;
		} else if (n->kind == XML_ELEMENT && strcmp(n->name, "output") == 0) {
			const char *x = xml_attribute(n, "", "value");

			if (x == NULL)
				x = xml_attribute(n, "", "ref");
			if ((e = form_compile(b, x, "an output", &p->value)) != E_OK)
				return e;
		}
		out->count += p->string != NULL || p->value != NULL;
	}
	return E_OK;
}

static enum err
read_value(struct form_build *b, const struct xml_node *value, struct form_itext *it, size_t lang)
{
	const char *form = xml_attribute(value, "", "form");
	struct form_label *label = &it->label;

	if (form != NULL && strcmp(form, "guidance") == 0)
		label = &it->guidance;
	else if (form != NULL && strcmp(form, "long") != 0)
		return E_OK; /* pictures, sounds and short forms are not shown here */
	if (label->texts == NULL) {
		label->texts =
		    arena_alloc(b->arena, b->form->language_count * sizeof(*label->texts));
		if (label->texts == NULL)
			return E_NO_MEMORY;
	}
	return read_pieces(b, value, &label->texts[lang]);
}

static enum err
read_translation(struct form_build *b, const struct xml_node *translation, size_t lang, bool known)
{
	struct form *f = b->form;
	const struct xml_node *t, *v;
	enum err e;

	for (t = xml_child(translation, "text"); t != NULL; t = xml_sibling(t, "text")) {
		const char *id = xml_attribute(t, "", "id");
		struct form_itext *it;

		if (id == NULL)
			continue;
		if (!known) {
			f->itexts[f->itext_count++].id = id;
			continue;
		}
		it = (struct form_itext *)(uintptr_t)form_itext_find(f, id);
		for (v = xml_child(t, "value"); v != NULL; v = xml_sibling(v, "value"))
			if ((e = read_value(b, v, it, lang)) != E_OK)
				return e;
	}
	return E_OK;
}

static bool
in_words(const char *words, const char *word)
{
	size_t n = strlen(word);
	const char *p;

	for (p = words; n > 0 && p != NULL && *p != '\0';) {
		size_t length;

		p += strspn(p, " ");
		length = strcspn(p, " ");
		if (length == n && memcmp(p, word, n) == 0)
			return true;
		p += length;
	}
	return false;
}

static enum err
add_language(struct form_build *b, size_t i, const char *name)
{
	struct form *f = b->form;
	const char *open = strrchr(name, '('), *close = open == NULL ? NULL : strchr(open, ')');

	f->languages[i] = f->language_codes[i] = name;
	if (close != NULL && close[1] == '\0') {
		f->language_codes[i] = arena_str(b->arena, open + 1, (size_t)(close - open - 1));
		if (f->language_codes[i] == NULL)
			return E_NO_MEMORY;
	}
	f->language_draft[i] = in_words(f->draft_languages, f->language_codes[i]) ||
			       in_words(f->draft_languages, name);
	return E_OK;
}

/* Order: the default language first, then as the form has them. */
static enum err
list_languages(struct form_build *b, const struct xml_node **translations, size_t n)
{
	struct form *f = b->form;
	size_t i, n_alloc = n == 0 ? 1 : n;
	enum err e = E_OK;

	f->languages = arena_alloc(b->arena, n_alloc * sizeof(char *));
	f->language_codes = arena_alloc(b->arena, n_alloc * sizeof(char *));
	f->language_draft = arena_alloc(b->arena, n_alloc * sizeof(bool));
	if (f->languages == NULL || f->language_codes == NULL || f->language_draft == NULL)
		return E_NO_MEMORY;
	f->language_count = n_alloc;
	if (n == 0)
		return add_language(b, 0, "default");
	for (i = 1; i < n; i++) {
		const struct xml_node *t = translations[i];

		if (xml_attribute(t, "", "default") == NULL)
			continue;
		memmove(translations + 1, translations, i * sizeof(*translations));
		translations[0] = t;
		break;
	}
	for (i = 0; i < n && e == E_OK; i++) {
		const char *lang = xml_attribute(translations[i], "", "lang");

		e = add_language(b, i, lang == NULL ? "default" : lang);
	}
	return e;
}

enum err
form_build_languages(struct form_build *b, const struct xml_node *model)
{
	struct form *f = b->form;
	const struct xml_node *itext = xml_child(model, "itext"), *t,
			      *translations[FORM_LANGUAGES_MAX];
	size_t n = 0, i, count = 0, texts = 0;
	enum err e;

	f->draft_languages = xml_attribute(f->primary, NS_BANYAN, "draft-languages");
	for (t = itext == NULL ? NULL : xml_child(itext, "translation"); t != NULL;
	     t = xml_sibling(t, "translation")) {
		const struct xml_node *x;

		if (n == FORM_LANGUAGES_MAX)
			return why_set(b->why, E_LIMIT, "the number of languages");
		translations[n++] = t;
		for (x = xml_child(t, "text"); x != NULL; x = xml_sibling(x, "text"))
			texts++;
	}
	if ((e = list_languages(b, translations, n)) != E_OK)
		return e;
	if ((f->itexts = arena_alloc(b->arena, (texts + 1) * sizeof(*f->itexts))) == NULL)
		return E_NO_MEMORY;
	for (i = 0; i < n; i++)
		read_translation(b, translations[i], i, false);
	qsort(f->itexts, f->itext_count, sizeof(*f->itexts), by_id);
	for (i = 0; i < f->itext_count; i++)
		if (count == 0 || strcmp(f->itexts[count - 1].id, f->itexts[i].id) != 0)
			f->itexts[count++] = f->itexts[i];
	f->itext_count = count;
	for (i = 0; i < n && e == E_OK; i++)
		e = read_translation(b, translations[i], i, true);
	return e;
}

const struct form_text *
form_text_of(const struct form *f, const struct form_label *label, size_t lang)
{
	if (label->texts == NULL)
		return NULL;
	if (lang < f->language_count && label->texts[lang].count > 0 &&
	    !(label->texts[lang].count == 1 && label->texts[lang].pieces[0].string != NULL &&
	      strcmp(label->texts[lang].pieces[0].string, "-") == 0))
		return &label->texts[lang]; /* "-": pyxform's mark of a missing translation */
	return label->texts[0].count > 0 ? &label->texts[0] : NULL;
}

const char *
form_text_plain(const struct form_text *t)
{
	size_t i;

	for (i = 0; i < t->count; i++)
		if (t->pieces[i].string != NULL && !xml_blank(t->pieces[i].string))
			return t->pieces[i].string;
	return "";
}

/* jr:itext('id') written out, as forms do everywhere but in choice lists. */
static const struct form_itext *
literal_itext(struct form_build *b, const char *text)
{
	const char *open, *close;
	char id[512];

	text += strspn(text, " ");
	if (strncmp(text, "jr:itext(", 9) != 0)
		return NULL;
	open = text + 9 + strspn(text + 9, " ");
	if (*open != '\'' && *open != '"')
		return NULL;
	close = strchr(open + 1, *open);
	if (close == NULL || (size_t)(close - open) > sizeof(id) ||
	    close[1 + strspn(close + 1, " ")] != ')')
		return NULL;
	snprintf(id, sizeof(id), "%.*s", (int)(close - open - 1), open + 1);
	return form_itext_find(b->form, id);
}

static enum err
same_everywhere(struct form_build *b, struct form_text text, struct form_label *out)
{
	size_t i;

	if ((out->texts = arena_alloc(b->arena, b->form->language_count * sizeof(*out->texts))) ==
	    NULL)
		return E_NO_MEMORY;
	for (i = 0; i < b->form->language_count; i++)
		out->texts[i] = text;
	return E_OK;
}

enum err
form_message(struct form_build *b, const char *text, struct form_label *out)
{
	const struct form_itext *it;
	struct form_text one = {0};

	if (text == NULL || text[0] == '\0')
		return E_OK;
	if ((it = literal_itext(b, text)) != NULL) {
		*out = it->label;
		return E_OK;
	}
	if ((one.pieces = arena_alloc(b->arena, sizeof(*one.pieces))) == NULL)
		return E_NO_MEMORY;
	one.pieces[0].string = text;
	one.count = 1;
	return same_everywhere(b, one, out);
}

enum err
form_label_of(struct form_build *b, const struct xml_node *element, struct form_label *label,
	      struct form_label *guidance)
{
	const char *ref;
	const struct form_itext *it;
	struct form_text text = {0};
	enum err e;

	if (element == NULL)
		return E_OK;
	if ((ref = xml_attribute(element, "", "ref")) == NULL) {
		if ((e = read_pieces(b, element, &text)) != E_OK)
			return e;
		return same_everywhere(b, text, label);
	}
	if ((it = literal_itext(b, ref)) == NULL)
		return form_compile(b, ref, "a label", &label->dynamic);
	*label = it->label;
	if (guidance != NULL)
		*guidance = it->guidance;
	return E_OK;
}

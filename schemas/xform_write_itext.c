#include <strings.h>

#include "schemas/xlsform_model.h"

bool
xform_in_itext(const struct item *it, enum text_slot slot)
{
	const struct text *t = it->text;
	bool message =
	    slot == TEXT_CONSTRAINT_MSG || slot == TEXT_REQUIRED_MSG || slot == TEXT_NOAPP_MSG;

	if (slot == TEXT_LABEL)
		return t[TEXT_LABEL].translated || t[TEXT_IMAGE].by_lang != NULL ||
		       t[TEXT_BIG_IMAGE].by_lang != NULL || t[TEXT_AUDIO].by_lang != NULL ||
		       t[TEXT_VIDEO].by_lang != NULL;
	if (slot == TEXT_HINT)
		return t[TEXT_HINT].translated || t[TEXT_GUIDANCE].by_lang != NULL;
	if (t[slot].by_lang == NULL)
		return false;
	return t[slot].translated || (message && strstr(t[slot].by_lang[0], "${") != NULL);
}

static const struct {
	enum text_slot slot;
	const char *form, *folder;
} media[] = {
    {TEXT_IMAGE, "image", "jr://images/"},
    {TEXT_BIG_IMAGE, "big-image", "jr://images/"},
    {TEXT_AUDIO, "audio", "jr://audio/"},
    {TEXT_VIDEO, "video", "jr://video/"},
};

/* One <text>: where it is, and the texts that go into it. */
struct entry {
	const char *id;
	const struct item *context;
	enum xls_sheet sheet;
	unsigned row;
	const struct text *text; /* TEXT_COUNT of them */
	enum text_slot slot;     /* TEXT_LABEL takes the media along, TEXT_HINT the guidance */
};

static enum column
column_of(enum text_slot s)
{
	static const enum column rows[TEXT_COUNT] = {[TEXT_LABEL] = COLUMN_LABEL,
						     [TEXT_HINT] = COLUMN_HINT,
						     [TEXT_GUIDANCE] = COLUMN_GUIDANCE,
						     [TEXT_IMAGE] = COLUMN_IMAGE,
						     [TEXT_BIG_IMAGE] = COLUMN_BIG_IMAGE,
						     [TEXT_AUDIO] = COLUMN_AUDIO,
						     [TEXT_VIDEO] = COLUMN_VIDEO,
						     [TEXT_CONSTRAINT_MSG] = COLUMN_CONSTRAINT_MSG,
						     [TEXT_REQUIRED_MSG] = COLUMN_REQUIRED_MSG,
						     [TEXT_NOAPP_MSG] = COLUMN_NOAPP_MSG};

	return rows[s];
}

static const char *
value_of(const struct entry *e, enum text_slot slot, size_t lang)
{
	return e->text[slot].by_lang == NULL ? NULL : e->text[slot].by_lang[lang];
}

static void
write_value(struct xls *x, struct writer *w, const struct entry *e, enum text_slot slot,
	    const char *form, const char *prefix, const char *text)
{
	writer_str(w, "<value");
	xform_attr(w, "form", form);
	writer_str(w, ">");
	writer_str(w, prefix);
	xform_write_text(x, w, e->context, e->sheet, e->row, column_of(slot), text);
	writer_str(w, "</value>");
}

static void
write_entry(struct xls *x, struct writer *w, const struct entry *e, size_t lang)
{
	const char *s = value_of(e, e->slot, lang);
	bool any = false;
	size_t i;

	writer_str(w, "<text");
	xform_attr(w, "id", e->id);
	writer_str(w, ">");
	if (s == NULL && e->text[e->slot].by_lang != NULL)
		s = "-"; /* a missing translation is seen, and other tools expect one text a
			    language */
	if (s != NULL) {
		write_value(x, w, e, e->slot, NULL, "", s);
		any = true;
	}
	for (i = 0; e->slot == TEXT_LABEL && i < sizeof(media) / sizeof(media[0]); i++)
		if ((s = value_of(e, media[i].slot, lang)) != NULL) {
			write_value(x, w, e, media[i].slot, media[i].form,
				    strncmp(s, "jr://", 5) == 0 ? "" : media[i].folder, s);
			any = true;
		}
	if (e->slot == TEXT_HINT && e->text[TEXT_GUIDANCE].by_lang != NULL) {
		s = value_of(e, TEXT_GUIDANCE, lang);
		write_value(x, w, e, TEXT_GUIDANCE, "guidance", "", s == NULL ? "-" : s);
		any = true;
	}
	if (!any)
		writer_str(w, "<value>-</value>");
	writer_str(w, "</text>\n");
}

static void
write_item(struct xls *x, struct writer *w, const struct item *it, size_t lang)
{
	static const struct {
		enum text_slot slot;
		const char *ending;
	} slots[] = {{TEXT_LABEL, "label"},
		     {TEXT_HINT, "hint"},
		     {TEXT_CONSTRAINT_MSG, "jr:constraintMsg"},
		     {TEXT_REQUIRED_MSG, "jr:requiredMsg"},
		     {TEXT_NOAPP_MSG, "jr:noAppErrorString"}};
	size_t i;

	for (i = 0; i < sizeof(slots) / sizeof(slots[0]); i++)
		if (xform_in_itext(it, slots[i].slot)) {
			struct entry e = {
			    .id = xls_format(x, "%s:%s", xls_path(x, it), slots[i].ending),
			    .context = it,
			    .row = it->row,
			    .text = it->text,
			    .slot = slots[i].slot};

			e.sheet = SHEET_SURVEY;
			write_entry(x, w, &e, lang);
		}
	for (it = it->first; it != NULL; it = it->next)
		write_item(x, w, it, lang);
}

static void
write_choices(struct xls *x, struct writer *w, const struct choice_list *l, size_t lang)
{
	const struct choice *c;
	unsigned i = 0;

	for (c = l->first; c != NULL; c = c->next) {
		struct entry e = {.id = xls_format(x, "%s-%u", l->name, i++),
				  .sheet = SHEET_CHOICES,
				  .row = c->row,
				  .text = c->text,
				  .slot = TEXT_LABEL};

		write_entry(x, w, &e, lang);
	}
}

static bool
item_uses_itext(const struct item *it)
{
	size_t s;

	for (; it != NULL; it = it->next) {
		for (s = 0; s < TEXT_COUNT; s++)
			if (xform_in_itext(it, (enum text_slot)s))
				return true;
		if (item_uses_itext(it->first))
			return true;
	}
	return false;
}

/* Has a <text> of this slot something in the first language? The language is listed only then. */
static bool
first_language(const struct text *t, enum text_slot slot)
{
	enum text_slot last = slot == TEXT_HINT ? TEXT_GUIDANCE : slot, s;
	size_t i;

	for (s = slot; s <= last; s++)
		if (t[s].by_lang != NULL && t[s].by_lang[0] != NULL)
			return true;
	for (i = 0; slot == TEXT_LABEL && i < sizeof(media) / sizeof(media[0]); i++)
		if (t[media[i].slot].by_lang != NULL && t[media[i].slot].by_lang[0] != NULL)
			return true;
	return false;
}

static bool
tree_uses_first(const struct item *it)
{
	static const enum text_slot slots[] = {TEXT_LABEL, TEXT_HINT, TEXT_CONSTRAINT_MSG,
					       TEXT_REQUIRED_MSG, TEXT_NOAPP_MSG};
	size_t i;

	for (; it != NULL; it = it->next) {
		for (i = 0; i < sizeof(slots) / sizeof(slots[0]); i++)
			if (xform_in_itext(it, slots[i]) && first_language(it->text, slots[i]))
				return true;
		if (tree_uses_first(it->first))
			return true;
	}
	return false;
}

void
xform_write_itext(struct xls *x, struct writer *w)
{
	bool any = item_uses_itext(x->root), first = tree_uses_first(x->root);
	const struct choice_list *l;
	const struct choice *c;
	size_t lang;

	for (l = x->lists; l != NULL; l = l->next) {
		any = any || (l->itext);
		for (c = l->first; l->itext && !first && c != NULL; c = c->next)
			first = c->row != 0 && first_language(c->text, TEXT_LABEL);
	}
	if (!any)
		return;
	writer_str(w, "<itext>\n");
	for (lang = 0; lang < x->lang_count; lang++) {
		if (lang == 0 && !first)
			continue;
		writer_str(w, "<translation");
		xform_attr(w, "lang", x->langs[lang]);
		xform_attr(w, "default", lang == 0 ? "true()" : NULL);
		writer_str(w, ">\n");
		for (l = x->lists; l != NULL; l = l->next)
			if (l->itext)
				write_choices(x, w, l, lang);
		write_item(x, w, x->root, lang);
		writer_str(w, "</translation>\n");
	}
	writer_str(w, "</itext>\n");
}

#include "core/record/retention.h"

#include "core/pack.h"

#define RETENTION_VERSION 1u

static int
compare(const struct retention_rule *a, enum erasure_parts parts, const char *form)
{
	return a->parts != parts ? (a->parts < parts ? -1 : 1) : strcmp(a->form, form);
}

static bool
is_rule(const struct retention_rule *r)
{
	return (r->parts == ERASURE_IDENTIFYING || r->parts == ERASURE_ALL) && r->days >= 1 &&
	       r->days <= RETENTION_DAYS_MAX &&
	       (r->form[0] == '\0' || bytes_is_text(bytes_of_str(r->form)));
}

enum err
retention_write(const struct retention *m, struct writer *out)
{
	size_t i;

	for (i = 0; i < m->count; i++)
		if (!is_rule(&m->rules[i]) ||
		    (i > 0 && compare(&m->rules[i - 1], m->rules[i].parts, m->rules[i].form) >= 0))
			return E_LIMIT;
	pack_array(out, 2);
	pack_u64(out, RETENTION_VERSION);
	pack_array(out, (uint32_t)m->count);
	for (i = 0; i < m->count; i++) {
		pack_array(out, 3);
		pack_u64(out, m->rules[i].parts);
		pack_cstr(out, m->rules[i].form);
		pack_u64(out, m->rules[i].days);
	}
	return writer_end(out);
}

static void
read_rule(struct reader *r, struct retention *m)
{
	struct retention_rule *rule = &m->rules[m->count];
	struct bytes form;
	uint64_t parts;

	reader_array_of(r, 3);
	parts = reader_u64(r);
	form = reader_str(r);
	rule->days = (uint32_t)reader_u64_max(r, UINT32_MAX);
	rule->parts = parts == ERASURE_ALL ? ERASURE_ALL : ERASURE_IDENTIFYING;
	if (r->e != E_OK)
		return;
	if (form.n > RETENTION_FORM_BYTES_MAX ||
	    (parts != ERASURE_ALL && parts != ERASURE_IDENTIFYING)) {
		reader_fail(r, E_LIMIT);
		return;
	}
	memcpy(rule->form, form.p, form.n);
	rule->form[form.n] = '\0';
	if (!is_rule(rule) || strlen(rule->form) != form.n)
		reader_fail(r, E_LIMIT);
	else if (m->count > 0 && compare(rule - 1, rule->parts, rule->form) >= 0)
		reader_fail(r, E_PACK_TYPE);
	else
		m->count++;
}

enum err
retention_read(struct bytes b, struct retention *out)
{
	struct reader r;
	uint32_t i, n;
	enum err e;

	memset(out, 0, sizeof(*out));
	reader_begin(&r, b, RETENTION_VERSION, 2);
	n = reader_array(&r);
	if (r.e == E_OK && n > RETENTION_RULES_MAX)
		reader_fail(&r, E_LIMIT);
	for (i = 0; i < n && r.e == E_OK; i++)
		read_rule(&r, out);
	if ((e = reader_end(&r)) != E_OK)
		memset(out, 0, sizeof(*out));
	return e;
}

enum err
retention_set(struct retention *m, enum erasure_parts parts, const char *form, uint32_t days)
{
	struct retention_rule rule = {.parts = parts, .days = days};
	size_t at = 0;
	bool there;

	if (strlen(form) > RETENTION_FORM_BYTES_MAX)
		return E_LIMIT;
	memcpy(rule.form, form, strlen(form) + 1);
	while (at < m->count && compare(&m->rules[at], parts, form) < 0)
		at++;
	there = at < m->count && compare(&m->rules[at], parts, form) == 0;
	if (days == 0) {
		if (there)
			memmove(&m->rules[at], &m->rules[at + 1], (--m->count - at) * sizeof(rule));
		return E_OK;
	}
	if (!is_rule(&rule) || (!there && m->count == RETENTION_RULES_MAX))
		return E_LIMIT;
	if (!there)
		memmove(&m->rules[at + 1], &m->rules[at], (m->count++ - at) * sizeof(rule));
	m->rules[at] = rule;
	return E_OK;
}

uint32_t
retention_days(const struct retention *m, enum erasure_parts parts, const char *form)
{
	uint32_t days = 0;
	size_t i;

	for (i = 0; i < m->count; i++)
		if (m->rules[i].parts == parts &&
		    (m->rules[i].form[0] == '\0' || strcmp(m->rules[i].form, form) == 0))
			days = m->rules[i].days; /* its own comes after that of every form */
	return days;
}

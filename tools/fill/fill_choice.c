/* Choices: shown with numbers, answered by number, code or part of a label. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tools/fill/fill_parts.h"

/* by_code: the codes are numbers themselves ("1", "2", "99"): then they are what is typed. */
static bool
by_code(struct fill *f, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		const char *name = answers_choice_name(f->answers, i);

		if (name[0] != '\0' && strspn(name, "0123456789") == strlen(name))
			return true;
	}
	return false;
}

static void
show_one(struct fill *f, size_t i, bool codes)
{
	char name[80];

	(void)snprintf(name, sizeof(name), "%s", answers_choice_name(f->answers, i));
	if (codes)
		fill_say(f, "  %3s  %s\n", name, answers_choice_label(f->answers, i));
	else
		fill_say(f, "  %3zu  %s\n", i + 1, answers_choice_label(f->answers, i));
}

void
fill_choices_show(struct fill *f, size_t count, bool several)
{
	bool codes = by_code(f, count);
	size_t i;

	if (count > FILL_CHOICES_SHOWN_MAX) {
		fill_word_line(f, FILL_MANY, "", count);
		return;
	}
	for (i = 0; i < count; i++)
		show_one(f, i, codes);
	if (several)
		fill_word_line(f, FILL_SEVERAL, "", 0);
}

void
fill_digits(char *text)
{
	/* The zeros of Thai, Lao, Burmese and Khmer. */
	static const uint32_t zeros[] = {0x0e50, 0x0ed0, 0x1040, 0x17e0};
	unsigned char *in = (unsigned char *)text, *out = in;

	while (*in != '\0') {
		uint32_t code = 0;
		size_t i;

		if ((in[0] & 0xf0) == 0xe0 && in[1] != '\0' && in[2] != '\0')
			code = ((uint32_t)(in[0] & 0x0f) << 12) | ((uint32_t)(in[1] & 0x3f) << 6) |
			       (in[2] & 0x3f);
		for (i = 0; i < 4; i++) {
			if (code >= zeros[i] && code < zeros[i] + 10)
				break;
		}
		if (i < 4) {
			*out++ = (unsigned char)('0' + (code - zeros[i]));
			in += 3;
		} else {
			*out++ = *in++;
		}
	}
	*out = '\0';
}

/* find: the choice that a word means; SIZE_MAX: none. Codes first, then numbers, then whole labels.
 */
static size_t
find(struct fill *f, size_t count, const char *word, bool codes)
{
	char digits[64];
	size_t i;

	for (i = 0; i < count; i++) {
		if (strcmp(answers_choice_name(f->answers, i), word) == 0)
			return i;
	}
	(void)snprintf(digits, sizeof(digits), "%s", word);
	fill_digits(digits);
	if (digits[0] != '\0' && strspn(digits, "0123456789") == strlen(digits) &&
	    strlen(digits) < 8) {
		size_t n = strtoul(digits, NULL, 10);

		if (!codes && n >= 1 && n <= count)
			return n - 1;
		for (i = 0; codes && i < count; i++) {
			if (strcmp(answers_choice_name(f->answers, i), digits) == 0)
				return i;
		}
	}
	for (i = 0; i < count; i++) {
		if (strcasecmp(answers_choice_label(f->answers, i), word) == 0)
			return i;
	}
	return SIZE_MAX;
}

/* search: show the choices whose label or code holds the words typed; how many there are. */
static size_t
search(struct fill *f, size_t count, const char *part, bool codes)
{
	size_t i, found = 0;

	for (i = 0; i < count; i++) {
		char name[80];

		(void)snprintf(name, sizeof(name), "%s", answers_choice_name(f->answers, i));
		if (strcmp(part, "all") != 0 && strcasestr(name, part) == NULL &&
		    strcasestr(answers_choice_label(f->answers, i), part) == NULL)
			continue;
		if (++found <= FILL_CHOICES_SHOWN_MAX || strcmp(part, "all") == 0)
			show_one(f, i, codes);
	}
	if (found > FILL_CHOICES_SHOWN_MAX && strcmp(part, "all") != 0)
		fill_say(f, "  ... and %zu more: type more of it\n",
			 found - FILL_CHOICES_SHOWN_MAX);
	return found;
}

enum err
fill_choices_read(struct fill *f, size_t count, bool several, char *out, size_t cap)
{
	bool codes = by_code(f, count);
	size_t whole = find(f, count, f->line, codes);
	char words[FILL_LINE_BYTES_MAX + 1], *word, *rest;
	struct writer w;

	writer_init(&w, out, cap);
	if (whole != SIZE_MAX) {
		writer_str(&w, answers_choice_name(f->answers, whole));
		(void)writer_cstr(&w);
		return writer_end(&w);
	}
	if (several) {
		(void)snprintf(words, sizeof(words), "%s", f->line);
		for (word = strtok_r(words, " ,;", &rest); word != NULL;
		     word = strtok_r(NULL, " ,;", &rest)) {
			size_t i = find(f, count, word, codes);

			if (i == SIZE_MAX)
				break;
			writer_printf(&w, "%s%s", w.n > 0 ? " " : "",
				      answers_choice_name(f->answers, i));
		}
		if (word == NULL && w.n > 0) {
			(void)writer_cstr(&w);
			return writer_end(&w);
		}
	}
	if (count > FILL_CHOICES_SHOWN_MAX) {
		if (search(f, count, f->line, codes) == 0)
			fill_say(f, "! Nothing has \"%s\" in it; type another part.\n", f->line);
	} else if (several && word != NULL) {
		fill_word_line(f, FILL_NOT_CHOICES, word, 0);
	} else {
		fill_word_line(f, FILL_NOT_CHOICE, f->line, 0);
	}
	return E_CHOICE_UNKNOWN;
}

void
fill_value(struct fill *f, const struct answer_view *v, struct writer *out)
{
	const char *at = v->value;
	size_t i, n;

	if (v->choice_count == 0) {
		writer_str(out, at);
		return;
	}
	for (; *(at += strspn(at, " ")) != '\0'; at += n) {
		n = strcspn(at, " ");
		for (i = 0; i < v->choice_count; i++) {
			const char *name = answers_choice_name(f->answers, i);

			if (strlen(name) == n && memcmp(name, at, n) == 0)
				break;
		}
		writer_str(out, out->n > 0 ? ", " : "");
		if (i < v->choice_count)
			writer_str(out, answers_choice_label(f->answers, i));
		else
			writer_printf(out, "%.*s", (int)n, at);
	}
}

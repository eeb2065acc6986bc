/* Regular expressions, compiled. */
#include <ctype.h>
#include <stdlib.h>

#include "schemas/utf8.h"
#include "schemas/xpath_inside.h"
#include "schemas/xpath_regex.h"

static int
emit(struct regex *r, enum op op, int32_t a, int32_t b)
{
	if (r->count == PROGRAM_MAX) {
		r->bad = true;
		return 0;
	}
	r->code[r->count] = (struct code){op, a, b, false};
	return r->count++;
}

/* Jumps are relative and stay inside their block, so a block can be moved. */
static void
insert(struct regex *r, int at, enum op op, int32_t a, int32_t b)
{
	int end = emit(r, op, a, b);

	if (r->bad)
		return;
	memmove(&r->code[at + 1], &r->code[at], (size_t)(end - at) * sizeof(r->code[0]));
	r->code[at] = (struct code){op, a, b, false};
}

static int32_t
take_point(struct regex *r)
{
	size_t at = 0;
	int32_t c = utf8_next(bytes_of_str(r->at), &at);

	if (*r->at == '\0' || c < 0) {
		r->bad = true;
		return 0;
	}
	r->at += at;
	return c;
}

static int32_t
take_hex(struct regex *r, int digits)
{
	char text[8] = {0};
	int i;

	for (i = 0; i < digits; i++) {
		if (!isxdigit((unsigned char)r->at[i])) {
			r->bad = true;
			return 0;
		}
		text[i] = r->at[i];
	}
	r->at += digits;
	return (int32_t)strtol(text, NULL, 16);
}

/* What follows a backslash: a property (true) or one character. */
static bool
take_escape(struct regex *r, struct item *out)
{
	int32_t c = take_point(r);

	*out = (struct item){.low = c, .high = c};
	switch (c) {
	case 'd':
	case 'w':
	case 's':
		out->property = (char)c;
		return true;
	case 'D':
	case 'W':
	case 'S':
		out->property = (char)tolower(c);
		out->negated = true;
		return true;
	case 'p':
	case 'P':
		out->negated = c == 'P';
		if (r->at[0] != '{' || strchr("LMNP", r->at[1]) == NULL || r->at[1] == '\0')
			break;
		out->property = r->at[1];
		if (r->at[1] == 'L' && (r->at[2] == 'u' || r->at[2] == 'l'))
			out->property = r->at[2];
		r->at += 2 + (r->at[2] != '}' && r->at[2] != '\0');
		if (*r->at != '}')
			break;
		r->at++;
		return true;
	case 't':
		out->low = out->high = '\t';
		return false;
	case 'n':
		out->low = out->high = '\n';
		return false;
	case 'r':
		out->low = out->high = '\r';
		return false;
	case 'x':
		out->low = out->high = take_hex(r, 2);
		return false;
	case 'u':
		out->low = out->high = take_hex(r, 4);
		return false;
	default:
		if (c >= 128 || !isalnum(c))
			return false;
		break;
	}
	r->bad = true; /* a back-reference or something unknown */
	return false;
}

static void
add_item(struct regex *r, struct item item)
{
	if (r->item_count == ITEMS_MAX)
		r->bad = true;
	else
		r->items[r->item_count++] = item;
}

static void
parse_class(struct regex *r)
{
	int start = r->item_count, at;
	bool negated = *r->at == '^', first = true;

	r->at += negated;
	for (; !r->bad && (*r->at != ']' || first); first = false) {
		struct item item = {0}, to = {0};
		bool property = false;

		if (*r->at == '\\') {
			r->at++;
			property = take_escape(r, &item);
		} else {
			item.low = item.high = take_point(r);
		}
		if (!property && r->at[0] == '-' && r->at[1] != ']' && r->at[1] != '\0') {
			r->at++;
			if (*r->at == '\\') {
				r->at++;
				r->bad = r->bad || take_escape(r, &to);
			} else {
				to.low = take_point(r);
			}
			item.high = to.low;
			r->bad = r->bad || item.high < item.low;
		}
		add_item(r, item);
	}
	if (r->bad)
		return;
	r->at++;
	at = emit(r, CLASS, start, r->item_count - start);
	r->code[at].negated = negated;
}

static void parse_either(struct regex *);

static void
parse_atom(struct regex *r)
{
	struct item item;

	switch (*r->at) {
	case '(':
		r->at++;
		if (strncmp(r->at, "?:", 2) == 0)
			r->at += 2;
		else if (*r->at == '?')
			r->bad = true;
		if (++r->depth > GROUPS_MAX)
			r->bad = true;
		else
			parse_either(r);
		r->depth--;
		r->bad = r->bad || *r->at != ')';
		r->at += !r->bad;
		break;
	case '[':
		r->at++;
		parse_class(r);
		break;
	case '.':
		r->at++;
		emit(r, ANY, 0, 0);
		break;
	case '^':
		r->at++;
		emit(r, BEGIN, 0, 0);
		break;
	case '$':
		r->at++;
		emit(r, END, 0, 0);
		break;
	case '*':
	case '+':
	case '?':
		r->bad = true;
		break;
	case '\\':
		r->at++;
		if (*r->at == 'b' || *r->at == 'B') {
			emit(r, *r->at == 'b' ? EDGE : NOT_EDGE, 0, 0);
			r->at++;
		} else if (take_escape(r, &item)) {
			add_item(r, item);
			emit(r, CLASS, r->item_count - 1, 1);
		} else {
			emit(r, CHAR, item.low, 0);
		}
		break;
	default:
		emit(r, CHAR, take_point(r), 0);
		break;
	}
}

static void
star(struct regex *r, int start)
{
	int length = r->count - start;

	insert(r, start, SPLIT, 1, length + 2);
	emit(r, JUMP, -(length + 1), 0);
}

static bool
take_count(struct regex *r, int *min, int *max)
{
	char *end;

	if (*r->at != '{' || !isdigit((unsigned char)r->at[1]))
		return false;
	*min = *max = (int)strtol(r->at + 1, &end, 10);
	if (*end == ',') {
		*max = -1;
		if (isdigit((unsigned char)*++end))
			*max = (int)strtol(end, &end, 10);
	}
	if (*end != '}' || *min > 1000 || *min < 0 || *max > 1000 || (*max >= 0 && *max < *min))
		r->bad = true;
	else
		r->at = end + 1;
	return true;
}

/* {n,m}: the atom is read again for each copy. */
static void
counted(struct regex *r, const char *atom, int start, int min, int max)
{
	const char *after = r->at;
	int i, copies = max < 0 ? min + 1 : max;

	r->count = start;
	for (i = 0; i < copies && !r->bad; i++) {
		int at = r->count;

		r->at = atom;
		parse_atom(r);
		if (i >= min && max < 0)
			star(r, at);
		else if (i >= min)
			insert(r, at, SPLIT, 1, r->count - at + 1);
	}
	r->at = after;
}

static void
parse_sequence(struct regex *r)
{
	while (!r->bad && *r->at != '\0' && *r->at != '|' && *r->at != ')') {
		const char *atom = r->at;
		int start = r->count, min, max;

		parse_atom(r);
		if (r->bad)
			return;
		if (*r->at == '*') {
			r->at++;
			star(r, start);
		} else if (*r->at == '+') {
			r->at++;
			emit(r, SPLIT, start - r->count, 1);
		} else if (*r->at == '?') {
			r->at++;
			insert(r, start, SPLIT, 1, r->count - start + 1);
		} else if (take_count(r, &min, &max) && !r->bad) {
			counted(r, atom, start, min, max);
		} else {
			continue;
		}
		r->at +=
		    *r->at == '?' || *r->at == '+'; /* lazy or possessive: the same set of texts */
	}
}

static void
parse_either(struct regex *r)
{
	int start = r->count, jump;

	parse_sequence(r);
	while (!r->bad && *r->at == '|') {
		r->at++;
		insert(r, start, SPLIT, 1, r->count - start + 2);
		jump = emit(r, JUMP, 0, 0);
		parse_either(r);
		r->code[jump].a = r->count - jump;
	}
}

bool
xpath_regex_parse(struct regex *r, const char *pattern)
{
	r->at = pattern;
	parse_either(r);
	emit(r, MATCH, 0, 0);
	return !r->bad && *r->at == '\0';
}

/* xpath_text: functions of strings. Positions count code points, as XPath says. */
#include <math.h>
#include <stdio.h>

#include "core/crypto/crypto.h"
#include "schemas/utf8.h"
#include "schemas/xpath_functions.h"

/* The text of argument i, or of the context node where it is left out. */
static enum err
text_or_self(struct xpath_eval *ev, const struct xpath *x, const char **out)
{
	if (x->argc > 0)
		return xpath_work_string(ev, x->args[0], out);
	*out = ev->node == NULL ? "" : xml_string(ev->node, ev->arena);
	return *out == NULL ? xpath_no_memory(ev) : E_OK;
}

static enum err
two(struct xpath_eval *ev, const struct xpath *x, const char **a, const char **b)
{
	enum err e = xpath_work_string(ev, x->args[0], a);

	return e != E_OK ? e : xpath_work_string(ev, x->args[1], b);
}

static enum err
give_bytes(struct xpath_eval *ev, const char *s, size_t n, struct xpath_value *out)
{
	const char *copy = arena_str(ev->arena, s, n);

	*out = xpath_of_string(copy);
	return copy != NULL ? E_OK : xpath_no_memory(ev);
}

static enum err
give_writer(struct xpath_eval *ev, struct writer *w, struct xpath_value *out)
{
	enum err e = writer_end(w);

	if (e == E_OK)
		e = give_bytes(ev, (const char *)w->p, w->n, out);
	writer_free(w);
	return e;
}

enum err
fn_string(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	const char *s = "";
	enum err e = text_or_self(ev, x, &s);

	*out = xpath_of_string(s);
	return e;
}

/* Every node of a node-set counts, here and in join(): ODK XForms, "concat". */
static enum err
gather(struct xpath_eval *ev, const struct xpath *x, size_t from, const char *between,
       struct writer *w)
{
	struct xpath_value v;
	bool first = true;
	size_t i, j;
	enum err e;

	for (i = from; i < x->argc; i++) {
		if ((e = xpath_work(ev, x->args[i], &v)) != E_OK)
			return e;
		for (j = 0; j < (v.kind == XPATH_NODES ? v.count : 1); j++) {
			const char *s = v.kind == XPATH_NODES ? xml_string(v.nodes[j], ev->arena)
							      : xpath_string(&v, ev->arena);

			if (!first)
				writer_str(w, between);
			first = false;
			writer_str(w, s == NULL ? "" : s);
		}
	}
	return E_OK;
}

static enum err
gathered(struct xpath_eval *ev, const struct xpath *x, size_t from, const char *between,
	 struct xpath_value *out)
{
	struct writer w;
	enum err e;

	writer_heap_init(&w, ev->arena->max);
	if ((e = gather(ev, x, from, between, &w)) == E_OK)
		return give_writer(ev, &w, out);
	writer_free(&w);
	return e;
}

enum err
fn_concat(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	return gathered(ev, x, 0, "", out);
}

enum err
fn_join(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	const char *between;
	enum err e = xpath_work_string(ev, x->args[0], &between);

	return e != E_OK ? e : gathered(ev, x, 1, between, out);
}

static size_t
code_points(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static const char *
skip_points(const char *s, size_t n)
{
	for (; *s != '\0' && n > 0; n--)
		do
			s++;
		while (((unsigned char)*s & 0xc0) == 0x80);
	return s;
}

enum err
fn_string_length(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	const char *s;
	enum err e = text_or_self(ev, x, &s);

	if (e == E_OK)
		*out = xpath_of_number((double)code_points(s));
	return e;
}

enum err
fn_normalize_space(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	const char *s;
	char *to;
	enum err e = text_or_self(ev, x, &s);

	if (e != E_OK)
		return e;
	if ((to = arena_alloc(ev->arena, strlen(s) + 1)) == NULL)
		return xpath_no_memory(ev);
	*out = xpath_of_string(to);
	for (s += strspn(s, " \t\r\n"); *s != '\0';) {
		size_t n = strcspn(s, " \t\r\n");

		memcpy(to, s, n);
		to += n;
		s += n;
		s += strspn(s, " \t\r\n");
		if (*s != '\0')
			*to++ = ' ';
	}
	return E_OK;
}

enum err
fn_translate(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	const char *s, *from, *to;
	struct writer w;
	enum err e;

	if ((e = two(ev, x, &s, &from)) != E_OK ||
	    (e = xpath_work_string(ev, x->args[2], &to)) != E_OK)
		return e;
	writer_heap_init(&w, ev->arena->max);
	while (*s != '\0') {
		const char *end = skip_points(s, 1), *f = from, *t, *t_end;
		size_t at = 0;

		while (*f != '\0' && strncmp(f, s, (size_t)(end - s)) != 0) {
			f = skip_points(f, 1);
			at++;
		}
		if (*f == '\0') {
			writer_mem(&w, s, (size_t)(end - s));
		} else {
			t = skip_points(to, at);
			t_end = skip_points(t, 1);
			writer_mem(&w, t, (size_t)(t_end - t));
		}
		s = end;
	}
	return give_writer(ev, &w, out);
}

enum err
fn_contains(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	const char *a, *b;
	enum err e = two(ev, x, &a, &b);

	if (e == E_OK)
		*out = xpath_of_boolean(strstr(a, b) != NULL);
	return e;
}

enum err
fn_starts_with(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	const char *a, *b;
	enum err e = two(ev, x, &a, &b);

	if (e == E_OK)
		*out = xpath_of_boolean(strncmp(a, b, strlen(b)) == 0);
	return e;
}

enum err
fn_ends_with(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	const char *a, *b;
	enum err e = two(ev, x, &a, &b);

	if (e == E_OK)
		*out = xpath_of_boolean(strlen(a) >= strlen(b) &&
					strcmp(a + strlen(a) - strlen(b), b) == 0);
	return e;
}

/* substr(text, from, to): from 0, end excluded, negative counts from the end. ODK XForms. */
enum err
fn_substr(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	const char *s;
	double from, to, n;
	const char *a, *b;
	enum err e;

	if ((e = xpath_work_string(ev, x->args[0], &s)) != E_OK ||
	    (e = xpath_work_number(ev, x->args[1], &from)) != E_OK)
		return e;
	n = to = (double)code_points(s);
	if (x->argc > 2 && (e = xpath_work_number(ev, x->args[2], &to)) != E_OK)
		return e;
	from = trunc(from) + (from < 0 ? n : 0);
	to = trunc(to) + (to < 0 ? n : 0);
	from = from > 0 ? from : 0;
	to = to < n ? to : n;
	if (!(from < to))
		return give_bytes(ev, "", 0, out);
	a = skip_points(s, (size_t)from);
	b = skip_points(a, (size_t)(to - from));
	return give_bytes(ev, a, (size_t)(b - a), out);
}

/* substring(text, first, count): from 1, both rounded; XPath 1.0 section 4.2, infinities included.
 */
enum err
fn_substring(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	const char *s, *a, *b;
	double first, count = INFINITY, end, n;
	enum err e;

	if ((e = xpath_work_string(ev, x->args[0], &s)) != E_OK ||
	    (e = xpath_work_number(ev, x->args[1], &first)) != E_OK)
		return e;
	if (x->argc > 2 && (e = xpath_work_number(ev, x->args[2], &count)) != E_OK)
		return e;
	n = (double)code_points(s);
	first = floor(first + 0.5);
	end = first + floor(count + 0.5);
	first = first > 1 ? first : isnan(first) ? n + 1 : 1;
	if (!(end > first) || first > n)
		return give_bytes(ev, "", 0, out);
	end = end < n + 1 ? end : n + 1;
	a = skip_points(s, (size_t)first - 1);
	b = skip_points(a, (size_t)(end - first));
	return give_bytes(ev, a, (size_t)(b - a), out);
}

enum err
fn_substring_before(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	const char *a, *b, *at;
	enum err e = two(ev, x, &a, &b);

	if (e != E_OK)
		return e;
	at = strstr(a, b);
	return give_bytes(ev, a, at == NULL ? 0 : (size_t)(at - a), out);
}

enum err
fn_substring_after(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	const char *a, *b, *at;
	enum err e = two(ev, x, &a, &b);

	if (e != E_OK)
		return e;
	at = strstr(a, b);
	return give_string(ev, at == NULL ? "" : at + strlen(b), out);
}

enum err
fn_regex(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	const char *text, *pattern;
	bool matches;
	enum err e = two(ev, x, &text, &pattern);

	if (e != E_OK)
		return e;
	if ((e = xpath_regex(pattern, text, &matches)) != E_OK)
		return why_set(ev->why, e, "\"%.100s\" is not a regular expression", pattern);
	*out = xpath_of_boolean(matches);
	return E_OK;
}

static uint64_t
draw(struct xpath_eval *ev)
{
	return xpath_draw(ev->context->host);
}

enum err
fn_uuid(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	static const char letters[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	char text[257];
	double n;
	size_t i;
	enum err e;

	if (ev->context->host == NULL)
		return why_set(ev->why, E_XPATH_EVAL, "there is no randomness here");
	if (x->argc == 0) {
		uint64_t a = draw(ev), b = draw(ev);

		snprintf(text, sizeof(text), "%08x-%04x-4%03x-%04x-%012llx", (unsigned)(a >> 32),
			 (unsigned)(a >> 16) & 0xffff, (unsigned)a & 0xfff,
			 (unsigned)(b >> 48 & 0x3fff) | 0x8000,
			 (unsigned long long)b & 0xffffffffffff);
		return give_string(ev, text, out);
	}
	if ((e = xpath_work_number(ev, x->args[0], &n)) != E_OK)
		return e;
	if (!(n >= 0) || n > 256)
		return why_set(ev->why, E_XPATH_EVAL, "uuid() gives 0 to 256 characters");
	for (i = 0; i < (size_t)n; i++)
		text[i] = letters[draw(ev) % 62];
	text[i] = '\0';
	return give_string(ev, text, out);
}

enum err
fn_base64_decode(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	static const char letters[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *s, *at;
	char *to;
	uint32_t bits = 0;
	unsigned count = 0;
	size_t n = 0;
	enum err e = xpath_work_string(ev, x->args[0], &s);

	if (e != E_OK)
		return e;
	if ((to = arena_alloc(ev->arena, strlen(s) + 1)) == NULL)
		return xpath_no_memory(ev);
	for (; *s != '\0' && *s != '='; s++) {
		if ((at = strchr(letters, *s)) == NULL)
			continue;
		bits = bits << 6 | (uint32_t)(at - letters);
		count += 6;
		if (count >= 8) {
			count -= 8;
			to[n++] = (char)(bits >> count);
		}
	}
	*out = xpath_of_string(utf8_valid(BYTES(to, n)) && memchr(to, 0, n) == NULL ? to : "");
	return E_OK;
}

/* SHA-256 is what this program has; the older digests protect nothing. */
enum err
fn_digest(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	static const char letters[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *s, *kind, *form = "base64";
	uint8_t hash[SHA256_BYTES + 1] = {0};
	char text[72];
	size_t i, n = 0;
	enum err e;

	if ((e = two(ev, x, &s, &kind)) != E_OK ||
	    (x->argc > 2 && (e = xpath_work_string(ev, x->args[2], &form)) != E_OK))
		return e;
	if (strcmp(kind, "SHA-256") != 0)
		return why_set(ev->why, E_XPATH_EVAL, "digest() knows SHA-256 only, not %.40s",
			       kind);
	crypto_sha256(hash, bytes_of_str(s));
	if (strcmp(form, "hex") == 0) {
		hex_encode(text, hash, SHA256_BYTES);
		return give_string(ev, text, out);
	}
	for (i = 0; i < SHA256_BYTES; i += 3) {
		uint32_t v = (uint32_t)hash[i] << 16 | (uint32_t)hash[i + 1] << 8 |
			     (i + 2 < SHA256_BYTES ? hash[i + 2] : 0u);

		text[n++] = letters[v >> 18];
		text[n++] = letters[v >> 12 & 63];
		text[n++] = letters[v >> 6 & 63];
		text[n++] = i + 2 < SHA256_BYTES ? letters[v & 63] : '=';
	}
	text[n] = '\0';
	return give_string(ev, text, out);
}

#include "tools/json.h"

#include "schemas/utf8.h"

void
json_text(struct writer *w, struct bytes s)
{
	size_t at = 0;

	writer_u8(w, '"');
	while (at < s.n) {
		size_t from = at;
		int32_t c = utf8_next(s, &at);

		if (c < 0) {
			writer_str(w, "\xef\xbf\xbd");
			at++;
		} else if (c == '"' || c == '\\') {
			writer_printf(w, "\\%c", (char)c);
		} else if (c == '\n') {
			writer_str(w, "\\n");
		} else if (c < 0x20 || c == 0x7f) {
			writer_printf(w, "\\u%04x", (unsigned)c);
		} else {
			writer_mem(w, s.p + from, at - from);
		}
	}
	writer_u8(w, '"');
}

void
json_str(struct writer *w, const char *s)
{
	if (s == NULL)
		writer_str(w, "null");
	else
		json_text(w, bytes_of_str(s));
}

void
json_key(struct writer *w, const char *name)
{
	if (w->n > 0 && w->p[w->n - 1] != '{')
		writer_u8(w, ',');
	json_str(w, name);
	writer_u8(w, ':');
}

void
json_key_str(struct writer *w, const char *name, const char *value)
{
	json_key(w, name);
	json_str(w, value);
}

void
json_key_u64(struct writer *w, const char *name, uint64_t value)
{
	json_key(w, name);
	writer_printf(w, "%llu", (unsigned long long)value);
}

void
json_key_bool(struct writer *w, const char *name, bool value)
{
	json_key(w, name);
	writer_str(w, value ? "true" : "false");
}

void
json_lines(struct writer *w, struct bytes lines)
{
	const uint8_t *end;
	bool first = true;

	writer_str(w, "[");
	while (lines.n > 0 && (end = memchr(lines.p, '\n', lines.n)) != NULL) {
		if (!first)
			writer_str(w, ",");
		first = false;
		json_text(w, BYTES(lines.p, (size_t)(end - lines.p)));
		lines.n -= (size_t)(end - lines.p) + 1;
		lines.p = end + 1;
	}
	writer_str(w, "]");
}

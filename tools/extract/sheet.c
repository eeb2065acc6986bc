#include "tools/extract/sheet.h"

static bool
must_quote(struct bytes s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (s.p[i] == ',' || s.p[i] == '"' || s.p[i] == '\r' || s.p[i] == '\n')
			return true;
	return s.n > 0 && (s.p[0] == ' ' || s.p[s.n - 1] == ' ');
}

void
sheet_cell(struct writer *w, bool first, struct bytes s)
{
	size_t i, from = 0;

	if (!first)
		writer_u8(w, ',');
	if (!must_quote(s)) {
		writer_bytes(w, s);
		return;
	}
	writer_u8(w, '"');
	for (i = 0; i < s.n; i++)
		if (s.p[i] == '"') {
			writer_mem(w, s.p + from, i + 1 - from);
			from = i; /* the quote again */
		}
	writer_mem(w, s.p + from, s.n - from);
	writer_u8(w, '"');
}

void
sheet_str(struct writer *w, bool first, const char *s)
{
	sheet_cell(w, first, bytes_of_str(s));
}

void
sheet_text(struct writer *w, bool first, struct bytes s)
{
	struct writer guarded;

	if (s.n == 0 || memchr("=+-@", s.p[0], 4) == NULL) {
		sheet_cell(w, first, s);
		return;
	}
	writer_heap_init(&guarded, s.n + 1);
	writer_u8(&guarded, '\'');
	writer_bytes(&guarded, s);
	if (writer_end(&guarded) != E_OK)
		w->e = w->e == E_OK ? guarded.e : w->e;
	sheet_cell(w, first, writer_view(&guarded));
	writer_free(&guarded);
}

void
sheet_end_line(struct writer *w)
{
	writer_str(w, "\r\n");
}

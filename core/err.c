#include "core/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct row {
	const char *name;
	enum blame blame;
	int status;
	const char *sentence;
} rows[ERR_COUNT] = {
#define X(name, blame, status, sentence) [name] = {#name, blame, status, sentence},
#include "core/err.def"
#undef X
};

static const struct row *
row_of(enum err e)
{
	return (unsigned)e < ERR_COUNT ? &rows[e] : &rows[E_INTERNAL];
}

const char *
err_name(enum err e)
{
	return row_of(e)->name;
}

enum blame
err_blame(enum err e)
{
	return row_of(e)->blame;
}

int
err_exit_status(enum err e)
{
	return row_of(e)->status;
}

const char *
err_sentence(enum err e)
{
	return row_of(e)->sentence;
}

enum err
why_set(struct why *why, enum err e, const char *format, ...)
{
	va_list ap;

	if (why == NULL)
		return e;
	why->e = e;
	va_start(ap, format);
	vsnprintf(why->thing, sizeof(why->thing), format, ap);
	va_end(ap);
	return e;
}

const char *
why_sentence(const struct why *why, char *out, size_t out_bytes)
{
	const char *s = err_sentence(why->e), *gap = strstr(s, "{}");

	if (gap == NULL)
		snprintf(out, out_bytes, "%s", s);
	else
		snprintf(out, out_bytes, "%.*s%s%s", (int)(gap - s), s, why->thing, gap + 2);
	return out;
}

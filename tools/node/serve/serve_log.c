#include "tools/node/serve/serve_log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/bytes.h"

enum level { INFO, WARNING, ERROR };

static const struct {
	const char *name, *sentence;
	enum level level;
} rows[LOG_COUNT] = {
#define X(name, level, sentence) [LOG_##name] = {#name, sentence, level},
#include "tools/node/serve/serve_log.def"
#undef X
};
static const char *const levels[] = {"info", "warning", "error"};

/* What happened, in an error's own words: up to what to do about it, "it" in the place of its
 * thing, which may be a name. */
static void
reason(struct writer *out, enum err e)
{
	const char *s = err_sentence(e);

	for (; *s != '\0' && *s != ';'; s++) {
		if (strncmp(s, " ({})", 5) == 0) {
			s += 4;
		} else if (strncmp(s, "{}", 2) == 0) {
			writer_str(out, "it");
			s++;
		} else {
			writer_u8(out, *s == '"' ? '\'' : (uint8_t)*s); /* JSON would escape it */
		}
	}
}

/* The sentence with its {words} filled in; none of them holds a character that JSON would escape.
 */
static void
fill(struct writer *out, const char *s, const struct serve_log_about *about)
{
	for (; *s != '\0'; s++) {
		if (strncmp(s, "{peer}", 6) == 0) {
			writer_printf(out, "%08" PRIx32, be32_get(about->peer->b));
			s += 5;
		} else if (strncmp(s, "{error}", 7) == 0) {
			writer_str(out, err_name(about->error));
			s += 6;
		} else if (strncmp(s, "{reason}", 8) == 0) {
			reason(out, about->error);
			s += 7;
		} else if (strncmp(s, "{n}", 3) == 0) {
			writer_printf(out, "%" PRIu64, about->n);
			s += 2;
		} else if (strncmp(s, "{bytes}", 7) == 0) {
			writer_printf(out, "%" PRIu64, about->bytes);
			s += 6;
		} else {
			writer_u8(out, (uint8_t)*s);
		}
	}
}

static void
fill_json(struct writer *out, enum serve_log_event event, const struct serve_log_about *about)
{
	time_t now = time(NULL);
	char when[32] = "";
	const char *s = rows[event].name;
	struct tm tm;

	if (gmtime_r(&now, &tm) != NULL)
		(void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	writer_printf(out, "{\"time\":\"%s\",\"level\":\"%s\",\"event\":\"", when,
		      levels[rows[event].level]);
	for (; *s != '\0'; s++) /* a row's name in small letters */
		writer_u8(out, (uint8_t)(*s >= 'A' && *s <= 'Z' ? *s + ('a' - 'A') : *s));
	writer_str(out, "\"");
	if (about->peer != NULL)
		writer_printf(out, ",\"peer\":\"%08" PRIx32 "\"", be32_get(about->peer->b));
	if (about->error != E_OK)
		writer_printf(out, ",\"error\":\"%s\"", err_name(about->error));
	if (strstr(rows[event].sentence, "{n}") != NULL)
		writer_printf(out, ",\"n\":%" PRIu64, about->n);
	if (strstr(rows[event].sentence, "{bytes}") != NULL)
		writer_printf(out, ",\"bytes\":%" PRIu64, about->bytes);
	writer_str(out, ",\"message\":\"");
	fill(out, rows[event].sentence, about);
	writer_str(out, "\"}");
}

void
serve_log(const struct serve_log *log, enum serve_log_event event,
	  const struct serve_log_about *about)
{
	static const struct serve_log_about nothing;
	char line[600];
	struct writer out;

	if (!log->json && rows[event].level == INFO)
		return;
	about = about == NULL ? &nothing : about;
	writer_init(&out, line, sizeof(line));
	if (log->json) {
		fill_json(&out, event, about);
	} else {
		writer_str(&out, "banyan serve: ");
		fill(&out, rows[event].sentence, about);
	}
	writer_str(&out, "\n");
	if (writer_end(&out) == E_OK)
		(void)!write(STDERR_FILENO, out.p, out.n); /* a log that is full stops nothing */
}

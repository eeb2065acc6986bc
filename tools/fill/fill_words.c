/* What the filler itself says, in the language of the answers. */
#include <stdio.h>
#include <string.h>

#include "core/crypto/crypto.h"
#include "tools/fill/fill_parts.h"

static const char *const codes[FILL_LANGUAGES] = {"en", "km", "lo", "my", "th", "vi", "id"};

static const char *const words[][FILL_LANGUAGES] = {
#define X(name, ...) {__VA_ARGS__},
#include "tools/fill/fill_words.def"
#undef X
};

const char *
fill_word_text(enum fill_word word, const char *code)
{
	size_t i;

	for (i = 0; i < FILL_LANGUAGES; i++) {
		if (strcmp(codes[i], code) == 0 && words[word][i][0] != '\0')
			return words[word][i];
	}
	return words[word][0];
}

void
fill_word(struct fill *f, enum fill_word word, const char *thing, size_t n)
{
	const char *code =
	    form_language_count(f->form) > 0 ? form_language_code(f->form, f->lang) : "en";
	const char *at = fill_word_text(word, code);
	struct writer w;

	writer_heap_init(&w, 64u << 10);
	while (*at != '\0') {
		size_t plain = strcspn(at, "{");

		writer_mem(&w, at, plain);
		at += plain;
		if (strncmp(at, "{}", 2) == 0) {
			writer_str(&w, thing);
			at += 2;
		} else if (strncmp(at, "{n}", 3) == 0) {
			writer_printf(&w, "%zu", n);
			at += 3;
		} else if (*at != '\0') {
			writer_u8(&w, (uint8_t)*at++);
		}
	}
	f->io->say(f->io->ctx, writer_cstr(&w));
	writer_free(&w); /* wipes: an answer may be in it */
}

void
fill_word_line(struct fill *f, enum fill_word word, const char *thing, size_t n)
{
	fill_word(f, word, thing, n);
	fill_say(f, "\n");
}

/*
 * call_parts: what a call is made of; for call*.c, options.c and front.c only.
 */
#ifndef BANYAN_TOOLS_CALL_CALL_PARTS_H
#define BANYAN_TOOLS_CALL_CALL_PARTS_H

#include <stdio.h>

#include "tools/call/call_asked.h"

#define CALL_WORDS_MAX 4096u /* positionals, or options: a long `form add *.xlsx` fits */
#define CALL_MEMORY_MAX (160u << 20)

struct call_option {
	const char *name, *value;
};

struct call_input {
	const char *name; /* "answers", "FILE", "FILE/areas.csv" */
	struct bytes content;
};

/* A file being made on the person's side. */
struct call_file {
	int fd; /* if it is open */
	bool open;
	char path[1024], part[1040];
};

struct call {
	struct arena arena; /* everything below that is not a view into an ask */
	struct why why;
	const struct command *command;
	struct peer *peer;
	struct principal_id actor;
	bool has_actor, remote, asked, json, help, terminal, notes_terminal;
	const char *store;

	const char **args;
	struct call_option *options;
	struct call_input *inputs;
	size_t arg_count, option_count, input_count;

	call_answer *answer;
	void *ctx;
	enum err answer_error; /* the first failure of `answer` */
	char kept[200];        /* what call_kept said; "" before */
	bool forwarded;     /* carried out elsewhere: an output that fails here does not end it */
	enum err fault;     /* what an answer told (ANSWER_FAULT) */
	struct writer text; /* gathers small writes of one stream */
	uint8_t text_stream;

	struct secret secret, new_secret;
	bool secret_sought;

	/* the person's side */
	struct call_file file;
	bool progress_shown;
	uint64_t progress_from_ms, progress_last_ms;
};

/* call_new: empty, with the person's own terminal and files as its answer. E_NO_MEMORY. */
enum err call_new(struct call **out);
/* call_gather: read every file that the command was given into its inputs. E_FILE_ABSENT, E_IO,
 * E_LIMIT. */
enum err call_gather(struct call *);
/* call_give_place: say where names of files begin (CALL_PLACE), to who serves this very store. */
enum err call_give_place(struct call *);
/* call_flush: hand gathered text to the answer. */
void call_flush(struct call *);
enum err call_input_add(struct call *, const char *name, struct bytes content);

#endif

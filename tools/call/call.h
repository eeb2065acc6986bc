/*
 * call: one command being carried out, wherever it runs: in the program that the person started, in
 * the daemon that owns the store (asked through its local socket), or at the node (asked over TLS
 * by an officer's or researcher's own store). A command reads its arguments and input and writes
 * text and files only through its call, so it need not know which.
 *
 *   COMMAND_ALONE   needs no open store (init, join, restore, form check), or asks it by itself
 * (fill: desk.h) COMMAND_STORE   works on the store: directly, or through the socket of the daemon
 * that owns it COMMAND_ASKS    as STORE; and when the store is an officer's or researcher's own,
 * the node is asked
 */
#ifndef BANYAN_TOOLS_CALL_CALL_H
#define BANYAN_TOOLS_CALL_CALL_H

#include <stdbool.h>

#include "core/bytes.h"
#include "core/id.h"

struct peer; /* tools/node/peer.h */
struct call;

enum command_where { COMMAND_ALONE, COMMAND_STORE, COMMAND_ASKS };

/* A row of command.def. */
struct command {
	const char *name; /* "form add" is "form" with its first positional "add" */
	enum command_where where;
	const char *positionals; /* "STORE FORM"; "[X]" optional, "X..." one or more, "@X" names a
				    file to read */
	const char *summary;     /* one line */
	const char *about;       /* what it does, paragraphs */
	const char *day;         /* where it fits in a day's work */
	const char *examples;    /* lines: a command, or "# why" before one */
	enum err (*run)(struct call *);
};

/* The call's own store of the error's thing; set with why_set(call_why(c), ...). */
struct why *call_why(struct call *);
const struct command *call_command(const struct call *);
struct peer *call_peer(struct call *); /* NULL for COMMAND_ALONE */
/* The principal who acts: the store's own, the officer of --as, or the remote asker. */
const struct principal_id *call_actor(const struct call *);
#define CALL_PLACE "cwd" /* an input: the folder that an asker through the store's socket is in */
bool call_is_remote(const struct call *); /* asked over TLS: rules apply to the asker */
bool call_is_asked(const struct call *);  /* carried out by the daemon, for whomever */

/* Positionals without STORE (count from 0), and options by name without dashes; NULL when not
 * given. */
size_t call_arg_count(const struct call *);
const char *call_arg(const struct call *, size_t index);
const char *call_option(const struct call *, const char *name);
/* The index-th value of an option that may be repeated (--set, --file); NULL past the last. */
const char *call_option_at(const struct call *, const char *name, size_t index);
bool call_flag(const struct call *, const char *name);
/*
 * call_number: the value of an option that is a whole number from `least` to `most` (UINT64_MAX: no
 * bound), written in decimal digits; *out stays as it is when the option was not given. `counted`
 * is what there are so many of ("bytes"), or NULL. E_USAGE: a sentence with the option, the bounds
 * and what was typed.
 */
enum err call_number(struct call *, const char *option, const char *counted, uint64_t least,
		     uint64_t most, uint64_t *out);
bool call_json(const struct call *); /* --json was given */
/* The person's output is a terminal (a QR code may be shown). */
bool call_is_terminal(const struct call *);
/* The STORE positional as given ("" in the daemon, at the node and where the command has none). */
const char *call_store_path(const struct call *);

/* Output of the command (stdout). Text for people or JSON lines for programs. */
void call_out(struct call *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void call_out_bytes(struct call *, struct bytes);
/* A sentence for the person beside the output (stderr); that nobody hears it is no failure. */
void call_note(struct call *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/*
 * What is durable stays so, whatever comes after it; a person or a script that is told "failed"
 * does it once more. So: call_kept: say that the command's work is durable from here on, in the
 * beginning of a sentence ("record 3f.. is voided"); said again it replaces what was said. From
 * then on an output that cannot be written is E_UNTOLD (74), whose sentence on stderr says what is
 * kept. For every command that does more when it is run twice; not where only the output makes it
 * worth anything (an invitation that nobody saw). call_after: what follows upon that (opening,
 * merging) came to `e`. A failure is told as a note and is never the command's; call_why is clean
 * afterwards.
 */
void call_kept(struct call *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void call_after(struct call *, enum err e);
/* call_progress: "what: done of total", shown after two seconds on a terminal, at most 5 times a
 * second. */
void call_progress(struct call *, const char *what, uint64_t done, uint64_t total);
/*
 * Files the command makes: below the folder of -o, or the file of -o (name ""). The person's side
 * creates them (never overwriting: E_FILE_EXISTS; whole or not at all). One file at a time: begin,
 * write..., end. A name is letters, digits, '.', '_' and '-', and does not begin with '.': E_USAGE.
 */
enum err call_file_begin(struct call *, const char *name);
enum err call_file_write(struct call *, struct bytes);
enum err call_file_end(struct call *);
/*
 * The contents of a file that the command was given by an option ("answers", "set-file") or by a
 * positional marked @ ("FILE", the index-th of a repeated one): read on the person's side and
 * carried along. In memory; ours until the end. E_ABSENT when it was not given (no sentence for a
 * person: ask with call_option first). Beside a form travel the choice files that it names:
 * "FILE/areas.csv".
 */
enum err call_input(struct call *, const char *name, struct bytes *out);
enum err call_input_at(struct call *, const char *name, size_t index, struct bytes *out);

struct secret; /* tools/unlock.h */
/*
 * call_new_secret: what a new store (init, join, restore) or `passphrase` shall be locked with:
 * asked twice on the terminal, or from files (unlock.h). Wipe it with secret_wipe.
 * E_STORE_KEY_MISSING.
 */
enum err call_new_secret(struct call *, struct secret *out);
/* The secret that opens the store, as the person gave it: for `passphrase` and --as. May be of kind
 * NONE. */
const struct secret *call_secret(const struct call *);

#endif

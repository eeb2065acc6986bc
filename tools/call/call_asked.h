/*
 * call_asked: a call that travels. The person's side writes an ask; the daemon (through its local
 * socket) or the node (over TLS) makes a call of it, runs it, and streams the answer back; the
 * person's side applies the answer to its terminal and its files. The same stream serves a call in
 * the person's own process.
 *
 * An ask is canonical MessagePack:
 *   [1, command str, [positional str...], [[option str, value str]...], [[input str, content
 * bin]...], flags uint, secret, new secret] positionals without STORE; an option without a value
 * has ""; flags: 1 --json, 2 output is a terminal, 4 errors are shown on a terminal; a secret is
 * nil or [kind uint, bin]. Through the local socket the asker's secret rides along (the daemon
 * tells by it who asks); over TLS never: there the certificate tells.
 */
#ifndef BANYAN_TOOLS_CALL_CALL_ASKED_H
#define BANYAN_TOOLS_CALL_CALL_ASKED_H

#include "tools/call/call.h"
#include "tools/unlock.h"

/* The streams of an answer; numbers are on the wire. */
enum answer_stream {
	ANSWER_OUT = 1,      /* text for stdout */
	ANSWER_NOTE = 2,     /* text for stderr */
	ANSWER_FILE = 3,     /* a file begins; its name, "" for the file of -o itself */
	ANSWER_DATA = 4,     /* more of the file */
	ANSWER_FILE_END = 5, /* the file is whole */
	ANSWER_PROGRESS = 6, /* a line that replaces the one before; "" clears it */
	ANSWER_FAULT = 7     /* the command failed: the error's name, a zero byte, the thing */
};

/* Takes one piece of an answer. An error ends the command (the asker is gone, the disk is full). */
typedef enum err call_answer(void *ctx, uint8_t stream, struct bytes);

/* The longest piece handed to a call_answer. */
#define ANSWER_PIECE_BYTES_MAX (32u << 10)
#define ASK_BYTES_MAX (96u << 20)
#define INPUT_BYTES_MAX \
	(64u << 20) /* a file that a command reads: 200,000 answers or areas fit \
		     */

/* --- the asker's side --- */

/*
 * call_ask_write: append the ask of a call made by options_parse. with_secret: the local socket.
 * Asks for a new secret if the command needs one. E_NO_ROOM, E_STORE_KEY_MISSING...; call_why has
 * the thing.
 */
enum err call_ask_write(struct call *, bool with_secret, struct writer *out);
/*
 * call_find_secret: seek what opens the store (unlock_find), once; call_secret has it then. The
 * errors of unlock_find.
 */
enum err call_find_secret(struct call *);
/*
 * call_apply: a call_answer whose ctx is the struct call: text to stdout and stderr (cleaned of
 * control characters on a terminal), files to the place of -o. Never overwrites: E_FILE_EXISTS.
 * E_IO, E_USAGE.
 */
enum err call_apply(void *call, uint8_t stream, struct bytes);

/* call_answered: what the command came to: E_OK, or the fault that the answer told (call_why has
 * it). */
enum err call_answered(const struct call *);

/* --- the answerer's side --- */

struct call_asker {
	struct peer *peer;
	const struct principal_id
	    *actor;  /* copied; NULL: the front works it out from call_secret and --as */
	bool remote; /* over TLS: only COMMAND_ASKS */
	call_answer *answer;
	void *ctx;
};
/*
 * call_asked_new: a call of an ask. The ask's bytes must outlive it. E_PACK_*, E_NO_ROOM, E_USAGE
 * (an unknown command or option: another version of banyan), E_NOT_HERE (a command that is not
 * asked this way); `why` may be NULL. Free with call_free, which wipes secrets.
 */
enum err
call_asked_new(struct call **out, struct bytes ask, const struct call_asker *, struct why *);
void call_free(struct call *);

/* --- both --- */

/*
 * call_run: carry the command out; what it wrote has been handed to its answer when this returns,
 * and for an asked call its failure too (ANSWER_FAULT). call_fail: tell a failure before or in
 * place of the command.
 */
enum err call_run(struct call *);
enum err call_fail(struct call *, enum err);
void call_set_peer(struct call *, struct peer *);
void call_set_actor(struct call *, const struct principal_id *);

#endif

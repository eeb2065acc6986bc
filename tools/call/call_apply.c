/* The person's side of an answer: text to the terminal, files to their place. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "tools/call/call_parts.h"
#include "tools/terminal.h"

/* output_failed: `banyan list ... | head` has read enough. */
static enum err
output_failed(struct call *c)
{
	if (errno == EPIPE)
		return why_set(&c->why, E_OUTPUT_GONE, "the output");
	return why_set(&c->why, E_IO, "the output");
}

static enum err
apply_text(struct call *c, FILE *f, struct bytes text)
{
	struct writer clean;
	enum err e = E_OK;

	if (c->progress_shown) {
		c->progress_shown = false;
		(void)fputs("\r\033[K", stderr);
	}
	if (!terminal_is(f)) {
		if (fwrite(text.p, 1, text.n, f) != text.n || fflush(f) != 0)
			e = output_failed(c);
		return e;
	}
	writer_heap_init(&clean, ANSWER_PIECE_BYTES_MAX * 3u);
	terminal_clean(&clean, text);
	if (writer_end(&clean) != E_OK)
		e = writer_end(&clean);
	else if (fwrite(clean.p, 1, clean.n, f) != clean.n || fflush(f) != 0)
		e = output_failed(c);
	writer_free(&clean);
	return e;
}

/*
 * What another process does is heard to its end though the disk here is full: only then is it known
 * whether it was done. A reader who has enough ends it.
 */
static enum err
apply_out(struct call *c, struct bytes text)
{
	enum err e;

	if (c->forwarded && c->answer_error != E_OK)
		return E_OK;
	e = apply_text(c, stdout, text);
	if (!c->forwarded || e == E_OK || e == E_OUTPUT_GONE)
		return e;
	c->answer_error = e;
	return E_OK;
}

/* A sentence that nobody hears does not fail what it is about. */
static enum err
apply_note(struct call *c, struct bytes text)
{
	struct why why = c->why;

	(void)apply_text(c, stderr, text);
	c->why = why;
	return E_OK;
}

static enum err
apply_progress(struct call *c, struct bytes line)
{
	struct writer clean;

	if (!terminal_is(stderr) || (line.n == 0 && !c->progress_shown))
		return E_OK;
	writer_heap_init(&clean, ANSWER_PIECE_BYTES_MAX * 3u);
	terminal_clean(&clean, line);
	(void)fprintf(stderr, "\r\033[K%s", writer_cstr(&clean));
	(void)fflush(stderr);
	writer_free(&clean);
	c->progress_shown = line.n > 0;
	return E_OK;
}

/* file_failed: give up the file that is being made; nothing of it stays. */
static enum err
file_failed(struct call *c, enum err e)
{
	if (c->file.open)
		(void)close(c->file.fd);
	c->file.open = false;
	(void)unlink(c->file.part);
	return why_set(&c->why, e, "%s", c->file.path);
}

static bool
name_good(struct bytes name)
{
	size_t i;

	for (i = 0; i < name.n; i++) {
		if (name.p[i] < 0x21 || name.p[i] == '/' || name.p[i] == 0x7f)
			return false;
	}
	return name.n < 200 && (name.n == 0 || name.p[0] != '.');
}

/* place_of: the path of a file of the answer, making the folder of -o if need be. */
static enum err
place_of(struct call *c, struct bytes name)
{
	const char *output = call_option(c, "output");
	int n;

	/* A peer chooses the name: it must stay below the folder that the person chose. */
	if (output == NULL || !name_good(name))
		return why_set(&c->why, E_USAGE, "a file was sent that nobody asked for");
	if (name.n == 0) {
		n = snprintf(c->file.path, sizeof(c->file.path), "%s", output);
	} else {
		if (mkdir(output, 0700) == 0 ? file_sync_parent(output) != E_OK : errno != EEXIST)
			return errno == ENOENT ? file_no_folder(output, &c->why)
					       : why_set(&c->why, E_IO, "the folder %s", output);
		n = snprintf(c->file.path, sizeof(c->file.path), "%s/%.*s", output, (int)name.n,
			     (const char *)name.p);
	}
	if (n < 0 || (size_t)n >= sizeof(c->file.path))
		return why_set(&c->why, E_LIMIT, "the length of %.100s...", output);
	(void)snprintf(c->file.part, sizeof(c->file.part), "%s.part", c->file.path);
	return E_OK;
}

static enum err
apply_file(struct call *c, struct bytes name)
{
	struct stat st;
	enum err e;

	if (c->file.open)
		return file_failed(c, E_PROTOCOL);
	if ((e = place_of(c, name)) != E_OK)
		return e;
	if (lstat(c->file.path, &st) == 0)
		return why_set(&c->why, E_FILE_EXISTS, "%s", c->file.path);
	/* 0600: a table of answers is for the one who asked. O_EXCL refuses a link laid in the way.
	 */
	(void)unlink(c->file.part);
	c->file.fd = open(c->file.part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (c->file.fd < 0)
		return errno == ENOENT ? file_no_folder(c->file.path, &c->why)
				       : why_set(&c->why, file_error(errno), "%s", c->file.path);
	c->file.open = true;
	return E_OK;
}

static enum err
apply_data(struct call *c, struct bytes content)
{
	enum err e;

	if (!c->file.open)
		return why_set(&c->why, E_PROTOCOL, "contents without a file");
	return (e = file_write_all(c->file.fd, content)) == E_OK ? E_OK : file_failed(c, e);
}

/* Nothing is overwritten: an old file system cannot promise it of a rename, but of a hard link; one
 * without either renames. */
static enum err
take_name(const char *part, const char *path)
{
	if (renameat2(AT_FDCWD, part, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
		return E_OK;
	if (errno != EEXIST && link(part, path) == 0) {
		(void)unlink(part);
		return E_OK;
	}
	if (errno == EEXIST)
		return E_FILE_EXISTS;
	return rename(part, path) == 0 ? E_OK : E_IO;
}

static enum err
apply_file_end(struct call *c)
{
	enum err e;

	if (!c->file.open)
		return why_set(&c->why, E_PROTOCOL, "the end of no file");
	e = fsync(c->file.fd) == 0 ? E_OK : file_error(errno);
	if (close(c->file.fd) != 0 && e == E_OK)
		e = file_error(errno);
	c->file.open = false;
	if (e != E_OK)
		return file_failed(c, e);
	if ((e = take_name(c->file.part, c->file.path)) != E_OK)
		return file_failed(c, e);
	/* Said to be written: its name too outlives a power cut. */
	if ((e = file_sync_parent(c->file.path)) == E_OK)
		return E_OK;
	(void)unlink(c->file.path);
	return why_set(&c->why, e, "%s", c->file.path);
}

static enum err
apply_fault(struct call *c, struct bytes fault)
{
	const uint8_t *zero = fault.n == 0 ? NULL : memchr(fault.p, 0, fault.n);
	size_t name, thing;
	enum err e;

	if (zero == NULL)
		return why_set(&c->why, E_PROTOCOL, "a fault without a name");
	name = (size_t)(zero - fault.p);
	thing = fault.n - name - 1;
	/* Numbers of errors differ between versions; names do not. */
	for (e = E_OK; e < ERR_COUNT; e++) {
		if (strlen(err_name(e)) == name && memcmp(err_name(e), fault.p, name) == 0)
			break;
	}
	c->fault = e == ERR_COUNT || e == E_OK ? E_PROTOCOL : e;
	(void)why_set(&c->why, c->fault, "%.*s", thing > 200 ? 200 : (int)thing,
		      (const char *)zero + 1);
	return E_OK;
}

enum err
call_apply(void *ctx, uint8_t stream, struct bytes piece)
{
	struct call *c = ctx;

	switch (stream) {
	case ANSWER_OUT:
		return apply_out(c, piece);
	case ANSWER_NOTE:
		return apply_note(c, piece);
	case ANSWER_FILE:
		return apply_file(c, piece);
	case ANSWER_DATA:
		return apply_data(c, piece);
	case ANSWER_FILE_END:
		return apply_file_end(c);
	case ANSWER_PROGRESS:
		return apply_progress(c, piece);
	case ANSWER_FAULT:
		return apply_fault(c, piece);
	default:
		return E_OK; /* of a later version, for eyes that know it */
	}
}

/*
 * swept: which steps ran, held against the table of which should (swept.def) and against the
 * commands that there are.
 */
#ifndef BANYAN_TESTS_FAULTS_SWEPT_H
#define BANYAN_TESTS_FAULTS_SWEPT_H

#include "tests/check.h"
#include "tools/commands.h"

#define SWEPT_MAX 120u

static const struct swept_row {
	const char *command, *steps; /* NULL: none sweeps it */
} swept_rows[] = {
#define S(command, steps) {command, steps},
#define N(command, why) {command, NULL},
#include "tests/faults/swept.def"
#undef S
#undef N
};
#define SWEPT_ROWS (sizeof(swept_rows) / sizeof(swept_rows[0]))

static struct {
	const char *step;
	const struct command *command;
} swept[SWEPT_MAX];
static size_t swept_count;

/* The command that fails in the step is that of `words`, or of the server that fails. */
static void
swept_note(const char *step, const char *const *words, const char *const *server)
{
	size_t used, count = 0;
	bool half;

	words = server != NULL ? server : words;
	while (words[count] != NULL)
		count++;
	if (swept_count == SWEPT_MAX)
		abort();
	swept[swept_count].step = step;
	swept[swept_count++].command = command_find(words, count, &used, &half);
}

static bool
swept_names(const char *steps, const char *step)
{
	size_t n;

	for (; steps != NULL && *steps != '\0'; steps += n + (steps[n] == ';')) {
		n = strcspn(steps, ";");
		if (strlen(step) == n && strncmp(steps, step, n) == 0)
			return true;
	}
	return false;
}

static const struct swept_row *
swept_row(const char *command)
{
	size_t i;

	for (i = 0; i < SWEPT_ROWS; i++)
		if (strcmp(swept_rows[i].command, command) == 0)
			return &swept_rows[i];
	return NULL;
}

static size_t
swept_steps(const char *steps)
{
	size_t n = steps != NULL && *steps != '\0';

	for (; steps != NULL && *steps != '\0'; steps++)
		n += *steps == ';';
	return n;
}

/* Each command has a row; what ran is in the row of its command; what a row names ran. */
static void
swept_check(void)
{
	size_t i, named = 0;

	for (i = 0; i < command_count(); i++)
		CHECK_MSG(swept_row(command_at(i)->name) != NULL,
			  "banyan %s: no step sweeps it, and tests/faults/swept.def does not "
			  "say why",
			  command_at(i)->name);
	for (i = 0; i < swept_count; i++) {
		const struct swept_row *row =
		    swept[i].command == NULL ? NULL : swept_row(swept[i].command->name);

		CHECK_MSG(row != NULL && swept_names(row->steps, swept[i].step),
			  "the step \"%s\" is not in swept.def where its command is",
			  swept[i].step);
	}
	for (i = 0; i < SWEPT_ROWS; i++)
		named += swept_steps(swept_rows[i].steps);
	CHECK_MSG(named == swept_count, "swept.def names %zu steps, %zu ran", named, swept_count);
}

#endif

/*
 * store_fixture: a store in a scratch directory, cheap to unlock.
 */
#ifndef BANYAN_TESTS_STORE_FIXTURE_H
#define BANYAN_TESTS_STORE_FIXTURE_H

#include "core/store/store.h"
#include "tests/check.h"
#include "tests/scratch.h"

static const struct unlock fixture_unlock = {.name = "mona",
					     .passphrase = {(const uint8_t *)"rice", 4}};
static const struct store_options fixture_options = {.cost = {.memory_kib = 64, .passes = 1}};

struct fixture {
	char dir[PATH_MAX], at[PATH_MAX];
	struct store *s;
};

static inline void
fixture_init(struct fixture *f)
{
	struct why why = {0};
	enum err e;

	scratch_path(f->at, scratch_make(f->dir), "store");
	e = store_create(f->at, &fixture_unlock, &fixture_options, &f->s, &why);
	if (e != E_OK) {
		fprintf(stderr, "%s: %s (%s)\n", f->at, err_name(e), why.thing);
		exit(1);
	}
}

static inline void
fixture_reopen(struct fixture *f)
{
	enum err e;

	store_close(f->s);
	e = store_open(f->at, &fixture_unlock, &fixture_options, &f->s, NULL);
	if (e != E_OK) {
		fprintf(stderr, "%s: %s\n", f->at, err_name(e));
		exit(1);
	}
}

static inline void
fixture_fini(struct fixture *f)
{
	store_close(f->s);
	scratch_remove(f->dir);
}

#endif

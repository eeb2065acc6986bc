/* test_arena: what was allocated since a mark goes back, what came before stays. */
#include "core/bytes.h"
#include "tests/check.h"

static void
release_gives_back_the_rest(void)
{
	struct arena a;
	struct arena_mark empty, mark;
	char *before, *after;
	unsigned i;

	arena_init(&a, 64u << 10);
	empty = arena_mark(&a);
	before = arena_str(&a, "before", 6);
	mark = arena_mark(&a);
	for (i = 0; i < 1000; i++) { /* far more than the arena's bound in all; blocks of their own,
					and parts of one */
		after = arena_alloc(&a, i % 2 == 0 ? 100 : 9000);
		REQUIRE(before != NULL && after != NULL);
		memset(after, 'x', 100);
		arena_release(&a, &mark);
		CHECK(a.used == mark.used && strcmp(before, "before") == 0);
	}
	after = arena_alloc(&a, 100);
	REQUIRE(after != NULL);
	CHECK(after[0] == 0 && after[99] == 0);
	arena_release(&a, &empty);
	CHECK(a.used == 0 && a.head == NULL);
	arena_free(&a);
}

static void
a_mark_is_void_once_all_was_freed(void)
{
	struct arena a;
	struct arena_mark mark;
	char *kept;

	arena_init(&a, 64u << 10);
	REQUIRE(arena_alloc(&a, 10) != NULL);
	mark = arena_mark(&a);
	arena_free(&a);
	kept = arena_str(&a, "kept", 4);
	REQUIRE(kept != NULL);
	arena_release(&a, &mark);
	CHECK(strcmp(kept, "kept") == 0 && a.used > 0);
	arena_free(&a);
}

CHECK_MAIN(T(release_gives_back_the_rest), T(a_mark_is_void_once_all_was_freed))

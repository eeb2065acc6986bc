/*
 * A table of areas, as somebody's spreadsheet wrote it and as it travels: what an office takes,
 * every device can read, with as many areas of the same codes; packed and unpacked it is the same.
 */
#include "core/principals/area.h"
#include "schemas/areas_table.h"
#include "tests/fuzz/fuzz.h"

static void
same(const struct areas_table *a, const struct areas_table *b)
{
	size_t i;

	MUST(a->count == b->count);
	for (i = 0; i < a->count; i++) {
		MUST(strcmp(a->rows[i].code, b->rows[i].code) == 0 &&
		     a->rows[i].parent == b->rows[i].parent);
		MUST(strcmp(a->rows[i].level, b->rows[i].level) == 0 &&
		     strcmp(a->rows[i].name, b->rows[i].name) == 0);
		MUST(a->rows[i].name_count == b->rows[i].name_count);
		MUST(areas_table_find(a, a->rows[i].code) == i);
	}
}

static void
again(const struct areas_table *table, bool parsed)
{
	struct areas_table other;
	struct area_table *areas;
	struct arena arena;
	struct writer w;
	uint32_t i;

	arena_init(&arena, 4u << 20);
	writer_heap_init(&w, 1u << 20);
	MUST(areas_table_pack(table, &w) == E_OK);
	MUST(areas_table_unpack(writer_view(&w), &arena, &other, NULL) == E_OK);
	same(table, &other);
	if (parsed) {
		MUST(area_table_read(&areas, writer_view(&w), NULL) == E_OK &&
		     area_count(areas) == table->count);
		for (i = 0; i < area_count(areas); i++)
			MUST(strcmp(area_at(areas, i)->code, table->rows[i].code) == 0);
		area_table_free(areas);
	}
	writer_free(&w);
	arena_free(&arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct areas_table table;
	struct arena arena;
	struct why why;

	arena_init(&arena, 4u << 20);
	if (areas_table_parse(BYTES(data, size), &arena, &table, &why) == E_OK)
		again(&table, true);
	if (areas_table_unpack(BYTES(data, size), &arena, &table, &why) == E_OK)
		again(&table, false);
	arena_free(&arena);
	return 0;
}

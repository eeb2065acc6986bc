#include "schemas/csv.h"
#include "schemas/utf8.h"
#include "tests/check.h"

/* Rows as text: cells joined by |, rows by /. */
static const char *
flat(const struct csv_table *t, char *out, size_t cap)
{
	struct writer w;
	size_t i, j;

	writer_init(&w, out, cap);
	for (i = 0; i < t->row_count; i++) {
		writer_str(&w, i == 0 ? "" : "/");
		for (j = 0; j < t->rows[i].cell_count; j++) {
			writer_str(&w, j == 0 ? "" : "|");
			writer_str(&w, t->rows[i].cells[j]);
		}
	}
	return writer_cstr(&w);
}

static void
good_tables(void)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
	    {"", ""},
	    {"\n\n", ""},
	    {"a", "a"},
	    {"a,b\n1,2\n", "a|b/1|2"},
	    {"a,b\r\n1,2\r\n", "a|b/1|2"},
	    {"a,b\r1,2", "a|b/1|2"},
	    {"\xef\xbb\xbf"
	     "code,parent\nx,\n",
	     "code|parent/x|"},
	    {"a,\"b,c\",d", "a|b,c|d"},
	    {"\"say \"\"yes\"\"\",x\n", "say \"yes\"|x"},
	    {"\"two\nlines\",x\ny", "two\nlines|x/y"},
	    {"\"\",\"\"\n", "|"},
	    {"\"\"\n", ""},
	    {"a,b\n\n\nc", "a|b/c"},
	    {" a , b ", " a | b "},
	    {"a\"b,c", "a\"b|c"},
	    {",,\n", "||"},
	    {"\xe1\x9e\x81\xe1\x9f\x92\xe1\x9e\x98\xe1\x9f\x82\xe1\x9e\x9a,km",
	     "\xe1\x9e\x81\xe1\x9f\x92\xe1\x9e\x98\xe1\x9f\x82\xe1\x9e\x9a|km"},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct csv_table t;
		struct arena a;
		char out[200];

		arena_init(&a, 1u << 20);
		CHECK(csv_parse(bytes_of_str(rows[i].text), &a, &t, NULL) == E_OK);
		CHECK_STR(flat(&t, out, sizeof(out)), rows[i].want);
		arena_free(&a);
	}
}

static void
bad_tables_name_the_line(void)
{
	static const struct {
		const char *text, *thing;
	} rows[] = {
	    {"a,b\nc,\"d\ne\n", "line 2"}, {"a\n\"b\"c\n", "line 2"},  {"a\nb\nc,\xff\n", "line 3"},
	    {"a\n\xc0\x80\n", "line 2"},   {"\xed\xa0\x80", "line 1"},
	};
	struct why why;
	struct arena a;
	struct csv_table t;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		arena_init(&a, 1u << 20);
		CHECK(csv_parse(bytes_of_str(rows[i].text), &a, &t, &why) == E_CSV);
		CHECK_MSG(strstr(why.thing, rows[i].thing) != NULL, "%s", why.thing);
		CHECK(t.row_count == 0);
		arena_free(&a);
	}
	arena_init(&a, 1u << 20);
	CHECK(csv_parse(BYTES("a\0b", 3), &a, &t, &why) == E_CSV);
	arena_free(&a);
	arena_init(&a, 60);
	CHECK(csv_parse(bytes_of_str("a,b,c,d\n1,2,3,4\n"), &a, &t, &why) == E_NO_MEMORY);
	arena_free(&a);
}

static void
limits_are_errors(void)
{
	struct writer w;
	struct arena a;
	struct csv_table t;
	struct why why;
	unsigned i;

	writer_heap_init(&w, 8u << 20);
	arena_init(&a, 16u << 20);
	for (i = 0; i < CSV_COLUMNS_MAX; i++)
		writer_u8(&w, ',');
	CHECK(csv_parse(writer_view(&w), &a, &t, &why) == E_LIMIT);
	writer_reset(&w);
	for (i = 0; i <= CSV_CELL_BYTES_MAX; i++)
		writer_u8(&w, 'x');
	CHECK(csv_parse(writer_view(&w), &a, &t, &why) == E_LIMIT);
	arena_free(&a);
	writer_free(&w);
}

static void
columns_lines_and_cells(void)
{
	struct csv_table t;
	struct arena a;

	arena_init(&a, 1u << 20);
	REQUIRE(csv_parse(bytes_of_str("code, parent \n\n\"a\nb\",\nc"), &a, &t, NULL) == E_OK);
	CHECK(csv_column(&t, "code") == 0);
	CHECK(csv_column(&t, "parent") == 1);
	CHECK(csv_column(&t, "name") == SIZE_MAX);
	CHECK(t.row_count == 3);
	CHECK(t.rows[1].line == 3 && t.rows[2].line == 5);
	CHECK_STR(csv_cell(&t.rows[2], 0), "c");
	CHECK_STR(csv_cell(&t.rows[2], 1), "");
	CHECK_STR(csv_cell(&t.rows[2], SIZE_MAX), "");
	arena_free(&a);
}

static void
written_cells_are_read_back(void)
{
	static const char *const cells[] = {"",           "plain",  "a,b", "say \"x\"",
					    "two\nlines", " edge ", "\r"};
	struct csv_table t;
	struct writer w;
	struct arena a;
	char memory[200];
	size_t i;

	writer_init(&w, memory, sizeof(memory));
	for (i = 0; i < 7; i++) {
		writer_str(&w, i == 0 ? "" : ",");
		csv_write(&w, cells[i]);
	}
	writer_str(&w, "\r\n");
	arena_init(&a, 1u << 20);
	REQUIRE(csv_parse(writer_view(&w), &a, &t, NULL) == E_OK);
	REQUIRE(t.row_count == 1 && t.rows[0].cell_count == 7);
	for (i = 0; i < 7; i++)
		CHECK_STR(t.rows[0].cells[i], cells[i]);
	arena_free(&a);
}

static void
code_points_go_round(void)
{
	static const int32_t codes[] = {0,      0x7f,   0x80,   0x7ff,   0x800,
					0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff};
	size_t i;

	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		uint8_t memory[4];
		struct writer w;
		size_t at = 0;

		writer_init(&w, memory, sizeof(memory));
		utf8_put(&w, codes[i]);
		CHECK(utf8_next(writer_view(&w), &at) == codes[i] && at == w.n);
		CHECK(!utf8_valid(BYTES(memory, w.n - 1)) || w.n == 1);
	}
	CHECK(!utf8_valid(BYTES_LIT("\xf4\x90\x80\x80")) && !utf8_valid(BYTES_LIT("\xe0\x80\x80")));
}

CHECK_MAIN(T(good_tables), T(bad_tables_name_the_line), T(limits_are_errors),
	   T(columns_lines_and_cells), T(written_cells_are_read_back), T(code_points_go_round))

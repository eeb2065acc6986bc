#include "core/principals/area.h"
#include "schemas/areas_table.h"
#include "tests/check.h"

#define ROOM (64u << 20)

static enum err
parse(const char *text, struct arena *arena, struct areas_table *t, struct why *why)
{
	memset(why, 0, sizeof(*why));
	arena_init(arena, ROOM);
	return areas_table_parse(bytes_of_str(text), arena, t, why);
}

static void
rows_are_read(void)
{
	struct areas_table t;
	struct arena arena;
	struct why why;

	CHECK(parse("level,name,code,parent\nvillage,\"Old, village\",V-7,\n", &arena, &t, &why) ==
	      E_OK);
	CHECK_STR(t.rows[0].name, "Old, village");
	arena_free(&arena);
	REQUIRE(
	    parse(
		"code,parent,level,name,name:km,name::th\r\n"
		"V-7,D1,village, Old village ,,\r\nD1,P1,district,Dee,ឌី,ดี\r\nP1,,province,Pee,ភី,\r\n",
		&arena, &t, &why) == E_OK);
	CHECK(t.count == 3);
	CHECK(t.rows[0].parent == 2 && t.rows[1].parent == 3 && t.rows[2].parent == 0);
	CHECK_STR(t.rows[0].name, "Old village");
	CHECK(t.rows[0].name_count == 0 && t.rows[1].name_count == 2 && t.rows[2].name_count == 1);
	CHECK_STR(t.rows[1].names[1].lang, "th");
	CHECK_STR(t.rows[1].names[1].name, "ดี");
	CHECK(t.rows[0].line == 2);
	CHECK(areas_table_find(&t, "D1") == 1 && areas_table_find(&t, "D2") == SIZE_MAX);
	arena_free(&arena);
}

static void
what_is_wrong_is_named(void)
{
	static const struct {
		const char *text, *names;
	} bad[] = {
	    {"", "line 1"},
	    {"code,parent,level\nA,,x\n", "no column name"},
	    {"code,parent,name\nA,,x\n", "no column level"},
	    {"parent,level,name\nA,,x\n", "no column code"},
	    {"code,level,name\nA,,x\n", "no column parent"},
	    {"code,parent,level,name\n", "no rows"},
	    {"code,parent,level,name\nA,,p,A\n,A,d,B\n", "line 3 (the code is empty"},
	    {"code,parent,level,name\nA B,,p,A\n", "line 2 (a code has no spaces"},
	    {"code,parent,level,name\nABCDEFGHIJABCDEFGHIJABCDEFGHIJABC,,p,A\n",
	     "line 2 (a code is at most"},
	    {"code,parent,level,name\nA,,p,A\nB,A,d,B\nA,,p,C\n",
	     "line 4 (the code is there twice: \"A\")"},
	    {"code,parent,level,name\nA,,p,A\nB,Z,d,B\n",
	     "line 3 (there is no row for the parent \"Z\")"},
	    {"code,parent,level,name\nA,,,A\n", "line 2 (the level is empty"},
	    {"code,parent,level,name\nA,,p,\n", "line 2 (the name is empty"},
	    {"code,parent,level,name\nA,A,p,A\n", "own ancestor"},
	    {"code,parent,level,name\nR,,p,R\nA,B,d,A\nB,C,d,B\nC,A,d,C\n",
	     "line 3 (it is its own ancestor"},
	    {"code,parent,level,name\nX,A,d,X\nA,B,d,A\nB,A,d,B\n", "line 2 (its parents go round"},
	    {"code,parent,level,name\na,,1,n\nb,a,1,n\nc,b,1,n\nd,c,1,n\ne,d,1,n\nf,e,1,n\ng,f,1,n\n"
	     "h,g,1,n\ni,h,1,n\nj,i,1,n\nk,j,1,n\nl,k,1,n\nm,l,1,n\n",
	     "line 14 (too many levels"},
	    {"code,parent,level,name,name:km,name::km\nA,,p,A,,\n", "two columns for language km"},
	    {"code,parent,level,name,name:\nA,,p,A,\n", "needs a language code"},
	    /* what devices would refuse */
	    {"code,parent,level,name\nA,,p,\"two\nlines\"\n",
	     "line 2 (a level or name is at most 128 bytes in one line"},
	    {"code,parent,level,name\nA,,\"a\tb\",A\n", "line 2 (a level or name is at most"},
	    {"code,parent,level,name,name:km\nA,,p,A,\"\n\"\n",
	     "line 2 (a name is at most 128 bytes in one line"},
	    {"code,parent,level,name,\"name:k\nm\"\nA,,p,A,x\n",
	     "line 3 (a language is at most 32 bytes in one line"},
	};
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct areas_table t;
		struct arena arena;
		struct why why;

		CHECK_MSG(parse(bad[i].text, &arena, &t, &why) == E_AREA_TABLE, "row %zu", i);
		CHECK_MSG(strstr(why.thing, bad[i].names) != NULL, "row %zu: \"%s\" not in \"%s\"",
			  i, bad[i].names, why.thing);
		CHECK(t.rows == NULL && t.count == 0);
		arena_free(&arena);
	}
}

static void
packed_and_back(void)
{
	static const char text[] =
	    "code,parent,level,name,name:km\nV1,P,village,\"A, \"\"b\"\"\",\nP,,province,Pee,ភី\n";
	static const uint8_t packed[] = "\x92\x01\x92\x95\xa2V1\x02\xa7village\xa6"
					"A, \"b\"\x90"
					"\x95\xa1P\x00\xa8province\xa3Pee\x91\x92\xa2km\xa6ភី";
	struct areas_table t, back;
	struct arena arena, second;
	struct writer w;
	struct why why;
	size_t cut;

	REQUIRE(parse(text, &arena, &t, &why) == E_OK);
	arena_init(&second, ROOM);
	writer_heap_init(&w, ROOM);
	CHECK(areas_table_pack(&t, &w) == E_OK);
	CHECK(bytes_equal(writer_view(&w), BYTES(packed, sizeof(packed) - 1)));
	CHECK(areas_table_unpack(writer_view(&w), &second, &back, &why) == E_OK);
	CHECK(back.count == 2 && back.rows[0].parent == 2);
	for (cut = 0; cut < sizeof(packed) - 1; cut++)
		CHECK(areas_table_unpack(BYTES(packed, cut), &second, &t, &why) != E_OK);
	writer_reset(&w);
	CHECK(areas_table_csv(&back, &w) == E_OK);
	CHECK_STR(writer_cstr(&w), text);
	writer_free(&w);
	arena_free(&second);
	arena_free(&arena);
}

static void
a_language_with_a_comma_is_written_as_one(void)
{
	static const char text[] = "code,parent,level,name,\"name:Khmer, km\"\nP,,province,Pee,x\n";
	struct areas_table t;
	struct arena arena;
	struct writer w;
	struct why why;

	REQUIRE(parse(text, &arena, &t, &why) == E_OK);
	writer_heap_init(&w, ROOM);
	CHECK(areas_table_csv(&t, &w) == E_OK);
	CHECK_STR(writer_cstr(&w), text);
	writer_free(&w);
	arena_free(&arena);
}

static void
compiled_tables_are_checked(void)
{
	static const struct {
		const char *bytes;
		size_t count;
		enum err e;
	} bad[] = {
	    {"\x92\x02\x90", 3, E_VERSION},
	    {"\x92\x01\x90", 3, E_AREA_TABLE},
	    {"\x92\x01\x91\x95\xa1P\x01\xa1p\xa1P\x90", 12, E_AREA_TABLE}, /* its own parent */
	    {"\x92\x01\x91\x95\xa1P\x02\xa1p\xa1P\x90", 12, E_PACK_TYPE},  /* past the end */
	    {"\x92\x01\x91\x95\xa1P\x00\xa1\x00\xa1P\x90", 12, E_PACK_TYPE},
	    {"\x92\x01\x91\x95\xa0\x00\xa1p\xa1P\x90", 11, E_AREA_TABLE},
	};
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct areas_table t;
		struct arena arena;
		struct why why;

		arena_init(&arena, ROOM);
		CHECK_MSG(areas_table_unpack(BYTES(bad[i].bytes, bad[i].count), &arena, &t, &why) ==
			      bad[i].e,
			  "row %zu", i);
		arena_free(&arena);
	}
}

/* What is packed here is what core asks its questions of. */
static void
core_reads_it(const struct areas_table *t)
{
	struct area_table *asked = NULL;
	struct writer w;
	struct why why = {0};
	size_t i;

	writer_heap_init(&w, ROOM);
	CHECK(areas_table_pack(t, &w) == E_OK);
	CHECK_MSG(area_table_read(&asked, writer_view(&w), &why) == E_OK, "%s", why.thing);
	writer_free(&w);
	REQUIRE(asked != NULL);
	CHECK(area_count(asked) == t->count);
	for (i = 0; i < t->count; i++) {
		CHECK(area_find(asked, t->rows[i].code) == i);
		CHECK(area_is_within(asked, "SM09", t->rows[i].code));
	}
	/* Moved to another district with its old code: the column decides, not the code. */
	CHECK(area_is_within(asked, "SM0904", "SM090306"));
	CHECK(!area_is_within(asked, "SM0903", "SM090306"));
	CHECK(area_is_within(asked, "PKL", "V-1631"));
	area_table_free(asked);
}

/* The demonstration province that the repository ships. */
static void
demo_province(void)
{
	struct areas_table t;
	struct arena arena;
	struct writer w;
	struct why why = {0};
	size_t i, villages = 0, odd = 0;
	char buffer[4096];
	size_t n;
	FILE *f = fopen(TESTS_DIR "/../schemas/areas/demo_province.csv", "rb");

	REQUIRE(f != NULL);
	writer_heap_init(&w, 1u << 20);
	while ((n = fread(buffer, 1, sizeof(buffer), f)) > 0)
		writer_mem(&w, buffer, n);
	fclose(f);
	arena_init(&arena, ROOM);
	CHECK_MSG(areas_table_parse(writer_view(&w), &arena, &t, &why) == E_OK, "%s", why.thing);
	for (i = 0; i < t.count; i++) {
		const struct areas_row *row = &t.rows[i];

		villages += strcmp(row->level, "village") == 0;
		if (row->parent != 0) {
			const char *above = t.rows[row->parent - 1].code;

			odd += strncmp(row->code, above, strlen(above)) != 0;
		}
	}
	CHECK(villages == 500);
	CHECK(odd > 0); /* some codes do not nest by prefix */
	core_reads_it(&t);
	arena_free(&arena);
	writer_free(&w);
}

CHECK_MAIN(T(rows_are_read), T(what_is_wrong_is_named), T(packed_and_back),
	   T(a_language_with_a_comma_is_written_as_one), T(compiled_tables_are_checked),
	   T(demo_province))

/*
 * xlsform_model: a questionnaire as its author wrote it, between the sheets and the XForm. Private
 * to xlsform*.c and xform_write*.c. Everything lives in one arena; the first lack of memory is
 * remembered in `e` and asked for once, at the end.
 */
#ifndef BANYAN_SCHEMAS_XLSFORM_MODEL_H
#define BANYAN_SCHEMAS_XLSFORM_MODEL_H

#include "schemas/workbook.h"
#include "schemas/xlsform.h"

#define XLSFORM_LANGS_MAX \
	64u                   /* columns with a language are few; a form has seldom more than ten \
			       */
#define XLSFORM_DEPTH_MAX 32u /* groups in groups; people lose their way at five */
#define XLSFORM_ITEMS_MAX 20000u
#define XLSFORM_FAULTS_MAX 500u /* nobody reads on */
#define XLSFORM_NAME_BUCKETS 4096u

enum xls_sheet { SHEET_SURVEY, SHEET_CHOICES, SHEET_SETTINGS, SHEET_COUNT };

enum column {
	COLUMN_NONE,
#define C(sheet, name, slot, expression) COLUMN_##name,
#define A(sheet, header, name)
#include "schemas/xlsform_column.def"
#undef C
#undef A
	COLUMN_COUNT
};

enum text_slot {
	TEXT_LABEL,
	TEXT_HINT,
	TEXT_GUIDANCE,
	TEXT_IMAGE,
	TEXT_BIG_IMAGE,
	TEXT_AUDIO,
	TEXT_VIDEO,
	TEXT_CONSTRAINT_MSG,
	TEXT_REQUIRED_MSG,
	TEXT_NOAPP_MSG,
	TEXT_COUNT,
	TEXT_NONE = TEXT_COUNT
};

enum xtype {
#define X(name, kind, control, media, bind, preload, params) XTYPE_##name,
#define A(alias, name)
#include "schemas/xlsform_type.def"
#undef X
#undef A
	XTYPE_COUNT
};

enum xkind {
	KIND_INPUT,
	KIND_SELECT,
	KIND_SELECT_FILE,
	KIND_META,
	KIND_HIDDEN,
	KIND_GROUP,
	KIND_REPEAT,
	KIND_END,
	KIND_EXTERNAL
};

struct xtype_row {
	enum xkind kind;
	const char *control, *media, *bind, *preload, *preload_params;
};
extern const struct xtype_row xls_types[XTYPE_COUNT];

/* What one column of a sheet is. */
enum map_kind {
	MAP_IGNORED,
	MAP_COLUMN,
	MAP_BIND,
	MAP_BODY,
	MAP_INSTANCE,
	MAP_ATTRIBUTE,
	MAP_EXTRA
};
struct column_map {
	enum map_kind kind;
	enum column column;
	bool translated; /* the header names a language */
	size_t lang;     /* 0: that of columns without a language */
	const char *attr;
	const char *header; /* as written */
};

struct attr {
	const char *name, *value, *header;
	struct attr *next;
};

struct text {
	const char **by_lang; /* one a language, NULL where empty; NULL: no text at all */
	bool translated;      /* one of them is from a column with a language */
};

struct choice {
	unsigned row;
	const char *name;
	struct text text[TEXT_COUNT];
	struct attr *extra;              /* further columns */
	struct choice *next, *same_name; /* in its list; in its bucket of names */
	const struct choice_list *list;
};
struct choice_list {
	const char *name;
	unsigned row;
	struct choice *first, *last;
	bool itext; /* its labels need itext */
	bool other_added;
	struct choice_list *next;
};

struct param {
	const char *key, *value;
	struct param *next;
};

struct item {
	unsigned row; /* 0: made by us (meta, counts, "other") */
	enum xtype type;
	const char *type_text, *name, *path;
	struct item *parent, *first, *last, *next;
	struct item *same_name; /* the one indexed before it in its bucket of names */
	const char *cell[COLUMN_COUNT];
	const char *expr[COLUMN_COUNT]; /* expressions with references resolved, or NULL */
	struct text text[TEXT_COUNT];
	struct attr *bind, *body, *instance;
	struct param *params;
	struct choice_list *list; /* KIND_SELECT */
	const char *source;       /* KIND_SELECT_FILE: the file; select from a repeat: "${name}" */
	struct item *source_item; /* select from a repeat */
	const char *count_path;   /* repeats: what jr:count is */
	bool or_other, dynamic_default;
	struct trigger *triggers; /* set when this one changes */
};
struct trigger {
	struct item *target;
	struct trigger *next;
};

struct external {
	const char *id, *src;
	struct external *next;
};

struct xls {
	struct arena arena;
	struct workbook book;
	struct xlsform_report *report;
	struct writer *files_needed; /* or NULL */
	const char *default_id;
	enum err e;
	const struct csv_table *sheet[SHEET_COUNT];
	struct column_map *map[SHEET_COUNT];
	size_t map_count[SHEET_COUNT];
	const char *langs[XLSFORM_LANGS_MAX];
	size_t lang_count;
	const char *setting[COLUMN_COUNT];
	unsigned settings_row;
	struct attr *root_attrs;
	struct choice_list *lists, *lists_last;
	struct item *root, *meta;
	struct item *by_name[XLSFORM_NAME_BUCKETS];
	struct choice *choice_by_name[XLSFORM_NAME_BUCKETS];
	size_t item_count;
	struct external *externals, *externals_last;
	bool last_saved;
};

/* xlsform.c */
/* xlsform_convert with less memory: what tests use to make each allocation fail in turn. */
enum err xls_convert_within(size_t arena_bytes_max, struct writer *xform, struct bytes source,
			    enum xlsform_kind, const char *default_id, struct xlsform_report *,
			    struct writer *files_needed);
void *xls_alloc(struct xls *, size_t count); /* NULL: remembered in e */
const char *xls_keep(struct xls *, const char *s, size_t n);
const char *xls_format(struct xls *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void xls_fault(struct xls *, enum xls_sheet, unsigned row, const char *column, const char *format,
	       ...) __attribute__((format(printf, 5, 6)));
void xls_warn(struct xls *, enum xls_sheet, unsigned row, const char *column, const char *format,
	      ...) __attribute__((format(printf, 5, 6)));
bool xls_yes(const char *cell); /* yes, true, true(), 1 in any case; NULL is no */
bool xls_name_valid(const char *);

/* xlsform_header.c: what each column is; languages are gathered on the way */
void xls_map_columns(struct xls *, enum xls_sheet);
/* Can an author's own attribute be written? A fault if not. */
bool xls_attr_valid(struct xls *, enum xls_sheet, const char *attr, const char *header);
/* The header that `column` has on the sheet, for faults; the canonical name where it has none. */
const char *xls_header(const struct xls *, enum xls_sheet, enum column);
/* A cell, trimmed, runs of spaces joined; NULL if empty. */
const char *xls_cell(struct xls *, const struct csv_row *, size_t column);
enum text_slot xls_slot(enum column);
bool xls_expression(enum column);
const char *xls_straighten(struct xls *, const char *);
const char *xls_column_name(enum column);
/* Is `code` the code of a language "Khmer (km)"? */
bool xls_lang_has_code(const char *lang, const char *code, size_t n);
void xls_text_set(struct xls *, struct text *, const struct column_map *, const char *value);

/* xlsform_settings.c, xlsform_choices.c, xlsform_survey.c: the sheets */
void xls_read_settings(struct xls *);
/* After the columns are known: are the draft languages languages of the form? */
void xls_check_drafts(struct xls *);
/* After the survey: media questions, and whether the form may have them. */
void xls_check_media(struct xls *);
void xls_read_choices(struct xls *);
struct choice_list *xls_list_find(struct xls *, const char *name);
void xls_list_add_other(struct xls *, struct choice_list *);
void xls_read_survey(struct xls *);

/* xlsform_type.c: the type column and the parameters column of one row */
bool xls_parse_type(struct xls *, struct item *);
void xls_parse_params(struct xls *, struct item *);
const char *xls_param(const struct item *, const char *key);

/* xls_external_add: an external instance, each once; NULL if its name was taken (by another
 * source). */
struct external *xls_external_add(struct xls *, const char *id, const char *src);

/* xlsform_tree.c: nodes that the author did not write, paths, names, and what must hold among rows
 */
struct item *
xls_item_new(struct xls *, struct item *parent, struct item *before, enum xtype, const char *name);
void xls_complete(struct xls *);

/* xlsform_ref.c: ${name} */
size_t xls_bucket(const char *name, size_t n); /* the same for names that differ by capitals */
void xls_index(struct xls *, struct item *);
struct item *xls_find(const struct xls *, const char *name, size_t n, size_t *count);
const char *xls_path(struct xls *, const struct item *);
/* The innermost repeat around an item (itself not counted), or NULL. */
struct item *xls_repeat_of(const struct item *);
/* xls_resolve: an expression with ${name} made into paths as seen from `context`; NULL after a
 * fault. */
const char *xls_resolve(struct xls *, const struct item *context, enum xls_sheet, unsigned row,
			const char *column, const char *text, bool in_predicate);
/* xls_reference: the path of one name as seen from context, spaces around it; NULL after a fault.
 */
const char *
xls_reference(struct xls *, const struct item *context, enum xls_sheet, unsigned row,
	      const char *column, const char *name, size_t n, bool current, bool absolute);
/* xls_lint: brackets and quotes of an expression; a fault if they do not pair. */
bool xls_lint(struct xls *, enum xls_sheet, unsigned row, const char *column, const char *text);
/* xls_expression_of: xls_lint, xls_resolve, and whether the result is an expression that Banyan
 * knows. */
const char *
xls_expression_of(struct xls *, const struct item *context, enum xls_sheet, unsigned row,
		  const char *column, const char *text, bool in_predicate);
bool xls_compiles(struct xls *, const char *expression, struct why *);
bool xls_default_dynamic(const struct item *, const char *text);

/* xform_write*.c */
void xform_write(struct xls *, struct writer *);
void xform_write_model(struct xls *, struct writer *);
void xform_write_body(struct xls *, struct writer *);
void xform_write_itext(struct xls *, struct writer *);
void xform_escape(struct writer *, const char *text, bool attribute);
/* xform_own: the value that the author's own attribute of that name has; ours is left out then. */
const char *xform_own(const struct attr *, const char *name);
void xform_attr(struct writer *, const char *name, const char *value);
/* Text for people: escaped, ${name} made <output value=".."/>. */
void xform_write_text(struct xls *, struct writer *, const struct item *context, enum xls_sheet,
		      unsigned row, enum column, const char *text);
/* Does this text of an item go to itext (it is translated, has media, or is a message that refers)?
 */
bool xform_in_itext(const struct item *, enum text_slot);

#endif

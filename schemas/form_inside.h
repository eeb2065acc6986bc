/* form_inside: how a compiled form looks to the files form*.c and answers*.c. Nobody else includes
 * it. */
#ifndef BANYAN_SCHEMAS_FORM_INSIDE_H
#define BANYAN_SCHEMAS_FORM_INSIDE_H

#include "core/pack.h"
#include "schemas/form.h"
#include "schemas/xpath.h"

#define FORM_ARENA_BYTES_MAX ((size_t)768 << 20) /* a bundle of 16 MB as trees */
#define FORM_FIELDS_MAX 20000u
#define FORM_LANGUAGES_MAX 64u

#define NS_BANYAN "urn:banyan:forms:1"
#define NS_JAVAROSA "http://openrosa.org/javarosa"
#define NS_ODK "http://www.opendatakit.org/xforms"

enum value_kind {
	VALUE_NONE,
	VALUE_TEXT,
	VALUE_INTEGER,
	VALUE_DECIMAL,
	VALUE_DATE,
	VALUE_MOMENT,
	VALUE_CHOICE,
	VALUE_CHOICES,
	VALUE_ROWS
};

/* A text in one language: pieces, each a string or an expression (an <output>). */
struct form_piece {
	const char *string;
	const struct xpath *value;
};
struct form_text {
	struct form_piece *pieces;
	size_t count;
};
/* A text in every language (an array of language_count), NULL where there is none. `dynamic` is an
 * expression that gives the text instead. */
struct form_label {
	struct form_text *texts;
	const struct xpath *dynamic;
};

struct form_itext {
	const char *id;
	struct form_label label, guidance;
};

struct form_instance {
	const char *id;
	struct xml_node *root; /* kind XML_ROOT */
	bool from_file;
	bool local; /* the device that fills the form adds rows of its own: FORMS.md 6a */
};

struct form_choice {
	const char *name;
	struct form_label label;
};
struct form_choices {
	struct form_choice *list;
	size_t count;
	uint32_t *by_name; /* indexes, sorted by name */
	bool from_file;
	/* which nodes these are, so that questions with the same list share it */
	const struct xml_node *first;
	const char *value, *text;
};

struct form_action { /* setvalue */
	const char *event;
	const struct form_node *target;
	const struct xpath *value; /* NULL: `text` */
	const char *text;
	const struct form_node *trigger; /* the question whose change it waits for */
	struct form_action *next;
};

enum control_kind { CONTROL_GROUP, CONTROL_REPEAT, CONTROL_QUESTION };

struct form_control {
	enum control_kind kind;
	const char *tag;        /* input, select1 ... */
	struct form_node *node; /* NULL for a group without ref */
	struct form_label label, hint, guidance;
	const char *appearance, *media_type;
	const struct form_choices *choices; /* all of them */
	/* itemset: the filtered list; value and label are child names ("" label_is_itext:
	 * jr:itext(label)) */
	const struct xpath *nodeset;
	const char *value_ref, *label_ref;
	bool filtered, label_is_itext;
	bool local; /* the list is made from what only the device that fills the form has */
	struct form_control *parent, *first, *last, *next;
};

struct form_node {
	const char *name, *path; /* path: "group/field", "" for the root */
	struct form_node *parent, *first, *last, *next;
	struct xml_node *tree;   /* in the primary instance */
	struct xml_node *row;    /* of a repeat: what a new row looks like */
	bool repeat, fixed_rows; /* fixed: jr:count or jr:noAddRemove */
	const struct xpath *row_count;
	int field; /* -1: a group */
	const char *bind_type;
	const struct xpath *relevant, *required, *readonly, *constraint, *calculate;
	const char *calculate_text;
	struct form_label constraint_message, required_message;
	const char *preload, *preload_params, *cls, *urgent, *remember;
	bool has_action;
	bool local_calculate, local_constraint; /* read a local list */
	struct form_control *control;
	uint32_t index; /* of all nodes */
};

struct field_more { /* beside each struct form_field */
	struct form_node *node;
	enum value_kind kind;
	const struct form_choices *choices;
	bool in_group[2]; /* whether it has a place in the analytic, the identifying group */
};

/* The places of one packed array: fields in order, for the top or for a repeat. */
struct form_places {
	uint32_t *fields;
	size_t count;
};

struct form {
	struct arena arena;
	struct form_key key;
	struct xml_doc doc;
	const char *id, *version, *title, *instance_name;
	bool about_child, attachments;
	size_t local_count; /* instances that are local lists */
	const char **languages, **language_codes;
	bool *language_draft;
	size_t language_count;
	const char *draft_languages;
	struct form_itext *itexts; /* sorted by id */
	size_t itext_count;
	struct form_instance *instances;
	size_t instance_count;
	struct form_file *files;
	size_t file_count;
	struct xml_node *primary;      /* the root element of the primary instance */
	struct xml_node *primary_root; /* its XML_ROOT */
	struct form_node *root;
	uint32_t node_count;
	bool counted_rows; /* a repeat has jr:count */
	struct form_control *body;
	struct form_action *actions;
	struct form_field *fields;
	struct field_more *more;
	size_t field_count;
	uint32_t *by_key; /* field indexes, sorted by key */
	/* places[identifying][0] is the top; [1 + field] a repeat's */
	struct form_places *places[2];
	struct form_choices **lists;
	size_t list_count, list_cap;
};

struct form_build {
	struct form *form;
	struct arena *arena;
	struct why *why;
};

extern const enum value_kind question_kinds[];
extern const enum sensitivity question_classes[];
extern const char *const question_names[];

/* The steps of form_read, in this order. */
enum err form_open_bundle(struct form_build *, struct bytes bundle, struct bytes *xform);
enum err form_build_languages(struct form_build *, const struct xml_node *model);
enum err form_build_instances(struct form_build *, const struct xml_node *model);
enum err form_build_nodes(struct form_build *);
enum err form_build_binds(struct form_build *, const struct xml_node *model);
enum err form_build_repeats(struct form_build *, const struct xml_node *body);
enum err form_build_body(struct form_build *, const struct xml_node *body);
enum err form_build_fields(struct form_build *);
/* form_local.c: which instances are local lists; what reads and fills them (after the fields). */
enum err form_build_local(struct form_build *);
enum err form_check_local(struct form_build *);
/* form_reads_local: does an expression read a local list? NULL reads none. */
bool form_reads_local(const struct form *, const struct xpath *);
/* form_csv_items: append a CSV's rows to root/<root> (made if it is not there) as items. E_CSV,
 * E_NO_MEMORY. */
enum err form_csv_items(struct arena *, struct bytes csv, struct xml_node *root, struct why *);
/* form_check_circles: E_XFORM, naming them, where calculations need one another. */
enum err form_check_circles(struct form_build *);

/* form_node_at: by an absolute or relative reference seen from `from`; NULL if there is none. */
struct form_node *form_node_at(const struct form *, const struct form_node *from, const char *ref);
/* form_compile: an attribute's expression, checked; *out stays NULL where the attribute is absent
 * or empty. */
enum err
form_compile(struct form_build *, const char *text, const char *what, const struct xpath **out);
/* form_message: a message that may be jr:itext('id'). */
enum err form_message(struct form_build *, const char *text, struct form_label *out);
enum err form_label_of(struct form_build *, const struct xml_node *element,
		       struct form_label *label, struct form_label *guidance);
const struct form_itext *form_itext_find(const struct form *, const char *id);
/* form_text_of: the text of a language, falling back to the default one; NULL if there is none. */
const struct form_text *form_text_of(const struct form *, const struct form_label *, size_t lang);
/* The first piece or pieces without expressions, as one string in `arena` (or in place). */
const char *form_text_plain(const struct form_text *);
struct form_instance *form_instance_find(const struct form *, const char *id);
/* form_choices_find: SIZE_MAX if the list has no such name. */
size_t form_choices_find(const struct form_choices *, const char *name, size_t name_bytes);
enum err
form_build_choices(struct form_build *, struct form_control *, const struct xml_node *element);

/* form_value.c: one answer between text, as a person or an XForm writes it, and its named form. */
/* form_value_write: append the named value of non-empty `text`; E_ANSWER_TYPE, E_CHOICE_UNKNOWN. */
enum err form_value_write(const struct form *, size_t field, const char *text, struct writer *,
			  struct why *);
/* form_value_wanted: what a field's answer looks like, for a person: "a whole number, such as 12".
 */
const char *form_value_wanted(const struct form *, size_t field);
/* form_value_text: append the text of the next named value (not a repeat's). */
void form_value_text(enum value_kind, struct reader *, struct writer *);
/* form_relative: a field's path as its innermost repeat's rows know it; the whole path outside
 * repeats. */
const char *form_relative(const struct form *, size_t field);
/* form_place_find: the field of that relative path in a repeat (or -1: the top); SIZE_MAX if none.
 */
size_t form_place_find(const struct form *, bool identifying, int repeat, struct bytes relative);

#endif

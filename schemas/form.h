/*
 * form: a compiled questionnaire. Made from an ODK XForm (the interchange form; this reads it,
 * xlsform.h writes it), immutable afterwards, so threads may share one. FORMS.md is the format.
 *
 * A form travels as a *bundle*: the XForm and the files that it names (CSV choice lists), as
 * canonical MessagePack: [1, xform str, [[name str, content bin] ...] sorted by name]. Its key is
 * the first 4 bytes of the bundle's SHA-256, which names form *and* version on the wire. (A field
 * key is made with core's hash: first 4 bytes of SHA-256 of "group/field".)
 */
#ifndef BANYAN_SCHEMAS_FORM_H
#define BANYAN_SCHEMAS_FORM_H

#include "core/bytes.h"
#include "core/id.h"

struct form;

/* question.def: X(name, xlsform name, ...) gives enum question: QUESTION_TEXT, QUESTION_INTEGER ...
 */
enum question {
#define X(name, ...) QUESTION_##name,
#include "schemas/question.def"
#undef X
	QUESTION_COUNT
};

enum sensitivity { CLASS_D = 'D', CLASS_Q = 'Q', CLASS_S = 'S', CLASS_O = 'O' };

struct form_file {
	const char *name; /* "areas.csv", without folders */
	struct bytes content;
};

/*
 * form_bundle_write: append the bundle of an XForm and its files. E_NO_ROOM past
 * CONTROL_PLAIN_BYTES_MAX.
 */
enum err form_bundle_write(struct writer *, struct bytes xform, const struct form_file *files,
			   size_t file_count);
/*
 * form_read: compile a bundle. The form keeps its own copy of what it needs; free with form_free.
 * E_PACK_*, E_XML, E_XFORM, E_XPATH_*; *why names the place.
 */
enum err form_read(struct form **out, struct bytes bundle, struct why *);
void form_free(struct form *);

const char *form_id(const struct form *);      /* "F4_referral": the settings sheet's form_id */
const char *form_version(const struct form *); /* "" if none */
const char *form_title(const struct form *, const char *lang);
struct form_key form_key(const struct form *);
/* Languages as the form spells them ("English (en)"), the default first. A language is named by
 * the whole string or by the code in the brackets. Draft languages (settings column
 * `banyan:draft_languages`, codes separated by spaces) are listed too; form_language_draft tells.
 */
size_t form_language_count(const struct form *);
const char *form_language(const struct form *, size_t index);
const char *form_language_code(const struct form *, size_t index);
bool form_language_draft(const struct form *, size_t index);
/* true when the form's media questions are all refused because it is about a child (FORMS.md). */
bool form_about_child(const struct form *);
/* form_attachments: its media questions may be answered: it says so, and is not about a child. */
bool form_attachments(const struct form *);
/* form_media: is this field a question for an image, audio, video or file? */
bool form_media(const struct form *, size_t field);

/*
 * Fields are the data nodes in document order, repeats included; a field inside a repeat has
 * `repeat` = index of its innermost repeat, else -1. `path` is "group/field" from the root, through
 * repeats too ("concern/kind"). The merge unit is a field outside repeats, or an outermost repeat
 * as a whole: `unit` is the index of the field that it merges with (itself, or its outermost
 * repeat).
 */
struct form_field {
	const char *path;
	const char *name;
	enum question type;
	enum sensitivity cls;
	int repeat;
	int unit;
	struct field_key key; /* of `path` */
	bool calculated;      /* nobody types it */
	bool metadata;        /* start, end, today, deviceid, instanceID ... */
	const char
	    *urgent; /* answers (codes separated by spaces) that make a record urgent; NULL: none */
};
size_t form_field_count(const struct form *);
const struct form_field *form_field(const struct form *, size_t index);
/* form_field_find: by path; SIZE_MAX if there is none. */
size_t form_field_find(const struct form *, const char *path);
size_t form_field_find_key(const struct form *, struct field_key);
/* Labels in a language (index as above; falls back to the default language, then to the name). */
const char *form_field_label(const struct form *, size_t field, size_t lang);

/* The static choices of a select or rank field (all of them, before any choice filter), or none. */
size_t form_choice_count(const struct form *, size_t field);
const char *form_choice_name(const struct form *, size_t field, size_t choice);
const char *form_choice_label(const struct form *, size_t field, size_t choice, size_t lang);

/*
 * A record's answers as merge units: what core merges without knowing forms. `value` is canonical
 * MessagePack in *named* form, stable across form versions: text str, integer/decimal number, date
 * str "YYYY-MM-DD", select_one str, select_multiple and rank array of str, boolean-like "yes"/"no"
 * as the choice's str, repeat: array of maps {relative path str: value} with keys in field order.
 * `identifying` units hold the class D fields only (a repeat may give one unit of each kind, rows
 * aligned by position).
 */
struct field_value {
	struct field_key key;
	bool identifying;
	struct bytes value;
};

/*
 * Local lists (FORMS.md 6a): what a device remembers of its own records, as the form says, for
 * later questionnaires. form_local_name: the instance's id, without ".csv".
 */
#define FORM_NOTE_COLUMNS_MAX 8u
#define FORM_LOCAL_OWN \
	"own_records" /* the list of form, month, n that a store makes from its own records */
struct form_note {    /* one item that a record adds to a list, or replaces there */
	const char *list;
	const char *columns[FORM_NOTE_COLUMNS_MAX], *values[FORM_NOTE_COLUMNS_MAX];
	size_t count;
};
size_t form_local_count(const struct form *);
const char *form_local_name(const struct form *, size_t index);
/* form_notes: what a finished record of these values leaves there; in `arena`. E_NO_MEMORY,
 * E_PACK_*. */
enum err form_notes(const struct form *, const struct field_value *values, size_t count,
		    struct arena *, struct form_note **out, size_t *note_count);

/*
 * Positional form, what a slice carries: an array in field order of the units of one group
 * (identifying or analytic), nil where unanswered, trailing nils left out; select_one is the
 * choice's index in the static list (str where the list is a file or the value is not in it);
 * select_multiple an array of those; date is days since 1970-01-01; a repeat is an array of such
 * positional arrays. FORMS.md section "Packed answers".
 *
 * form_unpack: positional to named units, in `arena`. E_PACK_*, E_XFORM on a value that the form
 * cannot have. form_pack: named units of one group to positional; units of the other group are
 * ignored.
 */
enum err form_unpack(const struct form *, bool identifying, struct bytes packed, struct arena *,
		     struct field_value **out, size_t *out_count, struct why *);
enum err form_pack(const struct form *, bool identifying, const struct field_value *values,
		   size_t count, struct writer *out, struct why *);
/*
 * form_value_parse: a person's text for one field (`--set FIELD=VALUE`; a repeat as JSON) to a
 * named unit in `arena`. E_FIELD_UNKNOWN, E_CHOICE_UNKNOWN, E_ANSWER_TYPE. Empty text: nil (answer
 * removed).
 */
enum err form_value_parse(const struct form *, const char *path, const char *text, struct arena *,
			  struct field_value *out, struct why *);
/*
 * form_values_json: named units as one JSON object {"group/field": value} in field order (numbers
 * as numbers, select_multiple and repeats as arrays, dates ISO; units absent are left out; a
 * repeat's identifying and analytic units are joined by row). Appends to the writer.
 */
enum err form_values_json(const struct form *, const struct field_value *values, size_t count,
			  struct writer *out);

#endif

/*
 * rules: who may do what: a pure function of enrolments, areas and revocations, one table
 * (rules.def). Checked where a thing is sent, again where it arrives, and again at the commit.
 * FORMATS.md "Rules".
 */
#ifndef BANYAN_CORE_PRINCIPALS_RULES_H
#define BANYAN_CORE_PRINCIPALS_RULES_H

#include "core/principals/area.h"
#include "core/principals/principal.h"

/* What a role may do an act on: nothing; its own records within its scope; all within its scope;
 * all. */
enum may { MAY_NEVER, MAY_OWN, MAY_SCOPE, MAY_ANYWHERE };

enum act {
#define X(name, ...) name,
#include "core/principals/rules.def"
#undef X
	ACT_COUNT
};

struct rules_case {
	enum role role;
	const char *own_area;   /* enrolled area of who acts; may be NULL for the root */
	const char *area;       /* of the thing; NULL when it has none */
	bool is_author;         /* of the record acted on */
	bool revoked, approved; /* approved: true for roles that need none */
};

/* act_what: "make a record". act_name: "ACT_CREATE". Ours, constant. */
const char *act_what(enum act);
const char *act_name(enum act);
/* rules_may: the table's word; MAY_NEVER for a number that is no role. */
enum may rules_may(enum act, enum role);
/*
 * rules_check: E_OK; E_REVOKED; E_NOT_APPROVED; E_FORBIDDEN (role, or another's record); E_SCOPE
 * (the area is not the own one or below it, is not in the table, or is missing where the act needs
 * one). `why` names act and area. The table may be NULL: then only the own area itself is within
 * scope.
 */
enum err rules_check(enum act, const struct rules_case *, const struct area_table *, struct why *);

#endif

/*
 * rules: who may do what: a pure function of enrolments, areas and revocations, one table (rules.def).
 * Checked where a thing is sent, again where it arrives, and again at the commit. FORMATS.md "Rules".
 */
#ifndef BANYAN_CORE_RULES_H
#define BANYAN_CORE_RULES_H

#include "core/area.h"
#include "core/principal.h"

/* rules.def: X(ACT_CREATE, "make a record", member, officer, ...) with MAY_OWN, MAY_SCOPE, MAY_NEVER a role. */
enum act {
#define X(name, ...) name,
#include "core/rules.def"
#undef X
	ACT_COUNT
};

struct rules_case {
	enum role role;
	const char *own_area;       /* enrolled area of who acts */
	const char *area;           /* of the thing; NULL when it has none */
	bool is_author;             /* of the record acted on */
	bool revoked, approved;
};

/* rules_check: E_OK; E_REVOKED; E_NOT_APPROVED; E_FORBIDDEN (role); E_SCOPE (area). `why` names act and area. */
enum err rules_check(enum act, const struct rules_case *, const struct area_table *, struct why *);

#endif

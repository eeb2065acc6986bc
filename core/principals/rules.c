#include "core/principals/rules.h"

#define ROLES_MAX 6 /* numbers of roles begin at 1 */

static const struct {
	const char *name, *what;
	bool needs_area;
	enum may may[ROLES_MAX];
} rules[] = {
#define X(act, what, needs_area, member, officer, researcher, node, root) \
	[act] = {#act, \
		 what, \
		 needs_area, \
		 {[ROLE_MEMBER] = member, \
		  [ROLE_OFFICER] = officer, \
		  [ROLE_RESEARCHER] = researcher, \
		  [ROLE_NODE] = node, \
		  [ROLE_ROOT] = root}},
#include "core/principals/rules.def"
#undef X
};

const char *
act_what(enum act act)
{
	return rules[act].what;
}

const char *
act_name(enum act act)
{
	return rules[act].name;
}

enum may
rules_may(enum act act, enum role role)
{
	return (size_t)role < ROLES_MAX ? rules[act].may[role] : MAY_NEVER;
}

static bool
in_scope(const struct rules_case *c, const struct area_table *areas)
{
	if (c->own_area == NULL || c->own_area[0] == '\0')
		return false;
	if (strcmp(c->own_area, c->area) == 0)
		return true;
	return areas != NULL && area_is_within(areas, c->own_area, c->area);
}

enum err
rules_check(enum act act, const struct rules_case *c, const struct area_table *areas,
	    struct why *why)
{
	enum may may = rules_may(act, c->role);

	if (c->revoked)
		return why_set(why, E_REVOKED, "%s", act_what(act));
	if (!c->approved)
		return why_set(why, E_NOT_APPROVED, "this %s", role_name(c->role));
	if (may == MAY_NEVER)
		return why_set(why, E_FORBIDDEN, "%s", act_what(act));
	if (may == MAY_OWN && !c->is_author)
		return why_set(why, E_FORBIDDEN, "%s that somebody else made", act_what(act));
	if (may == MAY_ANYWHERE || (c->area == NULL && !rules[act].needs_area))
		return E_OK;
	if (c->area == NULL)
		return why_set(why, E_SCOPE, "to %s without an area", act_what(act));
	if (!in_scope(c, areas))
		return why_set(why, E_SCOPE, "to %s in area %s", act_what(act), c->area);
	return E_OK;
}

#include "core/principals/role.h"

#include <string.h>

static const struct {
	enum role role;
	const char *name;
	int rank;
	bool approval;
} roles[] = {
#define X(role, number, name, rank, approval) {role, name, rank, approval},
#include "core/principals/role.def"
#undef X
};
#define ROLE_COUNT (sizeof(roles) / sizeof(roles[0]))

bool
role_known(uint64_t number)
{
	size_t i;

	for (i = 0; i < ROLE_COUNT; i++)
		if (number == (uint64_t)roles[i].role)
			return true;
	return false;
}

static size_t
role_row(enum role role)
{
	size_t i;

	for (i = 0; i < ROLE_COUNT && roles[i].role != role; i++)
		;
	return i;
}

const char *
role_name(enum role role)
{
	size_t i = role_row(role);

	return i < ROLE_COUNT ? roles[i].name : "unknown";
}

bool
role_parse(const char *name, enum role *out)
{
	size_t i;

	for (i = 0; i < ROLE_COUNT; i++)
		if (strcmp(roles[i].name, name) == 0) {
			*out = roles[i].role;
			return true;
		}
	return false;
}

int
role_rank(enum role role)
{
	size_t i = role_row(role);

	return i < ROLE_COUNT ? roles[i].rank : -1;
}

bool
role_needs_approval(enum role role)
{
	size_t i = role_row(role);

	return i >= ROLE_COUNT || roles[i].approval;
}

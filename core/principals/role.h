/* role: what a principal is; one row each in role.def. FORMATS.md section "Principals". */
#ifndef BANYAN_CORE_PRINCIPALS_ROLE_H
#define BANYAN_CORE_PRINCIPALS_ROLE_H

#include <stdbool.h>
#include <stdint.h>

enum role {
#define X(name, number, ...) name = (number),
#include "core/principals/role.def"
#undef X
};

/* role_known: is this number a role? Ask before making an enum role of a peer's number. */
bool role_known(uint64_t number);
const char *role_name(enum role); /* "officer" */
bool role_parse(const char *name, enum role *out);
int role_rank(enum role); /* higher is shown first in a conflict */
bool role_needs_approval(enum role);

#endif

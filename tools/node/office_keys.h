/* office_keys: the sealing keys of an office, the one in force and those before it. FORMATS.md "An office's keys". */
#ifndef BANYAN_TOOLS_NODE_OFFICE_KEYS_H
#define BANYAN_TOOLS_NODE_OFFICE_KEYS_H

#include "tools/node/peer.h"

/*
 * office_key_of: the sealing key `key_no` of an office, worked out from the programme's recovery key (only its secret
 * is used): who kept that one can open what is sealed to the office when its node and its backups are gone. Wiped by
 * the caller.
 */
enum err office_key_of(const struct ec_key *recovery, const char *area, uint32_t key_no, struct ec_key *out);

#endif

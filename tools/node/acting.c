#include "tools/node/acting.h"

#include <stdio.h>

#include "core/store/audit.h"
#include "core/principals/rules.h"
#include "tools/call/call_parts.h"
#include "tools/node/erase/erasures.h"
#include "tools/node/opener/opener.h"
#include "tools/node/signer.h"
#include "tools/node/records/tally.h"

/*
 * A handshake proves a key, a passphrase opens a store; whether who comes so may still act, the
 * office's list says. On a member's device there is no such list.
 */
static enum err
standing(struct call *c, struct peer *p, const struct principal_id *who)
{
	struct store_txn *txn;
	struct member m;
	enum err e;

	if (!peer_is_node(p))
		return E_OK;
	if ((e = store_read_begin(p->store, &txn)) != E_OK)
		return why_set(call_why(c), e, "%s", p->path);
	if ((e = member_get(txn, who, &m)) == E_OK && m.state == MEMBER_REVOKED)
		e = why_set(call_why(c), E_REVOKED, "%s", m.reason);
	else if (e == E_OK && m.state != MEMBER_APPROVED)
		e = why_set(call_why(c), E_NOT_APPROVED, "%s", m.enrolment.name);
	store_read_end(txn);
	return e == E_ABSENT ? why_set(call_why(c), E_STRANGER, "you") : e;
}

enum err
acting_local(struct call *c, struct peer *p)
{
	const char *as = call_option(c, "as");
	struct unlock unlock = secret_unlock(call_secret(c), as);
	char slot[KEYRING_NAME_BYTES_MAX + 1];
	struct identity *who = NULL;
	struct store_key key;
	enum err e;

	e = keyring_open(p->path, &unlock, &key, slot, call_why(c));
	crypto_wipe(&key, sizeof(key));
	if (e != E_OK)
		return e;
	/* A slot bears its officer's name; the first one of a device bears none. */
	if (slot[0] != '\0' && peer_is_node(p) && as == NULL)
		e = peer_identity(p, slot, &who, NULL);
	if (who == NULL)
		e = peer_identity(p, as, &who, call_why(c));
	if (e != E_OK || (e = standing(c, p, &who->id)) != E_OK)
		return e;
	call_set_actor(c, &who->id);
	return E_OK;
}

struct identity *
acting_identity(struct call *c)
{
	return call_is_remote(c) ? NULL : peer_identity_by_id(call_peer(c), call_actor(c));
}

static bool
counting(void *arg, uint64_t done, uint64_t total)
{
	call_progress(arg, "counting records", done, total);
	return true;
}

static void
opening(void *arg, uint64_t done, uint64_t total)
{
	call_progress(arg, "opening parcels", done, total);
}

/* Is all that arrived opened first? A backup leaves the store of an earlier program to that
 * program. */
static bool
opens_first(const struct call *c, const struct peer *p)
{
	const char *name = call_command(c)->name;

	return peer_is_node(p) && strcmp(name, "serve") != 0 &&
	       (strcmp(name, "backup") != 0 || store_format_of(p->store) == STORE_FORMAT);
}

enum err
acting_run(struct call *c, struct peer *p)
{
	enum err e = E_OK;

	call_set_peer(c, p);
	if (call_is_remote(c) && (e = standing(c, p, call_actor(c))) != E_OK)
		return call_fail(c, e);
	if (opens_first(c, p)) {
		pthread_mutex_lock(&p->acting);
		if ((e = opener_older(p, call_why(c))) == E_OK &&
		    (e = tally_ready(p, counting, c, call_why(c))) == E_OK &&
		    (e = signer_gather(p, call_why(c))) == E_OK)
			e = opener_all_telling(p, opening, c, call_why(c));
		if (e == E_OK && erasures_settle(p, call_why(c)) !=
				     E_OK) { /* it stays due, and keeps nobody from working */
			call_note(c, "What was ordered to be erased is not all gone yet: %s\n",
				  err_sentence(call_why(c)->e));
			*call_why(c) = (struct why){.e = E_OK};
		}
		pthread_mutex_unlock(&p->acting);
	}
	return e == E_OK ? call_run(c) : call_fail(c, e);
}

enum err
acting_enrolment(struct call *c, struct enrolment *out)
{
	struct peer *p = call_peer(c);
	struct identity *self = acting_identity(c);
	struct store_txn *txn;
	struct member m;
	enum err e;

	memset(out, 0, sizeof(*out));
	if (self != NULL) {
		out->programme = p->programme.id;
		out->id = self->id;
		out->sign_pub = self->sign.pub;
		out->seal_pub = self->seal.pub;
		out->role = self->role;
		memcpy(out->area, self->area, sizeof(out->area));
		memcpy(out->name, self->name, sizeof(out->name));
		return E_OK;
	}
	if ((e = store_read_begin(p->store, &txn)) != E_OK)
		return e;
	if ((e = member_get(txn, call_actor(c), &m)) == E_OK)
		*out = m.enrolment;
	store_read_end(txn);
	return e == E_ABSENT ? why_set(call_why(c), E_STRANGER, "you") : e;
}

enum err
acting_as(struct call *c, struct identity *out)
{
	struct identity *self = acting_identity(c);
	struct enrolment who;
	enum err e;

	memset(out, 0, sizeof(*out));
	if (self != NULL) {
		*out = *self;
		return E_OK;
	}
	if ((e = acting_enrolment(c, &who)) != E_OK)
		return e;
	out->id = who.id;
	out->role = who.role;
	memcpy(out->area, who.area, sizeof(out->area));
	memcpy(out->name, who.name, sizeof(out->name));
	return E_OK;
}

enum err
acting_audit_job(struct store_txn *txn, void *arg)
{
	struct acting_audit *job = arg;

	return audit_append(txn, job->now_s, job->actor, job->verb, job->object, job->detail);
}

enum err
acting_audit(struct call *c, const char *verb, const char *object, const char *detail)
{
	struct acting_audit job = {call_actor(c), peer_now_s(call_peer(c)), verb, object, detail};
	enum err e = store_write(call_peer(c)->store, acting_audit_job, &job);

	return e == E_OK ? E_OK : why_set(call_why(c), e, "the audit log");
}

enum err
acting_may(struct call *c, int act, const char *area, bool is_author)
{
	struct enrolment who;
	enum err e;

	if ((e = acting_enrolment(c, &who)) != E_OK)
		return e;
	return rules_check((enum act)act,
			   &(struct rules_case){.role = who.role,
						.own_area = who.area,
						.area = area,
						.is_author = is_author,
						.approved = true},
			   peer_areas(call_peer(c)), call_why(c));
}

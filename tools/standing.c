/* standing: how `status` is told. */
#include "tools/json.h"
#include "tools/node/records/view.h"
#include "tools/standing.h"
#include "tools/status_agent.h"
#include "tools/status_handed.h"

static void
json_peers(struct standing *s, struct writer *w)
{
	char when[32];
	bool first = true;
	size_t i;

	json_key(w, "peers");
	writer_str(w, "[");
	for (i = 0; i < s->people_count; i++) {
		if (s->people[i].here)
			continue;
		if (!first)
			writer_str(w, ",");
		first = false;
		people_json(&s->people[i], false, w);
	}
	if (!peer_is_node(s->p)) { /* its one peer is its node */
		view_time(when, s->last_sync_s);
		writer_str(w, "{");
		json_key_str(w, "name", "node");
		json_key_str(w, "role", "node");
		json_key_str(w, "area", s->p->home.area);
		json_key_str(w, "last_seen", s->last_sync_s == 0 ? NULL : when);
		json_key_str(w, "state", s->p->approved ? "approved" : "pending");
		json_key_str(w, "address", s->p->home.address);
		writer_str(w, "}");
	}
	writer_str(w, "]");
}

void
standing_json(struct standing *s, struct writer *w)
{
	const struct identity *self = peer_self(s->p);
	char when[32];

	view_time(when, s->last_sync_s);
	writer_str(w, "{");
	json_key_str(w, "programme", s->p->programme.name);
	json_key_str(w, "name", self->name);
	json_key_str(w, "role", role_name(self->role));
	json_key_str(w, "area", self->area);
	json_key_u64(w, "records", s->records);
	json_key_u64(w, "parcels", s->parcels);
	json_key_u64(w, "records_waiting", s->waiting.records);
	json_key_str(w, "last_sync", s->last_sync_s == 0 ? NULL : when);
	json_peers(s, w);
	json_key_u64(w, "disk_used", s->disk.used_bytes);
	json_key_u64(w, "disk_free", s->disk.disk_free_bytes);
	json_key(w, "clock_offset");
	writer_printf(w, "%lld", (long long)s->sync.clock_offset_s);
	json_key_u64(w, "backlog", s->backlog);
	json_key_u64(w, "conflicts", s->conflicts);
	json_key_u64(w, "faulty", s->faulty);
	json_key_u64(w, "edited", s->edited);
	json_key_u64(w, "pending", s->pending);
	json_key_u64(w, "overdue", s->overdue);
	json_key_u64(w, "forks", s->forks);
	json_key_u64(w, "not_backed_up", s->unsafe);
	json_key_u64(w, "due", s->due);
	json_key(w, "quarantine");
	writer_str(w, "[");
	writer_bytes(w, writer_view(&s->quarantine));
	writer_str(w, "]");
	status_agent_json(s->c, w);
	status_handed_json(s->c, w);
	json_key(w, "attention");
	json_lines(w, writer_view(&s->attention));
	writer_str(w, "}\n");
}

void
standing_text(struct standing *s, struct writer *w)
{
	const struct identity *self = peer_self(s->p);
	char when[32];
	size_t i, members = 0;

	for (i = 0; i < s->people_count; i++)
		members += !s->people[i].here && s->people[i].state != MEMBER_REVOKED;
	view_time(when, s->last_sync_s);
	writer_printf(w, "%s: \"%s\" (%s) for %s.\n", s->p->programme.name, self->name,
		      role_name(self->role), self->area);
	writer_printf(w, "Here: %llu record%s, %llu parcel%s.%s", (unsigned long long)s->records,
		      plural(s->records), (unsigned long long)s->parcels, plural(s->parcels),
		      peer_is_node(s->p) ? "\n" : "");
	if (!peer_is_node(s->p))
		writer_printf(w, " %llu record%s wait%s to be sent.\n",
			      (unsigned long long)s->waiting.records, plural(s->waiting.records),
			      s->waiting.records == 1 ? "s" : "");
	if (peer_is_node(s->p))
		writer_printf(w, "%zu %s of elsewhere %s enrolled here; %s%s.\n", members,
			      members == 1 ? "device or person" : "devices or people",
			      members == 1 ? "is" : "are",
			      s->last_sync_s == 0 ? "none was seen yet" : "the last one was seen ",
			      s->last_sync_s == 0 ? "" : when);
	else if (s->last_sync_s == 0)
		writer_printf(w, "It has not synced with its node (%s) yet.\n", s->p->home.address);
	else
		writer_printf(w, "It last synced with its node (%s) %s.\n", s->p->home.address,
			      when);
	status_agent_text(s->c, w);
	status_handed_text(s->c, w);
	writer_printf(w, "The store takes %llu MiB; %llu MiB of the disk are free.\n",
		      (unsigned long long)((s->disk.used_bytes + (1u << 20) - 1) >> 20),
		      (unsigned long long)(s->disk.disk_free_bytes >> 20));
	if (s->attention.n == 0) {
		writer_str(w, "Nothing needs your attention.\n");
		return;
	}
	writer_str(w, "\nNeeds your attention\n");
	writer_bytes(w, writer_view(&s->attention));
}

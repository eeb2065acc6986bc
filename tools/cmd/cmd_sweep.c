/* banyan sweep: erase what has stayed as long as the programme lets it. */

#include "core/principals/rules.h"
#include "tools/commands.h"
#include "tools/json.h"
#include "tools/node/acting.h"
#include "tools/node/erase/sweep.h"
#include "tools/node/records/view.h"

static const char *
form_of(struct sweep *s, const struct sweep_due *due)
{
	const struct form_entry *form = peer_form_by_key(s->peer, due->form);

	return form == NULL ? "unknown" : form_id(form->form);
}

/* What is irrevocable is not left to a clock that may be wrong, unless a person says how many
 * records it is about. */
static enum err
check_count(struct call *c, const struct sweep *s)
{
	const char *text = call_option(c, "records");
	uint64_t said;

	if (text != NULL && (!decimal_decode(&said, text) || said != s->count))
		return why_set(
		    call_why(c), E_USAGE,
		    "--records: %zu records are due, not %s; see banyan sweep STORE --dry-run",
		    s->count, text);
	if (text == NULL && s->now_s > s->newest_s &&
	    (s->now_s - s->newest_s) / 86400u > SWEEP_CLOCK_DAYS)
		return why_set(
		    call_why(c), E_USAGE,
		    "nothing came here for %u days by this computer's clock: if the clock is right, give --records %zu",
		    (s->now_s - s->newest_s) / 86400u, s->count);
	return E_OK;
}

static void
tell_each(struct call *c, struct sweep *s, const char *state)
{
	char hex[2 * ID_BYTES + 1], when[32];
	struct writer w;
	size_t i;

	writer_heap_init(&w, 256u << 20);
	for (i = 0; i < s->count; i++) {
		const struct sweep_due *due = &s->due[i];

		hex_encode(hex, due->id.b, ID_BYTES);
		view_time(when, due->last_s);
		if (call_json(c)) {
			writer_str(&w, "{");
			json_key_str(&w, "record", hex);
			json_key_str(&w, "form", form_of(s, due));
			json_key_str(&w, "area", due->area);
			json_key_str(&w, "class", due->parts == ERASURE_ALL ? "record" : "D");
			json_key_str(&w, "last_change", when);
			json_key_str(&w, "state", state);
			writer_str(&w, "}\n");
		} else {
			writer_printf(&w, "%s %s %s: %s, last changed %.10s, kept for %u days\n",
				      hex, form_of(s, due), due->area,
				      due->parts == ERASURE_ALL ? "the whole record"
								: "what identifies",
				      when, due->days);
		}
	}
	if (writer_end(&w) == E_OK)
		call_out_bytes(c, writer_view(&w));
	writer_free(&w);
}

static void
progress(void *arg, size_t done, size_t total)
{
	call_progress(arg, "erasing", done, total);
}

static enum err
sweep(struct call *c, struct sweep *s)
{
	struct peer *p = s->peer;
	enum err e = check_count(c, s);

	if (e != E_OK || s->count == 0)
		return e;
	pthread_mutex_lock(&p->acting);
	if ((e = sweep_run(s, progress, c, call_why(c))) != E_OK && s->ordered == s->count) {
		call_note(c, "The orders are given, and go on at the next command (now: %s).\n",
			  err_sentence(e));
		*call_why(c) = (struct why){.e = E_OK};
		e = E_OK;
	}
	pthread_mutex_unlock(&p->acting);
	return e;
}

enum err
cmd_sweep(struct call *c)
{
	struct peer *p = call_peer(c);
	bool dry = call_flag(c, "dry-run");
	struct enrolment who;
	struct sweep s;
	enum err e;

	if (!peer_is_node(p))
		return why_set(call_why(c), E_NODE_ONLY, "sweep");
	if ((e = acting_enrolment(c, &who)) != E_OK ||
	    (e = acting_may(c, ACT_ERASE, who.area, false)) != E_OK)
		return e;
	e = sweep_find(&s, p, &who, call_actor(c), call_why(c));
	if (e == E_OK && !dry)
		e = sweep(c, &s);
	if (e == E_OK && (dry || call_json(c)))
		tell_each(c, &s, dry ? "due" : "erased");
	if (e == E_OK && !call_json(c) && s.count == 0)
		call_out(
		    c,
		    s.rules.count == 0
			? "This programme has no rules of retention: banyan retention STORE --help\n"
			: "Nothing is due.\n");
	else if (e == E_OK && !call_json(c) && dry)
		call_out(
		    c,
		    "%zu record%s due. banyan sweep STORE erases them; nobody can take it back.\n",
		    s.count, s.count == 1 ? " is" : "s are");
	else if (e == E_OK && !call_json(c))
		call_out(
		    c,
		    "%zu record%s erased as the programme's rules say. Devices and other offices follow when they sync.\n"
		    "Backups from before hold them: the orders are kept in %s.orders beside the store, for restore.\n",
		    s.ordered, s.ordered == 1 ? " is" : "s are", p->path);
	sweep_free(&s);
	return e;
}

/* banyan retention: how long the programme keeps what. */
#include <stdio.h>

#include "core/principals/rules.h"
#include "tools/commands.h"
#include "tools/json.h"
#include "tools/node/acting.h"
#include "tools/node/down/down.h"
#include "tools/node/erase/sweep.h"

#define RULES_BYTES_MAX 32768u
#define DAYS_A_YEAR 365u

static enum err
number_of(struct call *c, const char *option, uint32_t scale, uint32_t *days)
{
	uint64_t n = 0;
	enum err e = call_number(c, option, NULL, 0, RETENTION_DAYS_MAX / scale, &n);

	*days = (uint32_t)n * scale;
	return e;
}

static enum err
read_rule(struct call *c, enum erasure_parts *parts, const char **form, uint32_t *days)
{
	const char *class = call_option(c, "class");
	bool years = call_option(c, "years") != NULL, by_day = call_option(c, "days") != NULL;

	*form = call_option(c, "form") == NULL ? "" : call_option(c, "form");
	if (class == NULL || years == by_day)
		return why_set(call_why(c), E_USAGE,
			       "a rule is --class CLASS and --years N, or --days N");
	if (strcmp(class, "D") == 0)
		*parts = ERASURE_IDENTIFYING;
	else if (strcmp(class, "record") == 0)
		*parts = ERASURE_ALL;
	else
		return why_set(
		    call_why(c), E_USAGE,
		    "--class is D, or record: classes S, Q and O are sealed together and go together, not \"%s\"",
		    class);
	if (**form != '\0' && peer_form(call_peer(c), *form) == NULL)
		return why_set(call_why(c), E_FORM_UNKNOWN, "%s", *form);
	return years ? number_of(c, "years", DAYS_A_YEAR, days) : number_of(c, "days", 1, days);
}

static enum err
read_rules(struct call *c, struct retention *out)
{
	struct peer *p = call_peer(c);
	struct store_txn *txn;
	enum err e = store_read_begin(p->store, &txn);

	if (e == E_OK) {
		e = sweep_rules(txn, out);
		store_read_end(txn);
	}
	return e == E_OK ? e : why_set(call_why(c), e, "%s", p->path);
}

static enum err
set_rule(struct call *c, struct retention *rules)
{
	struct peer *p = call_peer(c);
	uint8_t memory[RULES_BYTES_MAX];
	enum erasure_parts parts = ERASURE_ALL;
	char said[RETENTION_FORM_BYTES_MAX + 64];
	const char *form = "";
	struct writer w;
	uint32_t days = 0;
	enum err e;

	if (!peer_is_node(p))
		return why_set(call_why(c), E_NODE_ONLY, "retention");
	if (p->above.known)
		return why_set(call_why(c), E_NOT_HERE,
			       "a rule is given by the office that began the programme; it");
	if ((e = acting_may(c, ACT_ADD_FORM, NULL, false)) != E_OK ||
	    (e = read_rule(c, &parts, &form, &days)) != E_OK)
		return e;
	writer_init(&w, memory, sizeof(memory));
	if ((e = retention_set(rules, parts, form, days)) != E_OK ||
	    (e = retention_write(rules, &w)) != E_OK)
		return why_set(call_why(c), e, "rules of retention");
	(void)snprintf(said, sizeof(said), "%s %s: %u days", parts == ERASURE_ALL ? "record" : "D",
		       *form == '\0' ? "every form" : form, days);
	return down_set_retention(p, call_actor(c), writer_view(&w), said, call_why(c));
}

static enum err
tell(struct call *c, const struct retention *rules)
{
	struct writer w;
	size_t i;
	enum err e;

	writer_heap_init(&w, 1u << 20);
	writer_str(&w, call_json(c) ? "{\"rules\":[" : "");
	if (!call_json(c) && rules->count == 0)
		writer_str(
		    &w,
		    "Everything is kept until somebody erases it: this programme has no rules of retention.\n");
	for (i = 0; i < rules->count; i++) {
		const struct retention_rule *r = &rules->rules[i];
		bool all = r->parts == ERASURE_ALL;

		if (call_json(c)) {
			writer_str(&w, i > 0 ? ",{" : "{");
			json_key_str(&w, "class", all ? "record" : "D");
			json_key_str(&w, "form", r->form[0] == '\0' ? NULL : r->form);
			json_key_u64(&w, "days", r->days);
			writer_str(&w, "}");
		} else {
			writer_printf(&w, "%s, %s: %u days after it was last changed\n",
				      r->form[0] == '\0' ? "every form" : r->form,
				      all ? "the whole record"
					  : "what identifies (class D, and words written freely)",
				      r->days);
		}
	}
	writer_str(&w, call_json(c) ? "]}\n" : "");
	if ((e = writer_end(&w)) == E_OK)
		call_out_bytes(c, writer_view(&w));
	writer_free(&w);
	return e;
}

enum err
cmd_retention(struct call *c)
{
	struct retention rules;
	bool sets = call_option(c, "class") != NULL || call_option(c, "years") != NULL ||
		    call_option(c, "days") != NULL || call_option(c, "form") != NULL;
	enum err e = read_rules(c, &rules);

	if (e == E_OK && sets)
		e = set_rule(c, &rules);
	return e == E_OK ? tell(c, &rules) : e;
}

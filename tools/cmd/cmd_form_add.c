/* banyan form add: XLSForms into the programme. All are checked before any is added. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/limits.h"
#include "core/principals/rules.h"
#include "tools/commands.h"
#include "tools/form_file.h"
#include "tools/json.h"
#include "tools/node/acting.h"
#include "tools/node/down/down.h"

struct added {
	struct writer bundle;
	char id[128], version[64];
	bool already;
};

static enum err
read_one(struct call *c, size_t index, struct added *a)
{
	struct xlsform_report report = {0};
	struct form *form = NULL;
	enum err e;

	writer_heap_init(&a->bundle, CONTROL_PLAIN_BYTES_MAX);
	e = form_file_read(c, index, &a->bundle, &form, &report);
	form_file_faults(c, call_arg(c, index), &report);
	if (e == E_XLSFORM)
		(void)why_set(call_why(c), e,
			      "%zu place%s of %s, named above; correct %s: nothing was added",
			      report.errors, report.errors == 1 ? "" : "s", call_arg(c, index),
			      report.errors == 1 ? "it" : "them");
	if (e == E_OK) {
		(void)snprintf(a->id, sizeof(a->id), "%s", form_id(form));
		(void)snprintf(a->version, sizeof(a->version), "%s", form_version(form));
	}
	form_free(form);
	xlsform_report_free(&report);
	return e;
}

static void
tell(struct call *c, const struct added *a)
{
	struct writer w;

	if (!call_json(c)) {
		call_out(c, "%s%s%s %s\n", a->id, a->version[0] != '\0' ? " version " : "",
			 a->version, a->already ? "was there already" : "added");
		return;
	}
	writer_heap_init(&w, 4096);
	writer_str(&w, "{");
	json_key_str(&w, "form", a->id);
	json_key_str(&w, "version", a->version);
	json_key_bool(&w, "added", !a->already);
	writer_str(&w, "}\n");
	call_out_bytes(c, writer_view(&w));
	writer_free(&w);
}

enum err
cmd_form_add(struct call *c)
{
	size_t i, count = call_arg_count(c);
	struct added *added = calloc(count + 1, sizeof(*added));
	enum err e;

	if (added == NULL)
		return E_NO_MEMORY;
	e = peer_is_node(call_peer(c)) ? acting_may(c, ACT_ADD_FORM, call_peer(c)->home.area, false)
				       : why_set(call_why(c), E_NODE_ONLY, "form add");
	for (i = 0; i < count && e == E_OK; i++)
		e = read_one(c, i, &added[i]);
	for (i = 0; i < count && e == E_OK; i++) {
		e = down_add_form(call_peer(c), call_actor(c), writer_view(&added[i].bundle),
				  &added[i].already, call_why(c));
		if (e == E_OK)
			tell(c, &added[i]);
	}
	for (i = 0; i < count; i++)
		writer_free(&added[i].bundle);
	free(added);
	return e;
}

/* banyan form accept-language: a draft translation may be used. */
#include <stdio.h>
#include <string.h>

#include "core/principals/rules.h"
#include "tools/commands.h"
#include "tools/node/acting.h"
#include "tools/node/down/down.h"
#include "tools/value_text.h"

static bool
has_code(const char *codes, const char *code)
{
	const char *at = codes;
	size_t n = strlen(code);

	while ((at = strstr(at, code)) != NULL) {
		if ((at == codes || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0'))
			return true;
		at += n;
	}
	return false;
}

enum err
cmd_form_accept_language(struct call *c)
{
	struct peer *p = call_peer(c);
	const char *name = call_arg(c, 0), *code;
	struct form_entry *f;
	char codes[128];
	size_t lang;
	enum err e;

	if (!peer_is_node(p))
		return why_set(call_why(c), E_NODE_ONLY, "form accept-language");
	if ((e = acting_may(c, ACT_ADD_FORM, p->home.area, false)) != E_OK)
		return e;
	if ((f = peer_form(p, name)) == NULL)
		return why_set(call_why(c), E_FORM_UNKNOWN, "%s", name);
	if (value_lang(f->form, call_arg(c, 1), &lang, NULL) != E_OK)
		return why_set(call_why(c), E_USAGE,
			       "the form %s has no language \"%s\": see banyan form list", name,
			       call_arg(c, 1));
	code = form_language_code(f->form, lang);
	if (!form_language_draft(f->form, lang) || has_code(f->languages, code)) {
		call_out(c, "%s is in use already in %s; nothing was changed.\n",
			 form_language(f->form, lang), name);
		return E_OK;
	}
	if ((size_t)snprintf(codes, sizeof(codes), "%s%s%s", f->languages,
			     f->languages[0] == '\0' ? "" : " ", code) >= sizeof(codes))
		return why_set(call_why(c), E_LIMIT, "the list of accepted languages of %s", name);
	if ((e = down_accept_language(p, call_actor(c), name, codes, call_why(c))) != E_OK)
		return e;
	call_out(c, "%s may be used in %s; devices learn it at their next sync.\n",
		 form_language(f->form, lang), name);
	return E_OK;
}

/* A form with a field of each kind, in both groups, rows in rows: what the fuzzers of answers
 * answer. */
#ifndef BANYAN_TESTS_FUZZ_FORM_FIXED_H
#define BANYAN_TESTS_FUZZ_FORM_FIXED_H

#include "core/limits.h"
#include "schemas/answers.h"
#include "tests/fuzz/fuzz.h"

static const struct answer_env fixed_env = {.now_ms = 1795311111000,
					    .zone_minutes = 420,
					    .seed = 1,
					    .device_id = "d",
					    .username = "u",
					    .area = "a"};

static inline const struct form *
fixed_form(void)
{
	static const char xform[] =
	    "<h:html xmlns='http://www.w3.org/2002/xforms' xmlns:h='http://www.w3.org/1999/xhtml' "
	    "xmlns:jr='http://openrosa.org/javarosa' xmlns:b='urn:banyan:forms:1'><h:head><model><instance><d id='v'>"
	    "<start/><t/><s/><i/><n/><day/><k/><m/><r jr:template=''><q/><w/><z jr:template=''><y/></z></r><c/><e/>"
	    "</d></instance><instance id='l'><root><item><name>p</name></item><item><name>q</name></item></root>"
	    "</instance><bind nodeset='/d/start' type='dateTime' jr:preload='timestamp' jr:preloadParams='start'/>"
	    "<bind nodeset='/d/t' type='string'/><bind nodeset='/d/s' b:class='S' type='string'/>"
	    "<bind nodeset='/d/i' type='int' constraint='. &lt; 18'/><bind nodeset='/d/n' type='decimal'/>"
	    "<bind nodeset='/d/day' type='date' constraint='. &lt;= today()' required='/d/i = 3'/>"
	    "<bind nodeset='/d/m' relevant=\"/d/i != ''\"/><bind nodeset='/d/r/w' type='int'/>"
	    "<bind nodeset='/d/c' type='int' calculate='sum(/d/r/w) + /d/i'/></model></h:head><h:body>"
	    "<input ref='/d/t'/><input ref='/d/s'/><input ref='/d/i'/><input ref='/d/n'/><input ref='/d/day'/>"
	    "<select1 ref='/d/k'><item><label>A</label><value>a</value></item><item><label>B</label><value>b</value>"
	    "</item></select1><select ref='/d/m'><itemset nodeset=\"instance('l')/root/item[name != /d/t]\">"
	    "<value ref='name'/><label ref='name'/></itemset></select><repeat nodeset='/d/r'><input ref='/d/r/q'/>"
	    "<input ref='/d/r/w'/><repeat nodeset='/d/r/z'><input ref='/d/r/z/y'/></repeat></repeat>"
	    "<input ref='/d/e'/></h:body></h:html>";
	static struct form *f;
	struct writer w;

	if (f != NULL)
		return f;
	writer_heap_init(&w, 1u << 20);
	MUST(form_bundle_write(&w, bytes_of_str(xform), NULL, 0) == E_OK);
	MUST(form_read(&f, writer_view(&w), NULL) == E_OK);
	writer_free(&w);
	return f;
}

#endif

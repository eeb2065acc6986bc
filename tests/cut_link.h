/*
 * cut_link: for the tests of power cuts: stores that are served on threads, newcomers that join
 * over the link, and records with a file. All of it in one process, whose writes tests/journal.h
 * notes.
 */
#ifndef BANYAN_TESTS_CUT_LINK_H
#define BANYAN_TESTS_CUT_LINK_H

#include <signal.h>

#include "tests/journal.h"

#include "core/record/attach.h"
#include "core/pack.h"
#include "tests/cut_disk.h"
#include "tests/office.h"
#include "tools/node/attached/attached.h"
#include "tools/node/link/link.h"
#include "tools/node/serve/serve.h"

#define CUT_FORM \
	"| survey |\n| | type | name | label |\n| | text | who | Who |\n| | image | page | The signed page |\n" \
	"| settings |\n| | form_id | version | form_title | banyan:attachments |\n| | A1 | 1 | Consent | yes |\n"

struct served {
	struct peer *peer;
	char address[64];
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t ready;
};

static inline void
served_ready(void *ctx, const char *address, const char *metrics)
{
	struct served *s = ctx;

	(void)metrics;
	pthread_mutex_lock(&s->lock);
	snprintf(s->address, sizeof(s->address), "%s", address);
	pthread_cond_signal(&s->ready);
	pthread_mutex_unlock(&s->lock);
}

static inline void *
served_run(void *arg)
{
	struct served *s = arg;
	struct why why = {.e = E_OK};

	if (serve_run(
		s->peer,
		&(struct serve_options){.listen = "127.0.0.1:0", .ready = served_ready, .ctx = s},
		&why) != E_OK)
		abort();
	return NULL;
}

static inline void
served_begin(struct served *s, struct peer *p)
{
	s->peer = p;
	s->address[0] = '\0';
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->ready, NULL);
	if (pthread_create(&s->thread, NULL, served_run, s) != 0)
		abort();
	pthread_mutex_lock(&s->lock);
	while (s->address[0] == '\0')
		pthread_cond_wait(&s->ready, &s->lock);
	pthread_mutex_unlock(&s->lock);
}

/* served_end: of all that are served: a signal is for the whole process. */
static inline void
served_end(struct served *s, size_t count)
{
	size_t i;

	kill(getpid(), SIGTERM);
	for (i = 0; i < count; i++)
		pthread_join(s[i].thread, NULL);
}

/* What is recorded begins with an office that has CUT_FORM; `below`: the folders, below the root,
 * of all who will be there. */
static inline bool
cut_office(struct office_world *w, const char *root, char (*below)[CUT_BELOW],
	   const char *const *names, size_t count)
{
	size_t i;

	strcpy(journal.root, root);
	journal.on = true;
	if (!office_open(w))
		return false;
	office_form(w->node, CUT_FORM, &w->why);
	for (i = 0; i < count; i++)
		snprintf(below[i], CUT_BELOW, "%.40s/%s/", w->dir + strlen(root) + 1, names[i]);
	return true;
}

/* Somebody joins the node that is served; a node is let in, and open anew as the office that it is.
 */
static inline struct peer *
cut_join(struct served *at, const char *path, enum role role, const char *area, const char *name,
	 const char *twin_address)
{
	struct invitation v = {
	    .role = role, .area = area, .name = name, .address = at->address, .days = 1};
	struct identity *officer = &at->peer->identities[1];
	struct unlock unlock = office_unlock(NULL);
	struct why why = {.e = E_OK};
	struct link_result result;
	struct invite invite;
	struct peer *p = NULL;
	struct writer line;
	enum err e;

	writer_heap_init(&line, 4096);
	if ((e = enrol_invite(at->peer, officer, &v, &line, &why)) == E_OK &&
	    (e = invite_decode(writer_cstr(&line), &invite, &why)) == E_OK &&
	    (e = enrol_prepare(&p, path, &unlock, &invite, &why)) == E_OK)
		e = link_join(p, &invite, &result, &why);
	peer_close(p);
	p = NULL;
	if (e == E_OK && role == ROLE_NODE)
		e = enrol_approve_at(at->peer, officer, name, twin_address, &why);
	if (e == E_OK && (e = peer_open(&p, path, &unlock, &why)) == E_OK)
		e = link_sync(p, 0, &result, &why);
	CHECK_MSG(e == E_OK, "%s: %s %s", name, err_name(e), why.thing);
	writer_free(&line);
	return p;
}

/* Wherever the one that it syncs with is now. */
static inline void
cut_points_to(struct peer *p, const struct served *s)
{
	snprintf(p->home.address, sizeof(p->home.address), "%s", s->address);
	snprintf(p->above.address, sizeof(p->above.address), "%s", s->address);
}

static inline enum err
cut_sync(struct peer *p, bool *verified, struct why *why)
{
	struct link_result result = {0};
	enum err e = link_sync(p, 0, &result, why);

	if (e == E_OK && peer_is_node(p))
		e = attached_twin_exchange(p, why);
	*verified = result.verified;
	return e;
}

/* A record with a file of so many bytes. */
static inline void
cut_finish_file(struct peer *p, const char *area, size_t bytes, struct record_id *id)
{
	struct field_value values[2];
	struct finished f = {.form = peer_form(p, "A1"),
			     .area = area,
			     .values = values,
			     .value_count = 2,
			     .time_s = peer_now_s(p),
			     .attached_count = 1};
	uint8_t packed[ATTACH_REF_BYTES_MAX + 8], text[ATTACH_REF_BYTES_MAX],
	    *plain = malloc(bytes);
	struct attached_new file;
	struct why why = {.e = E_OK};
	struct sealer sealer;
	struct writer w, t;
	struct arena arena;

	REQUIRE(f.form != NULL && plain != NULL);
	arena_init(&arena, 1u << 20);
	crypto_random(plain, bytes);
	REQUIRE(attached_seal(&file, "page.jpg", BYTES(plain, bytes)) == E_OK);
	f.attached = &file;
	CHECK(form_value_parse(f.form->form, "who", "Sokha", &arena, &values[0], &why) == E_OK);
	CHECK(form_value_parse(f.form->form, "page", "page.jpg", &arena, &values[1], &why) == E_OK);
	writer_init(&t, text, sizeof(text));
	attach_ref_write(&file.ref, &t);
	writer_init(&w, packed, sizeof(packed));
	pack_str(&w, writer_view(&t));
	values[1].value = writer_view(&w);
	sealer_init(&sealer, p, peer_self(p));
	CHECK_MSG(outbox_finish(&sealer, &f, 1, &why) == E_OK, "%s", why.thing);
	sealer_wipe(&sealer);
	*id = f.id;
	attached_free(&file);
	arena_free(&arena);
	free(plain);
}

#endif

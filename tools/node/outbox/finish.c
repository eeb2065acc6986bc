#include "tools/node/outbox/finish.h"

#include <stdio.h>
#include <time.h>

#include "core/pack.h"
#include "core/principals/rules.h"
#include "tools/node/opener/opener.h"

enum err
finish_begin(struct finishing *f, struct peer *p, struct identity *author,
	     const char *form_id_wanted, const char *area, struct why *why)
{
	const struct area_table *areas = peer_areas(p);
	struct rules_case who = {.is_author = true, .approved = true};
	enum err e;

	memset(f, 0, sizeof(*f));
	if (author == NULL)
		return why_set(why, E_NOT_HERE, "entering a record");
	f->peer = p;
	f->author = author;
	if ((f->form = peer_form(p, form_id_wanted)) == NULL)
		return why_set(why, E_FORM_UNKNOWN, "%s", form_id_wanted);
	if (area == NULL)
		area = author->area;
	if (strlen(area) >= sizeof(f->area) || areas == NULL || area_find(areas, area) == AREA_NONE)
		return why_set(why, E_AREA_UNKNOWN, "%s", area);
	who.role = author->role;
	who.own_area = author->area;
	who.area = area;
	if ((e = rules_check(ACT_CREATE, &who, areas, why)) != E_OK)
		return e;
	snprintf(f->area, sizeof(f->area), "%s", area);
	sealer_init(&f->sealer, p, author);
	return finish_refresh(f, why);
}

enum err
finish_refresh(struct finishing *f, struct why *why)
{
	enum err e;

	local_free(&f->local);
	e = local_read(&f->local, f->peer, f->form->form, f->area);
	if (e != E_OK)
		local_free(&f->local);
	return e == E_OK ? E_OK : why_set(why, e, "what was noted for %s", form_id(f->form->form));
}

void
finish_end(struct finishing *f)
{
	sealer_wipe(&f->sealer);
	local_free(&f->local);
}

struct answer_env
finish_env(const struct finishing *f, size_t lang)
{
	struct answer_env env = {.device_id = "",
				 .username = "",
				 .area = f->area,
				 .lang = lang,
				 .local = true,
				 .local_files = f->local.files,
				 .local_count = f->local.count};
	time_t now = (time_t)peer_now_s(f->peer);
	struct tm local;

	env.now_ms = (int64_t)now * 1000;
	if (localtime_r(&now, &local) != NULL)
		env.zone_minutes = (int32_t)(local.tm_gmtoff / 60);
	crypto_random(&env.seed, sizeof(env.seed));
	return env;
}

static void
open_here(struct finishing *f)
{
	size_t parcels;
	enum err e;

	if ((e = outbox_gather(f->peer, f->author, &parcels, &f->behind)) == E_OK)
		e = opener_all(f->peer, &f->behind);
	if (e != f->behind.e)
		(void)why_set(&f->behind, e, "what was entered");
}

enum err
finish_records(struct finishing *f, struct finished *records, size_t count, struct why *why)
{
	enum err e;

	pthread_mutex_lock(&f->peer->acting);
	e = outbox_finish(&f->sealer, records, count, why);
	f->behind = (struct why){.e = E_OK};
	if (e == E_OK && peer_is_node(f->peer)) /* here is where it would be sent to */
		open_here(f);
	pthread_mutex_unlock(&f->peer->acting);
	return e;
}

/* Is `code` one of the words of `list`? */
static bool
is_word(const char *list, struct bytes code)
{
	while (*list != '\0') {
		size_t n = strcspn(list, " ");

		if (n > 0 && bytes_equal(BYTES(list, n), code))
			return true;
		list += n + (list[n] == ' ');
	}
	return false;
}

bool
finish_urgent(const struct form *form, const struct field_value *values, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		size_t index = form_field_find_key(form, values[i].key);
		const struct form_field *field = index == SIZE_MAX ? NULL : form_field(form, index);
		struct reader r;

		if (field == NULL || field->urgent == NULL || field->repeat >= 0)
			continue;
		reader_init(&r, values[i].value);
		if (reader_peek(&r) == PACK_STR && is_word(field->urgent, reader_str(&r)))
			return true;
	}
	return false;
}

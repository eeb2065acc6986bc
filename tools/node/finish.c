#include "tools/node/finish.h"

#include <stdio.h>
#include <time.h>

#include "core/rules.h"
#include "tools/node/acting.h"
#include "tools/node/opener.h"

enum err
finish_begin(struct finishing *f, struct call *c, const char *form_id_wanted, const char *area)
{
	const struct area_table *areas;
	enum err e;

	memset(f, 0, sizeof(*f));
	f->peer = call_peer(c);
	if ((f->author = acting_identity(c)) == NULL)
		return why_set(call_why(c), E_NOT_HERE, "entering a record");
	if ((f->form = peer_form(f->peer, form_id_wanted)) == NULL)
		return why_set(call_why(c), E_FORM_UNKNOWN, "%s", form_id_wanted);
	if (area == NULL)
		area = f->author->area;
	areas = peer_areas(f->peer);
	if (strlen(area) >= sizeof(f->area) || areas == NULL || area_find(areas, area) == AREA_NONE)
		return why_set(call_why(c), E_AREA_UNKNOWN, "%s", area);
	if ((e = acting_may(c, ACT_CREATE, area, true)) != E_OK)
		return e;
	snprintf(f->area, sizeof(f->area), "%s", area);
	sealer_init(&f->sealer, f->peer, f->author);
	return E_OK;
}

void
finish_end(struct finishing *f)
{
	sealer_wipe(&f->sealer);
}

struct answer_env
finish_env(const struct finishing *f, size_t lang)
{
	struct answer_env env = {.device_id = "", .username = "", .area = f->area, .lang = lang};
	time_t now = (time_t)peer_now_s(f->peer);
	struct tm local;

	env.now_ms = (int64_t)now * 1000;
	if (localtime_r(&now, &local) != NULL)
		env.zone_minutes = (int32_t)(local.tm_gmtoff / 60);
	crypto_random(&env.seed, sizeof(env.seed));
	return env;
}

enum err
finish_records(struct finishing *f, struct finished *records, size_t count, struct why *why)
{
	size_t parcels;
	enum err e;

	pthread_mutex_lock(&f->peer->acting);
	e = outbox_finish(&f->sealer, records, count, why);
	if (e == E_OK && peer_is_node(f->peer)) { /* here is where it would be sent to */
		if ((e = outbox_gather(f->peer, f->author, &parcels, why)) == E_OK)
			e = opener_all(f->peer, why);
	}
	pthread_mutex_unlock(&f->peer->acting);
	return e;
}

bool
finish_urgent(const struct form *form, const struct field_value *values, size_t count)
{
	(void)form;
	(void)values;
	(void)count;
	return false;
}

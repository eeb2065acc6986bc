/* Enrolments, revocations, office keys and area tables, as a peer brings them. */
#include "core/principals/area.h"
#include "core/record/attach_word.h"
#include "core/principals/principal.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct programme_id programme = {"programme-000001"};
	struct bytes b = BYTES(data, size);
	static struct enrolment enrolment;
	static struct revocation revocation;
	static struct office office;
	static struct attach_held held;
	struct attach_offer offer;
	struct area_table *areas;
	struct why why;
	uint32_t i;

	if (enrolment_decode(b, &programme, &enrolment, &why) == E_OK)
		MUST(role_known((uint64_t)enrolment.role) &&
		     strlen(enrolment.area) <= AREA_CODE_BYTES_MAX);
	if (revocation_decode(b, &programme, &revocation, &why) == E_OK)
		MUST(revocation.count <= EPOCHS_MAX);
	if (office_decode(b, &programme, &office, &why) == E_OK)
		MUST(office.key_no > 0);
	if (attach_held_decode(b, &held) == E_OK)
		MUST(held.count <= ATTACH_HELD_MAX);
	(void)attach_offer_decode(b, &offer);
	if (area_table_read(&areas, b, &why) == E_OK) {
		for (i = 0; i < area_count(areas); i++)
			MUST(area_find(areas, area_at(areas, i)->code) == i);
		area_table_free(areas);
	}
	return 0;
}

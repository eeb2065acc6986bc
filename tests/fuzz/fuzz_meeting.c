/* Packets on the LAN: a question or an answer that this programme's key did not make is none. */
#include "core/meeting.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct programme_id programme = {"programme-000001"};
	static const struct ec_public root = {{4, 1}};
	struct meeting_key key;
	uint8_t packet[BEACON_BYTES], question[BEACON_BYTES];
	uint16_t port;

	if (size < 2 * BEACON_BYTES)
		return 0;
	meeting_key_of(&key, &programme, &root);
	memcpy(packet, data, BEACON_BYTES);
	memcpy(question, data + BEACON_BYTES, BEACON_BYTES);
	MUST(!beacon_asked(packet, &key) && !beacon_answered(packet, &key, question, &port));
	return 0;
}

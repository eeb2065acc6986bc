/*
 * Packets on the LAN. A question or an answer that this programme's key did not make is none; one
 * that it made, about a port that the bytes say, and that the rest of the bytes then changed, is
 * one only where they changed nothing.
 */
#include "core/letters/meeting.h"
#include "tests/fuzz/fuzz.h"

static struct meeting_key key;

static bool
change(uint8_t packet[BEACON_BYTES], const uint8_t *by)
{
	bool changed = false;
	size_t i;

	for (i = 0; i < BEACON_BYTES; i++) {
		packet[i] ^= by[i];
		changed = changed || by[i] != 0;
	}
	return changed;
}

static void
made(uint16_t port, const uint8_t *by)
{
	uint8_t question[BEACON_BYTES], answer[BEACON_BYTES];
	uint16_t said = 0;
	bool good;

	beacon_ask(question, &key);
	beacon_answer(answer, &key, question, port);
	MUST(!beacon_asked(answer, &key));
	good = !change(answer, by);
	MUST(beacon_answered(answer, &key, question, &said) == (good && port != 0));
	MUST(!good || said == port);
	if (change(question, by + BEACON_BYTES)) {
		MUST(!beacon_asked(question, &key) &&
		     !beacon_answered(answer, &key, question, &said));
	} else {
		MUST(beacon_asked(question, &key));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct programme_id programme = {"programme-000001"};
	static const struct ec_public root = {{4, 1}};
	static bool begun;
	uint16_t port;

	if (!begun)
		meeting_key_of(&key, &programme, &root);
	begun = true;
	if (size < 2 * BEACON_BYTES)
		return 0;
	MUST(!beacon_asked(data, &key) && !beacon_answered(data, &key, data + BEACON_BYTES, &port));
	if (size >= 2 * BEACON_BYTES + 2)
		made(be16_get(data + 2 * BEACON_BYTES), data);
	return 0;
}

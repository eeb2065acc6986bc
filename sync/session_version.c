/* Which version of the protocol is spoken. PROTOCOL.md "Versions". */
#include <stdio.h>

#include "sync/session_own.h"

unsigned
version_low(const struct session *s)
{
	return s->config.proto_low != 0 ? s->config.proto_low : PROTOCOL_LOW;
}

unsigned
version_high(const struct session *s)
{
	return s->config.proto_high != 0 ? s->config.proto_high : PROTOCOL_HIGH;
}

unsigned
session_version(const struct session *s)
{
	return s->version;
}

static const char *
range(char out[16], unsigned low, unsigned high)
{
	(void)snprintf(out, 16, low == high ? "%u" : "%u to %u", low & 0xff, high & 0xff);
	return out;
}

/* The words are the same at both ends: they say who must upgrade, not who is "here". */
bool
version_meet(struct session *s, const struct message_hello *hello)
{
	unsigned low = version_low(s), high = version_high(s);
	char device[16], node[16];

	if (hello->proto_low > high || hello->proto_high < low ||
	    hello->proto_low > hello->proto_high) {
		session_fail(s, E_PROTOCOL_VERSION,
			     "the device speaks %s, the node %s; upgrade the %s",
			     range(device, (unsigned)hello->proto_low, (unsigned)hello->proto_high),
			     range(node, low, high), hello->proto_high < low ? "device" : "node");
		return false;
	}
	s->version = (unsigned)hello->proto_high < high ? (unsigned)hello->proto_high : high;
	return true;
}

/* Who hears nothing speaks 1: an end that knows no other never says or hears of it. */
void
version_say(struct session *s)
{
	struct message m = {.type = MESSAGE_VERSION, .u.version = {s->version}};

	if (s->version > 1)
		session_put(s, &m);
}

void
version_heard(struct session *s, uint64_t spoken)
{
	if (spoken < version_low(s) || spoken > version_high(s))
		session_fail(s, E_PROTOCOL, "VERSION %llu was not offered",
			     (unsigned long long)spoken);
	else
		s->version = (unsigned)spoken;
}

/* An invitation that is taken is written again as one that says the same. */
#include "core/principals/invite.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char line[INVITE_LINE_BYTES_MAX + 64], again[INVITE_LINE_BYTES_MAX + 64];
	struct invite invite, same;
	struct writer w;
	struct why why;

	if (size >= sizeof(line))
		return 0;
	if (size > 0)
		memcpy(line, data, size);
	line[size] = '\0';
	if (invite_decode(line, &invite, &why) != E_OK)
		return 0;
	writer_init(&w, again, sizeof(again));
	MUST(invite_encode(&invite, &w) == E_OK);
	writer_cstr(&w);
	MUST(invite_decode(again, &same, &why) == E_OK);
	MUST(ID_EQUAL(&invite.programme, &same.programme) && ID_EQUAL(&invite.node, &same.node));
	MUST(strcmp(invite.address, same.address) == 0 && strcmp(invite.name, same.name) == 0);
	MUST(strcmp(invite.area, same.area) == 0 && invite.role == same.role);
	MUST(invite.expires_s == same.expires_s);
	return 0;
}

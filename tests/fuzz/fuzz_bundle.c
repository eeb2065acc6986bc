/*
 * A bundle's whole entries lie inside it, and written again they are the same bytes; an envelope
 * that is opened is sealed again to the same length. With the office's key known to the fuzzer
 * nothing else can be shown of a seal.
 */
#include "core/letters/bundle.h"

#include "tests/fuzz/fuzz.h"
#include "tests/keys.h"

static void
check_again(const struct bundle *b, struct bytes input)
{
	struct bundle_writer w;
	struct writer out;
	struct bytes envelope;
	uint64_t bytes = 0;
	size_t at = 0;
	uint32_t n = 0;

	while (bundle_next(b, &at, &envelope)) {
		MUST(envelope.p >= input.p && envelope.p + envelope.n <= input.p + input.n);
		bytes += envelope.n;
		n++;
	}
	MUST(n == b->whole && at == b->whole_bytes);
	if (b->whole < b->count)
		return;
	writer_heap_init(&out, BUNDLE_BYTES_MAX);
	MUST(bundle_begin(&w, &out, n, bytes) == E_OK);
	for (at = 0; bundle_next(b, &at, &envelope);)
		MUST(bundle_add(&w, envelope) == E_OK);
	MUST(bytes_equal(writer_view(&out), input));
	writer_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct programme_id programme = {"programme-000001"};
	static const struct envelope_to to = {.area = "SM0901", .key_no = 7};
	static struct ec_key office;
	struct envelope_hint hint;
	struct bundle b;
	struct writer body;
	enum err e;

	if (office.pub.b[0] == 0)
		office = test_key(KEY_OFFICE);
	e = bundle_read(BYTES(data, size), &b, NULL);
	MUST(e == E_OK || e == E_BUNDLE || e == E_VERSION || e == E_LIMIT);
	if (e == E_OK)
		check_again(&b, BYTES(data, size));
	writer_heap_init(&body, ENVELOPE_BODY_BYTES_MAX);
	e = envelope_open(&programme, &to, &office, (size & 1) != 0, BYTES(data, size), &body,
			  &hint);
	MUST(e == E_OK || e == E_ABSENT || e == E_SEAL || e == E_ENVELOPE || e == E_VERSION);
	MUST(e != E_OK || ENVELOPE_HEAD_BYTES + envelope_padded(body.n) + AEAD_TAG_BYTES == size);
	writer_free(&body);
	return 0;
}

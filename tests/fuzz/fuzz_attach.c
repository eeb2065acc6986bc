/* A reference to an attachment, wherever it stands; a list of its chunks; a chunk under a key that the fuzzer does not guess. */
#include "core/attach.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = BYTES(data, size);
	struct attach_ref ref, same;
	struct attach_id id;
	struct writer w;
	char name[256];
	size_t at = 0, before;
	enum err e;

	writer_heap_init(&w, 1u << 20);
	if (attach_ref_read(in, &ref)) {
		attach_ref_write(&ref, &w);
		MUST(writer_end(&w) == E_OK && attach_ref_read(writer_view(&w), &same));
		MUST(memcmp(&ref.id, &same.id, sizeof(ref.id)) == 0 && ref.size == same.size && strcmp(ref.name, same.name) == 0);
		attach_file_name(&ref, name, sizeof(name));
		MUST(strchr(name, '/') == NULL && name[0] != '.');
	}
	for (before = 0; attach_ref_next(in, &at, &id); before = at)
		MUST(at > before && at <= size);
	e = attach_id_of(in, &id);
	MUST(e == E_OK || e == E_ATTACHMENT);
	writer_reset(&w);
	memset(&ref, 3, sizeof(ref));
	ref.size = (uint32_t)size;
	MUST(attach_open(&ref, 0, in, &w) != E_OK && w.n == 0);
	writer_free(&w);
	return 0;
}

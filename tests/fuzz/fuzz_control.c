/* What a node says to its devices: control items and notices. What is read of an item is
 * written again and read the same. */
#include "tests/fuzz/fuzz.h"
#include "tools/node/down/down_item.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct down_item item, again;
	struct writer w;
	enum err e = down_item_read(BYTES(data, size), &item);

	if (e == E_OK && down_item_known(item.kind)) {
		writer_heap_init(&w, 2 * size + 1024);
		down_item_write(&w, &item);
		MUST(writer_end(&w) == E_OK);
		MUST(down_item_read(writer_view(&w), &again) == E_OK && again.kind == item.kind);
		MUST(bytes_equal(again.content, item.content) && again.order == item.order);
		MUST(strcmp(again.languages, item.languages) == 0 &&
		     strcmp(again.note, item.note) == 0);
		writer_free(&w);
	}
	return 0;
}

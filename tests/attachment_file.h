/* attachment_file: a file of four chunks, sealed; what test_attachment*.c share. */
#ifndef BANYAN_TESTS_ATTACHMENT_FILE_H
#define BANYAN_TESTS_ATTACHMENT_FILE_H

#include "tests/check.h"
#include "tools/node/attached/attached.h"

#define FILE_BYTES (3u * ATTACH_CHUNK_BYTES + 100u)

static uint8_t file[FILE_BYTES];

static inline void
fill(void)
{
	size_t i;

	for (i = 0; i < sizeof(file); i++)
		file[i] = (uint8_t)(i * 7 + i / 251);
}

static inline void
make(struct attached_new *n)
{
	fill();
	REQUIRE(attached_seal(n, "photo 1.jpg", BYTES(file, sizeof(file))) == E_OK);
}

#endif

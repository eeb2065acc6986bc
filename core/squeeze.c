#include "core/squeeze.h"

#include <pthread.h>
#include <stdlib.h>

#define ZSTD_STATIC_LINKING_ONLY /* the magicless format */
#include <zdict.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "core/fault.h"

#define WINDOW_LOG_MAX 24         /* CONTROL_PLAIN_BYTES_MAX: no frame of ours needs more */
#define KEEP_BYTES_MAX (4u << 20) /* a context that grew past this is not kept */
#define CHUNK_BYTES (64u << 10)

/* The last dictionary used, digested: digesting one costs more than a small payload. */
struct digest {
	uint8_t *copy;
	size_t n;
	int level;
	ZSTD_CDict *pack;
	ZSTD_DDict *unpack;
};

struct squeezer {
	ZSTD_CCtx *pack;
	ZSTD_DCtx *unpack;
	struct digest pack_digest, unpack_digest;
	uint8_t chunk[CHUNK_BYTES];
};

static _Thread_local struct squeezer *own;
static pthread_key_t own_key; /* only so that a thread's end frees it */
static pthread_once_t own_once = PTHREAD_ONCE_INIT;

static void
digest_free(struct digest *d)
{
	ZSTD_freeCDict(d->pack);
	ZSTD_freeDDict(d->unpack);
	free(d->copy);
	*d = (struct digest){.copy = NULL};
}

static void
squeezer_free(void *squeezer)
{
	struct squeezer *s = squeezer;

	ZSTD_freeCCtx(s->pack);
	ZSTD_freeDCtx(s->unpack);
	digest_free(&s->pack_digest);
	digest_free(&s->unpack_digest);
	explicit_bzero(s->chunk, sizeof(s->chunk));
	free(s);
}

static void
make_key(void)
{
	if (pthread_key_create(&own_key, squeezer_free) != 0)
		abort(); /* the process has used up its keys: our own bug */
}

static struct squeezer *
squeezer(void)
{
	if (fault_point())
		return NULL;
	if (own == NULL && (own = calloc(1, sizeof(*own))) != NULL) {
		pthread_once(&own_once, make_key);
		if (pthread_setspecific(own_key, own) != 0) {
			free(own);
			own = NULL;
		}
	}
	return own;
}

/* True if d is of these bytes (and level) already; else d is emptied and holds a copy of
 * them. */
static bool
digest_match(struct digest *d, struct bytes dictionary, int level, bool *failed)
{
	*failed = false;
	if (d->copy != NULL && d->level == level && bytes_equal(BYTES(d->copy, d->n), dictionary))
		return true;
	digest_free(d);
	if ((d->copy = fault_malloc(dictionary.n)) == NULL) {
		*failed = true;
		return false;
	}
	memcpy(d->copy, dictionary.p, dictionary.n);
	d->n = dictionary.n;
	d->level = level;
	return false;
}

static const ZSTD_CDict *
pack_dictionary(struct digest *d, struct bytes dictionary, int level)
{
	bool failed;

	if (!digest_match(d, dictionary, level, &failed) && !failed &&
	    (d->pack = fault_point() ? NULL : ZSTD_createCDict_byReference(d->copy, d->n, level)) ==
		NULL)
		digest_free(d);
	return d->pack;
}

static const ZSTD_DDict *
unpack_dictionary(struct digest *d, struct bytes dictionary)
{
	bool failed;

	if (!digest_match(d, dictionary, 0, &failed) && !failed &&
	    (d->unpack = fault_point() ? NULL : ZSTD_createDDict_byReference(d->copy, d->n)) ==
		NULL)
		digest_free(d);
	return d->unpack;
}

static ZSTD_CCtx *
pack_context(struct squeezer *s, struct bytes dictionary, int level)
{
	const ZSTD_CDict *digest = NULL;
	ZSTD_CCtx *c;

	if (s->pack == NULL && (s->pack = ZSTD_createCCtx()) == NULL)
		return NULL;
	c = s->pack;
	if (dictionary.n > 0 &&
	    (digest = pack_dictionary(&s->pack_digest, dictionary, level)) == NULL)
		return NULL;
	if (fault_point() || ZSTD_isError(ZSTD_CCtx_reset(c, ZSTD_reset_session_and_parameters)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(c, ZSTD_c_format, ZSTD_f_zstd1_magicless)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, level)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(c, ZSTD_c_contentSizeFlag, 0)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 0)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(c, ZSTD_c_dictIDFlag, 0)) ||
	    ZSTD_isError(ZSTD_CCtx_refCDict(c, digest)))
		return NULL;
	return c;
}

/* A test build's frame: blocks as they are, so that a search for planted markers can find. */
#ifdef BANYAN_TEST_PLAIN
#define PACK_RAW true
#else
#define PACK_RAW false
#endif
#define RAW_WINDOW 0x30u /* 64 KiB; a block is at most that */
#define RAW_BLOCK_BYTES (64u << 10)

static enum err
pack_raw(struct writer *out, struct bytes plain)
{
	bool last;

	writer_u8(out, 0);
	writer_u8(out, RAW_WINDOW);
	do {
		size_t n = plain.n < RAW_BLOCK_BYTES ? plain.n : RAW_BLOCK_BYTES;
		uint32_t head;

		last = n == plain.n;
		head = (uint32_t)n << 3 | last; /* little-endian, type 0: raw */
		writer_u8(out, (uint8_t)head);
		writer_u8(out, (uint8_t)(head >> 8));
		writer_u8(out, (uint8_t)(head >> 16));
		writer_bytes(out, BYTES(plain.p, n));
		plain.p += n;
		plain.n -= n;
	} while (!last);
	return writer_end(out);
}

enum err
squeeze_pack(struct writer *out, struct bytes plain, struct bytes dictionary, int level)
{
	struct squeezer *s = squeezer();
	size_t bound = ZSTD_compressBound(plain.n), n;
	uint8_t *room;
	ZSTD_CCtx *c;

	if (PACK_RAW)
		return pack_raw(out, plain);
	level = level < 1 ? 1 : level > 19 ? 19 : level;
	if (s == NULL || (c = pack_context(s, dictionary, level)) == NULL)
		return E_NO_MEMORY;
	/* Small payloads, nearly all, are made in the thread's own chunk. */
	room = bound <= sizeof(s->chunk) ? s->chunk : fault_malloc(bound);
	if (room == NULL)
		return E_NO_MEMORY;
	n = ZSTD_compress2(c, room, bound, plain.p, plain.n);
	if (!ZSTD_isError(n))
		writer_mem(out, room, n);
	if (room != s->chunk)
		free(room);
	if (ZSTD_sizeof_CCtx(s->pack) > KEEP_BYTES_MAX) {
		ZSTD_freeCCtx(s->pack);
		s->pack = NULL;
	}
	return ZSTD_isError(n) ? E_NO_MEMORY : writer_end(out);
}

static ZSTD_DCtx *
unpack_context(struct squeezer *s, struct bytes dictionary)
{
	const ZSTD_DDict *digest = NULL;
	ZSTD_DCtx *d;

	if (s->unpack == NULL && (s->unpack = ZSTD_createDCtx()) == NULL)
		return NULL;
	d = s->unpack;
	if (dictionary.n > 0 && (digest = unpack_dictionary(&s->unpack_digest, dictionary)) == NULL)
		return NULL;
	if (fault_point() || ZSTD_isError(ZSTD_DCtx_reset(d, ZSTD_reset_session_and_parameters)) ||
	    ZSTD_isError(ZSTD_DCtx_setParameter(d, ZSTD_d_format, ZSTD_f_zstd1_magicless)) ||
	    ZSTD_isError(ZSTD_DCtx_setParameter(d, ZSTD_d_windowLogMax, WINDOW_LOG_MAX)) ||
	    ZSTD_isError(ZSTD_DCtx_refDDict(d, digest)))
		return NULL;
	return d;
}

/* One frame, chunk by chunk. */
static enum err
unpack(struct squeezer *s, struct writer *out, struct bytes squeezed, size_t max_bytes)
{
	ZSTD_inBuffer in = {squeezed.p, squeezed.n, 0};
	size_t left = 1, total = 0;

	while (left != 0) {
		ZSTD_outBuffer piece = {s->chunk, sizeof(s->chunk), 0};
		size_t before = in.pos;

		left = ZSTD_decompressStream(s->unpack, &piece, &in);
		if (ZSTD_getErrorCode(left) ==
		    ZSTD_error_memory_allocation) /* ours, not what was sent */
			return E_NO_MEMORY;
		if (ZSTD_isError(left) || piece.pos > max_bytes - total)
			return E_SQUEEZE;
		if (left != 0 && piece.pos == 0 && in.pos == before)
			return E_SQUEEZE; /* the frame is cut */
		writer_mem(out, s->chunk, piece.pos);
		if (writer_end(out) != E_OK)
			return writer_end(out);
		total += piece.pos;
	}
	return in.pos == in.size ? E_OK : E_SQUEEZE;
}

enum err
squeeze_unpack(struct writer *out, struct bytes squeezed, struct bytes dictionary, size_t max_bytes)
{
	struct squeezer *s = squeezer();
	size_t start = out->n;
	enum err e;

	if (writer_end(out) != E_OK)
		return writer_end(out);
	/* Our frame header has every flag off; zstd would also take skippable frames, and
	 * others. */
	if (squeezed.n == 0 || squeezed.p[0] != 0)
		return E_SQUEEZE;
	if (s == NULL || unpack_context(s, dictionary) == NULL)
		return E_NO_MEMORY;
	if ((e = unpack(s, out, squeezed, max_bytes)) != E_OK && out->n > start) {
		explicit_bzero(out->p + start, out->n - start);
		out->n = start;
	}
	explicit_bzero(s->chunk, sizeof(s->chunk));
	if (ZSTD_sizeof_DCtx(s->unpack) > KEEP_BYTES_MAX) {
		ZSTD_freeDCtx(s->unpack);
		s->unpack = NULL;
	}
	return e;
}

/* ---- bare blocks ---- */

#define BLOCK_HEAD_BYTES 5u
#define BLOCK_COMPRESSED 2u

enum err
squeeze_pack_block(struct writer *out, struct bytes plain, struct bytes dictionary, int level)
{
	struct writer frame;
	struct bytes f;
	uint32_t head;
	enum err e;

	if (writer_end(out) != E_OK)
		return writer_end(out);
	if (PACK_RAW || plain.n == 0 || plain.n > SQUEEZE_BLOCK_BYTES_MAX)
		return E_SQUEEZE;
	writer_heap_init(&frame, 2u * SQUEEZE_BLOCK_BYTES_MAX);
	if ((e = squeeze_pack(&frame, plain, dictionary, level)) != E_OK)
		goto done;
	f = writer_view(&frame);
	e = E_SQUEEZE;
	if (f.n <= BLOCK_HEAD_BYTES || f.p[0] != 0)
		goto done;
	head = (uint32_t)f.p[2] | (uint32_t)f.p[3] << 8 | (uint32_t)f.p[4] << 16;
	if (head != ((uint32_t)(f.n - BLOCK_HEAD_BYTES) << 3 | BLOCK_COMPRESSED << 1 | 1u))
		goto done; /* several blocks, or one that is stored as it is */
	writer_mem(out, f.p + BLOCK_HEAD_BYTES, f.n - BLOCK_HEAD_BYTES);
	e = writer_end(out);
done:
	writer_free(&frame);
	return e;
}

enum err
squeeze_unpack_block(struct writer *out, struct bytes block, struct bytes dictionary,
		     size_t max_bytes)
{
	uint32_t head = (uint32_t)block.n << 3 | BLOCK_COMPRESSED << 1 | 1u;
	uint8_t *frame;
	enum err e;

	if (block.n == 0 || block.n > SQUEEZE_BLOCK_BYTES_MAX)
		return E_SQUEEZE;
	if ((frame = fault_malloc(block.n + BLOCK_HEAD_BYTES)) == NULL)
		return E_NO_MEMORY;
	frame[0] = 0;
	frame[1] = RAW_WINDOW;
	frame[2] = (uint8_t)head;
	frame[3] = (uint8_t)(head >> 8);
	frame[4] = (uint8_t)(head >> 16);
	memcpy(frame + BLOCK_HEAD_BYTES, block.p, block.n);
	e = squeeze_unpack(out, BYTES(frame, block.n + BLOCK_HEAD_BYTES), dictionary, max_bytes);
	free(frame);
	return e;
}

enum err
squeeze_train(struct writer *out, const uint8_t *samples, const size_t *sizes, size_t count,
	      size_t max_bytes)
{
	uint8_t *room = fault_malloc(max_bytes);
	size_t n;
	enum err e = E_SQUEEZE;

	if (room == NULL)
		return E_NO_MEMORY;
	n = count > UINT32_MAX
		? 0
		: ZDICT_trainFromBuffer(room, max_bytes, samples, sizes, (unsigned)count);
	if (n > 0 && !ZDICT_isError(n)) {
		writer_mem(out, room, n);
		e = writer_end(out);
	}
	free(room);
	return e;
}

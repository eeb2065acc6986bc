#include "core/principals/invite.h"

#include "core/pack.h"

#define PREFIX "banyan1:"
#define INVITE_VERSION 1u
#define CHECK_BYTES 4u /* a typing error goes unnoticed once in four thousand million */
#define PACKED_BYTES_MAX 640u

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* base64url without padding, RFC 4648 section 5 */
static void
base64_write(struct bytes b, struct writer *out)
{
	uint32_t bits = 0;
	unsigned have = 0;
	size_t i;

	for (i = 0; i < b.n; i++) {
		bits = (bits << 8 | b.p[i]) & 0xffff;
		for (have += 8; have >= 6; have -= 6)
			writer_u8(out, (uint8_t)digits[bits >> (have - 6) & 63]);
	}
	if (have > 0)
		writer_u8(out, (uint8_t)digits[bits << (6 - have) & 63]);
}

/* The reverse; false, and *bad at the letter that cannot be there (or at the end: it is
 * cut). */
static bool
base64_read(struct bytes text, struct writer *out, size_t *bad)
{
	uint32_t bits = 0;
	unsigned have = 0;
	size_t i;

	for (i = 0; i < text.n; i++) {
		const char *at = text.p[i] == '\0' ? NULL : strchr(digits, text.p[i]);

		*bad = i;
		if (at == NULL)
			return false;
		bits = (bits << 6 | (uint32_t)(at - digits)) & 0xffff;
		have += 6;
		if (have >= 8) {
			have -= 8;
			writer_u8(out, (uint8_t)(bits >> have & 0xff));
		}
	}
	*bad = text.n;
	return have < 6 && (bits & ((1u << have) - 1)) == 0;
}

static enum err
invite_read(struct bytes packed, struct invite *out)
{
	struct reader r;
	uint32_t count;
	uint64_t role;

	reader_init(&r, packed);
	count = reader_array(&r);
	if (reader_u64(&r) != INVITE_VERSION && r.e == E_OK)
		return E_VERSION;
	if (count != 10)
		reader_fail(&r, E_PACK_TYPE);
	reader_bin_fixed(&r, out->programme.b, sizeof(out->programme.b));
	reader_bin_fixed(&r, out->node.b, sizeof(out->node.b));
	reader_bin_fixed(&r, out->node_key_sha256, sizeof(out->node_key_sha256));
	reader_text(&r, out->address, sizeof(out->address), false);
	reader_bin_fixed(&r, out->secret, sizeof(out->secret));
	role = reader_u64(&r);
	if (r.e == E_OK && !role_known(role))
		return E_VERSION;
	out->role = r.e == E_OK ? (enum role)role : ROLE_MEMBER;
	out->expires_s = reader_u64(&r);
	reader_text(&r, out->name, sizeof(out->name), false);
	reader_text(&r, out->area, sizeof(out->area), false);
	return reader_end(&r);
}

static void
invite_write(const struct invite *m, struct writer *w)
{
	pack_array(w, 10);
	pack_u64(w, INVITE_VERSION);
	pack_bin(w, BYTES(m->programme.b, sizeof(m->programme.b)));
	pack_bin(w, BYTES(m->node.b, sizeof(m->node.b)));
	pack_bin(w, BYTES(m->node_key_sha256, sizeof(m->node_key_sha256)));
	pack_cstr(w, m->address);
	pack_bin(w, BYTES(m->secret, sizeof(m->secret)));
	pack_u64(w, (uint64_t)m->role);
	pack_u64(w, m->expires_s);
	pack_cstr(w, m->name);
	pack_cstr(w, m->area);
}

enum err
invite_encode(const struct invite *m, struct writer *line)
{
	uint8_t memory[PACKED_BYTES_MAX], hash[SHA256_BYTES];
	struct invite check;
	struct writer w;
	enum err e = E_LIMIT;

	writer_init(&w, memory, sizeof(memory));
	invite_write(m, &w);
	/* What cannot be read back must not be written. */
	if (writer_end(&w) == E_OK && invite_read(writer_view(&w), &check) == E_OK) {
		crypto_sha256(hash, writer_view(&w));
		writer_mem(&w, hash, CHECK_BYTES);
		writer_str(line, PREFIX);
		base64_write(writer_view(&w), line);
		e = writer_end(line);
	}
	crypto_wipe(memory, sizeof(memory));
	invite_wipe(&check);
	return e;
}

static bool
is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The digits after the prefix, without the white space around the line. */
static enum err
find_digits(const char *line, struct bytes *out, struct why *why)
{
	struct bytes text = bytes_of_str(line), prefix = BYTES_LIT(PREFIX);

	while (text.n > 0 && is_space(text.p[0])) {
		text.p++;
		text.n--;
	}
	while (text.n > 0 && is_space(text.p[text.n - 1]))
		text.n--;
	if (text.n > 7 && memcmp(text.p, "banyan", 6) == 0 && text.p[7] == ':' && text.p[6] > '1' &&
	    text.p[6] <= '9')
		return why_set(why, E_VERSION, "the invitation");
	if (text.n < prefix.n || !bytes_equal(BYTES(text.p, prefix.n), prefix))
		return why_set(why, E_INVITE_FORM, "it does not begin with %s", PREFIX);
	if (text.n > INVITE_LINE_BYTES_MAX)
		return why_set(why, E_INVITE_FORM, "it is too long");
	*out = BYTES(text.p + prefix.n, text.n - prefix.n);
	return E_OK;
}

/* The digits into `packed`, its checksum taken off. */
static enum err
unwrap(struct bytes text, struct writer *packed, struct why *why)
{
	uint8_t hash[SHA256_BYTES];
	size_t bad;

	if (!base64_read(text, packed, &bad) && bad < text.n)
		return why_set(why, E_INVITE_FORM, "the letter at place %zu cannot be there",
			       bad + sizeof(PREFIX));
	if (writer_end(packed) != E_OK)
		return why_set(why, E_INVITE_FORM, "it is too long");
	if (bad < text.n || packed->n <= CHECK_BYTES)
		return why_set(why, E_INVITE_FORM, "it is cut");
	packed->n -= CHECK_BYTES;
	crypto_sha256(hash, writer_view(packed));
	if (memcmp(packed->p + packed->n, hash, CHECK_BYTES) != 0)
		return why_set(why, E_INVITE_FORM, "it is cut, or a letter is wrong");
	return E_OK;
}

enum err
invite_decode(const char *line, struct invite *out, struct why *why)
{
	uint8_t memory[INVITE_LINE_BYTES_MAX];
	struct bytes text = BYTES_NONE;
	struct writer w;
	enum err e;

	writer_init(&w, memory, sizeof(memory));
	if ((e = find_digits(line, &text, why)) == E_OK && (e = unwrap(text, &w, why)) == E_OK) {
		e = invite_read(writer_view(&w), out);
		if (e == E_VERSION)
			why_set(why, e, "the invitation");
		else if (e != E_OK)
			e = why_set(why, E_INVITE_FORM, "it was not made by banyan");
	}
	if (e != E_OK)
		invite_wipe(out);
	crypto_wipe(memory, sizeof(memory));
	return e;
}

void
invite_wipe(struct invite *m)
{
	crypto_wipe(m, sizeof(*m));
}

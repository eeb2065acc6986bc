#include "core/principals/principal.h"

#include "core/pack.h"
#include "core/fault.h"
#include "tests/check.h"

static struct ec_key root, office_key, device;
static struct programme_id programme;

/* Fixed keys, and ECDSA is deterministic: the statements' bytes can be golden. */
static void
set_up(void)
{
	static bool done;
	uint8_t secret[32] = {0};

	if (done)
		return;
	done = true;
	secret[31] = 1;
	CHECK(crypto_ec_from_secret(&root, secret) == E_OK);
	secret[31] = 2;
	CHECK(crypto_ec_from_secret(&office_key, secret) == E_OK);
	secret[31] = 3;
	CHECK(crypto_ec_from_secret(&device, secret) == E_OK);
	programme_id_of(&programme, &root.pub);
}

static struct enrolment
an_enrolment(void)
{
	struct enrolment m;

	set_up();
	m = (struct enrolment){.programme = programme,
			       .sign_pub = device.pub,
			       .seal_pub = office_key.pub,
			       .role = ROLE_MEMBER,
			       .area = "KH010203",
			       .name =
				   "Sok Dara, \xe1\x9e\x97\xe1\x9e\xbc\xe1\x9e\x98\xe1\x9e\xb7 3",
			       .issued_s = 1700000000,
			       .issuer = principal_root(&programme)};

	memset(m.id.b, 0x11, sizeof(m.id.b));
	return m;
}

static struct revocation
a_revocation(size_t logs)
{
	struct revocation m;
	size_t i;

	set_up();
	m = (struct revocation){.programme = programme,
				.reason = "the phone was taken",
				.time_s = 1700000001,
				.issuer = principal_root(&programme),
				.count = logs};
	memset(m.principal.b, 0x11, sizeof(m.principal.b));
	for (i = 0; i < logs && i < EPOCHS_MAX; i++) {
		m.logs[i].epoch = 0xfeedfacecafe0000u + i;
		m.logs[i].number = i * 1000;
		memset(m.logs[i].hash.b, (int)i, sizeof(m.logs[i].hash.b));
	}
	return m;
}

static struct office
an_office(void)
{
	set_up();
	return (struct office){.programme = programme,
			       .area = "KH01",
			       .key_no = 1,
			       .seal_pub = office_key.pub,
			       .issued_s = 1700000000,
			       .issuer = principal_root(&programme)};
}

static void
roles_are_a_table(void)
{
	static const char *const names[] = {"member", "officer", "researcher", "node", "root"};
	enum role role;
	size_t i;

	for (i = 0; i < 5; i++) {
		CHECK(role_parse(names[i], &role) && role == (enum role)(i + 1));
		CHECK_STR(role_name(role), names[i]);
		CHECK(role_known(i + 1));
	}
	CHECK(!role_known(0) && !role_known(6) && !role_known(UINT64_MAX));
	CHECK(!role_parse("Member", &role) && !role_parse("", &role));
	CHECK(role_rank(ROLE_ROOT) > role_rank(ROLE_OFFICER));
	CHECK(role_rank(ROLE_OFFICER) > role_rank(ROLE_MEMBER));
	CHECK(role_rank(ROLE_MEMBER) > role_rank(ROLE_RESEARCHER));
	CHECK(!role_needs_approval(ROLE_MEMBER) && role_needs_approval(ROLE_OFFICER));
	CHECK(role_needs_approval(ROLE_RESEARCHER) && role_needs_approval(ROLE_NODE));
}

/* A golden file of one line of hexadecimal; with BANYAN_GOLDEN=write it is written. */
static void
check_golden(const char *name, struct bytes got)
{
	char path[400], want[2 * STATEMENT_BYTES_MAX + 2] = "", hex[2 * STATEMENT_BYTES_MAX + 1];
	const char *write = getenv("BANYAN_GOLDEN");
	FILE *f;

	hex_encode(hex, got.p, got.n);
	snprintf(path, sizeof(path), "%s/vectors/%s.hex", TESTS_DIR, name);
	if (write != NULL && strcmp(write, "write") == 0 && (f = fopen(path, "w")) != NULL) {
		fprintf(f, "%s\n", hex);
		fclose(f);
	}
	REQUIRE((f = fopen(path, "r")) != NULL);
	CHECK(fgets(want, sizeof(want), f) != NULL);
	fclose(f);
	want[strcspn(want, "\n")] = '\0';
	CHECK_STR(hex, want);
}

/* Decode as the kind that it is; the struct is thrown away. */
static enum err
decode(enum statement kind, struct bytes b)
{
	static struct revocation r;
	static struct enrolment m;
	static struct office o;

	switch (kind) {
	case STATEMENT_ENROLMENT:
		return enrolment_decode(b, &programme, &m, NULL);
	case STATEMENT_REVOCATION:
		return revocation_decode(b, &programme, &r, NULL);
	case STATEMENT_OFFICE:
	case STATEMENT_ERASURE:
	case STATEMENT_SUCCESSION:   /* test_successor */
	case STATEMENT_ATTACH_OFFER: /* test_attach_word */
	case STATEMENT_ATTACH_HELD:
		break;
	}
	return office_decode(b, &programme, &o, NULL);
}

static struct bytes
encode(enum statement kind, uint8_t *memory, size_t bytes)
{
	struct enrolment m = an_enrolment();
	struct revocation r = a_revocation(2);
	struct office o = an_office();
	struct writer w;

	writer_init(&w, memory, bytes);
	CHECK((kind == STATEMENT_ENROLMENT    ? enrolment_encode(&m, &root, &w)
	       : kind == STATEMENT_REVOCATION ? revocation_encode(&r, &root, &w)
					      : office_encode(&o, &root, &w)) == E_OK);
	return writer_view(&w);
}

static void
there_and_back(void)
{
	uint8_t memory[STATEMENT_BYTES_MAX];
	struct enrolment m = an_enrolment(), m2;
	struct revocation r = a_revocation(2), r2;
	struct office o = an_office(), o2;
	struct bytes b;

	set_up();
	b = encode(STATEMENT_ENROLMENT, memory, sizeof(memory));
	check_golden("enrolment_1", b);
	REQUIRE(enrolment_decode(b, &programme, &m2, NULL) == E_OK);
	CHECK(ID_EQUAL(&m.id, &m2.id) && ID_EQUAL(&m.sign_pub, &m2.sign_pub));
	CHECK(ID_EQUAL(&m.seal_pub, &m2.seal_pub) && ID_EQUAL(&m.issuer, &m2.issuer));
	CHECK(m.role == m2.role && m.issued_s == m2.issued_s);
	CHECK(ID_EQUAL(&m2.programme, &programme));
	CHECK_STR(m2.area, m.area);
	CHECK_STR(m2.name, m.name);

	b = encode(STATEMENT_REVOCATION, memory, sizeof(memory));
	check_golden("revocation_1", b);
	REQUIRE(revocation_decode(b, &programme, &r2, NULL) == E_OK);
	CHECK(r2.count == 2 && r2.logs[1].number == 1000 && r2.logs[1].epoch == r.logs[1].epoch);
	CHECK(ID_EQUAL(&r2.logs[1].hash, &r.logs[1].hash) && r2.time_s == r.time_s);
	CHECK_STR(r2.reason, r.reason);

	b = encode(STATEMENT_OFFICE, memory, sizeof(memory));
	check_golden("office_1", b);
	REQUIRE(office_decode(b, &programme, &o2, NULL) == E_OK);
	CHECK(o2.key_no == 1 && ID_EQUAL(&o2.seal_pub, &o.seal_pub) && o2.issued_s == o.issued_s);
	CHECK_STR(o2.area, "KH01");
}

static void
only_the_issuer_signs(void)
{
	uint8_t memory[STATEMENT_BYTES_MAX];
	struct programme_id other = programme;
	int kind;

	set_up();
	other.b[0] ^= 1;
	for (kind = STATEMENT_ENROLMENT; kind <= STATEMENT_OFFICE; kind++) {
		struct bytes b = encode((enum statement)kind, memory, sizeof(memory));
		enum statement next = (enum statement)((kind + 1) % 3);

		CHECK(principal_verify((enum statement)kind, b, &programme, &root.pub) == E_OK);
		CHECK(principal_verify((enum statement)kind, b, &programme, &office_key.pub) ==
		      E_SIGNATURE);
		CHECK(principal_verify((enum statement)kind, b, &other, &root.pub) == E_SIGNATURE);
		CHECK(principal_verify(next, b, &programme, &root.pub) == E_SIGNATURE);
	}
}

/* Every cut and every flipped byte: refused when decoded, or when verified. */
static void
damage_is_noticed(void)
{
	uint8_t memory[STATEMENT_BYTES_MAX];
	size_t i;
	int kind;

	set_up();
	for (kind = STATEMENT_ENROLMENT; kind <= STATEMENT_OFFICE; kind++) {
		enum statement k = (enum statement)kind;
		struct bytes b = encode(k, memory, sizeof(memory));

		for (i = 0; i < b.n; i++)
			CHECK(decode(k, BYTES(b.p, i)) != E_OK);
		memory[b.n] = 0xc0;
		CHECK(decode(k, BYTES(b.p, b.n + 1)) == E_PACK_EXTRA);
		CHECK(principal_verify(k, BYTES(b.p, b.n + 1), &programme, &root.pub) ==
		      E_PACK_EXTRA);
		for (i = 0; i < b.n; i += 3) { /* a signature costs a millisecond */
			memory[i] ^= 0x04;
			CHECK_MSG(decode(k, b) != E_OK ||
				      principal_verify(k, b, &programme, &root.pub) == E_SIGNATURE,
				  "kind %d byte %zu", kind, i);
			memory[i] ^= 0x04;
		}
	}
}

static void
limits_hold_when_writing(void)
{
	uint8_t memory[STATEMENT_BYTES_MAX];
	struct enrolment m;
	struct revocation r;
	struct office o;
	struct writer w;

	set_up();
	writer_init(&w, memory, sizeof(memory));
#define REFUSED(kind, make, change, error) \
	do { \
		make; \
		change; \
		CHECK_MSG(kind##_encode(&(kind##_of), &root, &w) == (error), #change); \
		CHECK(w.n == 0); \
	} while (0)
#define enrolment_of m
#define revocation_of r
#define office_of o
	REFUSED(enrolment, m = an_enrolment(), m.area[0] = '\0', E_LIMIT);
	REFUSED(enrolment, m = an_enrolment(), m.name[0] = '\0', E_LIMIT);
	REFUSED(enrolment, m = an_enrolment(), m.name[2] = '\n', E_LIMIT);
	REFUSED(enrolment, m = an_enrolment(), m.name[2] = (char)0xff, E_LIMIT);
	REFUSED(enrolment, m = an_enrolment(), m.role = (enum role)9, E_LIMIT);
	REFUSED(enrolment, m = an_enrolment(), m.sign_pub.b[7] ^= 1, E_KEY);
	REFUSED(enrolment, m = an_enrolment(), m.seal_pub.b[0] = 5, E_KEY);
	REFUSED(revocation, r = a_revocation(EPOCHS_MAX), r.count++, E_LIMIT);
	REFUSED(revocation, r = a_revocation(3), r.logs[2].epoch = r.logs[1].epoch, E_LIMIT);
	REFUSED(revocation, r = a_revocation(3), r.reason[0] = '\t', E_LIMIT);
	REFUSED(office, o = an_office(), o.key_no = 0, E_LIMIT);
	REFUSED(office, o = an_office(), o.area[0] = '\0', E_LIMIT);

	r = a_revocation(EPOCHS_MAX); /* the largest one fits */
	memset(r.reason, 'x', REASON_BYTES_MAX);
	CHECK(revocation_encode(&r, &root, &w) == E_OK);
	CHECK(decode(STATEMENT_REVOCATION, writer_view(&w)) == E_OK);
}

static void
bad_bodies_are_refused(void)
{
	static const struct {
		const char *what;
		uint64_t version, role;
		uint32_t count;
		const char *area;
		enum err e;
	} rows[] = {
	    {"good", 1, 1, 9, "A", E_OK},
	    {"version 0", 0, 1, 9, "A", E_VERSION},
	    {"a newer version with more fields", 2, 1, 10, "A", E_VERSION},
	    {"a newer role", 1, 6, 9, "A", E_VERSION},
	    {"no role", 1, 0, 9, "A", E_VERSION},
	    {"no area", 1, 1, 9, "", E_PACK_TYPE},
	    {"a long area", 1, 1, 9, "012345678901234567890123456789012", E_PACK_TYPE},
	    {"a line in an area", 1, 1, 9, "A\nB", E_PACK_TYPE},
	    {"an area that is no text", 1, 1, 9, "\xc3", E_PACK_TYPE},
	    {"a field too few", 1, 1, 8, "A", E_PACK_TYPE},
	};
	uint8_t memory[STATEMENT_BYTES_MAX], zeros[64] = {0};
	struct enrolment out;
	struct why why;
	size_t i;

	set_up();
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct writer w;
		uint32_t n;

		writer_init(&w, memory, sizeof(memory));
		pack_array(&w, 2);
		pack_array(&w, rows[i].count);
		pack_u64(&w, rows[i].version);
		pack_bin(&w, BYTES(zeros, 16));
		pack_bin(&w, BYTES(device.pub.b, 65));
		pack_bin(&w, BYTES(device.pub.b, 65));
		pack_u64(&w, rows[i].role);
		pack_cstr(&w, rows[i].area);
		pack_cstr(&w, "name");
		pack_u64(&w, 1);
		for (n = 8; n < rows[i].count; n++)
			pack_bin(&w, BYTES(zeros, 16));
		pack_bin(&w, BYTES(zeros, 64));
		memset(&out, 0xee, sizeof(out));
		CHECK_MSG(enrolment_decode(writer_view(&w), &programme, &out, &why) == rows[i].e,
			  "%s", rows[i].what);
		CHECK_MSG(rows[i].e == E_OK || (out.area[0] == '\0' && out.name[0] == '\0'), "%s",
			  rows[i].what);
		CHECK_MSG(rows[i].e == E_OK || strcmp(why.thing, "an enrolment") == 0, "%s",
			  why.thing);
	}
	CHECK(enrolment_decode(BYTES_NONE, &programme, &out, NULL) == E_PACK_CUT);
}

static void
the_programme_is_its_root(void)
{
	struct principal_id r;
	uint8_t hash[32];

	set_up();
	crypto_sha256(hash, BYTES(root.pub.b, sizeof(root.pub.b)));
	r = principal_root(&programme);
	CHECK(memcmp(programme.b, hash, 16) == 0 && memcmp(r.b, hash, 16) == 0);
}

static enum err
say_and_believe(const struct enrolment *m)
{
	uint8_t memory[STATEMENT_BYTES_MAX];
	struct enrolment back;
	struct writer w;
	enum err e;

	writer_init(&w, memory, sizeof(memory));
	if ((e = enrolment_encode(m, &root, &w)) != E_OK ||
	    (e = enrolment_decode(writer_view(&w), &programme, &back, NULL)) != E_OK)
		return e;
	return principal_verify(STATEMENT_ENROLMENT, writer_view(&w), &programme, &root.pub);
}

static void
every_call_fails_once(void)
{
	struct enrolment m = an_enrolment();
	unsigned n = 0;

	do {
		fault_arm(n++);
		CHECK(say_and_believe(&m) == (fault_fired() ? E_CRYPTO : E_OK));
	} while (fault_fired());
	fault_disarm();
	CHECK(n > 6);
}

CHECK_MAIN(T(roles_are_a_table), T(the_programme_is_its_root), T(there_and_back),
	   T(only_the_issuer_signs), T(damage_is_noticed), T(limits_hold_when_writing),
	   T(bad_bodies_are_refused), T(every_call_fails_once))

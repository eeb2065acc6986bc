/*
 * slice: one or more revisions' fields of one sensitivity group, sealed to an office (or to one
 * principal) at the moment they are saved. FORMATS.md section "Slices".
 *
 * A *run* is one HPKE encapsulation (RFC 9180 base mode) and serves every slice sealed by one run
 * of the program; each slice's key is exported by class and index, used once, and wiped.
 *   info      = "banyan run 1" || programme || author || epoch be64
 *   slice key = Export("banyan slice 1" || class u8 || index be32, 32); AES-256-GCM, nonce 0
 *   ad        = "banyan slice 1" || class u8 || index be32 || record id (16)
 *   plaintext = codec u8 || payload   (codec 0: as is; 1: zstd, magicless; 2: one bare zstd block;
 * 3: the same with a dictionary, after its hint u8; others refused) For a slice that begins new
 * records, the record ids are not sent: record j of slice `index` is SHA-256("banyan record 1" ||
 * enc || index be32 || j be16), first 16 bytes.
 */
#ifndef BANYAN_CORE_RECORD_SLICE_H
#define BANYAN_CORE_RECORD_SLICE_H

#include "core/crypto/crypto.h"
#include "core/crypto/hpke.h"
#include "core/id.h"

/* Numbers are forever. CONTROL is not sealed: what every enrolled peer of the programme may read.
 */
enum slice_class { SLICE_ANALYTIC = 0, SLICE_IDENTIFYING = 1, SLICE_NOTICE = 2, SLICE_CONTROL = 3 };

/* Who can open a run: an office's key number, or one principal (to_principal true). */
struct run_recipient {
	bool to_principal;
	uint32_t key_no;
	struct principal_id principal;
};

struct run {
	uint8_t enc[EC_PUBLIC_BYTES];
	struct run_recipient to;
	uint64_t epoch; /* the author's epoch when it was sealed */
	uint32_t next_index;
	struct hpke hpke; /* secret */
};

/* run_begin: a new encapsulation to `key`; next_index 0. Wipe it in the end. E_KEY, E_CRYPTO,
 * E_NO_MEMORY. */
enum err run_begin(struct run *, const struct programme_id *, const struct principal_id *author,
		   uint64_t epoch, const struct run_recipient *, const struct ec_public *key);
/* run_begin_with: the same with the ephemeral key given, which only tests may do. */
enum err
run_begin_with(struct run *, const struct programme_id *, const struct principal_id *author,
	       uint64_t epoch, const struct run_recipient *, const struct ec_public *key,
	       const struct ec_key *ephemeral);
/* run_open: the recipient's side. E_KEY: enc is no point. A wrong key shows in slice_open. */
enum err run_open(struct run *, const struct programme_id *, const struct principal_id *author,
		  uint64_t epoch, const struct run_recipient *, const uint8_t enc[EC_PUBLIC_BYTES],
		  const struct ec_key *key);
void run_wipe(struct run *);

/* run_record_id: the id of record j of slice `index`. */
void run_record_id(struct record_id *out, const uint8_t enc[EC_PUBLIC_BYTES], uint32_t index,
		   uint16_t j);

/*
 * slice_seal: append the ciphertext of `payload` (compressed if that is shorter). `record` is the
 * slice's (first) record id. A class and index are sealed once in a run, never again: the key would
 * be the same. E_NO_ROOM past SLICE_PLAIN_BYTES_MAX, E_NO_MEMORY, E_CRYPTO.
 */
enum err
slice_seal(const struct run *, enum slice_class, uint32_t index, const struct record_id *record,
	   struct bytes payload, struct writer *ciphertext);
/* slice_open: append the payload. E_SEAL, E_SQUEEZE, E_VERSION (unknown codec), E_NO_MEMORY,
 * E_NO_ROOM. */
enum err
slice_open(const struct run *, enum slice_class, uint32_t index, const struct record_id *record,
	   struct bytes ciphertext, struct writer *payload);
/*
 * A form version's dictionary (FORMATS.md "Dictionaries"): it squeezes analytic payloads of that
 * form. `hint` is the first byte of its SHA-256. Lists are walked from the newest.
 */
struct dictionary {
	const struct dictionary *next;
	struct bytes content;
	uint32_t form; /* key of the form version */
	uint8_t hint;
};
/* dictionary_of: a dictionary of these bytes; they are not copied. */
struct dictionary dictionary_of(uint32_t form, struct bytes content);

/*
 * slice_seal_as: slice_seal for an office that announced codecs 2 and 3 (`blocks`), with a
 * dictionary or NULL; the shortest of all is taken. slice_open_as: slice_open where dictionaries
 * are known. E_DICTIONARY: it was made with another one.
 */
enum err slice_seal_as(const struct run *, enum slice_class, uint32_t index,
		       const struct record_id *record, struct bytes payload, bool blocks,
		       const struct dictionary *, struct writer *ciphertext);
enum err
slice_open_as(const struct run *, enum slice_class, uint32_t index, const struct record_id *record,
	      struct bytes ciphertext, const struct dictionary *known, struct writer *payload);
/*
 * slice_key: the content key of one slice: what a stanza wraps for somebody else (stanza.h). A
 * secret: wipe it. slice_open_with: slice_open by who has the key and not the run.
 */
void slice_key(const struct run *, enum slice_class, uint32_t index, uint8_t key[AEAD_KEY_BYTES]);
enum err
slice_open_with(const uint8_t key[AEAD_KEY_BYTES], enum slice_class, uint32_t index,
		const struct record_id *record, struct bytes ciphertext, struct writer *payload);
enum err slice_open_with_as(const uint8_t key[AEAD_KEY_BYTES], enum slice_class, uint32_t index,
			    const struct record_id *record, struct bytes ciphertext,
			    const struct dictionary *known, struct writer *payload);
/* slice_unpack: what stands behind a slice's seal, codec || payload, of at least a byte. For
 * fuzzing; slice_open_as does it. */
enum err slice_unpack(struct bytes wrapped, const struct dictionary *known, struct writer *payload);
/*
 * control_pack / control_unpack: the same codec wrapping without a seal, for CONTROL; up to
 * CONTROL_PLAIN_BYTES_MAX in and CONTROL_BYTES_MAX out, E_NO_ROOM past them. Same errors.
 */
enum err control_pack(struct bytes payload, struct writer *out);
enum err control_unpack(struct bytes wrapped, struct writer *payload);

#endif

/*
 * extract: a table of counts for an audience: answered from the ledger, or made, archived and
 * written down. README.md has the rules.
 */
#ifndef BANYAN_TOOLS_EXTRACT_EXTRACT_H
#define BANYAN_TOOLS_EXTRACT_EXTRACT_H

#include "tools/extract/query.h"
#include "tools/extract/release.h"

struct extracted {
	struct release
	    release; /* its views are in `manifest` or void: only numbers and ids are to be used */
	struct writer manifest; /* manifest.json */
	bool repeated;          /* from the archive */
	uint32_t k;
	uint32_t records; /* that counted; for the bench only, never to be told; 0 when repeated */
	double scan_seconds;
};

/*
 * extract_run: at a node. The table lies in the archive afterwards: release_piece. Free with
 * extracted_free, also after a failure. E_OVERLAP, and what query_read, cube_new and the store say.
 */
enum err extract_run(struct peer *, const struct enrolment *who, const struct query_asked *,
		     struct extracted *out, struct why *);
void extracted_free(struct extracted *);

/* extract_audience: one for each researcher, and "office" for all who work there. */
void extract_audience(const struct enrolment *who, char out[RELEASE_AUDIENCE_BYTES]);

/* table_write: the rows of table.csv. manifest_write: what it was made from and by which rules. */
enum err
table_write(const struct query *, const struct cube *, struct release_writer *, struct why *);
struct manifest_facts {
	uint8_t parcels_sha256[SHA256_BYTES], areas_sha256[SHA256_BYTES];
};
enum err manifest_write(const struct query *, struct peer *, const struct release *,
			const struct manifest_facts *, struct writer *out);

#endif

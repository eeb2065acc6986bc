/*
 * limits: every bound of the formats, with its reason. A bound that a peer can reach is an error
 * that the peer sees, never an assertion.
 */
#ifndef BANYAN_CORE_LIMITS_H
#define BANYAN_CORE_LIMITS_H

#include <stdint.h>

#define AREA_CODE_BYTES_MAX 32u /* P-codes seen are at most 20 characters */
#define NAME_BYTES_MAX 128u     /* a person's, device's or programme's name, UTF-8 */
#define REASON_BYTES_MAX 512u   /* a sentence in any script */
#define AREAS_MAX 200000u       /* Indonesia has 84,000 villages */
#define AREA_NAMES_MAX 64u      /* languages that one area is named in */
#define LANG_BYTES_MAX 35u      /* a BCP 47 tag, as RFC 5646 section 4.4.1 asks for */
#define AREA_DEPTH_MAX 12u      /* programme, nation ... hamlet */

#define SLICE_PLAIN_BYTES_MAX \
	(256u << 10) /* one sealed group of answers; media never ride here \
		      */
#define SLICE_BYTES_MAX (SLICE_PLAIN_BYTES_MAX + 64u)
#define SLICE_REVISIONS_MAX 64u      /* revisions that one slice may hold (saved in one run) */
#define CONTROL_BYTES_MAX (4u << 20) /* a form or an area table, compressed */
#define CONTROL_PLAIN_BYTES_MAX (16u << 20)
#define PARCEL_SLICES_MAX 512u
#define PARCEL_BYTES_MAX (CONTROL_BYTES_MAX + (64u << 10)) /* one control slice and its header */
#define FRAME_BYTES_MAX (PARCEL_BYTES_MAX + 1024u)         /* a parcel fits a frame */
#define PARENTS_MAX 16u                                    /* heads that one revision may settle */
#define REVISIONS_MAX 4096u                                /* revisions of one record */
#define EPOCHS_MAX 16u /* logs of one author before an officer must look */
#define STANZAS_MAX 64u
#define DEVICE_BYTES_MAX \
	(256ull \
	 << 20) /* a device's share of its node's disk: ten years of a village are some 20 MB */
#define DEVICE_SHARE_BYTES_MAX \
	(1ull << 40) /* what an officer may set: past any disk that a node has */

#define SESSIONS_MAX 1024u
#define SESSION_IDLE_MS 60000u /* 2G round trips reach 10 s; a slow-loris is cut after this */
#define HANDSHAKE_MS 30000u
#define HANDSHAKE_SILENT_MS \
	4000u /* when the door is full, who says nothing for so long makes room */
#define HANDSHAKE_FAIR_MS 15000u /* and who takes so long: three round trips of 5 s */
#define SESSION_RATE_BYTES_MIN \
	128u /* a second: a peer slower than this over a whole frame is cut */
#define SESSION_OUTBOX_BYTES \
	(64u << 10) /* parcels are pulled while less waits; then one frame may pass it */
#define SESSION_UNSETTLED_MAX 64u /* parcels at the host for one commit; more wait on the link */
#define SESSION_UNSETTLED_BYTES (1u << 20)
#define SKIP_BYTES_MAX (64u << 10) /* a frame of a kind we do not know */
#define TLS_SESSIONS_MAX 2048u     /* kept for resumption in memory, about 700 bytes each */

#define EXTRACT_CELLS_MAX 50000000u    /* counted in one dense array of 5 bytes a cell: 250 MB */
#define EXTRACT_SUM_CELLS_MAX 5000000u /* a sum needs 45 bytes a cell: 225 MB */
#define EXTRACT_TABLE_BYTES_MAX (256u << 20) /* table.csv; it is archived in the store */
#define EXTRACT_DIMENSIONS_MAX 6u            /* more make cells that nobody may see */
#define EXTRACT_CODES_MAX 200000u            /* of one dimension: AREAS_MAX */

#define SATCHEL_BYTES_MAX \
	(64u << 20) /* a relay's space for others, unless it says otherwise: a thousand villages' \
		       months */
#define SATCHEL_ROWS_MAX 4096u
#define SATCHEL_DAYS_MAX 60u /* past that the author has found another road */
#define SATCHEL_ANSWER_BYTES_MAX \
	(256u << 10) /* an office's words to one author at a time: some forms and notes */
#define SATCHEL_ANSWERS_BYTES_MAX \
	(1u << 20) /* to all of one visit, where the relay does not say what room it has */

#define ATTACH_BYTES_MAX \
	(8u << 20) /* one photograph or some minutes of speech; an hour on a 2G link */
#define ATTACH_CHUNK_BYTES (16u << 10) /* what a cut may cost: a few seconds of a 2G link */
#define ATTACH_CHUNKS_MAX (ATTACH_BYTES_MAX / ATTACH_CHUNK_BYTES)
#define ATTACH_NAME_BYTES_MAX 128u /* the file's own name, without folder */
#define ATTACH_RECORD_MAX 8u       /* of one record */
#define ATTACH_LINKS_MAX 64u       /* of one record over time: each amendment may name others */
#define ATTACH_WAITING_BYTES_MAX \
	(64u << 20) /* that wait on one device: what a cheap handset can spare */
#define ATTACH_DEVICE_BYTES_MAX \
	(256u << 20) /* of one device at its node, so that none fills its disk */
#define ATTACH_ASK_CHUNKS_MAX \
	16u /* said at once, then the node says how far it is: a round trip each 256 KiB */

#define RETENTION_RULES_MAX 128u      /* two for each of sixty forms */
#define RETENTION_FORM_BYTES_MAX 127u /* a form's id, as a LANGUAGES item carries it */
#define RETENTION_DAYS_MAX 36525u     /* a hundred years */

#define PACK_DEPTH_MAX 24u

_Static_assert(SLICE_BYTES_MAX + 4096u <= PARCEL_BYTES_MAX, "a slice fits a parcel");

#endif

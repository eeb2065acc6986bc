/*
 * scan: the records of a form go through, and each that counts is put into the cube. What counts:
 * not void, not rejected, within scope, within the period, of any version of the form.
 */
#ifndef BANYAN_TOOLS_EXTRACT_SCAN_H
#define BANYAN_TOOLS_EXTRACT_SCAN_H

#include "tools/extract/query.h"
#include "tools/node/records/records.h"

/* scan_counts: does this record count for this query? *day: the one it stands under. */
bool scan_counts(const struct query *, const struct record_row *, int32_t *day);
/* scan_span: the first and last day of the records that count; today's if there is none. */
enum err scan_span(const struct query *, struct peer *, struct store_txn *, int32_t *first_day,
		   int32_t *last_day);
/* scan_fill: put them all into the cube. *records: how many counted (never to be told to a
 * researcher). */
enum err scan_fill(const struct query *, struct peer *, struct store_txn *, struct cube *,
		   uint32_t *records);

#endif

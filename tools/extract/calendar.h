/*
 * calendar: days and months of the proleptic Gregorian calendar, in UTC. A day is counted from
 * 1970-01-01, a month as year * 12 + (month - 1).
 */
#ifndef BANYAN_TOOLS_EXTRACT_CALENDAR_H
#define BANYAN_TOOLS_EXTRACT_CALENDAR_H

#include "core/bytes.h"

#define CALENDAR_DAY_BYTES 16u

int32_t calendar_day(int32_t year, int32_t month, int32_t day_of_month);
int32_t calendar_month_of(int32_t day);
/* calendar_read: "YYYY-MM-DD", a day that exists, `n` bytes. */
bool calendar_read(const char *text, size_t n, int32_t *day);
void calendar_write(char out[CALENDAR_DAY_BYTES], int32_t day);

#endif

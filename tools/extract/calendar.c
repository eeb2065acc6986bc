#include "tools/extract/calendar.h"

#include <stdio.h>

/* Years begin in March here, so that a leap day is a year's last. */
int32_t
calendar_day(int32_t year, int32_t month, int32_t day_of_month)
{
	int32_t y = month <= 2 ? year - 1 : year;
	int32_t era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
	int32_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day_of_month - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void
split(int32_t day, int32_t *year, int32_t *month, int32_t *day_of_month)
{
	int32_t z = day + 719468, era = (z >= 0 ? z : z - 146096) / 146097,
		of_era = z - era * 146097;
	int32_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int32_t of_year = of_era - (365 * y + y / 4 - y / 100), m = (5 * of_year + 2) / 153;

	*day_of_month = of_year - (153 * m + 2) / 5 + 1;
	*month = m < 10 ? m + 3 : m - 9;
	*year = y + era * 400 + (*month <= 2);
}

int32_t
calendar_month_of(int32_t day)
{
	int32_t year, month, day_of_month;

	split(day, &year, &month, &day_of_month);
	return year * 12 + month - 1;
}

bool
calendar_read(const char *text, size_t n, int32_t *day)
{
	int32_t part[3] = {0, 0, 0}, year, month, day_of_month;
	size_t i, p = 0;

	if (n != 10)
		return false;
	for (i = 0; i < n; i++) {
		if (i == 4 || i == 7) {
			if (text[i] != '-')
				return false;
			p++;
		} else if (text[i] < '0' || text[i] > '9') {
			return false;
		} else {
			part[p] = part[p] * 10 + (text[i] - '0');
		}
	}
	if (part[1] < 1 || part[1] > 12 || part[2] < 1 || part[2] > 31)
		return false;
	*day = calendar_day(part[0], part[1], part[2]);
	split(*day, &year, &month, &day_of_month); /* 30 February becomes another day */
	return year == part[0] && month == part[1] && day_of_month == part[2];
}

void
calendar_write(char out[CALENDAR_DAY_BYTES], int32_t day)
{
	int32_t year, month, day_of_month;

	split(day, &year, &month, &day_of_month);
	(void)snprintf(out, CALENDAR_DAY_BYTES, "%04d-%02d-%02d", (int)(year % 10000),
		       (int)(month % 100), (int)(day_of_month % 100));
}

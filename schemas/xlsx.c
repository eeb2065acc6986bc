#include "schemas/xlsx.h"

enum err
xlsx_read(struct bytes file, struct arena *arena, struct workbook *out, struct why *why)
{
	(void)file;
	(void)arena;
	*out = (struct workbook){0};
	return why_set(why, E_XLSX, "this build reads .csv and .md only");
}

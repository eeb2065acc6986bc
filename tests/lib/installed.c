/* What somebody else's program looks like: built against the installed library only (installed.sh).
 */
#include <banyan.h>
#include <stdio.h>

int
main(void)
{
	struct banyan *b;
	int status = banyan_open(&b, "/nonexistent/store", "", 0);

	if (b != NULL)
		printf("%s\n", banyan_message(b));
	banyan_close(b);
	return status == 66 ? 0 : 1;
}

/* banyan: the one program. Everything else is in front.c and the commands. */
#include "tools/front.h"

#ifdef BANYAN_TEST_PLAIN
#include <stdio.h>
#endif

int
main(int argc, char **argv)
{
#ifdef BANYAN_TEST_PLAIN
	(void)fprintf(stderr,
		      "banyan: THIS IS A TEST BUILD THAT SEALS NOTHING: never for real use\n");
#endif
	return front_main(argc, argv);
}

/* banyan: the one program. Everything else is in front.c and the commands. */
#include "tools/front.h"

int
main(int argc, char **argv)
{
	return front_main(argc, argv);
}

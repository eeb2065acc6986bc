/* With the real cryptography: what it draws comes from the seed too, so that a run can be had again. */
#include "core/crypto.h"
#include "tests/sim/sim.h"

void __wrap_crypto_random(void *out, size_t count);

void
__wrap_crypto_random(void *out, size_t count)
{
	sim_random(out, count);
}

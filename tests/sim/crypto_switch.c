/* Which cryptography a seed runs with: the model, or the real one through core's one door. Linked
 * with --wrap. */
#include "tests/sim/crypto_switch.h"

bool crypto_is_real;

#define V(name, parameters, arguments) \
	void __wrap_crypto_##name parameters; \
	void __real_crypto_##name parameters; \
	void __wrap_crypto_##name parameters \
	{ \
		if (crypto_is_real) \
			__real_crypto_##name arguments; \
		else \
			model_##name arguments; \
	}
#define E(name, parameters, arguments) \
	enum err __wrap_crypto_##name parameters; \
	enum err __real_crypto_##name parameters; \
	enum err __wrap_crypto_##name parameters \
	{ \
		return crypto_is_real ? __real_crypto_##name arguments : model_##name arguments; \
	}
#include "tests/sim/crypto_switch.def"

/* What either draws comes from the seed, so that a run can be had again. */
void __wrap_crypto_random(void *, size_t);
void
__wrap_crypto_random(void *out, size_t count)
{
	sim_random(out, count);
}

/* crypto_switch: the model of core/crypto/crypto.h, and which of both a seed has. */
#ifndef BANYAN_TESTS_SIM_CRYPTO_SWITCH_H
#define BANYAN_TESTS_SIM_CRYPTO_SWITCH_H

#include "core/crypto/crypto.h"
#include "tests/sim/sim.h"

extern bool crypto_is_real;

#define V(name, parameters, arguments) void model_##name parameters;
#define E(name, parameters, arguments) enum err model_##name parameters;
#include "tests/sim/crypto_switch.def"
#undef V
#undef E

#endif

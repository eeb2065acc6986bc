/*
 * answers_random: a questionnaire answered by dice, so that it holds: for training a form's
 * dictionary, for tests and benchmarks. Nothing in it comes from a person. The same seed gives the
 * same answers.
 */
#ifndef BANYAN_SCHEMAS_ANSWERS_RANDOM_H
#define BANYAN_SCHEMAS_ANSWERS_RANDOM_H

#include "schemas/answers.h"

/*
 * How often each choice is chosen, where something is known of it: weights[field] is an array as
 * long as form_choice_count, or NULL: all alike. May be NULL as a whole.
 */
struct answer_dice {
	uint64_t seed;
	const uint32_t *const *weights;
};

/*
 * answers_random: a new questionnaire with an answer to everything that must have one and to half
 * of the rest. E_ABSENT: the dice found none that the form takes (its constraints want something
 * particular). E_NO_MEMORY.
 */
enum err answers_random(struct answers **out, const struct form *, const struct answer_env *,
			const struct answer_dice *);

#endif

/* xpath_regex: a compiled expression: xpath_regex_parse.c writes it, xpath_regex.c runs it. */
#ifndef BANYAN_SCHEMAS_XPATH_REGEX_H
#define BANYAN_SCHEMAS_XPATH_REGEX_H

#include <stdbool.h>
#include <stdint.h>

#define PROGRAM_MAX 4096
#define ITEMS_MAX 512
#define GROUPS_MAX 32

enum op { CHAR, ANY, CLASS, SPLIT, JUMP, BEGIN, END, EDGE, NOT_EDGE, MATCH };
struct code { /* an instruction */
	enum op op;
	int32_t a, b; /* CHAR: a; CLASS: items a..a+b; SPLIT, JUMP: relative targets */
	bool negated;
};

/* A member of a class: a range, or a property by its letter. */
struct item {
	int32_t low, high;
	char property;
	bool negated;
};

struct regex {
	const char *at;
	struct code code[PROGRAM_MAX];
	struct item items[ITEMS_MAX];
	int count, item_count, depth;
	bool bad;
};

/* xpath_regex_parse: `r`, all zero, compiled from `pattern`. False: it is none, or too large. */
bool xpath_regex_parse(struct regex *r, const char *pattern);

#endif

/* cli_flags.h: the rows of the flags, between parser and help. */
#ifndef CLI_CLI_FLAGS_H
#define CLI_CLI_FLAGS_H

#include <stdbool.h>

#include "cli/cli.h"

#define CLI_NFLAGS 24

struct cli_flag_row {
	enum cli_flag id;
	const char *name;   /* without the dashes; NULL ends the rows */
	char letter;        /* 0: none */
	const char *arg;    /* NULL: takes none */
	const char *help;
};
extern const struct cli_flag_row cli_flags_rows[];

/* Take one flag into a; text is its value when it has one. False: a message
 * naming the command was printed. */
bool cli_flags_set(const struct cli_command *c, const struct cli_flag_row *r,
    const char *text, struct cli_args *a) MUST_USE;

#endif

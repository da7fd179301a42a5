/* cli_help.c: everything a person reads about commands, from their rows. */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "cli/cli_flags.h"
#include "cli/cli_near.h"

#define COLUMN 26   /* of the explanations */
#define WIDTH  78

/* Words of text, wrapped, starting at column `at`. */
static void
wrap(const char *text, int at)
{
	int col = at;

	while (*text != '\0') {
		int n = (int)strcspn(text, " ");

		if (col > at && col + 1 + n > WIDTH) {
			(void)printf("\n%*s", at, "");
			col = at;
		}
		(void)printf("%s%.*s", col > at ? " " : "", n, text);
		col += n + (col > at);
		text += n;
		while (*text == ' ')
			text++;
	}
	(void)printf("\n");
}

void
cli_help_flags(unsigned flags)
{
	for (const struct cli_flag_row *r = cli_flags_rows; r->name; r++) {
		int n;

		if ((flags & r->id) == 0)
			continue;
		n = r->letter != 0 ? printf("  -%c, ", r->letter) :
		    printf("      ");
		n += printf("--%s%s%s", r->name, r->arg != NULL ? " " : "",
		    r->arg != NULL ? r->arg : "");
		(void)printf("%*s", n < COLUMN - 1 ? COLUMN - n : 1, "");
		wrap(r->help, COLUMN);
	}
}

void
cli_help_all(const struct cli_command *rows, const char *version)
{
	(void)printf("vedette %s: watches services, tells the truth about "
	    "them, loses nothing.\n\nusage: vedette COMMAND [FLAG…]\n\n",
	    version);
	for (const struct cli_command *c = rows; c->name != NULL; c++) {
		int n;

		if (c->hidden)
			continue;
		n = printf("  %s", c->name);
		(void)printf("%*s", n < 16 ? 16 - n : 1, "");
		wrap(c->brief, 16);
	}
	(void)printf("\n\"vedette help COMMAND\" says more. Flags go before the "
	    "environment, the\nenvironment before the file, the file before "
	    "defaults.\nExit codes: 0 done, 1 failed, 2 usage or invalid "
	    "input; plan: 3 changes.\n");
}

static void
usage_line(FILE *out, const struct cli_command *c)
{
	(void)fprintf(out, "usage: vedette %s%s%s\n", c->name,
	    c->args[0] != '\0' ? " " : "", c->args);
}

void
cli_help_one(const struct cli_command *c)
{
	usage_line(stdout, c);
	(void)printf("\n");
	wrap(c->brief, 0);
	if (c->help[0] != '\0')
		(void)printf("\n%s\n", c->help);
	if (c->flags != 0) {
		(void)printf("\n");
		cli_help_flags(c->flags);
	}
}

int
cli_help_usage(const struct cli_command *c)
{
	usage_line(stderr, c);
	(void)fprintf(stderr, "\"vedette help %s\" says more\n", c->name);
	return CLI_USAGE;
}

int
cli_help_unknown(const struct cli_command *rows, const char *name)
{
	const struct cli_command *best = NULL;
	unsigned least = 0;
	BUF_AUTO(shown, 256);

	text_line(&shown, str_of(name), 60);
	for (const struct cli_command *c = rows; c->name != NULL; c++) {
		unsigned d = cli_near_distance(name, c->name);

		if (c->hidden || !cli_near_close(name, c->name))
			continue;
		if (best == NULL || d < least) {
			best = c;
			least = d;
		}
	}
	(void)fprintf(stderr, "vedette: there is no command \"%s\"%s%s%s; "
	    "\"vedette help\" lists them\n", shown.p != NULL ? shown.p : "",
	    best != NULL ? "; did you mean \"" : "",
	    best != NULL ? best->name : "", best != NULL ? "\"?" : "");
	return CLI_USAGE;
}

/* cli_args.c: flags of the client commands, from one table that is also the
 * source of the help texts. */
#include "cli/cli.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "cli/cli_flags.h"

/* What getopt returns for a row: beyond any character. */
#define ROW_VALUE 256
#define HELP_VALUE 1000

/* getopt's two tables for what this command allows. */
static void
tables_make(const struct cli_command *c, struct option *longs, char *shorts)
{
	size_t nl = 0, ns = 0;

	shorts[ns++] = ':';
	shorts[ns++] = 'h';
	for (size_t i = 0; i < CLI_NFLAGS; i++) {
		const struct cli_flag_row *r = &cli_flags_rows[i];

		if ((c->flags & r->id) == 0)
			continue;
		longs[nl++] = (struct option){r->name, r->arg != NULL,
			NULL, ROW_VALUE + (int)i};
		if (r->letter == 0)
			continue;
		shorts[ns++] = r->letter;
		if (r->arg != NULL)
			shorts[ns++] = ':';
	}
	longs[nl++] = (struct option){"help", no_argument, NULL, HELP_VALUE};
	longs[nl] = (struct option){0};
	shorts[ns] = '\0';
}

static const struct cli_flag_row *
row_of(int value)
{
	if (value >= ROW_VALUE && value < ROW_VALUE + (int)CLI_NFLAGS)
		return &cli_flags_rows[value - ROW_VALUE];
	for (size_t i = 0; i < CLI_NFLAGS; i++)
		if (cli_flags_rows[i].letter == value)
			return &cli_flags_rows[i];
	return NULL;
}

static bool
args_count(const struct cli_command *c, int argc, char **argv,
    struct cli_args *ret)
{
	for (int i = optind; i < argc; i++) {
		if (ret->nargs >= c->args_max || ret->nargs >= CLI_ARGS_MAX) {
			(void)fprintf(stderr, "vedette %s: unexpected argument "
			    "\"%s\"\n", c->name, argv[i]);
			(void)cli_help_usage(c);
			return false;
		}
		ret->arg[ret->nargs++] = argv[i];
	}
	if (ret->nargs >= c->args_min)
		return true;
	(void)fprintf(stderr, "vedette %s: an argument is missing\n", c->name);
	(void)cli_help_usage(c);
	return false;
}

bool
cli_args_parse(const struct cli_command *c, int argc, char **argv,
    struct cli_args *ret)
{
	struct option longs[CLI_NFLAGS + 2];
	char shorts[2 * CLI_NFLAGS + 3];
	int v;

	*ret = (struct cli_args){.timeout_ns = 5 * NS_PER_S};
	tables_make(c, longs, shorts);
	optind = 1;
	opterr = 0;
	while ((v = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		const struct cli_flag_row *r = row_of(v);

		if (v == 'h' || v == HELP_VALUE) {
			cli_help_one(c);
			ret->helped = true;
			return false;
		}
		if (r == NULL) {
			(void)fprintf(stderr, v == ':' ?
			    "vedette %s: %s needs a value\n" :
			    "vedette %s: unknown flag %s\n", c->name,
			    argv[optind - 1]);
			(void)cli_help_usage(c);
			return false;
		}
		if (!cli_flags_set(c, r, optarg, ret))
			return false;
	}
	return args_count(c, argc, argv, ret);
}

/* How many of the leading words belong to this flag: 0 none, 1, or 2. */
static int
lead_words(const char *word)
{
	if (word[0] != '-' || word[1] == '\0')
		return 0;
	if (word[1] != '-') {
		const struct cli_flag_row *r = row_of((unsigned char)word[1]);

		return r != NULL && r->arg != NULL && word[2] == '\0' ? 2 : 1;
	}
	for (size_t i = 0; i < CLI_NFLAGS; i++)
		if (strcmp(word + 2, cli_flags_rows[i].name) == 0)
			return cli_flags_rows[i].arg != NULL ? 2 : 1;
	return 1;
}

int
cli_args_rotate(int argc, char **argv, char **out)
{
	int lead = 0, n = 0;

	while (lead < argc) {
		int w = lead_words(argv[lead]);

		if (w == 0)
			break;
		lead += w;
	}
	if (lead >= argc)   /* flags only: "vedette --help" is main's */
		lead = 0;
	if (lead < argc)
		out[n++] = argv[lead];
	for (int i = 0; i < argc; i++)
		if (i != lead)
			out[n++] = argv[i];
	out[n] = NULL;
	return n;
}

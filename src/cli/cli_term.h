/* cli_term.h: what goes to a person: colours when stdout is a terminal and
 * NO_COLOR is not set, foreign text made harmless, columns by characters. */
#ifndef CLI_CLI_TERM_H
#define CLI_CLI_TERM_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/buf.h"
#include "cli/cli.h"

enum cli_colour {
	COLOUR_NONE, COLOUR_RED, COLOUR_GREEN, COLOUR_YELLOW, COLOUR_MAGENTA,
	COLOUR_DIM, COLOUR_BOLD
};

bool cli_term_tty(void);       /* stdout is a terminal */
unsigned cli_term_width(void); /* of the terminal; 0 when there is none */
/* Coloured when allowed; text is ours or already harmless. */
void cli_term_paint(struct buf *b, enum cli_colour colour, const char *text);
/* Foreign text on one line, cut and padded to width columns (0: as long as
 * it is, at most 1 KiB). */
void cli_term_cell(struct buf *b, const char *text, unsigned width);
unsigned cli_term_columns(struct str s);   /* characters, wide ones twice */
void cli_term_flush(struct buf *b);        /* to stdout, then empty */

/* How a status looks: its colour and a shape that differs without colour. */
enum cli_colour cli_term_colour(const char *status);
const char *cli_term_shape(const char *status);
/* One bar a value, ▁ to █ between least and most; -1 is a gap "·". */
void cli_term_spark(struct buf *b, const int64_t *v, unsigned n);
/* An RFC 3339 time as its age: "3h 2m"; "never" for "". */
void cli_term_age(struct buf *b, const char *rfc3339);
void cli_term_latency(struct buf *b, int64_t us);   /* "12 ms"; "-" for -1 */
void cli_term_ratio(struct buf *b, const json_t *ratio);   /* "99.95 %" */

/* Ask on the terminal; false on anything but y or yes. */
bool cli_term_ask(const char *question);
/* Print "vedette COMMAND: what" to stderr; the exit code for it. */
int cli_term_failed(const char *command, enum err e, const struct errinfo *ei);
/* JSON to stdout, ASCII only on a terminal. */
void cli_term_json(const json_t *v);

#endif

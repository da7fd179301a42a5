/* cli_term.c: see the header. */
#include "cli/cli_term.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/text.h"
#include "base/time.h"
#include "world/world.h"

#define LINE_MAX_BYTES 1024

struct look {
	const char *status;
	enum cli_colour colour;
	const char *shape;
};

static const struct look looks[] = {
	{"down", COLOUR_RED, "✖"},
	{"unknown", COLOUR_MAGENTA, "?"},
	{"late", COLOUR_YELLOW, "◷"},
	{"degraded", COLOUR_YELLOW, "▲"},
	{"pending", COLOUR_DIM, "○"},
	{"up", COLOUR_GREEN, "●"},
	{"paused", COLOUR_DIM, "‖"},
};

bool
cli_term_tty(void)
{
	return isatty(STDOUT_FILENO) == 1;
}

unsigned
cli_term_width(void)
{
	struct winsize w;

	if (!cli_term_tty())
		return 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) != 0 || w.ws_col == 0)
		return 80;
	return w.ws_col;
}

static bool
colours(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return cli_term_tty() && (no == NULL || no[0] == '\0') &&
	    (term == NULL || strcmp(term, "dumb") != 0);
}

void
cli_term_paint(struct buf *b, enum cli_colour colour, const char *text)
{
	static const char *const codes[] = {
		[COLOUR_NONE] = "", [COLOUR_RED] = "31",
		[COLOUR_GREEN] = "32", [COLOUR_YELLOW] = "33",
		[COLOUR_MAGENTA] = "35", [COLOUR_DIM] = "2",
		[COLOUR_BOLD] = "1",
	};

	if (colour == COLOUR_NONE || !colours())
		buf_adds(b, text);
	else
		buf_addf(b, "\033[%sm%s\033[0m", codes[colour], text);
}

/* One character of valid UTF-8: its bytes, and the columns it takes. Wide are
 * the blocks of CJK, Hangul, full-width forms and emoji: enough to keep
 * columns straight without the locale's tables. */
static size_t
character(const char *p, size_t n, unsigned *columns)
{
	unsigned char c = (unsigned char)p[0];
	size_t len = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	uint32_t u = len == 1 ? c : c & (0x7fu >> len);

	len = MIN(len, n);
	for (size_t i = 1; i < len; i++)
		u = u << 6 | ((unsigned char)p[i] & 0x3f);
	*columns = 1;
	if ((u >= 0x300 && u <= 0x36f) || (u >= 0x200b && u <= 0x200d) ||
	    (u >= 0xfe00 && u <= 0xfe0f))
		*columns = 0;
	else if ((u >= 0x1100 && u <= 0x115f) || (u >= 0x2e80 && u <= 0xa4cf) ||
	    (u >= 0xac00 && u <= 0xd7a3) || (u >= 0xf900 && u <= 0xfaff) ||
	    (u >= 0xfe30 && u <= 0xfe6f) || (u >= 0xff00 && u <= 0xff60) ||
	    (u >= 0x1f300 && u <= 0x1faff) || (u >= 0x20000 && u <= 0x3fffd))
		*columns = 2;
	return len;
}

unsigned
cli_term_columns(struct str s)
{
	unsigned all = 0, w;

	for (size_t i = 0; i < s.n; all += w)
		i += character(s.p + i, s.n - i, &w);
	return all;
}

void
cli_term_cell(struct buf *b, const char *text, unsigned width)
{
	BUF_AUTO(safe, 4 * LINE_MAX_BYTES);
	unsigned at = 0, w;
	size_t len;
	bool cut;

	text_line(&safe, str_of(text), LINE_MAX_BYTES);
	cut = width > 0 && cli_term_columns(buf_str(&safe)) > width;
	for (size_t i = 0; i < safe.n; i += len, at += w) {
		len = character(safe.p + i, safe.n - i, &w);
		if (cut && at + w > width - 1)
			break;
		buf_add(b, (struct str){safe.p + i, len});
	}
	if (cut) {
		buf_adds(b, "…");
		at++;
	}
	for (; at < width; at++)
		buf_addc(b, ' ');
}

void
cli_term_flush(struct buf *b)
{
	if (b->n > 0)
		(void)fwrite(b->p, 1, b->n, stdout);
	buf_clear(b);
}

enum cli_colour
cli_term_colour(const char *status)
{
	for (size_t i = 0; i < COUNT(looks); i++)
		if (strcmp(looks[i].status, status) == 0)
			return looks[i].colour;
	return COLOUR_NONE;
}

const char *
cli_term_shape(const char *status)
{
	for (size_t i = 0; i < COUNT(looks); i++)
		if (strcmp(looks[i].status, status) == 0)
			return looks[i].shape;
	return "?";
}

void
cli_term_spark(struct buf *b, const int64_t *v, unsigned n)
{
	static const char *const bars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇",
		"█"};
	int64_t least = INT64_MAX, most = -1;

	for (unsigned i = 0; i < n; i++) {
		if (v[i] < 0)
			continue;
		least = MIN(least, v[i]);
		most = MAX(most, v[i]);
	}
	for (unsigned i = 0; i < n; i++) {
		double share = most > least ? (double)(v[i] - least) /
		    (double)(most - least) : 0;

		buf_adds(b, v[i] < 0 ? "·" : bars[(int)(share * 7)]);
	}
}

void
cli_term_age(struct buf *b, const char *rfc3339)
{
	char text[TIME_TEXT];
	int64_t us;

	if (rfc3339[0] == '\0' || !time_parse_utc(str_of(rfc3339), &us)) {
		buf_adds(b, "never");
		return;
	}
	us = MAX(clock_wall_us() - us, INT64_C(0)) / US_PER_S;
	buf_adds(b, time_format_human(us * NS_PER_S, text));
}

void
cli_term_latency(struct buf *b, int64_t us)
{
	char text[TIME_TEXT];

	buf_adds(b, us < 0 ? "-" : time_format_human(us * NS_PER_US, text));
}

void
cli_term_ratio(struct buf *b, const json_t *ratio)
{
	double r = json_number_value(ratio);

	if (!json_is_number(ratio))
		buf_adds(b, "-");
	else if (r >= 1)
		buf_adds(b, "100 %");
	else   /* cut, never rounded up: 99.999 % is not 100 % */
		buf_addf(b, "%.2f %%", floor(r * 10000) / 100);
}

bool
cli_term_ask(const char *question)
{
	char line[16];

	(void)printf("%s [y/N] ", question);
	(void)fflush(stdout);
	if (fgets(line, sizeof(line), stdin) == NULL)
		return false;
	line[strcspn(line, "\r\n")] = '\0';
	return strcasecmp(line, "y") == 0 || strcasecmp(line, "yes") == 0;
}

int
cli_term_failed(const char *command, enum err e, const struct errinfo *ei)
{
	char text[1024];
	BUF_AUTO(b, sizeof(text) * 4);

	(void)errinfo_text(ei, text, sizeof(text));
	text_line(&b, str_of(text), sizeof(text));
	(void)fprintf(stderr, "vedette %s: %s\n", command,
	    b.p != NULL ? b.p : "");
	return e == ERR_INVALID || e == ERR_PARSE || e == ERR_LIMIT ?
	    CLI_USAGE : CLI_FAILED;
}

void
cli_term_json(const json_t *v)
{
	size_t flags = JSON_INDENT(2) | JSON_ENCODE_ANY;

	if (cli_term_tty())
		flags |= JSON_ENSURE_ASCII;
	(void)json_dumpf(v, stdout, flags);
	(void)putchar('\n');
}

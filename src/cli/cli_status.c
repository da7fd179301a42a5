/* cli_status.c: how everything is, as a table for people, plain lines for
 * pipes, or the API's JSON. Answering is success: the exit code says whether
 * vedette answered, not whether all is up. */
#include "cli/cli.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/time.h"
#include "cli/cli_find.h"
#include "cli/cli_json.h"
#include "cli/cli_term.h"
#include "world/world.h"

#define TABLE_MAX  (64u << 20)
#define SPARK      20    /* bars */
#define SPARK_ROWS 60    /* one request a row: only for so many monitors */
#define NAME_MIN   12u
#define NAME_MAX_  36u

/* The latest latencies, oldest first; 0 when there are none to be had: a
 * sparkline is not worth failing for. */
static unsigned
latencies(struct client *c, const json_t *m, int64_t v[SPARK])
{
	json_t *list CLEANUP(cli_json_freep) = NULL;
	struct errinfo ei = {0};
	const json_t *items;
	char path[128];
	unsigned n;

	(void)snprintf(path, sizeof(path), "/api/v1/monitors/%" PRId64
	    "/samples", cli_json_int(m, "id", 0));
	if (cli_find_list(c, path, SPARK, &list, &ei) != ERR_OK)
		return 0;
	items = json_object_get(list, "items");
	n = (unsigned)MIN(json_array_size(items), (size_t)SPARK);
	for (unsigned i = 0; i < n; i++) {
		const json_t *s = json_array_get(items, n - 1 - i);
		const char *st = cli_json_text(s, "why");

		v[i] = strcmp(st, "ok") == 0 || strcmp(st, "slow") == 0 ?
		    cli_json_int(s, "latency_us", -1) : -1;
	}
	return n;
}

struct table {
	struct client *c;
	unsigned name_width, width;   /* width 0: no terminal */
	bool spark;
	struct buf *b;
};

static const char *
member_name(const json_t *m)
{
	return cli_json_text(m, cli_json_text(m, "group")[0] != '\0' ?
	    "name" : "path");
}

/* One field in a column of its own width. */
static void
column(struct buf *b, void (*fill)(struct buf *, const json_t *),
    const json_t *m, unsigned width)
{
	BUF_AUTO(cell, 256);

	fill(&cell, m);
	for (unsigned n = cli_term_columns(buf_str(&cell)); n < width; n++)
		buf_addc(b, ' ');
	buf_add(b, buf_str(&cell));
	buf_adds(b, "  ");
}

static void
fill_latency(struct buf *b, const json_t *m)
{
	cli_term_latency(b, cli_json_int(m, "latency_us", -1));
}

static void
fill_uptime(struct buf *b, const json_t *m)
{
	cli_term_ratio(b, json_object_get(m, "uptime_90d"));
}

static void
fill_since(struct buf *b, const json_t *m)
{
	cli_term_age(b, cli_json_text(m, "since"));
}

static void
row_tty(struct table *t, const json_t *m)
{
	const char *status = cli_json_text(m, "status");
	bool member = cli_json_text(m, "group")[0] != '\0';
	enum cli_colour colour = cli_term_colour(status);
	int64_t v[SPARK];
	unsigned n = 0;
	BUF_AUTO(shown, 64);
	BUF_AUTO(spark, 256);

	buf_adds(t->b, member ? "  " : "");
	cli_term_paint(t->b, colour, cli_term_shape(status));
	buf_addc(t->b, ' ');
	cli_term_cell(t->b, member_name(m), t->name_width - (member ? 2 : 0));
	buf_adds(t->b, "  ");
	cli_term_cell(&shown, status, 8);
	cli_term_paint(t->b, colour, shown.p != NULL ? shown.p : "");
	buf_adds(t->b, "  ");
	column(t->b, fill_latency, m, 8);
	if (t->spark) {
		n = latencies(t->c, m, v);
		cli_term_spark(&spark, v, n);
		for (; n < SPARK; n++)
			buf_addc(t->b, ' ');
		cli_term_paint(t->b, COLOUR_DIM, spark.p != NULL ?
		    spark.p : "");
		buf_adds(t->b, "  ");
	}
	column(t->b, fill_uptime, m, 8);
	column(t->b, fill_since, m, 8);
	if (json_is_object(json_object_get(m, "maintenance")))
		buf_adds(t->b, "(maintenance) ");
	cli_term_cell(t->b, cli_json_text(m, "reason"), 0);
	buf_addc(t->b, '\n');
}

/* One tab-separated line: path, status, latency in µs, uptime, since, reason.
 * Foreign text holds no tab after text_line. */
static void
row_plain(struct table *t, const json_t *m)
{
	cli_term_cell(t->b, cli_json_text(m, "path"), 0);
	buf_addc(t->b, '\t');
	cli_term_cell(t->b, cli_json_text(m, "status"), 0);
	buf_addc(t->b, '\t');
	fill_latency(t->b, m);
	buf_addc(t->b, '\t');
	fill_uptime(t->b, m);
	buf_addc(t->b, '\t');
	cli_term_cell(t->b, cli_json_text(m, "since"), 0);
	buf_addc(t->b, '\t');
	cli_term_cell(t->b, cli_json_text(m, "reason"), 0);
	buf_addc(t->b, '\n');
}

static void
counts_print(struct buf *b, const json_t *items)
{
	static const char *const names[] = {"down", "unknown", "late",
		"degraded", "pending", "up", "paused"};
	unsigned n[COUNT(names)] = {0};
	size_t i;
	json_t *m;

	json_array_foreach(items, i, m) {
		if (strcmp(cli_json_text(m, "type"), "group") == 0)
			continue;
		for (size_t k = 0; k < COUNT(names); k++)
			n[k] += strcmp(cli_json_text(m, "status"),
			    names[k]) == 0;
	}
	for (size_t k = 0; k < COUNT(names); k++) {
		char text[48];

		if (n[k] == 0)
			continue;
		(void)snprintf(text, sizeof(text), "%u %s", n[k], names[k]);
		cli_term_paint(b, cli_term_colour(names[k]), text);
		buf_adds(b, "  ");
	}
	buf_addc(b, '\n');
}

/* The end before "/" before the rest: members directly below their group. */
static unsigned
rank(char c)
{
	return c == '\0' ? 0 : c == '/' ? 1 : 1u + (unsigned char)c;
}

static int
by_path(const void *a, const void *b)
{
	const json_t *const *x = a, *const *y = b;
	const char *px = cli_json_text(*x, "path");
	const char *py = cli_json_text(*y, "path");

	for (; *px != '\0' && *px == *py; px++)
		py++;
	return (int)rank(*px) - (int)rank(*py);
}

static void
table_print(struct table *t, const json_t *items)
{
	size_t i, n = json_array_size(items);
	const json_t **v = xcalloc(n + 1, sizeof(*v));

	t->name_width = NAME_MIN;
	for (i = 0; i < n; i++) {
		BUF_AUTO(name, 4096);

		v[i] = json_array_get(items, i);
		cli_term_cell(&name, member_name(v[i]), 0);
		t->name_width = MAX(t->name_width,
		    cli_term_columns(buf_str(&name)) + 2);
	}
	t->name_width = MIN(t->name_width, NAME_MAX_);
	t->spark = t->width >= t->name_width + 70 && n <= SPARK_ROWS;
	qsort(v, n, sizeof(*v), by_path);
	for (i = 0; i < n; i++) {
		if (t->width > 0)
			row_tty(t, v[i]);
		else
			row_plain(t, v[i]);
	}
	xfree(v);
	if (t->width > 0 && n > 0)
		counts_print(t->b, items);
	else if (n == 0)
		buf_adds(t->b, "no monitors\n");
}

static int
status_all(const struct cli_args *a)
{
	struct client *c CLEANUP(cli_client_freep) = NULL;
	json_t *list CLEANUP(cli_json_freep) = NULL;
	struct errinfo ei = {0};
	BUF_AUTO(b, TABLE_MAX);
	struct table t = {.b = &b, .width = cli_term_width()};
	enum err e = cli_client_open(a, NULL, &c, &ei);

	if (e == ERR_OK)
		e = cli_find_list(c, "/api/v1/monitors", 0, &list, &ei);
	if (e != ERR_OK)
		return cli_term_failed("status", e, &ei);
	if (a->json) {
		cli_term_json(list);
		return CLI_DONE;
	}
	t.c = c;
	table_print(&t, json_object_get(list, "items"));
	cli_term_flush(&b);
	return CLI_DONE;
}

/* -- one monitor --------------------------------------------------------- */

static void
line(struct buf *b, const char *label, const char *text)
{
	if (text[0] == '\0')
		return;
	cli_term_cell(b, label, 14);
	cli_term_cell(b, text, 0);
	buf_addc(b, '\n');
}

static void
line_filled(struct buf *b, const char *label,
    void (*fill)(struct buf *, const json_t *), const json_t *m)
{
	BUF_AUTO(text, 256);

	fill(&text, m);
	line(b, label, text.p != NULL ? text.p : "");
}

static void
line_time(struct buf *b, const char *label, const char *at)
{
	BUF_AUTO(text, 512);

	if (at[0] == '\0')
		return;
	buf_addf(&text, "%s (", at);
	cli_term_age(&text, at);
	buf_adds(&text, " ago)");
	line(b, label, text.p);
}

static void
line_spark(struct buf *b, struct client *c, const json_t *m)
{
	int64_t v[SPARK];
	unsigned n = latencies(c, m, v);
	BUF_AUTO(spark, 256);

	cli_term_spark(&spark, v, n);
	line(b, "latencies", spark.p != NULL ? spark.p : "");
}

/* "24h 100%   7d 99.95% …"; a window without an answer is left out, but an
 * answer without a ratio says so. */
static void
line_uptime(struct buf *b, struct client *c, const json_t *m)
{
	static const struct { const char *name; int64_t s; } windows[] = {
		{"24h", 86400}, {"7d", 7 * 86400}, {"30d", 30 * 86400},
		{"90d", 90 * 86400},
	};
	int64_t now = clock_wall_us() / US_PER_S;
	BUF_AUTO(text, 512);

	for (size_t i = 0; i < COUNT(windows); i++) {
		json_t *u CLEANUP(cli_json_freep) = NULL;
		struct errinfo ei = {0};
		char path[160];

		(void)snprintf(path, sizeof(path), "/api/v1/monitors/%" PRId64
		    "/uptime?from=%" PRId64, cli_json_int(m, "id", 0),
		    now - windows[i].s);
		if (cli_client_get(c, path, &u, &ei) != ERR_OK)
			continue;
		buf_adds(&text, text.n > 0 ? "   " : "");
		buf_addf(&text, "%s ", windows[i].name);
		cli_term_ratio(&text, json_object_get(u, "ratio"));
	}
	line(b, "uptime", text.p != NULL ? text.p : "");
}

static void
monitor_print(struct buf *b, struct client *c, const json_t *m)
{
	const char *status = cli_json_text(m, "status");
	BUF_AUTO(head, 128);

	cli_term_cell(b, cli_json_text(m, "path"), 0);
	buf_addc(b, '\n');
	buf_addf(&head, "%s ", cli_term_shape(status));
	cli_term_cell(&head, status, 0);
	cli_term_cell(b, "status", 14);
	cli_term_paint(b, cli_term_colour(status), head.p);
	buf_addc(b, '\n');
	line(b, "why", cli_json_text(m, "why"));
	line(b, "reason", cli_json_text(m, "reason"));
	line_time(b, "since", cli_json_text(m, "since"));
	line_time(b, "last checked", cli_json_text(m, "last"));
	line(b, "type", cli_json_text(m, "type"));
	line(b, "target", cli_json_text(m, "target"));
	line(b, "description", cli_json_text(m, "description"));
	line_filled(b, "latency", fill_latency, m);
	line_spark(b, c, m);
	line_uptime(b, c, m);
	line(b, "next deadline", cli_json_text(m, "next_deadline"));
	line(b, "certificate", cli_json_text(m, "cert_expires"));
	line(b, "origin", cli_json_text(m, "origin"));
	buf_addf(b, "%-14s%" PRId64 "\n", "id", cli_json_int(m, "id", 0));
}

int
cli_status_run(const struct cli_env *env, const struct cli_args *a)
{
	struct client *c CLEANUP(cli_client_freep) = NULL;
	json_t *m CLEANUP(cli_json_freep) = NULL;
	BUF_AUTO(b, 1 << 20);
	int rc;

	(void)env;
	if (a->nargs == 0)
		return status_all(a);
	rc = cli_find_open("status", a, &c, &m);
	if (rc != CLI_DONE)
		return rc;
	if (a->json) {
		cli_term_json(m);
		return CLI_DONE;
	}
	monitor_print(&b, c, m);
	cli_term_flush(&b);
	return CLI_DONE;
}

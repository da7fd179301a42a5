/* cli_events.c: the event log, and the live stream of it, which is taken up
 * again by id after the connection was lost. */
#include "cli/cli.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/time.h"
#include "cli/cli_client.h"
#include "cli/cli_find.h"
#include "cli/cli_json.h"
#include "cli/cli_sse.h"
#include "cli/cli_term.h"

#define LIMIT_DEFAULT 50
#define LIMIT_FOLLOW  10
#define OUT_MAX       (64u << 20)
#define WAIT_MIN_NS   (200 * NS_PER_MS)
#define WAIT_MAX_NS   (5 * NS_PER_S)

static void
event_print(struct buf *b, const json_t *v, bool json)
{
	const char *from = cli_json_text(v, "from");
	const char *to = cli_json_text(v, "to");
	const char *text = cli_json_text(v, "text");
	char *line;

	if (json) {
		line = json_dumps(v, JSON_COMPACT | JSON_ENSURE_ASCII);
		buf_adds(b, line != NULL ? line : "");
		buf_addc(b, '\n');
		free(line);
		return;
	}
	cli_term_cell(b, cli_json_text(v, "at"), 27);
	buf_addc(b, ' ');
	cli_term_cell(b, cli_json_text(v, "kind"), 10);
	buf_addc(b, ' ');
	cli_term_cell(b, cli_json_text(v, "subject"), 0);
	if (to[0] != '\0') {
		buf_adds(b, ": ");
		cli_term_paint(b, cli_term_colour(from), from);
		buf_adds(b, " → ");
		cli_term_paint(b, cli_term_colour(to), to);
	}
	if (text[0] != '\0') {
		buf_adds(b, ": ");
		cli_term_cell(b, text, 0);
	}
	if (cli_json_text(v, "actor")[0] != '\0') {
		buf_adds(b, "  [");
		cli_term_cell(b, cli_json_text(v, "actor"), 0);
		buf_adds(b, "]");
	}
	buf_addc(b, '\n');
}

/* -- following ----------------------------------------------------------- */

struct follow {
	struct cli_sse sse;
	struct buf out;
	bool json;
	bool got;    /* something came over this connection */
};

static bool
on_event(struct cli_sse *s, const char *name, struct str data)
{
	struct follow *f = CONTAINER(s, struct follow, sse);
	json_t *v CLEANUP(cli_json_freep) = NULL;

	f->got = true;
	if (strcmp(name, "sample") == 0)   /* live latencies are no events */
		return true;
	v = json_loadb(data.p, data.n, 0, NULL);
	if (json_object_get(v, "kind") == NULL)
		return true;
	event_print(&f->out, v, f->json);
	cli_term_flush(&f->out);
	/* Nobody reads any more: done. */
	return fflush(stdout) == 0;
}

static bool
on_feed(void *arg, struct str bytes)
{
	struct follow *f = arg;

	return cli_sse_feed(&f->sse, bytes);
}

static void
pause_ns(int64_t ns)
{
	struct timespec ts = {.tv_sec = ns / NS_PER_S,
		.tv_nsec = ns % NS_PER_S};

	(void)nanosleep(&ts, NULL);
}

static int
follow(struct client *c, const struct cli_args *a, int64_t last)
{
	struct follow f = {.json = a->json};
	struct errinfo ei = {0};
	int64_t wait = WAIT_MIN_NS;
	bool ever = false;
	enum err e;

	cli_sse_init(&f.sse, on_event);
	buf_init(&f.out, OUT_MAX);
	(void)snprintf(f.sse.id, sizeof(f.sse.id), "%" PRId64, last);
	for (;;) {
		f.got = false;
		e = cli_client_stream(c, "/api/v1/events/stream", f.sse.id,
		    on_feed, &f, &ei);
		/* A refusal will not change; absence may, once we were in. */
		if (ferror(stdout) || (e != ERR_OK && e != ERR_SYS &&
		    e != ERR_TIMEOUT && e != ERR_AGAIN) ||
		    (e == ERR_SYS && !ever))
			break;
		ever |= e == ERR_OK;
		if (f.got || e == ERR_OK)
			wait = WAIT_MIN_NS;
		else if (wait == WAIT_MIN_NS)
			(void)cli_term_failed("events", e, &ei);
		cli_sse_restart(&f.sse);
		pause_ns(wait);
		wait = MIN(2 * wait, WAIT_MAX_NS);
	}
	cli_sse_free(&f.sse);
	buf_free(&f.out);
	return ferror(stdout) ? CLI_FAILED : cli_term_failed("events", e, &ei);
}

int
cli_events_run(const struct cli_env *env, const struct cli_args *a)
{
	struct client *c CLEANUP(cli_client_freep) = NULL;
	json_t *list CLEANUP(cli_json_freep) = NULL;
	struct errinfo ei = {0};
	unsigned limit = a->limit != 0 ? a->limit :
	    a->follow ? LIMIT_FOLLOW : LIMIT_DEFAULT;
	BUF_AUTO(b, OUT_MAX);
	const json_t *items;
	size_t n;
	enum err e = cli_client_open(a, NULL, &c, &ei);

	(void)env;
	if (e == ERR_OK)
		e = cli_find_list(c, "/api/v1/events", limit, &list, &ei);
	if (e != ERR_OK)
		return cli_term_failed("events", e, &ei);
	items = json_object_get(list, "items");
	if (a->json && !a->follow) {
		cli_term_json(list);
		return CLI_DONE;
	}
	n = json_array_size(items);   /* newest first, as lists are */
	for (size_t i = n; i > 0; i--)
		event_print(&b, json_array_get(items, i - 1), a->json);
	cli_term_flush(&b);
	(void)fflush(stdout);
	if (!a->follow)
		return CLI_DONE;
	return follow(c, a, n > 0 ?
	    cli_json_int(json_array_get(items, 0), "id", 0) : 0);
}

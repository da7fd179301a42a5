/* cli_errand.c: see cli_errand.h. */
#include "cli/cli_errand.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/time.h"
#include "cli/cli_json.h"
#include "cli/cli_term.h"
#include "world/world.h"

#define POLL_NS (200 * NS_PER_MS)

/* One line that is written over, on a terminal only. */
static void
progress(const json_t *x)
{
	const json_t *steps = json_object_get(x, "steps");
	const json_t *last = json_array_get(steps, json_array_size(steps) - 1);
	int64_t done = cli_json_int(x, "done", 0);
	int64_t total = cli_json_int(x, "total", 0);
	BUF_AUTO(b, 4096);

	cli_term_cell(&b, cli_json_text(last, "name"), 24);
	if (total > 0)
		(void)fprintf(stderr, "\r%s %3d %%\033[K", b.p,
		    (int)(done * 100 / total));
	else
		(void)fprintf(stderr, "\r%s\033[K", b.p);
}

static enum err
too_long(const struct cli_args *a, struct errinfo *ei)
{
	char text[TIME_TEXT];

	return fail(ei, ERR_TIMEOUT, "it is not done after %s; it goes on in "
	    "the daemon, and the event log tells how it ends",
	    time_format_duration(a->timeout_ns, text));
}

/* Sleep until the next look; ERR_TIMEOUT: there is no time for one. */
static enum err
pause_until(struct client *c, const struct cli_args *a, int64_t deadline_ns,
    struct errinfo *ei)
{
	int64_t left_ns = MAX(deadline_ns - clock_mono_ns(), INT64_C(0));
	const struct timespec rest = {.tv_nsec = MIN(left_ns, POLL_NS)};

	(void)nanosleep(&rest, NULL);
	if (deadline_ns == INT64_MAX)
		return ERR_OK;
	left_ns = deadline_ns - clock_mono_ns();
	if (left_ns <= 0)
		return too_long(a, ei);
	cli_client_within(c, left_ns);
	return ERR_OK;
}

enum err
cli_errand_wait(struct client *c, const struct request *r,
    const struct cli_args *a, json_t **ret, struct errinfo *ei)
{
	int64_t deadline_ns = (a->given & FLAG_TIMEOUT) != 0 ?
	    clock_mono_ns() + a->timeout_ns : INT64_MAX;
	bool show = !a->json && isatty(STDERR_FILENO);
	json_t *x = NULL;
	int64_t id = 0;
	enum err e = cli_client_json(c, r, &x, ei);

	if (e == ERR_OK)
		id = cli_json_int(x, "id", 0);
	while (e == ERR_OK && strcmp(cli_json_text(x, "state"), "running") ==
	    0) {
		if (show)
			progress(x);
		e = pause_until(c, a, deadline_ns, ei);
		if (e != ERR_OK)
			break;
		json_decref(x);
		x = NULL;
		e = cli_client_get(c, "/api/v1/store/errand", &x, ei);
		if (e == ERR_OK && cli_json_int(x, "id", 0) != id)
			e = fail(ei, ERR_AGAIN, "it has ended, and another "
			    "errand was begun meanwhile; see the event log");
	}
	if (show)
		(void)fprintf(stderr, "\r\033[K");
	if (e == ERR_OK)
		*ret = x;
	else
		json_decref(x);
	return e;
}

static void
finding(struct buf *b, const json_t *f)
{
	const char *from = cli_json_text(f, "from"), *to = cli_json_text(f, "to");
	int64_t monitor = cli_json_int(f, "monitor", 0);
	char who[40] = "";

	if (monitor != 0)
		(void)snprintf(who, sizeof(who), "monitor %" PRId64, monitor);
	buf_adds(b, "  ");
	cli_term_cell(b, cli_json_text(f, "rule"), 16);
	buf_addc(b, ' ');
	cli_term_cell(b, who, 16);
	buf_addc(b, ' ');
	cli_term_cell(b, cli_json_text(f, "text"), 0);
	if (from[0] != '\0') {
		buf_adds(b, "; ");
		cli_term_cell(b, from, 0);
		buf_adds(b, " to ");
		cli_term_cell(b, to, 0);
	}
	buf_addc(b, '\n');
}

int
cli_errand_report(const char *what, const json_t *report, bool json)
{
	const json_t *list = json_object_get(report, "findings");
	int64_t total = cli_json_int(report, "total", -1);
	BUF_AUTO(b, 1 << 20);

	if (json) {
		cli_term_json(report);
		return total == 0 ? CLI_DONE : CLI_FAILED;
	}
	buf_addf(&b, "%s: %" PRId64 " rules, %" PRId64 " samples, %" PRId64
	    " transitions: ", what, cli_json_int(report, "rules", 0),
	    cli_json_int(report, "samples", 0),
	    cli_json_int(report, "transitions", 0));
	if (total == 0)
		buf_adds(&b, "sound\n");
	else
		buf_addf(&b, "%" PRId64 " findings\n", total);
	for (size_t i = 0; i < json_array_size(list); i++)
		finding(&b, json_array_get(list, i));
	if (total > (int64_t)json_array_size(list))
		buf_addf(&b, "  and %" PRId64 " more\n",
		    total - (int64_t)json_array_size(list));
	if (cli_json_flag(report, "older_schema"))
		buf_adds(&b, "It is of an older vedette: only the database "
		    "itself was checked; serve brings it up to date.\n");
	cli_term_flush(&b);
	return total == 0 ? CLI_DONE : CLI_FAILED;
}

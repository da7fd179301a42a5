/* cli_alerts.c: ack, unack, snooze; channel list, test and deliveries. */
#include "cli/cli.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/cli_find.h"
#include "cli/cli_json.h"
#include "cli/cli_term.h"
#include "world/world.h"

#define TEST_LOOK_NS (200 * NS_PER_MS)

/* -- about an incident --------------------------------------------------------- */

static int
about(const char *verb, const struct cli_args *a, const char *done)
{
	struct client *c CLEANUP(cli_client_freep) = NULL;
	json_t *m CLEANUP(cli_json_freep) = NULL;
	json_t *answer CLEANUP(cli_json_freep) = NULL;
	char path[96], length[TIME_TEXT];
	struct request r = {.method = "POST", .path = path,
	    .type = "application/json"};
	struct errinfo ei = {0};
	BUF_AUTO(body, 4096);
	BUF_AUTO(b, 4096);
	enum err e;
	int rc = cli_find_open(verb, a, &c, &m);

	if (rc != CLI_DONE)
		return rc;
	buf_adds(&body, "{\"note\":");
	text_json(&body, str_of(a->note));
	if (a->for_ns > 0)
		buf_addf(&body, ",\"for\":\"%s\"",
		    time_format_duration(a->for_ns, length));
	buf_addc(&body, '}');
	r.body = buf_str(&body);
	(void)snprintf(path, sizeof(path), "/api/v1/monitors/%" PRId64 "/%s",
	    cli_json_int(m, "id", 0), verb);
	e = cli_client_json(c, &r, &answer, &ei);
	if (e != ERR_OK)
		return cli_term_failed(verb, e, &ei);
	cli_term_cell(&b, cli_json_text(m, "path"), 0);
	buf_addf(&b, ": %s\n", done);
	cli_term_flush(&b);
	return CLI_DONE;
}

int
cli_alerts_ack(const struct cli_env *env, const struct cli_args *a)
{
	(void)env;
	return about("ack", a, "acknowledged");
}

int
cli_alerts_unack(const struct cli_env *env, const struct cli_args *a)
{
	(void)env;
	return about("unack", a, "no longer acknowledged");
}

int
cli_alerts_snooze(const struct cli_env *env, const struct cli_args *a)
{
	(void)env;
	if (a->for_ns == 0)
		return about("unsnooze", a, "no longer snoozed");
	return about("snooze", a, "snoozed");
}

/* -- channels ------------------------------------------------------------------------ */

static void
channel_line(struct buf *b, const json_t *c)
{
	const json_t *h = json_object_get(c, "health");
	const char *state = cli_json_text(h, "state");
	const char *error = cli_json_text(h, "last_error");
	bool failing = strcmp(state, "failing") == 0;

	cli_term_cell(b, cli_json_text(c, "name"), 24);
	buf_addc(b, ' ');
	cli_term_cell(b, cli_json_text(c, "type"), 14);
	buf_addc(b, ' ');
	cli_term_cell(b, state[0] != '\0' ? state : "unused", 8);
	buf_addf(b, " %" PRId64 " pending", cli_json_int(h, "pending", 0));
	if (failing) {
		buf_adds(b, ", failing since ");
		cli_term_cell(b, cli_json_text(h, "failing_since"), 0);
	}
	if (failing && error[0] != '\0') {
		buf_adds(b, ": ");
		cli_term_cell(b, error, 0);
	}
	buf_addc(b, '\n');
}

static enum err
channel_list(struct client *c, const struct cli_args *a, struct errinfo *ei)
{
	json_t *list CLEANUP(cli_json_freep) = NULL;
	BUF_AUTO(b, 4 << 20);
	json_t *one;
	size_t i;
	enum err e = cli_client_get(c, "/api/v1/channels", &list, ei);

	if (e != ERR_OK)
		return e;
	if (a->json) {
		cli_term_json(list);
		return ERR_OK;
	}
	json_array_foreach(json_object_get(list, "items"), i, one)
		channel_line(&b, one);
	if (json_array_size(json_object_get(list, "items")) == 0)
		buf_adds(&b, "there are no channels\n");
	cli_term_flush(&b);
	return ERR_OK;
}

static void
channel_path(struct buf *b, const char *name, const char *what)
{
	buf_adds(b, "/api/v1/channels/");
	text_url(b, str_of(name));
	buf_adds(b, what);
}

static enum err
channel_deliveries(struct client *c, const struct cli_args *a,
    struct errinfo *ei)
{
	json_t *list CLEANUP(cli_json_freep) = NULL;
	BUF_AUTO(path, 1024);
	BUF_AUTO(b, 4 << 20);
	json_t *d;
	size_t i;
	enum err e;

	channel_path(&path, a->arg[1], "/deliveries");
	e = cli_find_list(c, path.p, a->limit != 0 ? a->limit : 20, &list, ei);
	if (e != ERR_OK)
		return e;
	if (a->json) {
		cli_term_json(list);
		return ERR_OK;
	}
	json_array_foreach(json_object_get(list, "items"), i, d) {
		cli_term_cell(&b, cli_json_text(d, "at"), 0);
		buf_addc(&b, ' ');
		cli_term_cell(&b, cli_json_text(d, "result"), 8);
		buf_addf(&b, " attempt %" PRId64 ", %" PRId64 " alerts",
		    cli_json_int(d, "attempt", 0),
		    cli_json_int(d, "alerts", 0));
		if (cli_json_text(d, "error")[0] != '\0')
			buf_adds(&b, ": ");
		cli_term_cell(&b, cli_json_text(d, "error"), 0);
		buf_addc(&b, '\n');
	}
	cli_term_flush(&b);
	return ERR_OK;
}

/* Its delivery is looked for until it is there. */
static enum err
test_result(struct client *c, const char *path, const char *key,
    const struct cli_args *a, struct errinfo *ei)
{
	int64_t until_ns = clock_mono_ns() + a->timeout_ns +
	    10 * NS_PER_S;   /* what an attempt may take */

	while (clock_mono_ns() < until_ns) {
		json_t *list CLEANUP(cli_json_freep) = NULL;
		struct timespec nap = {.tv_nsec = TEST_LOOK_NS};
		json_t *d;
		size_t i;
		enum err e = cli_find_list(c, path, 50, &list, ei);

		if (e != ERR_OK)
			return e;
		json_array_foreach(json_object_get(list, "items"), i, d) {
			if (strcmp(cli_json_text(d, "key"), key) != 0)
				continue;
			if (strcmp(cli_json_text(d, "result"), "sent") == 0)
				return ERR_OK;
			return fail(ei, ERR_DENIED, "it did not get out: %s",
			    cli_json_text(d, "error"));
		}
		(void)nanosleep(&nap, NULL);
	}
	return fail(ei, ERR_TIMEOUT, "no answer yet; see vedette channel "
	    "deliveries");
}

static enum err
channel_test(struct client *c, const struct cli_args *a, struct errinfo *ei)
{
	json_t *answer CLEANUP(cli_json_freep) = NULL;
	BUF_AUTO(path, 1024);
	BUF_AUTO(list, 1024);
	struct request r = {.method = "POST"};
	enum err e;

	channel_path(&path, a->arg[1], "/test");
	channel_path(&list, a->arg[1], "/deliveries");
	r.path = path.p;
	e = cli_client_json(c, &r, &answer, ei);
	if (e == ERR_OK)
		e = test_result(c, list.p, cli_json_text(answer, "key"), a,
		    ei);
	if (e == ERR_OK)
		(void)printf("sent\n");
	return e;
}

int
cli_alerts_channel(const struct cli_env *env, const struct cli_args *a)
{
	struct client *c CLEANUP(cli_client_freep) = NULL;
	struct errinfo ei = {0};
	bool list = strcmp(a->arg[0], "list") == 0;
	bool test = strcmp(a->arg[0], "test") == 0;
	enum err e;

	(void)env;
	if (!list && !test && strcmp(a->arg[0], "deliveries") != 0) {
		(void)fprintf(stderr, "vedette channel: \"%.40s\" is not "
		    "allowed; allowed: list, test, deliveries, preview\n",
		    a->arg[0]);
		return CLI_USAGE;
	}
	if (a->nargs != (list ? 1 : 2)) {
		(void)fprintf(stderr, "usage: vedette channel list | test NAME"
		    " | deliveries NAME | preview NAME\n");
		return CLI_USAGE;
	}
	e = cli_client_open(a, NULL, &c, &ei);
	if (e == ERR_OK)
		e = list ? channel_list(c, a, &ei) : test ?
		    channel_test(c, a, &ei) : channel_deliveries(c, a, &ei);
	return e == ERR_OK ? CLI_DONE : cli_term_failed("channel", e, &ei);
}

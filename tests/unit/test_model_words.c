/* The shared words: every number has a stable name that reads back. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include "base/mem.h"
#include "model/command.h"
#include "model/event.h"
#include "model/sample.h"
#include "model/status.h"
#include "model/unit.h"
#include "model/why.h"

/* After ours: it has a macro fail(), as err.h has a function. */
#include <cmocka.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyz_"

static void
label(const char *s)
{
	assert_true(strlen(s) > 0);
	assert_int_equal(strspn(s, LETTERS), strlen(s));
}

static void
status_names(void **state)
{
	enum status s;

	(void)state;
	for (int i = 0; i < STATUS_NMAX; i++) {
		label(status_name((enum status)i));
		assert_true(status_parse(
		    str_of(status_name((enum status)i)), &s));
		assert_int_equal(s, i);
	}
	s = STATUS_LATE;
	assert_false(status_parse(STR("Up"), &s));
	assert_false(status_parse(STR(""), &s));
	assert_false(status_parse(STR("upp"), &s));
	assert_int_equal(s, STATUS_LATE);
	assert_string_equal(status_name(STATUS_NMAX), "?");
	assert_int_equal(status_up(STATUS_UP), 1);
	assert_int_equal(status_up(STATUS_DEGRADED), 1);
	assert_int_equal(status_up(STATUS_LATE), 1);
	assert_int_equal(status_up(STATUS_DOWN), 0);
	assert_int_equal(status_up(STATUS_UNKNOWN), -1);
	assert_int_equal(status_up(STATUS_PENDING), -1);
	assert_int_equal(status_up(STATUS_PAUSED), -1);
}

static void
why_names(void **state)
{
	unsigned known = 0;
	enum why w;

	(void)state;
	for (int i = 0; i < WHY_NMAX; i++) {
		if (!why_known(i)) {
			assert_string_equal(why_name((enum why)i), "?");
			assert_string_equal(why_text((enum why)i), "?");
			continue;
		}
		known++;
		label(why_name((enum why)i));
		assert_true(strlen(why_text((enum why)i)) > 5);
		assert_true(why_parse(str_of(why_name((enum why)i)), &w));
		assert_int_equal(w, i);
	}
	/* As many as the enum lists: none without a row. */
	assert_int_equal(known, 9 + 10 + 9 + 8 + 8 + 15);
	assert_false(why_known(-1));
	assert_false(why_known(WHY_NMAX));
	assert_false(why_known(1 << 20));
	w = WHY_SLOW;
	assert_false(why_parse(STR("?"), &w));
	assert_false(why_parse(STR(""), &w));
	assert_int_equal(w, WHY_SLOW);
}

static void
why_layers(void **state)
{
	(void)state;
	assert_int_equal(why_layer(WHY_OK), LAYER_NONE);
	assert_int_equal(why_layer(WHY_GAP), LAYER_NONE);
	assert_int_equal(why_layer(WHY_LOCAL_FDS), LAYER_LOCAL);
	assert_int_equal(why_layer(WHY_LOCAL_OTHER), LAYER_LOCAL);
	assert_int_equal(why_layer(WHY_DNS_NXDOMAIN), LAYER_DNS);
	assert_int_equal(why_layer(WHY_NET_OTHER), LAYER_NET);
	assert_int_equal(why_layer(WHY_TLS_EXPIRES_SOON), LAYER_TLS);
	assert_int_equal(why_layer(WHY_TIMEOUT), LAYER_APP);
	assert_int_equal(why_layer(WHY_SLOW), LAYER_APP);
	for (int i = 0; i < LAYER_NMAX; i++)
		label(why_layer_name((enum why_layer)i));
	assert_string_equal(why_layer_name(LAYER_NMAX), "?");
	/* The name says the layer, so that a label alone can be read. */
	for (int i = 0; i < WHY_NMAX; i++)
		if (why_known(i) && i >= 16 && i < 80) {
			const char *l = why_layer_name(
			    why_layer((enum why)i));

			assert_int_equal(strncmp(why_name((enum why)i), l,
			    strlen(l)), 0);
		}
	/* Our fault: exactly the local group. */
	for (int i = 0; i < WHY_NMAX; i++)
		assert_int_equal(why_is_local((enum why)i),
		    i >= 16 && i < 32);
	assert_true(why_is_degraded(WHY_SLOW));
	assert_true(why_is_degraded(WHY_TLS_EXPIRES_SOON));
	assert_false(why_is_degraded(WHY_TLS_EXPIRED));
	assert_false(why_is_degraded(WHY_PUSH_LATE));
}

static void
other_names(void **state)
{
	(void)state;
	for (int i = 0; i < PHASE_NMAX; i++)
		label(phase_name((enum phase)i));
	assert_string_equal(phase_name(PHASE_FIRST_BYTE), "first_byte");
	assert_string_equal(phase_name(PHASE_NMAX), "?");
	for (int i = 0; i < EVENT_NMAX; i++)
		label(event_kind_name((enum event_kind)i));
	assert_string_equal(event_kind_name(EVENT_NMAX), "?");
}

static void
peers(void **state)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
	    .sin_port = htons(80)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6,
	    .sin6_port = htons(65535)};
	struct sockaddr none = {.sa_family = AF_UNIX};
	struct peer p = {.family = 99};
	char dst[PEER_TEXT];

	(void)state;
	assert_string_equal(peer_text(&p, dst), "");
	assert_int_equal(inet_pton(AF_INET, "192.0.2.1", &in.sin_addr), 1);
	peer_set(&p, (const struct sockaddr *)&in);
	assert_string_equal(peer_text(&p, dst), "192.0.2.1:80");
	assert_int_equal(inet_pton(AF_INET6, "2001:db8::1", &in6.sin6_addr),
	    1);
	peer_set(&p, (const struct sockaddr *)&in6);
	assert_string_equal(peer_text(&p, dst), "[2001:db8::1]:65535");
	assert_int_equal(inet_pton(AF_INET6,
	    "1111:2222:3333:4444:5555:6666:7777:8888", &in6.sin6_addr), 1);
	peer_set(&p, (const struct sockaddr *)&in6);
	assert_string_equal(peer_text(&p, dst),
	    "[1111:2222:3333:4444:5555:6666:7777:8888]:65535");
	assert_int_equal(inet_pton(AF_INET6, "::ffff:192.0.2.7",
	    &in6.sin6_addr), 1);
	peer_set(&p, (const struct sockaddr *)&in6);
	assert_string_equal(peer_text(&p, dst), "192.0.2.7:65535");
	p.port = 0;   /* ICMP has none */
	assert_string_equal(peer_text(&p, dst), "192.0.2.7");
	peer_set(&p, &none);
	assert_int_equal(p.family, 0);
	assert_int_equal(p.port, 0);
	assert_string_equal(peer_text(&p, dst), "");
}

/* LeakSanitizer says whether everything owned is freed. */
static void
units(void **state)
{
	struct result_unit *r = result_unit_new();
	struct event_unit *e = event_unit_new();

	(void)state;
	assert_int_equal(r->unit.kind, UNIT_RESULT);
	assert_int_equal(e->unit.kind, UNIT_EVENT);
	assert_true(r->unit.bytes >= sizeof(*r));
	assert_true(e->unit.bytes >= sizeof(*e));
	assert_false(r->has_sample);
	r->own = xcalloc(1, sizeof(*r->own));
	r->group = xcalloc(1, sizeof(*r->group));
	r->evidence = xstrdup("{}");
	unit_free(&r->unit);
	unit_free(&e->unit);
	unit_free(NULL);
}

static unsigned freed;

static void
count_free(struct monitor_conf *c)
{
	assert_non_null(c);
	freed++;
}

static void
commands(void **state)
{
	struct command *c = command_new(COMMAND_PUT, 7);
	int conf;

	(void)state;
	assert_int_equal(c->kind, COMMAND_PUT);
	assert_int_equal(c->monitor, 7);
	assert_true(c->beat_ping_us == -1);
	c->conf = (struct monitor_conf *)(void *)&conf;
	c->conf_free = count_free;
	c->state = xcalloc(1, sizeof(*c->state));
	command_free(c);
	assert_int_equal(freed, 1);
	command_free(command_new(COMMAND_STOP, 0));
	command_free(NULL);
	assert_int_equal(freed, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_names),
		cmocka_unit_test(why_names),
		cmocka_unit_test(why_layers),
		cmocka_unit_test(other_names),
		cmocka_unit_test(peers),
		cmocka_unit_test(units),
		cmocka_unit_test(commands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

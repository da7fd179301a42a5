/* The whole file: sections, channels, monitors in groups, and every refusal
 * with file, line, key and what is allowed. */
#include "tests/unit/conf_rig.h"

#include <stdio.h>
#include <unistd.h>

static const char whole[] =
    "server: { http: 127.0.0.1:8080, data: ./var }\n"
    "store: { retention: { samples: 90d }, disk_budget: 4GiB }\n"
    "log: { level: debug, format: json }\n"
    "channels:\n"
    "  - { name: ops, type: ntfy, url: https://ntfy.example, topic: ops }\n"
    "monitors:\n"
    "  - { name: API, type: web, url: http://a, notify: [ops] }\n"
    "  - name: Production\n"
    "    type: group\n"
    "    notify: ops\n"
    "    monitors:\n"
    "      - { name: DB, type: web, url: http://db }\n"
    "      - { name: API, type: push, interval: 1d }\n";

static void
test_whole(void **state)
{
	struct document *d = rig_document(whole);

	(void)state;
	assert_int_equal(d->nchannels, 1);
	assert_string_equal(d->channels[0].text,
	    "{\"url\":\"https://ntfy.example\",\"topic\":\"ops\"}");
	assert_int_equal(d->nmonitors, 4);
	assert_string_equal(d->monitors[0]->path, "API");
	assert_string_equal(d->monitors[2]->path, "Production/DB");
	assert_string_equal(d->monitors[3]->path, "Production/API");
	assert_int_equal(d->lines[2], 12);
	assert_true(d->has_settings);
	assert_int_equal(d->settings.log.format, 1);
	assert_string_equal(d->file, "t.yaml");
	document_free(d);
	d = rig_document("monitors:\nchannels:\n");
	assert_false(d->has_settings);
	assert_int_equal(d->settings.limits.in_flight, 4096);
	assert_int_equal(d->settings.net.deny.n, 3);
	document_free(d);
}

static void
test_refusals(void **state)
{
	(void)state;
	rig_refused("monitors:\n  - name: A\n    type: web\n"
	    "    url: http://a\n    interval: 5x\n",
	    "t.yaml:5: monitors[0].interval: \"5x\" is not a duration; "
	    "allowed: 1s to 1d, e.g. 60s");
	rig_refused("monitors:\n  - name: G\n    type: group\n    monitors:\n"
	    "    - {name: A, type: web, url: http://a}\n"
	    "    - {name: B, type: web, expect: {statsu: 1}}\n",
	    "t.yaml:6: monitors[0].monitors[1].expect.statsu: unknown key; "
	    "did you mean \"status\"?");
	rig_refused("monitors:\n  - {name: A, type: push}\n"
	    "  - {name: A, type: push}\n", "t.yaml:3: name: \"A\" is there "
	    "twice; the first is on line 2");
	rig_refused("monitors:\n  - {name: A, type: push, token: "
	    "0123456789abcdef}\n  - {name: B, type: push, token: "
	    "0123456789abcdef}\n", "t.yaml:3: token: \"B\" has the push token "
	    "of the monitor on line 2; each needs its own");
	rig_refused("monitors:\n  - name: G\n    type: group\n    monitors:\n"
	    "    - name: H\n      type: group\n", "t.yaml:6: "
	    "monitors[0].monitors[0].type: a group inside a group; groups "
	    "nest one deep");
	rig_refused("monitors:\n  - name: A\n    type: push\n"
	    "    notify: [ops]\n", "t.yaml:4: monitors[0].notify: \"ops\" is "
	    "not a channel; allowed: none, as channels has none");
	rig_refused("channels: [{name: a, type: exec, command: [x]},\n"
	    "  {name: b, type: exec, command: [x]}]\n"
	    "monitors:\n  - name: G\n    type: group\n    monitors:\n"
	    "    - {name: A, type: push, notify: [a, ops]}\n",
	    "t.yaml:7: monitors[0].monitors[0].notify: \"ops\" is not a "
	    "channel; allowed: a, b");
	rig_refused("monitors:\n  - {name: A, type: push, was: C}\n"
	    "  - {name: B, type: push, was: C}\n", "t.yaml:3: was: the "
	    "monitor on line 2 was that one, too; a name can go to one only");
	rig_refused("monitors:\n  - {name: A, type: push, was: G/C}\n"
	    "  - name: G\n    type: group\n    monitors:\n"
	    "    - {name: B, type: push, was: C}\n", "t.yaml:6: was: the "
	    "monitor on line 2 was that one, too; a name can go to one only");
	rig_refused("monitors: {name: A}\n", "t.yaml:1: monitors: must be a "
	    "list, each item beginning with a dash");
	rig_refused("monitors:\n  - just text\n", "t.yaml:2: monitors[0]: a "
	    "monitor must be a mapping with name and type");
	rig_refused("monitorz: []\n", "t.yaml:1: monitorz: unknown key; did "
	    "you mean \"monitors\"?");
	rig_refused("store:\n  url: postgresql://u:p@h/db\n", "t.yaml:2: "
	    "store.url: PostgreSQL is not supported in this version; allowed: "
	    "sqlite:FILE");
	rig_refused("server:\n  data: x\n  tls_cert: a.pem\n", "t.yaml:2: "
	    "server.tls_key: is missing; tls_cert and tls_key go together");
	rig_refused("server: {http: nowhere}\n", "t.yaml:1: server.http: "
	    "\"nowhere\" does not fit; allowed: ADDRESS:PORT or [IPV6]:PORT, "
	    "e.g. 127.0.0.1:8080; port 0 takes a free one");
	rig_refused("net: {deny: [10.0.0.0/33]}\n", "t.yaml:1: net.deny: "
	    "\"10.0.0.0/33\" does not fit; allowed: a network (10.0.0.0/8, "
	    "2001:db8::/32) or an address");
	rig_refused("a: [\n", "t.yaml:2: not valid YAML while parsing a flow "
	    "node: did not find expected node content");
	rig_refused("- a\n", "t.yaml:1: must be a mapping of keys to values");
}

static void
test_channels(void **state)
{
	(void)state;
	rig_refused("channels:\n  - {name: a, type: ntfy, topic: x}\n",
	    "t.yaml:2: channels[0].url: is required: The server.");
	rig_refused("channels:\n  - {name: a, type: fax}\n", "t.yaml:2: "
	    "channels[0].type: \"fax\" is not a known channel type; allowed: "
	    "webhook, discord, slack, teams, mattermost, googlechat, "
	    "telegram, ntfy, gotify, pushover, pagerduty, opsgenie, matrix, "
	    "twilio, alertmanager, email, exec");
	rig_refused("channels:\n  - {name: a, type: slack, "
	    "url: ftp://hooks/SECRET}\n", "t.yaml:2: channels[0].url: the "
	    "value does not fit; allowed: an absolute http:// or https:// "
	    "URL");
	rig_refused("channels:\n  - {name: a, type: email, host: h, from: a@b, "
	    "to: [nobody]}\n", "t.yaml:2: channels[0].to: \"nobody\" does not "
	    "fit; allowed: a mail address, name@host");
	rig_refused("channels:\n  - {name: a, type: exec, command: [x]}\n"
	    "  - {name: a, type: exec, command: [x]}\n", "t.yaml:3: "
	    "channels[1].name: \"a\" is there twice; the first is on line 2");
	rig_refused("channels:\n  - {name: a, type: gotify, url: http://x, "
	    "token: t, topic: u}\n", "t.yaml:2: channels[0].topic: unknown "
	    "key; allowed: name, type, url, token, priority, title, body");
	rig_refused("channels:\n  - name: a\n    type: slack\n"
	    "    url: https://h.example/x\n    body: 'x {{nmae}}'\n",
	    "t.yaml:5: channels[0].body: line 1, column 5: \"nmae\" is not a "
	    "field; allowed: title text count many problems recoveries "
	    "channel host now home event state name short group id type "
	    "target tags severity status was why reason since at until "
	    "duration latency url ack_url incident problem late collapsed");
	/* Whoever writes settings says which programs may be started. */
	rig_refused("log: {level: info}\nchannels:\n"
	    "  - {name: a, type: exec, command: [/bin/x]}\n",
	    "t.yaml:3: channels[0].command: \"/bin/x\" may not be started; "
	    "allowed: what alerts.exec_allow names");
	rig_refused("alerts: {exec_allow: [/bin/y, /opt/z]}\nchannels:\n"
	    "  - {name: a, type: exec, command: [/opt/z/../x]}\n",
	    "t.yaml:3: channels[0].command: \"/opt/z/../x\" may not be "
	    "started; allowed: what alerts.exec_allow names");
	rig_refused("alerts: {exec_allow: [bin]}\n", "t.yaml:1: "
	    "alerts.exec_allow: \"bin\" does not fit; allowed: an absolute "
	    "path without \"..\"");
	rig_refused("channels:\n  - {name: a/b, type: exec, command: [x]}\n",
	    "t.yaml:2: channels[0].name: \"a/b\" does not fit; allowed: 1 to "
	    "120 bytes, without /, control characters, or blanks at the ends");
}

static void
test_channel_secrets(void **state)
{
	struct document *d = rig_document("channels:\n"
	    "  - {name: a, type: ntfy, url: http://x, topic: t, token: s}\n"
	    "  - {name: b, type: ntfy, url: http://x, topic: t, "
	    "token: '********'}\n"
	    "  - {name: c, type: ntfy, url: http://x, topic: u}\n"
	    "  - {name: d, type: ntfy, url: http://y, topic: u}\n"
	    "  - {name: e, type: webhook, url: http://z, headers: "
	    "{A: b}}\n");
	struct channel_conf *c = d->channels;
	struct errinfo ei = {0};
	json_t *v = channel_json(&c[4], OPT_SECRETS_MASK);
	char *text = opt_text(v);

	(void)state;
	assert_string_equal(text, "{\"name\":\"e\",\"type\":\"webhook\","
	    "\"url\":\"********\",\"headers\":{\"A\":\"********\"}}");
	xfree(text);
	json_decref(v);
	assert_int_equal(channel_keep_secrets(&c[1], NULL, &ei), ERR_INVALID);
	assert_string_equal(ei.field, "channels.b.token");
	assert_int_equal(channel_keep_secrets(&c[1], &c[0], &ei), ERR_OK);
	assert_true(channel_equal(&c[0], &c[1]));
	assert_int_equal(channel_keep_secrets(&c[2], &c[0], &ei), ERR_OK);
	assert_string_equal(c[2].text, "{\"url\":\"http://x\",\"topic\":\"u\","
	    "\"token\":\"s\"}");
	/* not to another server */
	assert_int_equal(channel_keep_secrets(&c[3], &c[0], &ei), ERR_OK);
	assert_string_equal(c[3].text, "{\"url\":\"http://y\",\"topic\":\"u\"}");
	document_free(d);
}

static void
test_known_channels(void **state)
{
	char *names[] = {(char *)(uintptr_t)"ops"};
	const struct strings known = {names, 1};
	struct document *d = NULL;
	struct errinfo ei = {0};

	(void)state;
	assert_int_equal(document_parse(STR("monitors: [{name: A, type: push, "
	    "notify: ops}]"), "t", rig_kinds, &known, &d, &ei), ERR_OK);
	document_free(d);
}

static void
test_json(void **state)
{
	struct document *d = NULL;
	struct errinfo ei = {0};
	char text[1024];

	(void)state;
	assert_int_equal(document_parse(STR("{\"monitors\":\n[{\"name\":\"A\","
	    "\"type\":\"push\"}]}"), "t.json", rig_kinds, NULL, &d, &ei),
	    ERR_OK);
	assert_int_equal(d->lines[0], 2);
	document_free(d);
	d = NULL;
	assert_int_equal(document_parse(STR("{\"monitors\":\n[{\"name\":\"A\","
	    "\"type\":\"push\",\n\"grce\":1}]}"), "t.json", rig_kinds, NULL,
	    &d, &ei), ERR_INVALID);
	assert_string_equal(errinfo_text(&ei, text, sizeof(text)),
	    "t.json:3: monitors[0].grce: unknown key; did you mean \"grace\"?");
}

static void
test_load(void **state)
{
	char dir[] = "/tmp/conf-XXXXXX", path[64], text[1024];
	struct document *d = NULL;
	struct errinfo ei = {0};
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/v.yaml", dir);
	assert_int_equal(document_load(path, rig_kinds, &d, &ei), ERR_SYS);
	(void)errinfo_text(&ei, text, sizeof(text));
	assert_non_null(strstr(text, "/v.yaml: cannot open: No such file"));
	memset(&ei, 0, sizeof(ei));
	assert_int_equal(document_load(dir, rig_kinds, &d, &ei), ERR_SYS);
	assert_non_null(strstr(ei.text, "is a directory"));
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(whole, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(document_load(path, rig_kinds, &d, &ei), ERR_OK);
	assert_int_equal(d->nmonitors, 4);
	document_free(d);
	(void)unlink(path);
	(void)rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole), cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_channels),
		cmocka_unit_test(test_channel_secrets),
		cmocka_unit_test(test_known_channels),
		cmocka_unit_test(test_json), cmocka_unit_test(test_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

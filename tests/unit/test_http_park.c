/* Requests that wait: deadlines, late acks, streams, and an end while
 * everything is under way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http_rig.h"

static struct rig rig;

#define CONTROL(line, headers, body) \
	rig_ask(&rig, true, &out, line, headers, body)
#define TCP(line, headers, body) rig_ask(&rig, false, &out, line, headers, body)
#define BEAT "GET /push/" RIG_TOKEN

static int
setup(void **state)
{
	BUF_AUTO(out, 1u << 20);

	(void)state;
	memset(&rig, 0, sizeof(rig));
	rig_start(&rig);
	assert_int_equal(CONTROL("POST /api/v1/monitors", "",
	    "{\"name\":\"P\",\"type\":\"push\",\"token\":\"" RIG_TOKEN "\"}"),
	    201);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	rig_stop(&rig);
	return 0;
}

/* Send without waiting for the answer. */
static int
begin(const char *line, bool control)
{
	char text[512];
	int fd = rig_connect(&rig, control);

	snprintf(text, sizeof(text), "%s HTTP/1.1\r\nHost: x\r\n"
	    "Connection: close\r\n\r\n", line);
	rig_write(fd, text, strlen(text));
	return fd;
}

static struct ack *
held(void)
{
	struct ack *a;

	for (int i = 0; (a = rig.held) == NULL && i < 2000; i++)
		poll(NULL, 0, 5);
	assert_non_null(a);
	rig.held = NULL;
	return a;
}

static void
full_shard(void **state)
{
	BUF_AUTO(out, 65536);

	(void)state;
	rig.refuse = true;
	assert_int_equal(TCP(BEAT, "", NULL), 503);
	assert_true(rig_has(&out, "Retry-After"));
	assert_int_equal(CONTROL("POST /api/v1/monitors/1/pause", "", ""),
	    503);
}

static void
late_ack(void **state)
{
	BUF_AUTO(out, 65536);
	int64_t began = clock_mono_ns(), took;
	struct ack *a;

	(void)state;
	rig.hold = true;
	assert_int_equal(TCP(BEAT, "", NULL), 503);
	took = clock_mono_ns() - began;
	assert_true(took > 800 * NS_PER_MS);
	assert_true(took < 1500 * NS_PER_MS);
	/* The client is answered and gone; now the ack comes. */
	a = held();
	a->done(a, ERR_OK, NULL);
	rig.hold = false;
	assert_int_equal(TCP(BEAT, "", NULL), 200);
}

static void
client_leaves(void **state)
{
	BUF_AUTO(out, 65536);
	struct errinfo ei = {.text = "gone"};
	struct ack *a;

	(void)state;
	rig.hold = true;
	close(begin(BEAT, false));
	a = held();
	a->done(a, ERR_NOT_FOUND, &ei);
	rig.hold = false;
	assert_int_equal(TCP(BEAT, "", NULL), 200);
}

static void
refused(void **state)
{
	BUF_AUTO(out, 65536);
	struct errinfo ei = {.text = "the monitor is being deleted"};
	struct ack *a;
	int fd;

	(void)state;
	rig.hold = true;
	fd = begin(BEAT, false);
	a = held();
	a->done(a, ERR_NOT_FOUND, &ei);
	assert_int_equal(rig_read(fd, &out), 404);
	assert_true(rig_has(&out, "being deleted"));
}

/* Read a stream until it has this text. */
static void
until(int fd, struct buf *b, const char *text)
{
	char chunk[4096];
	ssize_t n;

	while (!rig_has(b, text)) {
		n = recv(fd, chunk, sizeof(chunk), 0);
		assert_true(n > 0);
		buf_add(b, (struct str){chunk, (size_t)n});
	}
}

static void
stream(void **state)
{
	BUF_AUTO(out, 65536);
	BUF_AUTO(first, 1u << 20);
	BUF_AUTO(again, 1u << 20);
	BUF_AUTO(line, 256);
	const char *id;
	int fd = begin("GET /api/v1/events/stream", true);

	(void)state;
	until(fd, &first, "retry:");
	assert_int_equal(TCP(BEAT "?status=down&msg=a%0Aevent:%20evil", "",
	    NULL), 200);
	until(fd, &first, "event: transition");
	until(fd, &first, "\"to\":\"down\"");
	until(fd, &first, "event: sample");
	assert_false(rig_has(&first, "\nevent: evil"));
	close(fd);
	/* Resume before that event: it comes again, from the store. */
	id = strstr(first.p, "\nid: ");
	assert_non_null(id);
	buf_addf(&line, "GET /api/v1/events/stream?after=%lu",
	    strtoul(id + 5, NULL, 10) - 1);
	fd = begin(line.p, true);
	until(fd, &again, "\"to\":\"down\"");
	assert_int_equal(TCP(BEAT "?status=up", "", NULL), 200);
	until(fd, &again, "\"to\":\"up\"");
	close(fd);
	assert_int_equal(CONTROL("GET /api/v1/events/stream?after=x", "",
	    NULL), 400);
}

static void
public_stream(void **state)
{
	BUF_AUTO(out, 65536);
	BUF_AUTO(got, 1u << 20);
	int fd = begin("GET /live", false);

	(void)state;
	until(fd, &got, "retry:");
	assert_int_equal(TCP(BEAT "?status=down&msg=secret-host", "", NULL),
	    200);
	until(fd, &got, "event: transition");
	until(fd, &got, "\"status\":\"down\"");
	assert_false(rig_has(&got, "secret-host"));
	close(fd);
}

static void
stream_limit(void **state)
{
	BUF_AUTO(out, 65536);
	BUF_AUTO(got, 65536);
	int fd[3];

	(void)state;
	rig_stop(&rig);
	memset(&rig, 0, sizeof(rig));
	rig.settings.limits.sse_clients = 2;
	rig_start(&rig);
	for (int i = 0; i < 2; i++) {
		fd[i] = begin("GET /live", false);
		buf_clear(&got);
		until(fd[i], &got, "retry:");
	}
	assert_int_equal(TCP("GET /live", "", NULL), 503);
	close(fd[0]);
	close(fd[1]);
}

/* Everything hangs: heartbeats without an ack, streams, idle connections. The
 * end comes all the same, and every request is answered. */
static void
stop_under_way(void **state)
{
	BUF_AUTO(out, 1u << 20);
	struct ack *acks[4];
	int beats[4], streams[4], idle = rig_connect(&rig, false);
	int64_t began;

	(void)state;
	rig.hold = true;
	for (int i = 0; i < 4; i++) {
		streams[i] = begin(i % 2 ? "GET /live" :
		    "GET /api/v1/events/stream", i % 2 == 0);
		beats[i] = begin(BEAT, false);
		acks[i] = held();
	}
	began = clock_mono_ns();
	http_quiesce(rig.http);
	http_stop(rig.http, clock_mono_ns() + 100 * NS_PER_MS);
	assert_true(clock_mono_ns() - began < 3 * NS_PER_S);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(rig_read(beats[i], &out), 503);
		rig_read(streams[i], &out);
	}
	close(idle);
	http_free(rig.http);
	/* Late acks find their requests, not a freed server. */
	for (int i = 0; i < 4; i++)
		acks[i]->done(acks[i], ERR_STOPPING, NULL);
	rig.hold = false;
	{
		struct http_conf hc = {.settings = &rig.settings,
		    .kinds = rig_kinds, .version = "t", .send = rig_send,
		    .arg = &rig, .store = rig.store,
		    .control_path = rig.control};
		struct errinfo ei = {0};

		/* And it can begin again on the same socket path. */
		assert_int_equal(http_start(&hc, &rig.http, &ei), ERR_OK);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(full_shard, setup, teardown),
		cmocka_unit_test_setup_teardown(late_ack, setup, teardown),
		cmocka_unit_test_setup_teardown(client_leaves, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(refused, setup, teardown),
		cmocka_unit_test_setup_teardown(stream, setup, teardown),
		cmocka_unit_test_setup_teardown(public_stream, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(stream_limit, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(stop_under_way, setup,
		    teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

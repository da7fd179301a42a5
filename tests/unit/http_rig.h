/* http_rig.h: a real store and a real front door in a temporary directory,
 * a shard of a few lines, and a client on plain sockets. */
#ifndef HTTP_RIG_H
#define HTTP_RIG_H

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#undef fail   /* cmocka's; ours is in base/err.h */
#include "base/buf.h"
#include "base/mem.h"
#include "base/time.h"
#include "http/http.h"
#include "model/command.h"
#include "model/unit.h"
#include "store/store.h"
#include "store/view.h"
#include "world/world.h"

#define RIG_TOKEN "0123456789abcdef0123456789abcdef"

struct rig {
	char dir[64], control[96];
	struct settings settings;
	struct store *store;
	struct http *http;
	uint16_t port;
	_Atomic uint64_t seq;
	_Atomic bool refuse;         /* the shard's mailbox is full */
	_Atomic bool hold;           /* keep the ack: nothing commits */
	struct ack *_Atomic held;
};

/* What the rig's types look at. */
struct rig_conf { char *host; };
static const struct opt rig_opts[] = {
	STRING("host", rig_conf, host, .dflt = "localhost", .max = 253,
	    .help = "Where."),
	OPT_END
};
static const struct opt rig_none[] = { OPT_END };

static void
rig_target(const void *conf, struct buf *out)
{
	const struct rig_conf *c = conf;

	buf_addf(out, "tcp://%s/", c->host != NULL ? c->host : "");
}

static const struct monitor_kind rig_tcp = {.name = "tcp",
    .drive = DRIVE_ACTIVE, .opts = rig_opts,
    .conf_size = sizeof(struct rig_conf), .target = rig_target};
static const struct monitor_kind rig_push = {.name = "push",
    .drive = DRIVE_PUSH, .opts = rig_none, .conf_size = 1};
static const struct monitor_kind rig_group = {.name = "group",
    .drive = DRIVE_GROUP, .opts = rig_none, .conf_size = 1};
static const struct monitor_kind *const rig_kinds[] = {
	&rig_tcp, &rig_push, &rig_group, NULL
};

static struct result_part *
rig_part(uint32_t monitor, enum status to, enum why why, uint64_t seq)
{
	struct result_part *p = xcalloc(1, sizeof(*p));
	int64_t now = clock_wall_us();

	p->has_transition = p->has_state = true;
	p->transition = (struct transition){.monitor = monitor, .seq = seq,
	    .at_us = now, .from = STATUS_PENDING, .to = (uint8_t)to,
	    .why = (uint8_t)why,
	    .explain = "{\"rule\":\"the rig said so\",\"votes\":[]}"};
	p->state = (struct mon_state){.monitor = monitor, .seq = seq,
	    .status = (uint8_t)to, .why = (uint8_t)why, .since_us = now,
	    .last_us = now};
	return p;
}

/* A shard that judges at once and gives the unit to the writer. */
static bool
rig_send(void *arg, struct command *c)
{
	struct rig *r = arg;
	struct result_unit *u;
	enum status to = c->kind == COMMAND_PAUSE ? STATUS_PAUSED :
	    c->kind == COMMAND_RESUME ? STATUS_PENDING :
	    c->beat_down ? STATUS_DOWN : STATUS_UP;
	uint64_t seq = 0;

	if (r->refuse)
		return false;
	if (c->kind == COMMAND_UNHEARD) {
		command_free(c);
		return true;
	}
	if (r->hold) {
		r->held = c->ack;
		command_free(c);
		return true;
	}
	u = result_unit_new();
	if (c->kind == COMMAND_BEAT) {
		seq = ++r->seq;
		u->has_sample = true;
		u->sample = (struct sample){.monitor = c->monitor, .seq = seq,
		    .due_us = c->beat_us, .at_us = c->beat_us,
		    .latency_us = c->beat_ping_us, .status = (uint8_t)to,
		    .why = c->beat_down ? WHY_PUSH_DOWN : WHY_OK,
		    .phase_us = {-1, -1, -1, -1, -1}};
		memcpy(u->sample.reason, c->beat_msg,
		    sizeof(u->sample.reason));
	}
	u->own = rig_part(c->monitor, to, c->kind == COMMAND_PAUSE ?
	    WHY_PAUSED : c->kind == COMMAND_RESUME ? WHY_RESUMED :
	    c->beat_down ? WHY_PUSH_DOWN : WHY_OK, seq);
	memcpy(u->own->state.reason, c->beat_msg, sizeof(c->beat_msg));
	memcpy(u->actor, c->actor, sizeof(u->actor));
	u->unit.urgent = true;
	u->unit.ack = c->ack;
	u->unit.bytes = sizeof(*u);
	u->unit.queued_ns = clock_mono_ns();
	command_free(c);
	if (!mbox_put(store_inbox(r->store), &u->unit.msg, u->unit.bytes))
		abort();
	return true;
}

static void
rig_to_shard(void *arg, struct command *c, uint32_t key)
{
	(void)arg;
	(void)key;
	command_free(c);
}

static void
rig_start(struct rig *r)
{
	struct store_conf sc = {.commit_delay_ns = NS_PER_MS, .queue = 10000,
	    .queue_bytes = 64u << 20, .readers = 2, .kinds = rig_kinds,
	    .to_shard = rig_to_shard, .to_shard_arg = r};
	struct http_conf hc = {.settings = &r->settings, .kinds = rig_kinds,
	    .version = "0.0-test", .send = rig_send, .arg = r};
	struct errinfo ei = {0};

	snprintf(r->dir, sizeof(r->dir), "/tmp/http-test-XXXXXX");
	assert(mkdtemp(r->dir) != NULL);
	snprintf(sc.path, sizeof(sc.path), "%s/t.db", r->dir);
	snprintf(r->control, sizeof(r->control), "%s/control.sock", r->dir);
	if (r->settings.limits.sse_clients == 0)
		r->settings.limits.sse_clients = 16;
	if (r->settings.server.http == NULL)
		r->settings.server.http = (char *)(uintptr_t)"127.0.0.1:0";
	if (store_open(&sc, &r->store, &ei) != ERR_OK ||
	    store_start(r->store, &ei) != ERR_OK) {
		fprintf(stderr, "store: %s\n", ei.text);
		abort();
	}
	hc.store = r->store;
	hc.control_path = r->control;
	hc.started_us = clock_wall_us();
	if (http_start(&hc, &r->http, &ei) != ERR_OK) {
		fprintf(stderr, "http: %s\n", ei.text);
		abort();
	}
	r->port = (uint16_t)strtoul(strrchr(http_url(r->http), ':') + 1, NULL,
	    10);
}

static void
rig_stop(struct rig *r)
{
	struct errinfo ei = {0};
	char command[128];

	http_quiesce(r->http);
	http_stop(r->http, clock_mono_ns() + NS_PER_S);
	http_free(r->http);
	(void)store_stop(r->store, clock_mono_ns() + 5 * NS_PER_S, &ei);
	store_free(r->store);
	snprintf(command, sizeof(command), "rm -rf %s", r->dir);
	assert(system(command) == 0);
}

static int
rig_connect(const struct rig *r, bool control)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
	    .sin_port = htons(r->port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct timeval limit = {.tv_sec = 20};
	int fd = socket(control ? AF_UNIX : AF_INET, SOCK_STREAM, 0), e;

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", r->control);
	e = control ? connect(fd, (struct sockaddr *)&un, sizeof(un)) :
	    connect(fd, (struct sockaddr *)&in, sizeof(in));
	assert(e == 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return fd;
}

static void
rig_write(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t k = send(fd, p, n, MSG_NOSIGNAL);

		if (k <= 0)
			return;   /* answered and closed early */
		p += k;
		n -= (size_t)k;
	}
}

/* Everything until the other end closes; the status, 0 when there is none. */
static unsigned
rig_read(int fd, struct buf *out)
{
	char chunk[16384];
	ssize_t n;

	buf_clear(out);
	while ((n = recv(fd, chunk, sizeof(chunk), 0)) > 0)
		buf_add(out, (struct str){chunk, (size_t)n});
	close(fd);
	if (out->n < 12)
		return 0;
	return (unsigned)strtoul(out->p + 9, NULL, 10);
}

/* "GET /path" with more header lines (each with \r\n) and a body. */
static unsigned
rig_ask(const struct rig *r, bool control, struct buf *out, const char *line,
    const char *headers, const char *body)
{
	BUF_AUTO(b, 64u << 20);
	int fd = rig_connect(r, control);

	buf_addf(&b, "%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s",
	    line, headers);
	if (body != NULL)
		buf_addf(&b, "Content-Length: %zu\r\n", strlen(body));
	buf_adds(&b, "\r\n");
	if (body != NULL)
		buf_adds(&b, body);
	rig_write(fd, b.p, b.n);
	return rig_read(fd, out);
}

static bool
rig_has(const struct buf *b, const char *text)
{
	return b->p != NULL && strstr(b->p, text) != NULL;
}

#endif

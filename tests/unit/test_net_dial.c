/* Connecting to the first of several addresses that answers. */
#include <fcntl.h>
#include <poll.h>

#include "net/dial.h"

#include "net_rig.h"

static struct rig rig;

static int
set_up(void **state)
{
	char deny[] = "127.9.0.0/16";
	char *denies[] = {deny};
	struct settings st = {.net.deny = {.v = denies, .n = 1}};

	(void)state;
	rig_open(&rig, &st);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	rig_close(&rig);
	return 0;
}

static int
bound(const char *ip, uint16_t *port)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
		.sin_port = htons(*port)};
	socklen_t n = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(inet_pton(AF_INET, ip, &in.sin_addr), 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&in, n), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &n), 0);
	*port = ntohs(in.sin_port);
	return fd;
}

#define FILLERS 8

/* A listener whose queue is full: it leaves further connections unanswered. */
struct hole {
	int fd, fill[FILLERS];
	uint16_t port;
};

static void
hole_open(struct hole *h, const char *ip)
{
	h->port = 0;
	h->fd = bound(ip, &h->port);
	assert_int_equal(listen(h->fd, 0), 0);
	for (int i = 0; i < FILLERS; i++) {
		struct sockaddr_in in = {.sin_family = AF_INET,
			.sin_port = htons(h->port)};

		(void)inet_pton(AF_INET, ip, &in.sin_addr);
		h->fill[i] = socket(AF_INET,
		    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		(void)connect(h->fill[i], (struct sockaddr *)&in, sizeof(in));
	}
}

static void
hole_close(struct hole *h)
{
	for (int i = 0; i < FILLERS; i++)
		(void)close(h->fill[i]);
	(void)close(h->fd);
}

static void
add(struct resolve *r, const char *ip, uint16_t port)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&r->addr[r->n++];

	*in = (struct sockaddr_in){.sin_family = AF_INET,
		.sin_port = htons(port)};
	assert_int_equal(inet_pton(AF_INET, ip, &in->sin_addr), 1);
}

static void
on_done(struct dial *d)
{
	(void)d;
	world_uv_stop(rig.world);
}

/* False: still under way after limit_ns. */
static bool
dial(struct dial *d, const struct resolve *to, int64_t limit_ns)
{
	*d = (struct dial){.net = rig.net, .to = to, .done = on_done};
	return dial_start(d) != ERR_OK || rig_run(&rig, limit_ns);
}

static void
a_refusal_leads_to_the_next(void **state)
{
	struct resolve to = {.n = 0};
	struct dial d;
	uint16_t port = 0;
	int good = bound("127.0.0.1", &port);
	int dead = bound("127.0.0.2", &port);

	(void)state;
	assert_int_equal(listen(good, 8), 0);
	add(&to, "127.9.0.1", port);   /* forbidden: not tried */
	add(&to, "127.0.0.2", port);
	add(&to, "127.0.0.1", port);
	assert_true(dial(&d, &to, 5 * NS_PER_S));
	assert_int_equal(d.why, WHY_OK);
	assert_int_equal(d.peer.ip[3], 1);
	assert_true(d.watch.on);
	assert_true(d.ended_ns >= d.began_ns);
	dial_close(&d);
	dial_close(&d);
	to.n = 2;
	assert_true(dial(&d, &to, 5 * NS_PER_S));
	assert_int_equal(d.why, WHY_NET_REFUSED);   /* not the policy */
	assert_false(d.watch.on);
	to.n = 1;
	assert_true(dial(&d, &to, 5 * NS_PER_S));
	assert_int_equal(d.why, WHY_LOCAL_POLICY);
	assert_non_null(strstr(d.reason, "127.9.0.1"));
	(void)close(good);
	(void)close(dead);
}

static void
a_black_hole_does_not_eat_the_time(void **state)
{
	struct resolve to = {.n = 0};
	struct hole h;
	struct dial d;
	uint16_t port;
	int good;
	int64_t began;

	(void)state;
	hole_open(&h, "127.0.0.2");
	port = h.port;
	good = bound("127.0.0.1", &port);
	assert_int_equal(listen(good, 8), 0);
	add(&to, "127.0.0.2", port);
	add(&to, "127.0.0.1", port);
	began = world_now(rig.world);   /* what timers count from */
	assert_true(dial(&d, &to, 10 * NS_PER_S));
	assert_int_equal(d.why, WHY_OK);
	assert_int_equal(d.peer.ip[3], 1);
	assert_true(world_fresh(rig.world) - began >= DIAL_STAGGER_NS);
	dial_close(&d);
	to.n = 1;
	assert_false(dial(&d, &to, 50 * NS_PER_MS));
	dial_close(&d);
	assert_int_equal(d.why, WHY_NET_TIMEOUT);
	assert_int_equal(d.peer.ip[3], 2);
	(void)close(good);
	hole_close(&h);
}

static unsigned
descriptors(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void
giving_up_closes_everything(void **state)
{
	struct resolve to = {.n = 0};
	struct hole h;
	struct dial d;
	unsigned before;

	(void)state;
	hole_open(&h, "127.0.0.2");
	for (unsigned i = 0; i < RESOLVE_ADDRS_MAX; i++)
		add(&to, "127.0.0.2", h.port);
	before = descriptors();
	assert_false(dial(&d, &to, 2 * NS_PER_S));
	/* All places taken, none beyond. */
	assert_int_equal(descriptors(), before + DIAL_WIDTH);
	dial_close(&d);
	assert_int_equal(descriptors(), before);
	hole_close(&h);
}

static void
no_address_is_an_answer_too(void **state)
{
	struct resolve to = {.n = 0};
	struct dial d = {.net = rig.net, .to = &to, .done = on_done};

	(void)state;
	assert_int_not_equal(dial_start(&d), ERR_OK);
	assert_int_equal(d.why, WHY_DNS_NODATA);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_refusal_leads_to_the_next),
		cmocka_unit_test(a_black_hole_does_not_eat_the_time),
		cmocka_unit_test(giving_up_closes_everything),
		cmocka_unit_test(no_address_is_an_answer_too),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

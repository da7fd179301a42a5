/* The ICMP engine against the real kernel: loopback here, and two network
 * namespaces joined by a cable for what loopback cannot do (TTL, unreachable,
 * silence, the unprivileged socket, no permission). */
#include "check/ping.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/time.h"

#define GUARD_NS (20 * NS_PER_S)

static struct world *world;
static struct ping *ping;
static unsigned left;      /* runs that are not done */
static bool guard_fired;

static void
on_guard(struct world *w, struct timer *t)
{
	(void)t;
	guard_fired = true;
	world_uv_stop(w);
}

static void
on_done(struct ping_run *r)
{
	(void)r;
	if (--left == 0)
		world_uv_stop(world);
}

static struct ping_run *
run_new(const char *ip, unsigned packets)
{
	struct ping_run *r = xcalloc(1, sizeof(*r));
	struct sockaddr_in *in = (struct sockaddr_in *)&r->to;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&r->to;

	if (inet_pton(AF_INET, ip, &in->sin_addr) == 1)
		in->sin_family = AF_INET;
	else if (inet_pton(AF_INET6, ip, &in6->sin6_addr) == 1)
		in6->sin6_family = AF_INET6;
	else
		abort();
	r->packets = (uint16_t)packets;
	r->size = 56;
	r->spacing_ns = 10 * NS_PER_MS;
	r->wait_ns = 500 * NS_PER_MS;
	r->end_ns = world_now(world) + 10 * NS_PER_S;
	r->done = on_done;
	return r;
}

static void
loop_open(void)
{
	world = world_uv_new();
	ping = ping_new(world);
	left = 0;
	guard_fired = false;
}

static void
loop_close(void)
{
	ping_free(ping);
	world_uv_free(world);
}

/* Run until every started run is done. */
static bool
loop_run(void)
{
	struct timer guard = {0};

	timer_set(world, &guard, world_now(world) + GUARD_NS, on_guard);
	if (left > 0)
		world_uv_run(world);
	timer_stop(world, &guard);
	return !guard_fired;
}

/* May this process ping at all? Says why not. */
static bool
may_ping(void)
{
	struct ping_run *r = run_new("127.0.0.1", 1);
	enum why why = ping_start(ping, r);

	if (why == WHY_OK)
		ping_cancel(ping, r);
	else
		print_message("skipped: %s\n", r->reason);
	xfree(r);
	return why == WHY_OK;
}

/* -- loopback ------------------------------------------------------------- */

static void
ping_one(const char *ip)
{
	struct ping_run *r;

	loop_open();
	if (!may_ping()) {
		loop_close();
		skip();
	}
	r = run_new(ip, 3);
	left = 1;
	assert_int_equal(ping_start(ping, r), WHY_OK);
	assert_int_equal(r->sent, 0);   /* nothing happens inside start */
	assert_true(loop_run());
	assert_int_equal(r->sent, 3);
	assert_int_equal(r->got, 3);
	assert_int_equal(r->failed, 0);
	assert_int_equal(r->why, WHY_OK);
	for (unsigned i = 0; i < 3; i++) {
		assert_true(r->rtt_ns[i] >= NS_PER_US);
		assert_true(r->rtt_ns[i] < NS_PER_S);
	}
	assert_true(r->tx_ns[1] - r->tx_ns[0] >= 9 * NS_PER_MS);
	assert_null(r->sock);
	ping_cancel(ping, r);   /* after the end: nothing */
	xfree(r);
	loop_close();
}

static void
loopback_ipv4(void **state)
{
	(void)state;
	ping_one("127.0.0.1");
}

static void
loopback_ipv6(void **state)
{
	(void)state;
	ping_one("::1");
}

static void
many_at_once(void **state)
{
	enum { N = 600 };
	static struct ping_run *r[N];
	char ip[32];

	(void)state;
	loop_open();
	if (!may_ping()) {
		loop_close();
		skip();
	}
	for (unsigned i = 0; i < N; i++) {
		/* the same address twice: told apart by their tokens */
		(void)snprintf(ip, sizeof(ip), "127.1.%u.%u", i / 2 / 200,
		    1 + i / 2 % 200);
		r[i] = run_new(ip, 2);
		r[i]->size = (uint16_t)(16 + i % 1385);
		left++;
		assert_int_equal(ping_start(ping, r[i]), WHY_OK);
	}
	assert_true(loop_run());
	for (unsigned i = 0; i < N; i++) {
		assert_int_equal(r[i]->got, 2);
		xfree(r[i]);
	}
	loop_close();
}

static void
cancelled_runs_are_forgotten(void **state)
{
	struct ping_run *a, *b;

	(void)state;
	loop_open();
	if (!may_ping()) {
		loop_close();
		skip();
	}
	a = run_new("127.0.0.1", 5);
	b = run_new("127.0.0.1", 5);
	left = 1;
	assert_int_equal(ping_start(ping, a), WHY_OK);
	assert_int_equal(ping_start(ping, b), WHY_OK);
	ping_cancel(ping, a);
	memset(a, 0xa5, sizeof(*a));   /* whoever touches it is caught */
	assert_true(loop_run());
	assert_int_equal(b->got, 5);
	xfree(a);
	xfree(b);
	loop_close();
}

static struct ping_run *again;

static void
on_done_again(struct ping_run *r)
{
	(void)r;
	if (again != NULL) {
		struct ping_run *next = again;

		again = NULL;
		assert_int_equal(ping_start(ping, next), WHY_OK);
	}
	on_done(r);
}

/* A run that begins where another ended, on the other family's socket too. */
static void
done_starts_another(void **state)
{
	struct ping_run *a, *b;

	(void)state;
	loop_open();
	if (!may_ping()) {
		loop_close();
		skip();
	}
	a = run_new("::1", 1);
	b = run_new("127.0.0.1", 1);
	a->done = on_done_again;
	again = b;
	left = 2;
	assert_int_equal(ping_start(ping, a), WHY_OK);
	assert_true(loop_run());
	assert_int_equal(b->got, 1);
	xfree(a);
	xfree(b);
	loop_close();
}

/* -- namespaces ----------------------------------------------------------- */

static bool
sh(const char *fmt, ...) FORMAT(1, 2);
static bool
sh(const char *fmt, ...)
{
	char cmd[2048];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	return system(cmd) == 0;
}

/* In a child with a network of its own, cabled to a router in a second one:
 *   10.99.0.1/24, fd99::1/64 ── 10.99.0.2, fd99::2 (forwards)
 * The child's exit code: 0 fine, 77 cannot be had here, else a line number. */
#define CANNOT 77
#define CHECK(cond) do { if (!(cond)) { \
	print_message("%s:%d: %s\n", __FILE__, __LINE__, #cond); \
	return 1; } } while (0)

static pid_t router = -1;

static bool
network_open(void)
{
	int ready[2], alive[2];
	char c;

	if (unshare(CLONE_NEWNET) != 0 || pipe2(ready, O_CLOEXEC) != 0 ||
	    pipe2(alive, O_CLOEXEC) != 0)
		return false;
	router = fork();
	if (router == 0) {
		c = unshare(CLONE_NEWNET) == 0 ? 'y' : 'n';
		(void)!write(ready[1], &c, 1);
		/* it ends with us, whoever we have become by then */
		(void)close(alive[1]);
		(void)!read(alive[0], &c, 1);
		_exit(0);
	}
	if (router < 0 || read(ready[0], &c, 1) != 1 || c != 'y')
		return false;
	(void)close(ready[0]);
	(void)close(ready[1]);
	(void)close(alive[0]);   /* alive[1] stays open as long as we live */
	return sh("exec 2>/dev/null; ip link set lo up && "
	    "echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad && "
	    "ip link add v0 type veth peer name v1 netns %d && "
	    "ip addr add 10.99.0.1/24 dev v0 && "
	    "ip addr add fd99::1/64 dev v0 nodad && ip link set v0 up",
		   (int)router) &&
	    sh("exec 2>/dev/null; nsenter -t %d -n sh -c '"
	       "echo 0 >/proc/sys/net/ipv6/conf/v1/accept_dad && "
	       "ip link set lo up && ip addr add 10.99.0.2/24 dev v1 && "
	       "ip addr add fd99::2/64 dev v1 nodad && ip link set v1 up && "
	       "echo 1 >/proc/sys/net/ipv4/ip_forward && "
	       "echo 1 >/proc/sys/net/ipv6/conf/all/forwarding && "
	       "echo 0 >/proc/sys/net/ipv4/icmp_ratelimit && "
	       "ip route add unreachable 10.1.0.0/16 && "
	       "ip route add prohibit 10.2.0.0/16 && "
	       "ip route add blackhole 10.3.0.0/16 && "
	       "ip route add 10.5.0.0/16 via 10.99.0.1 && "
	       "ip route add fd05::/64 via fd99::1 && "
	       "ip route add unreachable fd01::/64 && "
	       "ip route add blackhole fd03::/64'",
		(int)router) &&
	    sh("exec 2>/dev/null; ip route add default via 10.99.0.2 && "
	       "ip -6 route add default via fd99::2");
}

static void
in_child(int (*fn)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		int rc = network_open() ? fn() : CANNOT;

		_exit(rc);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == CANNOT) {
		print_message("skipped: no network namespaces here "
			      "(needs root and iproute2)\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* One run to the end; the caller frees it. NULL: it hung or did not start. */
static struct ping_run *
run_to(const char *ip, unsigned packets)
{
	struct ping_run *r;

	loop_open();
	r = run_new(ip, packets);
	left = 1;
	if (ping_start(ping, r) != WHY_OK || !loop_run()) {
		print_message("%s: %s\n", ip, r->reason);
		return NULL;
	}
	loop_close();
	return r;
}

static bool
ends(const char *ip, unsigned got, enum why why)
{
	struct ping_run *r = run_to(ip, 2);
	bool ok = r != NULL && r->got == got && r->why == why;

	if (!ok && r != NULL)
		print_message("%s: got %u, %s: %s\n", ip, r->got,
		    why_name(r->why), r->reason);
	xfree(r);
	return ok;
}

/* Neighbours need a moment to find each other. */
static bool
cable_up(void)
{
	for (unsigned i = 0; i < 20; i++) {
		struct ping_run *r = run_to("fd99::2", 1);
		bool ok = r != NULL && r->got == 1;

		xfree(r);
		if (ok)
			return true;
	}
	return false;
}

static int
errors_are_told_apart(void)
{
	struct ping_run *r;

	CHECK(cable_up());
	CHECK(ends("10.99.0.2", 2, WHY_OK));
	CHECK(ends("fd99::2", 2, WHY_OK));
	CHECK(ends("10.1.0.1", 0, WHY_NET_HOST_UNREACHABLE));
	CHECK(ends("10.2.0.1", 0, WHY_NET_HOST_UNREACHABLE));
	CHECK(ends("10.3.0.1", 0, WHY_OK));   /* silence: no error */
	CHECK(ends("10.4.0.1", 0, WHY_NET_UNREACHABLE));
	CHECK(ends("fd01::1", 0, WHY_NET_UNREACHABLE) ||
	    ends("fd01::1", 0, WHY_NET_HOST_UNREACHABLE));
	CHECK(ends("fd03::1", 0, WHY_OK));
	r = run_to("10.1.0.1", 2);
	CHECK(r != NULL && r->failed >= 1 && r->sent == 2);
	CHECK(strstr(r->reason, "unreachable") != NULL);   /* routers limit the rate of errors */
	xfree(r);
	CHECK(sh("echo 1 >/proc/sys/net/ipv4/ip_default_ttl && "
		 "echo 1 >/proc/sys/net/ipv6/conf/v0/hop_limit"));
	CHECK(ends("10.5.0.1", 0, WHY_NET_TTL));
	CHECK(ends("fd05::1", 0, WHY_NET_TTL));
	CHECK(ends("10.99.0.2", 2, WHY_OK));
	return 0;
}

static void
raw_socket(void **state)
{
	(void)state;
	/* a new namespace allows the unprivileged socket to nobody */
	in_child(errors_are_told_apart);
}

static int
unprivileged_body(void)
{
	if (!sh("echo '0 2147483647' >/proc/sys/net/ipv4/ping_group_range"))
		return CANNOT;
	return errors_are_told_apart();
}

static void
unprivileged_socket(void **state)
{
	(void)state;
	in_child(unprivileged_body);
}

/* An error about one target must not fail the requests to another. */
static int
mixed_body(void)
{
	enum { N = 40 };
	struct ping_run *r[N];

	(void)sh("echo '0 2147483647' >/proc/sys/net/ipv4/ping_group_range");
	loop_open();
	for (unsigned i = 0; i < N; i++) {
		r[i] = run_new(i % 2 == 0 ? "10.1.0.9" : "10.99.0.2", 4);
		left++;
		CHECK(ping_start(ping, r[i]) == WHY_OK);
	}
	CHECK(loop_run());
	for (unsigned i = 0; i < N; i++) {
		CHECK(r[i]->sent == 4);
		CHECK(r[i]->got == (i % 2 == 0 ? 0 : 4));
		xfree(r[i]);
	}
	loop_close();
	return 0;
}

static void
errors_stay_with_their_target(void **state)
{
	(void)state;
	in_child(mixed_body);
}

static int
no_route_body(void)
{
	struct ping_run *r;

	CHECK(sh("ip route del default"));
	r = run_to("10.4.0.1", 2);
	CHECK(r != NULL && r->sent == 0 && r->failed == 2);
	CHECK(why_is_local(r->why));
	CHECK(strncmp(r->reason, "cannot send: ", 13) == 0);
	xfree(r);
	return 0;
}

static void
no_route_is_ours(void **state)
{
	(void)state;
	in_child(no_route_body);
}

static int
no_permission_body(void)
{
	struct ping_run *r;

	if (setgroups(0, NULL) != 0 || setresgid(65534, 65534, 65534) != 0 ||
	    setresuid(65534, 65534, 65534) != 0)
		return CANNOT;
	loop_open();
	r = run_new("127.0.0.1", 1);
	CHECK(ping_start(ping, r) == WHY_LOCAL_PERMISSION);
	CHECK(strstr(r->reason, "ping_group_range") != NULL);
	CHECK(strstr(r->reason, "CAP_NET_RAW") != NULL);
	CHECK(r->sock == NULL);
	xfree(r);
	loop_close();
	return 0;
}

static void
no_permission_says_what_to_do(void **state)
{
	(void)state;
	in_child(no_permission_body);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loopback_ipv4),
		cmocka_unit_test(loopback_ipv6),
		cmocka_unit_test(many_at_once),
		cmocka_unit_test(cancelled_runs_are_forgotten),
		cmocka_unit_test(done_starts_another),
		cmocka_unit_test(raw_socket),
		cmocka_unit_test(unprivileged_socket),
		cmocka_unit_test(errors_stay_with_their_target),
		cmocka_unit_test(no_route_is_ours),
		cmocka_unit_test(no_permission_says_what_to_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What a ping costs: CPU per echo through the engine, to N addresses of 127/8
 * in bursts, next to fping in the same run when it is installed.
 *   bench_ping [TARGETS [ROUNDS]]
 * Each line is name=value pairs, one figure a line. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/time.h"
#include "check/ping.h"
#include "world/world.h"

#define TARGETS     1000
#define TARGETS_MAX 50000
#define ROUNDS      50

static struct world *world;
static unsigned left, answered;

static void
on_done(struct ping_run *r)
{
	answered += r->got;
	if (--left == 0)
		world_uv_stop(world);
}

static double
cpu_us(int who)
{
	struct rusage u;

	if (getrusage(who, &u) != 0)
		abort();
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 +
	    (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static uint32_t
address(unsigned i)
{
	return 0x7f010000u + (i / 250 << 8) + 1 + i % 250;
}

static bool
round_run(struct ping *ping, struct ping_run *runs, unsigned n)
{
	left = n;
	for (unsigned i = 0; i < n; i++) {
		struct sockaddr_in *in = (struct sockaddr_in *)&runs[i].to;

		in->sin_family = AF_INET;
		in->sin_addr.s_addr = htonl(address(i));
		runs[i].packets = 1;
		runs[i].size = 56;
		runs[i].spacing_ns = 10 * NS_PER_MS;
		runs[i].wait_ns = NS_PER_S;
		runs[i].end_ns = world_now(world) + 5 * NS_PER_S;
		runs[i].done = on_done;
		if (ping_start(ping, &runs[i]) != WHY_OK) {
			(void)fprintf(stderr, "bench_ping: %s\n",
			    runs[i].reason);
			return false;
		}
	}
	world_uv_run(world);
	return true;
}

static void
line(const char *what, unsigned n, double cpu, double wall_us)
{
	(void)printf("bench=ping what=%s pings=%u cpu_us_per_ping=%.2f "
		     "wall_us_per_ping=%.2f\n",
	    what, n, cpu / n, wall_us / n);
}

/* fping reads its targets from stdin; -q keeps it from printing each. */
static void
fping_run(unsigned n, unsigned rounds)
{
	char count[16], ip[INET_ADDRSTRLEN];
	double before = cpu_us(RUSAGE_CHILDREN);
	int64_t t0 = clock_mono_ns();
	int to[2], status;
	pid_t pid;
	FILE *f;

	(void)snprintf(count, sizeof(count), "%u", rounds);
	(void)fflush(stdout);   /* the child must not print it again */
	if (pipe(to) != 0)
		return;
	pid = fork();
	if (pid == 0) {
		(void)dup2(to[0], 0);
		(void)close(to[1]);
		(void)!freopen("/dev/null", "w", stdout);
		(void)!freopen("/dev/null", "w", stderr);
		execlp("fping", "fping", "-q", "-i", "0", "-p", "10", "-C",
		    count, (char *)NULL);
		_exit(127);
	}
	(void)close(to[0]);
	f = fdopen(to[1], "w");
	for (unsigned i = 0; f != NULL && i < n; i++) {
		struct in_addr a = {htonl(address(i))};

		(void)fprintf(f, "%s\n",
		    inet_ntop(AF_INET, &a, ip, sizeof(ip)));
	}
	if (f != NULL)
		(void)fclose(f);
	if (pid < 0 || waitpid(pid, &status, 0) != pid ||
	    !WIFEXITED(status) || WEXITSTATUS(status) > 1) {
		(void)printf("bench=ping what=fping skipped=not-installed\n");
		return;
	}
	line("fping", n * rounds, cpu_us(RUSAGE_CHILDREN) - before,
	    (double)(clock_mono_ns() - t0) / 1e3);
}

static unsigned
number(const char *s, unsigned max)
{
	uint64_t v;

	if (!str_u64(str_of(s), max, &v) || v == 0) {
		(void)fprintf(stderr, "usage: bench_ping [TARGETS [ROUNDS]]\n");
		exit(2);
	}
	return (unsigned)v;
}

int
main(int argc, char **argv)
{
	unsigned n = argc > 1 ? number(argv[1], TARGETS_MAX) : TARGETS;
	unsigned rounds = argc > 2 ? number(argv[2], 10000) : ROUNDS;
	struct ping_run *runs = xcalloc(n, sizeof(*runs));
	struct ping *ping;
	double before;
	int64_t t0;

	world = world_uv_new();
	ping = ping_new(world);
	if (!round_run(ping, runs, n))   /* sockets, maps and caches */
		return 1;
	answered = 0;
	before = cpu_us(RUSAGE_SELF);
	t0 = clock_mono_ns();
	for (unsigned i = 0; i < rounds; i++) {
		if (!round_run(ping, runs, n))
			return 1;
	}
	line("vedette", n * rounds, cpu_us(RUSAGE_SELF) - before,
	    (double)(clock_mono_ns() - t0) / 1e3);
	(void)printf("bench=ping what=lost value=%u\n", n * rounds - answered);
	ping_free(ping);
	world_uv_free(world);
	xfree(runs);
	fping_run(n, MIN(rounds, 5u));
	return 0;
}

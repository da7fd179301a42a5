/* The small ones: mem, hist, role, fault. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/fault.h"
#include "base/hist.h"
#include "base/mem.h"
#include "base/role.h"

static void
memory(void **state)
{
	unsigned char *p = xcalloc(10, 3);
	char *s CLEANUP(xfreep) = xstrndup("abcdef", 3);
	char *t CLEANUP(xfreep) = xstrdup(s);
	char *gone CLEANUP(xfreep) = xstrdup("x");

	(void)state;
	for (int i = 0; i < 30; i++)
		assert_int_equal(p[i], 0);
	p = xrealloc(p, 100, 7);
	p[699] = 1;
	/* To nothing and back: still a block of ours. */
	p = xrealloc(p, 0, 7);
	p = xrealloc(p, 5, 1);
	xfree(p);
	xfree(NULL);
	assert_string_equal(s, "abc");
	assert_string_equal(t, "abc");
	xfree(TAKE(gone));
	assert_null(gone);
}

/* Does f end the process by this signal? */
static bool
dies(void (*f)(void), int sig)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		(void)signal(SIGABRT, SIG_DFL);
		(void)close(STDERR_FILENO);
		f();
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) && WTERMSIG(status) == sig;
}

static void
ask_wrong_role(void) ROLE_UNCHECKED
{
	role_enter(&shard_role);
	role_is(&writer_role);
}

static void
enter_twice(void) ROLE_UNCHECKED
{
	role_enter(&shard_role);
	role_enter(&writer_role);
}

static void
leave_without(void) ROLE_UNCHECKED
{
	role_leave(&shard_role);
}

static void
roles(void **state) ROLE_UNCHECKED
{
	(void)state;
	role_enter(&shard_role);
	role_is(&shard_role);
	role_leave(&shard_role);
	role_enter(&writer_role);
	role_is(&writer_role);
	role_leave(&writer_role);
	assert_true(dies(ask_wrong_role, SIGABRT));
	assert_true(dies(enter_twice, SIGABRT));
	assert_true(dies(leave_without, SIGABRT));
}

static void
histogram(void **state)
{
	static struct hist h;
	uint64_t n = 0;

	(void)state;
	for (size_t i = 1; i < COUNT(hist_bounds_ns); i++)
		assert_true(hist_bounds_ns[i - 1] < hist_bounds_ns[i]);
	hist_add(&h, -5);
	hist_add(&h, 0);
	hist_add(&h, hist_bounds_ns[0]);       /* "le": the bound is in */
	hist_add(&h, hist_bounds_ns[0] + 1);
	hist_add(&h, INT64_C(10000000000));
	hist_add(&h, INT64_C(10000000001));
	hist_add(&h, INT64_C(1000000000000));
	assert_int_equal(h.n[0], 3);
	assert_int_equal(h.n[1], 1);
	assert_int_equal(h.n[HIST_BUCKETS - 2], 1);
	assert_int_equal(h.n[HIST_BUCKETS - 1], 2);
	for (int i = 0; i < HIST_BUCKETS; i++)
		n += h.n[i];
	assert_int_equal(n, 7);
	assert_int_equal(h.sum_ns, 2 * 100000 + 1 + UINT64_C(1020000000001));
}

#ifdef FAULTS
/* Each rule set needs a process of its own: it is read once. */
static void
kill_at_third(void)
{
	(void)setenv("VEDETTE_FAULT", "a.b=kill@3,c=error@1", 1);
	if (FAULT("a.b") || FAULT("a.b") || FAULT("a") || FAULT("a.bc"))
		_exit(1);
	if (!FAULT("c") || FAULT("c"))
		_exit(1);
	(void)FAULT("a.b");
	_exit(2);
}

static void
errors_when_asked(void)
{
	(void)setenv("VEDETTE_FAULT", "x=error@2,x=error@4+", 1);
	if (FAULT("x") || !FAULT("x") || FAULT("x") || !FAULT("x") ||
	    !FAULT("x"))
		_exit(1);
	(void)kill(getpid(), SIGTERM);
}

static void
nonsense(void)
{
	(void)setenv("VEDETTE_FAULT", "x=maybe@1", 1);
	(void)FAULT("x");
}

static void
no_count(void)
{
	(void)setenv("VEDETTE_FAULT", "x=error", 1);
	(void)FAULT("x");
}

static void
faults(void **state)
{
	(void)state;
	assert_true(dies(kill_at_third, SIGKILL));
	assert_true(dies(errors_when_asked, SIGTERM));
	assert_true(dies(nonsense, SIGABRT));
	assert_true(dies(no_count, SIGABRT));
	assert_false(FAULT("never.named"));
}
#else
static void
faults(void **state)
{
	(void)state;
	assert_false(FAULT("never.named"));
}
#endif

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory),
		cmocka_unit_test(roles),
		cmocka_unit_test(histogram),
		cmocka_unit_test(faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "base/fault.h"

#ifdef FAULTS

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"

#define RULES_MAX 16

#define STALL_S 5

enum action { ACTION_KILL, ACTION_ERROR, ACTION_STALL };
struct rule {
	struct str point;
	enum action action;
	uint64_t at;        /* the pass it acts on, from 1 */
	bool onwards;       /* "@3+": and on every later one */
	_Atomic uint64_t passes;
};

/* Written once under the pthread_once, then only the counters change. */
static struct rule rules[RULES_MAX];
static unsigned nrules;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
rule_parse(struct str s)
{
	struct rule *r = &rules[nrules];
	struct str verb, count = str_cut(s, '=', &r->point);

	count = str_cut(count, '@', &verb);
	if (str_is(verb, "kill"))
		r->action = ACTION_KILL;
	else if (str_is(verb, "error"))
		r->action = ACTION_ERROR;
	else if (str_is(verb, "stall"))
		r->action = ACTION_STALL;
	else
		abort();   /* a test that asks for nothing must not pass */
	r->onwards = count.n > 0 && count.p[count.n - 1] == '+';
	if (r->onwards)
		count.n--;
	if (!str_u64(count, UINT64_MAX, &r->at) || r->at == 0)
		abort();
	nrules++;
}

static void
rules_read(void)
{
	struct str rest = str_of(getenv("VEDETTE_FAULT")), one;

	while (rest.n > 0) {
		if (nrules == RULES_MAX)
			abort();
		rest = str_cut(rest, ',', &one);
		rule_parse(one);
	}
}

bool
fault_here(const char *point)
{
	bool fails = false;

	(void)pthread_once(&once, rules_read);
	for (unsigned i = 0; i < nrules; i++) {
		struct rule *r = &rules[i];
		uint64_t pass;

		if (!str_is(r->point, point))
			continue;
		pass = atomic_fetch_add(&r->passes, 1) + 1;
		if (pass != r->at && !(r->onwards && pass > r->at))
			continue;
		if (r->action == ACTION_KILL)
			(void)kill(getpid(), SIGKILL);
		if (r->action == ACTION_STALL)
			(void)sleep(STALL_S);
		fails |= r->action == ACTION_ERROR;
	}
	return fails;
}

#endif

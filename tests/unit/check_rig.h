/* check_rig.h: one check of a network type, run to its end on a rig. */
#ifndef TESTS_UNIT_CHECK_RIG_H
#define TESTS_UNIT_CHECK_RIG_H

#include "check/check.h"
#include "conf/monitor.h"

#include "net_rig.h"

struct look {
	struct rig *rig;
	struct check_env env;
	struct check *check;
	struct monitor_conf *conf;
	struct timer deadline;
	struct outcome out;
	bool done, cancelled;
};

UNUSED static void
look_done(struct check *c)
{
	world_uv_stop(c->env->world);
}

UNUSED static void
look_deadline(UNUSED struct world *w, struct timer *t)
{
	struct look *l = CONTAINER(t, struct look, deadline);

	l->cancelled = true;
	check_kind_of(l->conf)->cancel(l->check);
	world_uv_stop(l->rig->world);
}

/* The rig's ICMP engine; NULL: none, as in the simulated world. */
UNUSED static struct ping *look_ping;

/* The outcome of one look with this configuration, evidence wanted. Ends at
 * timeout_ms by cancel, as the scheduler does. look_free afterwards. */
UNUSED static void
look_run(struct rig *r, struct look *l, int timeout_ms, const char *json)
{
	const struct check_kind *kind;
	struct errinfo ei = {.text = ""};
	char text[512];

	memset(l, 0, sizeof(*l));
	l->rig = r;
	if (monitor_conf_load(str_of(json), "test", NULL, check_monitor_kinds,
	    &l->conf, &ei) != ERR_OK)
		fail_msg("%s: %s", json, errinfo_text(&ei, text, sizeof(text)));
	kind = check_kind_of(l->conf);
	l->env = (struct check_env){.world = r->world, .net = r->net,
		.ping = look_ping};
	l->check = xcalloc(1, kind->size);
	*l->check = (struct check){.kind = kind, .env = &l->env,
		.conf = l->conf, .run = 1, .want_evidence = true,
		.want_details = true, .done = look_done};
	for (int i = 0; i < PHASE_NMAX; i++)
		l->check->out.phase_ns[i] = -1;
	l->check->started_ns = world_fresh(r->world);
	l->check->deadline_ns = l->check->started_ns + timeout_ms * NS_PER_MS;
	if (kind->start(l->check) == ERR_OK) {
		timer_set(r->world, &l->deadline, l->check->deadline_ns,
		    look_deadline);
		assert_true(rig_run(r, 20 * NS_PER_S));
		timer_stop(r->world, &l->deadline);
	}
	l->out = l->check->out;
	xfree(l->check);
}

UNUSED static void
look_free(struct look *l)
{
	xfree(l->out.evidence);
	xfree(l->out.details);
	monitor_conf_unref(l->conf);
}

#define assert_why(l, w) \
	do { \
		if ((l)->out.why != (w)) \
			fail_msg("%s:%d: why is %s (%s), want %s", __FILE__, \
			    __LINE__, why_name((l)->out.why), (l)->out.reason, \
			    why_name(w)); \
	} while (0)

/* A file of its own in dir; path has room for 256 bytes. */
UNUSED static void
look_tmpdir(char *dir, size_t size)
{
	(void)snprintf(dir, size, "%s/vedette-test-XXXXXX",
	    getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp");
	assert_non_null(mkdtemp(dir));
}

#endif

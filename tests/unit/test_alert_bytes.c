/* Every type of channel, byte by byte: what the providers' documentation asks
 * for, in alert_golden_*.h. VEDETTE_GOLDEN=1 prints what the code makes now, to
 * be read and, when it is right, put there. */
#include "alert_rig.h"

#include <stdlib.h>

struct golden {
	const char *channel;   /* its JSON */
	const char *name;      /* of the message */
	const char *want;
};
#include "alert_golden_chat.h"
#include "alert_golden_own.h"
#include "alert_golden_push.h"

static void
group(struct rig *r)
{
	static const char *const names[] = {"Shop/Web", "Shop/API", "DNS"};

	for (size_t i = 0; i < 3; i++) {
		struct alert_event *e = rig_add(r, ALERT_OPEN);

		(void)text_copy(e->path, sizeof(e->path), str_of(names[i]));
	}
}

static void
make(struct rig *r, const char *name)
{
	struct alert_event *e;

	if (strcmp(name, "group") == 0) {
		group(r);
		return;
	}
	if (strcmp(name, "certificate") == 0) {
		e = rig_add(r, ALERT_CERT);
		e->incident_us = 0;
		e->severity = SEVERITY_WARNING;
		e->from = e->to = STATUS_UP;
		e->why = WHY_TLS_EXPIRES_SOON;
		e->reason[0] = '\0';
		e->until_us = T0 + 7 * 86400 * INT64_C(1000000);
		return;
	}
	if (strcmp(name, "change") == 0) {
		e = rig_add(r, ALERT_CHANGE);
		e->from = STATUS_DEGRADED;
		e->to = STATUS_DOWN;
		return;
	}
	e = rig_add(r, strcmp(name, "open") == 0 ? ALERT_OPEN :
	    strcmp(name, "test") == 0 ? ALERT_TEST : ALERT_RESOLVE);
	if (e->kind == ALERT_TEST)
		*e = (struct alert_event){.kind = ALERT_TEST, .at_us = T0,
			.from = STATUS_UP, .to = STATUS_UP, .latency_us = -1};
	if (strcmp(name, "collapsed") == 0)
		r->items[0].collapsed = r->items[0].late = true;
	if (e->kind == ALERT_OPEN)
		r->items[0].ack_url = "https://s.example/ack/T0kEn";
}

static void
compare(const struct golden *g, size_t n)
{
	bool print = getenv("VEDETTE_GOLDEN") != NULL;

	for (size_t i = 0; i < n; i++) {
		struct rig r;
		char *got;

		rig_init(&r, g[i].channel);
		make(&r, g[i].name);
		got = rig_text(&r);
		if (print)
			(void)printf("@@ %zu\n%s\n", i, got);
		else
			assert_string_equal(got, g[i].want);
		xfree(got);
		rig_free(&r);
	}
}

static void
bytes(void **state)
{
	(void)state;
	compare(goldens_chat, COUNT(goldens_chat));
	compare(goldens_push, COUNT(goldens_push));
	compare(goldens_own, COUNT(goldens_own));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

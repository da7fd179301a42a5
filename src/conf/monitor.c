/* monitor.c: the rows that every type shares, and a monitor from a mapping.
 * What was set is written down (text) before derived defaults are filled in,
 * so that a default that depends on another option keeps doing so. */
#include "conf/monitor.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "conf/tree_build.h"
#include "model/alert.h"

#define DESCRIPTION_MAX 1000
#define NOTIFY_MAX      TOLD_MAX
#define TAGS_MAX        32
#define TAG_MAX         64
#define DEPENDS_MAX     16
#define WINDOW_MAX      64   /* n of "m of n": the bits of mon_state.window */
#define PUSH_MAX_NS     (400 * DAY_NS)
#define TIMEOUT_NS      (10 * NS_PER_S)   /* at most, when not set */
#define RETRY_NS        (10 * NS_PER_S)
#define GRACE_NS        (60 * NS_PER_S)   /* at least, when not set */

static bool
monitor_has_controls(struct str s)
{
	unsigned char c, after;

	for (size_t i = 0; i < s.n; i++) {
		c = (unsigned char)s.p[i];
		after = i + 1 < s.n ? (unsigned char)s.p[i + 1] : 0;
		if (c < 0x20 || c == 0x7f || (c == 0xc2 && after < 0xa0))
			return true;
	}
	return false;
}

const char *
monitor_name_check(struct str s)
{
	BUF_AUTO(shown, 4 * MONITOR_NAME_MAX);

	if (s.n == 0 || s.n > MONITOR_NAME_MAX || !text_utf8_ok(s) ||
	    monitor_has_controls(s) || memchr(s.p, '/', s.n) != NULL ||
	    s.p[0] == ' ' || s.p[s.n - 1] == ' ')
		return "1 to 120 bytes, without /, control characters, or "
		    "blanks at the ends";
	/* What would be shown otherwise than it is written (it turns the
	 * direction of the text) could not be found by what is shown. */
	text_line(&shown, s, MONITOR_NAME_MAX);
	if (!str_eq(buf_str(&shown), s))
		return "a name without characters that turn the direction of "
		    "the text or break the line";
	return NULL;
}

/* Name or Group/Name. */
static const char *
monitor_path_check(struct str s)
{
	struct str head, tail = str_cut(s, '/', &head);

	if (monitor_name_check(head) != NULL ||
	    (head.n < s.n && monitor_name_check(tail) != NULL))
		return "a name, or Group/Name";
	return NULL;
}

static const char *
monitor_was_check(struct str s)
{
	return monitor_path_check(s) == NULL ? NULL :
	    "the name it had, or Group/Name";
}

static const char *
monitor_token_check(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z') &&
		    (c < '0' || c > '9') && c != '_' && c != '-')
			return "16 to 128 letters, digits, _ and -";
	}
	return NULL;
}

static const char *
monitor_tag_check(struct str s)
{
	if (s.n > TAG_MAX || monitor_has_controls(s))
		return "1 to 64 bytes without control characters";
	return NULL;
}

static const struct opt fail_opts[] = {
	COUNTER("m", monitor_conf, fail_m, .flags = OPT_REQUIRED, .min = 1,
	    .max = WINDOW_MAX, .help = "This many failures make it down."),
	COUNTER("of", monitor_conf, fail_n, .flags = OPT_REQUIRED, .min = 1,
	    .max = WINDOW_MAX, .help = "Among this many latest checks."),
	OPT_END
};

#define ROW_NAME \
	STRING("name", monitor_conf, name, .flags = OPT_REQUIRED, .min = 1, \
	    .max = MONITOR_NAME_MAX, .check = monitor_name_check, \
	    .help = "What it is called; unique within its group."), \
	STRING("was", monitor_conf, was, .flags = OPT_HIDDEN, \
	    .max = MONITOR_PATH_MAX, .check = monitor_was_check, \
	    .help = "The name it had before: a rename that keeps history.")
#define ROW_TOKEN \
	SECRET("token", monitor_conf, token, .min = 16, .max = 128, \
	    .check = monitor_token_check, \
	    .help = "What /push/TOKEN ends with; made up when not given.")
#define ROWS_CHECK \
	DURATION("interval", monitor_conf, interval_ns, .dflt = "60s", \
	    .min = NS_PER_S, .max = DAY_NS, \
	    .help = "From one check to the next."), \
	DURATION("timeout", monitor_conf, timeout_ns, \
	    .min = 10 * NS_PER_MS, .max = DAY_NS, \
	    .help = "A check that takes longer has failed; the lesser of " \
	    "10s and the interval when not given."), \
	COUNTER("retries", monitor_conf, retries, .dflt = "2", .max = 100, \
	    .help = "Rechecks after a failure before it is down."), \
	DURATION("retry_interval", monitor_conf, retry_interval_ns, \
	    .min = 100 * NS_PER_MS, .max = DAY_NS, \
	    .help = "From a failure to its recheck; the lesser of 10s and " \
	    "the interval when not given."), \
	COUNTER("recoveries", monitor_conf, recoveries, .dflt = "1", \
	    .min = 1, .max = 100, \
	    .help = "Successes in a row before it is up again."), \
	TABLE("fail", fail_opts, \
	    .help = "Down after m failures among the latest checks, instead " \
	    "of after retries failures in a row."), \
	DURATION("degraded_above", monitor_conf, degraded_above_ns, \
	    .min = NS_PER_MS, .max = DAY_NS, \
	    .help = "Slower than this is degraded.")
#define ROWS_PUSH \
	DURATION("interval", monitor_conf, interval_ns, .dflt = "60s", \
	    .min = NS_PER_S, .max = PUSH_MAX_NS, \
	    .help = "A heartbeat is due within this time."), \
	DURATION("grace", monitor_conf, grace_ns, \
	    .min = NS_PER_S, .max = PUSH_MAX_NS, \
	    .help = "Late for this long before it is down; half the " \
	    "interval, at least 60s, when not given.")
#define ROWS_LAST \
	STRING("description", monitor_conf, description, \
	    .max = DESCRIPTION_MAX, .help = "A note for people."), \
	STRINGS("notify", monitor_conf, notify, .max = NOTIFY_MAX, \
	    .check = monitor_name_check, .help = "Channels to tell."), \
	STRINGS("tags", monitor_conf, tags, .max = TAGS_MAX, \
	    .check = monitor_tag_check, .help = "Words to find it by."), \
	CHOICE("severity", monitor_conf, severity, .dflt = "critical", \
	    .choices = severity_names, .help = "How bad it is when it is " \
	    "down; degraded and late are warnings."), \
	STRINGS("depends_on", monitor_conf, depends_on, \
	    .max = DEPENDS_MAX, .check = monitor_path_check, \
	    .help = "Monitors without which this one cannot work, by path: " \
	    "while one of them is down, nobody is told of this one."), \
	DURATION("recovery_delay", monitor_conf, recovery_delay_ns, \
	    .max = DAY_NS, .help = "Up for this long before its end is " \
	    "told; a failure in between goes on with the same incident. " \
	    "What its routes say when not given."), \
	FLAG("hide_target", monitor_conf, hide_target, .dflt = "false", \
	    .help = "Keep what it looks at off public pages, whatever " \
	    "status_page.targets says.")

const struct opt monitor_opts[] = { ROW_NAME, ROWS_CHECK, ROWS_LAST, OPT_END };
const struct opt monitor_push_opts[] = {
	ROW_NAME, ROW_TOKEN, ROWS_PUSH, ROWS_LAST, OPT_END
};
const struct opt monitor_group_opts[] = { ROW_NAME, ROWS_LAST, OPT_END };

/* The same in pieces: canonical text has the type's own rows before timing. */
static const struct opt name_opts[] = { ROW_NAME, OPT_END };
static const struct opt name_push_opts[] = { ROW_NAME, ROW_TOKEN, OPT_END };
static const struct opt check_opts[] = { ROWS_CHECK, OPT_END };
static const struct opt push_opts[] = { ROWS_PUSH, OPT_END };
static const struct opt last_opts[] = { ROWS_LAST, OPT_END };

const char *
origin_name(enum origin o)
{
	static const char *const names[] = {
		[ORIGIN_FILE] = "file", [ORIGIN_APPLY] = "apply",
		[ORIGIN_HAND] = "hand",
	};
	_Static_assert(COUNT(names) == ORIGIN_NMAX, "one name per origin");

	return (unsigned)o < ORIGIN_NMAX ? names[o] : "?";
}

struct monitor_conf *
monitor_conf_ref(struct monitor_conf *c)
{
	atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
	return c;
}

void
monitor_conf_unref(struct monitor_conf *c)
{
	if (c == NULL ||
	    atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1)
		return;
	opt_free(monitor_opts, c);
	opt_free(name_push_opts, c);
	if (c->own != NULL)
		opt_free(c->kind->opts, c->own);
	xfree(c->own);
	xfree(c->text);
	xfree(c);
}

static void
monitor_conf_unrefp(struct monitor_conf **c)
{
	monitor_conf_unref(*c);
}

void
monitor_conf_sets(const struct monitor_conf *c,
    struct opt_set sets[MONITOR_SETS])
{
	const struct opt *timing = NULL;
	bool push = c->kind->drive == DRIVE_PUSH;
	void *base = (void *)(uintptr_t)c;

	if (c->kind->drive != DRIVE_GROUP)
		timing = push ? push_opts : check_opts;
	sets[0] = (struct opt_set){push ? name_push_opts : name_opts, base};
	sets[1] = (struct opt_set){c->kind->opts, c->own};
	sets[2] = (struct opt_set){timing, base};
	sets[3] = (struct opt_set){last_opts, base};
}

/* NULL: said why. */
static const struct monitor_kind *
monitor_kind_of(const struct node *n, const struct monitor_kind *const *kinds,
    struct errinfo *ei)
{
	const struct node *type = node_get(n, "type");
	BUF_AUTO(known, 300);
	char shown[64];

	for (size_t i = 0; kinds[i] != NULL; i++) {
		if (type != NULL && type->kind == NODE_SCALAR &&
		    str_is(type->text, kinds[i]->name))
			return kinds[i];
		buf_addf(&known, "%s%s", i > 0 ? ", " : "", kinds[i]->name);
	}
	if (type == NULL) {
		(void)fail_at(ei, ERR_INVALID, "type", n->line,
		    "is required: what kind of check; allowed: %s", known.p);
		return NULL;
	}
	(void)text_copy(shown, sizeof(shown), type->text);
	(void)fail_at(ei, ERR_INVALID, "type", type->line,
	    "\"%s\" is not a known type; allowed: %s", shown, known.p);
	return NULL;
}

/* A common option of another kind of type deserves better than "unknown". */
static enum err
monitor_misplaced(const struct node *n, const struct monitor_conf *c,
    struct errinfo *ei)
{
	struct opt_set sets[MONITOR_SETS];
	struct str key;
	bool known;

	monitor_conf_sets(c, sets);
	for (size_t i = 0; i < n->n; i++) {
		key = n->keys[i]->text;
		known = false;
		for (size_t k = 0; k < COUNT(sets); k++)
			known = known || opt_find(sets[k].rows, key) != NULL;
		if (known)
			continue;
		if (opt_find(monitor_push_opts, key) == NULL &&
		    opt_find(monitor_opts, key) == NULL &&
		    (!str_is(key, "monitors") ||
		    c->kind->drive == DRIVE_GROUP))
			continue;
		return fail_at(ei, ERR_INVALID, "", n->keys[i]->line,
		    "%.*s does not apply to a monitor of type %s", (int)key.n,
		    key.p, c->kind->name);
	}
	return ERR_OK;
}

static enum err
monitor_refuse(const struct node *n, const char *field, int64_t ns,
    const char *limit, int64_t limit_ns, struct errinfo *ei)
{
	char a[TIME_TEXT], b[TIME_TEXT];

	return fail_at(ei, ERR_INVALID, field, node_line(n, field),
	    "%s is longer than the %s of %s; allowed: at most the %s",
	    time_format_duration(ns, a), limit,
	    time_format_duration(limit_ns, b), limit);
}

/* Derived defaults, and what one option says about another. */
static enum err
monitor_derive(struct monitor_conf *c, const struct node *n,
    struct errinfo *ei)
{
	if (c->kind->drive == DRIVE_PUSH && c->grace_ns == 0)
		c->grace_ns = MAX(c->interval_ns / 2, GRACE_NS);
	if (c->kind->drive != DRIVE_ACTIVE)
		return ERR_OK;
	if (c->timeout_ns == 0)
		c->timeout_ns = MIN(TIMEOUT_NS, c->interval_ns);
	if (c->retry_interval_ns == 0)
		c->retry_interval_ns = MIN(RETRY_NS, c->interval_ns);
	if (c->timeout_ns > c->interval_ns)
		return monitor_refuse(n, "timeout", c->timeout_ns, "interval",
		    c->interval_ns, ei);
	if (c->retry_interval_ns > c->interval_ns)
		return monitor_refuse(n, "retry_interval",
		    c->retry_interval_ns, "interval", c->interval_ns, ei);
	if (c->fail_m > c->fail_n)
		return fail_at(ei, ERR_INVALID, "fail.m",
		    node_line(n, "fail.m"), "%u of the last %u can never "
		    "be; allowed: 1 to %u", c->fail_m, c->fail_n, c->fail_n);
	return ERR_OK;
}

static char *
monitor_text(const struct monitor_conf *c)
{
	struct opt_set sets[MONITOR_SETS];
	json_t *all = json_object(), *set;
	char *text;

	monitor_conf_sets(c, sets);
	set = opt_write(sets, COUNT(sets), OPT_SECRETS_PLAIN);
	(void)json_object_del(set, "name");
	(void)json_object_set_new(all, "type", json_string(c->kind->name));
	(void)json_object_update(all, set);
	json_decref(set);
	text = opt_text(all);
	json_decref(all);
	return text;
}

static enum err
monitor_own(struct monitor_conf *c, const struct node *n, struct errinfo *ei)
{
	struct errinfo own = {0};
	enum err e = ERR_OK;

	if (c->kind->finish != NULL)
		e = c->kind->finish(c->own, &own);
	if (e == ERR_OK)
		return ERR_OK;
	return fail_at(ei, e, own.field, node_line(n, own.field), "%s",
	    own.text);
}

enum err
monitor_conf_read(const struct node *n, const struct monitor_kind *const *kinds,
    const char *file, struct monitor_conf **ret, struct errinfo *ei)
{
	static const char *const skip[] = {"type", NULL};
	static const char *const skip_group[] = {"type", "monitors", NULL};
	struct monitor_conf *c CLEANUP(monitor_conf_unrefp) = NULL;
	const struct monitor_kind *kind;
	struct opt_set sets[MONITOR_SETS];
	enum err e;

	tree_blame(ei, file);
	if (n->kind != NODE_MAP)
		return fail_at(ei, ERR_INVALID, "", n->line,
		    "a monitor must be a mapping with name and type");
	kind = monitor_kind_of(n, kinds, ei);
	if (kind == NULL)
		return ERR_INVALID;
	c = xcalloc(1, sizeof(*c));
	atomic_init(&c->refs, 1);
	c->kind = kind;
	c->origin = ORIGIN_HAND;
	c->own = xcalloc(1, MAX(kind->conf_size, (size_t)1));
	e = monitor_misplaced(n, c, ei);
	if (e != ERR_OK)
		return e;
	monitor_conf_sets(c, sets);
	e = opt_read(n, sets, COUNT(sets),
	    kind->drive == DRIVE_GROUP ? skip_group : skip, ei);
	if (e == ERR_OK) {
		c->text = monitor_text(c);
		for (size_t i = 0; i < COUNT(sets); i++)
			opt_drop_empty(sets[i].rows, sets[i].base);
		e = monitor_derive(c, n, ei);
	}
	if (e == ERR_OK)
		e = monitor_own(c, n, ei);
	if (e != ERR_OK)
		return e;
	monitor_conf_set_path(c, NULL);
	*ret = TAKE(c);
	return ERR_OK;
}

void
monitor_conf_set_path(struct monitor_conf *c, const char *group_name)
{
	if (group_name == NULL)
		(void)snprintf(c->path, sizeof(c->path), "%s", c->name);
	else
		(void)snprintf(c->path, sizeof(c->path), "%s/%s", group_name,
		    c->name);
}

/* probe.c: "vedette probe TYPE TARGET [key=value…]": one check, now, without
 * a daemon, and everything it found. The arguments become the same tree that
 * a configuration file becomes, so the same rows check them. */
#include "main.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>
#include <jansson.h>

#include "base/mem.h"
#include "base/role.h"
#include "base/text.h"
#include "base/time.h"
#include "check/check.h"
#include "check/dns_server.h"
#include "check/ping.h"
#include "conf/conf.h"
#include "net/net.h"
#include "probe_show.h"

#define EXIT_UP    0
#define EXIT_DOWN  1
#define EXIT_USAGE 2

struct args {
	const struct check_kind *kind;
	const char *target;
	json_t *conf;          /* what becomes the tree; owned */
	bool json;
};

/* -- usage ---------------------------------------------------------------- */

static void
keys_print(FILE *f, const struct opt *o, const char *prefix)
{
	char name[128];

	for (; o->name != NULL; o++) {
		(void)snprintf(name, sizeof(name), "%s%s%s", prefix, o->name,
		    o->type == OPT_TABLE ? "." : "");
		if (o->type == OPT_TABLE) {
			keys_print(f, o->sub, name);
			continue;
		}
		(void)fprintf(f, "  %-24s %s", name, o->help);
		if (o->dflt != NULL)
			(void)fprintf(f, " [%s]", o->dflt);
		(void)fputc('\n', f);
	}
}

static void
usage(FILE *f, const struct check_kind *k)
{
	if (k != NULL) {
		(void)fprintf(f, "keys of type %s:\n", k->conf.name);
		keys_print(f, k->conf.opts, "");
		(void)fprintf(f, "and timeout, degraded_above\n");
		return;
	}
	(void)fprintf(f,
	    "usage: vedette probe TYPE TARGET [key=value…] [--json] "
	    "[--timeout DURATION]\n"
	    "  probe http https://example.org/ expect.status=200-299\n"
	    "  probe tcp db.example.org:5432\n"
	    "  probe ping ::1 packets=5\n"
	    "  probe dns example.org record=MX server=192.0.2.53\n"
	    "types:");
	for (size_t i = 0; check_kinds[i] != NULL; i++) {
		if (check_kinds[i]->start != NULL)
			(void)fprintf(f, " %s", check_kinds[i]->conf.name);
	}
	(void)fputc('\n', f);
}

/* -- arguments ------------------------------------------------------------ */

/* A number or a flag is written bare, everything else as text: what a person
 * would write in the file. */
static json_t *
value_json(const char *s)
{
	struct str v = str_of(s);
	uint64_t n;

	if (str_is(v, "true") || str_is(v, "false"))
		return json_boolean(s[0] == 't');
	if ((v.n == 1 || (v.n > 1 && s[0] != '0')) &&
	    str_u64(v, INT64_MAX, &n))
		return json_integer((json_int_t)n);
	return json_string(s);
}

/* Set a key; a key given again makes a list. False: no UTF-8. */
static bool
value_set(json_t *in, const char *key, const char *value)
{
	json_t *v = value_json(value);
	json_t *was = json_object_get(in, key);

	if (v == NULL)
		return false;
	if (was == NULL)
		return json_object_set_new(in, key, v) == 0;
	if (!json_is_array(was)) {
		json_t *list = json_array();

		(void)json_array_append(list, was);
		(void)json_object_set_new(in, key, list);
		was = list;
	}
	return json_array_append_new(was, v) == 0;
}

/* "expect.status=200" goes into the mapping "expect". */
static bool
pair_set(json_t *conf, const char *arg)
{
	const char *eq = strchr(arg, '=');
	json_t *in = conf;
	struct str rest = {arg, (size_t)(eq - arg)}, part;
	char key[128];

	for (;;) {
		json_t *sub;
		bool last = memchr(rest.p, '.', rest.n) == NULL;

		rest = str_cut(rest, '.', &part);
		if (part.n == 0 || part.n >= sizeof(key))
			return false;
		memcpy(key, part.p, part.n);
		key[part.n] = '\0';
		if (last)
			return value_set(in, key, eq + 1);
		sub = json_object_get(in, key);
		if (sub == NULL) {
			sub = json_object();
			if (json_object_set_new(in, key, sub) != 0)
				return false;
		}
		if (!json_is_object(sub))
			return false;
		in = sub;
	}
}

/* The key that TARGET is for. */
static bool
target_set(struct args *a)
{
	struct dns_server hp;   /* a host and a port, whatever it serves */
	const char *name = a->kind->conf.name;

	if (strcmp(name, "http") == 0)
		return json_object_set_new(a->conf, "url",
			   json_string(a->target)) == 0;
	if (strcmp(name, "tcp") != 0)
		return json_object_set_new(a->conf, "host",
			   json_string(a->target)) == 0;
	if (!dns_server_parse(str_of(a->target), &hp))
		return false;
	(void)json_object_set_new(a->conf, "host", json_string(hp.host));
	/* No port in TARGET: the key port has to say it. */
	if (strrchr(a->target, ':') != NULL &&
	    strcmp(a->target, hp.host) != 0)
		(void)json_object_set_new(a->conf, "port",
		    json_integer(hp.port));
	return true;
}

static const struct check_kind *
kind_find(const char *name)
{
	for (size_t i = 0; check_kinds[i] != NULL; i++) {
		if (strcmp(check_kinds[i]->conf.name, name) == 0)
			return check_kinds[i];
	}
	return NULL;
}

static bool
bad(const char *what, const char *arg)
{
	char text[256];

	(void)fprintf(stderr, "vedette: probe: %s: %s\n", what,
	    text_copy(text, sizeof(text), str_of(arg)));
	return false;
}

static bool
arg_take(struct args *a, int argc, char **argv, int *i)
{
	const char *s = argv[*i];

	if (strcmp(s, "--json") == 0) {
		a->json = true;
	} else if (strncmp(s, "--timeout=", 10) == 0) {
		return value_set(a->conf, "timeout", s + 10);
	} else if (strcmp(s, "--timeout") == 0) {
		if (*i + 1 == argc)
			return bad("needs a duration", s);
		*i += 1;
		return value_set(a->conf, "timeout", argv[*i]);
	} else if (s[0] == '-' && s[1] == '-') {
		return bad("unknown flag", s);
	} else if (a->kind == NULL) {
		a->kind = kind_find(s);
		if (a->kind == NULL)
			return bad("unknown type", s);
		if (a->kind->start == NULL)
			return bad("nothing to probe, it is passive", s);
	} else if (a->target == NULL) {
		a->target = s;
	} else if (strchr(s, '=') == NULL) {
		return bad("neither a flag nor key=value", s);
	} else if (!pair_set(a->conf, s)) {
		return bad("cannot be set", s);
	}
	return true;
}

static bool
args_parse(struct args *a, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (!arg_take(a, argc, argv, &i))
			return false;
	}
	if (a->kind == NULL || a->target == NULL)
		return false;
	(void)json_object_set_new(a->conf, "name", json_string("probe"));
	(void)json_object_set_new(a->conf, "type",
	    json_string(a->kind->conf.name));
	/* There is no next check, so nothing bounds the timeout. */
	if (json_object_get(a->conf, "interval") == NULL)
		(void)json_object_set_new(a->conf, "interval",
		    json_string("1d"));
	if (!target_set(a))
		return bad("no host and port", a->target);
	return true;
}

/* -- the check ------------------------------------------------------------ */

struct probe {
	struct world *world;
	struct check *check;
	struct timer deadline;
};

/* One at a time, and check_done_fn has no room for more. */
static struct probe *running;

static void
on_done(struct check *c)
{
	(void)c;
	timer_stop(running->world, &running->deadline);
	world_uv_stop(running->world);
}

static void
on_deadline(struct world *w, struct timer *t)
{
	struct probe *p = CONTAINER(t, struct probe, deadline);

	p->check->kind->cancel(p->check);
	world_uv_stop(w);
}

static void
check_run(struct probe *p, struct check *c, const struct monitor_conf *conf)
{
	struct outcome *o = &c->out;

	p->check = c;
	running = p;
	c->kind = check_kind_of(conf);
	c->conf = conf;
	c->done = on_done;
	c->recheck = true;   /* nothing from a cache */
	c->want_details = c->want_evidence = true;
	for (size_t i = 0; i < PHASE_NMAX; i++)
		o->phase_ns[i] = -1;
	c->started_ns = world_fresh(p->world);
	c->deadline_ns = c->started_ns + conf->timeout_ns;
	if (c->kind->start(c) == ERR_OK) {
		timer_set(p->world, &p->deadline, c->deadline_ns, on_deadline);
		world_uv_run(p->world);
	}
	if (o->started_ns == 0)
		o->started_ns = c->started_ns;
	if (o->ended_ns == 0)
		o->ended_ns = world_fresh(p->world);
	if (o->latency_ns == 0)
		o->latency_ns = o->ended_ns - o->started_ns;
	if (o->why == WHY_OK && conf->degraded_above_ns > 0 &&
	    o->latency_ns > conf->degraded_above_ns) {
		char limit[TIME_TEXT];

		check_why(c, WHY_SLOW, "slower than %s",
		    time_format_human(conf->degraded_above_ns, limit));
	}
}

static enum err
settings_default(struct settings *st, struct errinfo *ei)
{
	struct tree *t CLEANUP(tree_freep) = NULL;
	struct opt_set set = {settings_opts, st};
	enum err e = tree_from_json(STR("{}"), "", &t, ei);

	if (e == ERR_OK)
		e = opt_read(tree_root(t), &set, 1, NULL, ei);
	return e == ERR_OK ? settings_env(st, environ, ei) : e;
}

static int
probe_run(const struct args *a, const struct monitor_conf *conf)
{
	struct probe p = {0};
	struct check_env env = {0};
	struct settings st = {0};
	struct errinfo ei = {0};
	struct check *c = xcalloc(1, a->kind->size);
	enum err e = settings_default(&st, &ei);
	char text[1024];
	int rc = EXIT_USAGE;

	p.world = env.world = world_uv_new();
	if (e == ERR_OK)
		e = net_new(p.world, &st, &env.net, &ei);
	if (e == ERR_OK) {
		env.ping = ping_new(p.world);
		c->env = &env;
		check_run(&p, c, conf);
		rc = c->out.why == WHY_OK || why_is_degraded(c->out.why) ?
		    EXIT_UP : EXIT_DOWN;
		probe_show(c, a->json);
	} else {
		(void)fprintf(stderr, "vedette: probe: %s\n",
		    errinfo_text(&ei, text, sizeof(text)));
	}
	xfree(c->out.evidence);
	xfree(c->out.details);
	xfree(c);
	ping_free(env.ping);
	net_free(env.net);
	world_uv_free(p.world);
	settings_free(&st);
	return rc;
}

int
probe_main(int argc, char **argv)
{
	struct args a = {.conf = json_object()};
	struct tree *tree CLEANUP(tree_freep) = NULL;
	struct monitor_conf *conf = NULL;
	struct errinfo ei = {0};
	char text[1024];
	enum err e;
	int rc = EXIT_USAGE;

	if (!args_parse(&a, argc, argv)) {
		usage(stderr, a.kind != NULL && a.kind->start != NULL &&
			a.target != NULL ? a.kind : NULL);
		json_decref(a.conf);
		return EXIT_USAGE;
	}
	e = tree_from_json_value(a.conf, &tree, &ei);
	json_decref(a.conf);
	if (e == ERR_OK)
		e = monitor_conf_read(tree_root(tree), check_monitor_kinds, "",
		    &conf, &ei);
	if (e != ERR_OK) {
		(void)fprintf(stderr, "vedette: probe: %s\n",
		    errinfo_text(&ei, text, sizeof(text)));
		usage(stderr, a.kind);
		return EXIT_USAGE;
	}
	if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) {
		role_enter(&shard_role);
		rc = probe_run(&a, conf);
		role_leave(&shard_role);
		curl_global_cleanup();
	}
	monitor_conf_unref(conf);
	return rc;
}

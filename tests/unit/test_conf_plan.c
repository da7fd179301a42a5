/* Plans: what it takes from a stored configuration to a wanted one. The test
 * applies each plan as the writer would and expects that the same document
 * then leaves nothing to do. */
#include "tests/unit/conf_rig.h"

#include <stdio.h>
#include <time.h>

struct store {
	struct monitor_conf **m;
	size_t n, cap;
	struct channel_conf *ch;
	size_t nch;
	uint32_t next_id;
};

static void
store_free(struct store *s)
{
	for (size_t i = 0; i < s->n; i++)
		monitor_conf_unref(s->m[i]);
	for (size_t i = 0; i < s->nch; i++)
		channel_clear(&s->ch[i]);
	xfree(s->m);
	xfree(s->ch);
}

static struct monitor_conf *
store_at(const struct store *s, const char *path)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->m[i]->path, path) == 0)
			return s->m[i];
	return NULL;
}

static void
store_channel(struct store *s, const struct change *c)
{
	struct channel_conf *to = NULL;
	const struct channel_conf *from = c->channel;

	for (size_t i = 0; i < s->nch; i++)
		if (strcmp(s->ch[i].name, c->path) == 0)
			to = &s->ch[i];
	if (c->kind == CHANGE_CHANNEL_DELETE) {
		assert_non_null(to);
		channel_clear(to);
		*to = s->ch[--s->nch];
		return;
	}
	if (to == NULL) {
		s->ch = xrealloc(s->ch, s->nch + 1, sizeof(*s->ch));
		to = &s->ch[s->nch++];
	} else {
		channel_clear(to);
	}
	*to = *from;
	to->text = xstrdup(from->text);
}

/* No two live or archived monitors may have one path, at any moment. */
static void
store_do(struct store *s, const struct change *c)
{
	struct monitor_conf *taken;
	char group[MONITOR_PATH_MAX + 1];
	size_t i = 0;

	if (c->kind == CHANGE_CHANNEL_PUT || c->kind == CHANGE_CHANNEL_DELETE) {
		store_channel(s, c);
		return;
	}
	while (c->old != NULL && i < s->n && s->m[i]->id != c->old->id)
		i++;
	if (c->kind == CHANGE_DELETE) {
		assert_true(i < s->n);
		if (s->m[i]->kind == &rig_group)
			for (size_t k = 0; k < s->n; k++)
				assert_true(s->m[k]->group != s->m[i]->id);
		monitor_conf_unref(s->m[i]);
		s->m[i] = s->m[--s->n];
		return;
	}
	taken = store_at(s, c->path);
	if (taken != NULL)
		assert_true(c->old != NULL && taken->id == c->old->id);
	if (c->kind == CHANGE_CREATE) {
		assert_null(c->old);
		if (s->n == s->cap) {
			s->cap = s->cap == 0 ? 16 : s->cap * 2;
			s->m = xrealloc(s->m, s->cap, sizeof(*s->m));
		}
		i = s->n++;
		s->m[i] = NULL;
		c->new_->id = ++s->next_id;
	}
	assert_true(i < s->n);
	assert_int_equal(c->kind == CHANGE_ARCHIVE, c->new_->archived);
	(void)snprintf(group, sizeof(group), "%s", c->new_->path);
	if (strchr(group, '/') != NULL) {
		*strchr(group, '/') = '\0';
		assert_non_null(store_at(s, group));
		c->new_->group = store_at(s, group)->id;
	} else {
		c->new_->group = 0;
	}
	monitor_conf_unref(s->m[i]);
	s->m[i] = monitor_conf_ref(c->new_);
	s->m[i]->version++;
}

static enum err
plan(const struct store *s, const char *yaml, struct plan_opts o,
    struct plan **ret, struct document **doc, struct errinfo *ei)
{
	const struct stored have = {s->m, s->n, s->ch, s->nch};

	*doc = rig_document(yaml);
	*ret = NULL;
	return plan_make(&have, *doc, &o, ret, ei);
}

/* "op path: detail" a line. */
static char *
words(const struct plan *p)
{
	BUF_AUTO(b, 1 << 20);

	for (size_t i = 0; i < p->n; i++)
		buf_addf(&b, "%s %s: %s\n", change_kind_name(p->v[i].kind),
		    p->v[i].path, p->v[i].detail);
	if (p->lose_alerts[0] != '\0')
		buf_addf(&b, "lose %s\n", p->lose_alerts);
	return buf_take(&b);
}

static void
apply(struct store *s, const char *yaml, struct plan_opts o, const char *want)
{
	struct plan *p;
	struct document *doc;
	struct errinfo ei = {0};
	char *text;

	if (plan(s, yaml, o, &p, &doc, &ei) != ERR_OK)
		fail_msg("%s: %s", ei.field, ei.text);
	text = words(p);
	assert_string_equal(text, want);
	xfree(text);
	for (size_t i = 0; i < p->n; i++)
		store_do(s, &p->v[i]);
	plan_free(p);
	document_free(doc);
	/* and again: nothing to do */
	assert_int_equal(plan(s, yaml, o, &p, &doc, &ei), ERR_OK);
	text = words(p);
	assert_string_equal(text, "");
	xfree(text);
	plan_free(p);
	document_free(doc);
}

static void
refused(struct store *s, const char *yaml, struct plan_opts o,
    const char *words_)
{
	struct plan *p;
	struct document *doc;
	struct errinfo ei = {0};

	assert_int_not_equal(plan(s, yaml, o, &p, &doc, &ei), ERR_OK);
	assert_null(p);
	assert_string_equal(ei.text, words_);
	document_free(doc);
}

static const struct plan_opts serve = {ORIGIN_FILE, false, true, true};
static const struct plan_opts hand = {ORIGIN_HAND, false, false, false};
static const struct plan_opts by_apply = {ORIGIN_APPLY, false, false, false};
static const struct plan_opts prune = {ORIGIN_APPLY, true, false, false};
static const struct plan_opts cascade = {ORIGIN_APPLY, true, true, false};

#define WEB(name) "{name: " name ", type: web, url: http://x}\n"

static void
test_life(void **state)
{
	struct store s = {0};

	(void)state;
	apply(&s, "monitors:\n- " WEB("A") "- {name: P, type: push}\n", serve,
	    "create A: http://x\ncreate P: \n");
	assert_int_equal(store_at(&s, "A")->origin, ORIGIN_FILE);
	apply(&s, "monitors:\n- {name: A, type: web, url: http://x, "
	    "interval: 30s, auth: {user: u, password: p}, tags: [t]}\n", serve,
	    "update A: auth.user: none → u, auth.password: none → ********, "
	    "interval: 1m → 30s, tags: none → [\"t\"]\narchive P: \n");
	apply(&s, "monitors:\n- {name: A, type: web, url: http://x, "
	    "auth: {user: u, password: q}}\n- {name: P, type: push}\n", serve,
	    "update A: auth.password: changed, interval: 30s → 1m, "
	    "tags: [\"t\"] → none\nrestore P: \n");
	apply(&s, "monitors:\n- {name: A, type: push}\n", prune,
	    "update A: type: web → push, url: http://x → none, "
	    "auth.user: u → none, auth.password: ******** → none\n"
	    "delete P: \n");
	store_free(&s);
}

static void
test_was(void **state)
{
	struct store s = {0};
	uint32_t id;

	(void)state;
	apply(&s, "monitors:\n- " WEB("A") "- " WEB("B"), serve,
	    "create A: http://x\ncreate B: http://x\n");
	id = store_at(&s, "A")->id;
	/* a chain: B moves on before A takes its name */
	apply(&s, "monitors:\n"
	    "- {name: B, type: web, url: http://x, was: A}\n"
	    "- {name: C, type: web, url: http://x, was: B}\n", serve,
	    "rename C: was B\nrename B: was A\n");
	assert_int_equal(store_at(&s, "B")->id, id);
	/* into a group that is new */
	apply(&s, "monitors:\n"
	    "- {name: C, type: web, url: http://x}\n"
	    "- {name: G, type: group, monitors: [{name: D, type: web, "
	    "url: http://x, was: B}]}\n", serve,
	    "create G: \nrename G/D: was B\n");
	assert_int_equal(store_at(&s, "G/D")->id, id);
	/* the group is renamed: its members go along */
	apply(&s, "monitors:\n- " WEB("C")
	    "- {name: H, type: group, was: G, monitors: [{name: D, type: web, "
	    "url: http://x}]}\n", serve, "rename H: was G\n"
	    "rename H/D: was G/D\n");
	assert_int_equal(store_at(&s, "H/D")->id, id);
	/* with a new name inside the renamed group */
	apply(&s, "monitors:\n- " WEB("C")
	    "- {name: I, type: group, was: H, monitors: [{name: E, type: web, "
	    "url: http://x, was: D}]}\n", serve, "rename I: was H\n"
	    "rename I/E: was H/D\n");
	assert_int_equal(store_at(&s, "I/E")->id, id);
	/* was naming nobody: a new one */
	apply(&s, "monitors:\n- {name: Z, type: push, was: Nobody}\n", serve,
	    "create Z: \narchive I/E: http://x\narchive C: http://x\n"
	    "archive I: \n");
	/* an archived one may be renamed too */
	apply(&s, "monitors:\n- {name: Y, type: push, was: Z}\n"
	    "- {name: X, type: web, url: http://x, was: C}\n", serve,
	    "rename Y: was Z\nrestore X: was C\n");
	store_free(&s);
}

/* The first takes the old name's history; the name itself begins anew. */
static void
test_was_and_anew(void **state)
{
	struct store s = {0};
	uint32_t id;

	(void)state;
	apply(&s, "monitors:\n- " WEB("A"), serve, "create A: http://x\n");
	id = store_at(&s, "A")->id;
	apply(&s, "monitors:\n- " WEB("A")
	    "- {name: B, type: web, url: http://x, was: A}\n", serve,
	    "rename B: was A\ncreate A: http://x\n");
	assert_int_equal(store_at(&s, "B")->id, id);
	assert_int_not_equal(store_at(&s, "A")->id, id);
	store_free(&s);
}

static void
test_owners(void **state)
{
	struct store s = {0};

	(void)state;
	apply(&s, "monitors:\n- " WEB("H"), hand, "create H: http://x\n");
	apply(&s, "monitors:\n- " WEB("A"), by_apply, "create A: http://x\n");
	/* serve does not archive what it does not own; prune spares hands */
	apply(&s, "monitors: []", serve, "");
	apply(&s, "monitors:\n- " WEB("B"), prune,
	    "create B: http://x\ndelete A: http://x\n");
	/* apply leaves owners, the file takes over */
	apply(&s, "monitors:\n- " WEB("H") "- " WEB("B"), by_apply, "");
	assert_int_equal(store_at(&s, "H")->origin, ORIGIN_HAND);
	apply(&s, "monitors:\n- " WEB("H") "- " WEB("B"), serve,
	    "update H: origin: hand → file\nupdate B: origin: apply → file\n");
	apply(&s, "monitors:\n- " WEB("H"), serve, "archive B: http://x\n");
	/* who restores an archived one owns it */
	apply(&s, "monitors:\n- " WEB("B"), by_apply,
	    "restore B: origin: file → apply\n");
	apply(&s, "monitors: []", prune,
	    "delete H: http://x\ndelete B: http://x\n");
	assert_int_equal(s.n, 0);
	store_free(&s);
}

static void
test_groups(void **state)
{
	static const char grouped[] = "monitors:\n"
	    "- {name: G, type: group, monitors: [{name: A, type: push}]}\n";
	struct store s = {0};

	(void)state;
	apply(&s, grouped, by_apply, "create G: \ncreate G/A: \n");
	/* a hand-made member */
	apply(&s, "monitors:\n- {name: G, type: group, monitors: "
	    "[{name: M, type: push}]}\n", hand, "create G/M: \n");
	refused(&s, "monitors: []", prune, "the group would be deleted, but "
	    "\"G/M\" is still in it; --cascade deletes it too");
	refused(&s, "monitors:\n- {name: G, type: push}", by_apply, "would no "
	    "longer be a group, but \"G/A\" is still in it; move it or delete "
	    "it first");
	apply(&s, "monitors:\n- {name: N, type: group, was: G}", by_apply,
	    "rename N: was G\nrename N/A: was G/A\nrename N/M: was G/M\n");
	apply(&s, "monitors: []", cascade,
	    "delete N/A: \ndelete N/M: \ndelete N: \n");
	/* the file's group stays for somebody's own monitor */
	apply(&s, grouped, serve, "create G: \ncreate G/A: \n");
	apply(&s, "monitors:\n- {name: G, type: group, monitors: "
	    "[{name: M, type: push}]}\n", hand, "create G/M: \n");
	apply(&s, "monitors: []", serve, "archive G/A: \n");
	assert_false(store_at(&s, "G")->archived);
	assert_int_equal(store_at(&s, "G/A")->group, store_at(&s, "G")->id);
	store_free(&s);
}

static void
test_secrets(void **state)
{
	struct store s = {0};
	struct monitor_conf *c;

	(void)state;
	refused(&s, "monitors:\n- {name: A, type: web, url: http://x, bearer: "
	    "'********'}\n", by_apply, "the secret is masked and there is "
	    "none to keep; write it out (export --secrets prints it)");
	apply(&s, "monitors:\n- {name: A, type: web, url: http://x, bearer: "
	    "s3cret, headers: {K: v}}\n- {name: P, type: push}\n", by_apply,
	    "create A: http://x\ncreate P: \n");
	c = store_at(&s, "P");
	monitor_conf_set_token(c, "0123456789abcdef");
	/* masked, and left out: unchanged */
	apply(&s, "monitors:\n- {name: A, type: web, url: http://x, bearer: "
	    "'********', headers: {K: '********'}}\n- {name: P, type: push}\n",
	    by_apply, "");
	apply(&s, "monitors:\n- {name: A, type: web, url: http://x, headers: "
	    "{K: v}}\n- {name: P, type: push, interval: 5m}\n", by_apply,
	    "update P: interval: 1m → 5m\n");
	assert_string_equal(store_at(&s, "P")->token, "0123456789abcdef");
	apply(&s, "monitors:\n- {name: A, type: web, url: http://x, bearer: "
	    "other, headers: {K: w}}\n", by_apply,
	    "update A: bearer: changed, headers: changed\n");
	store_free(&s);
}

static void
test_channels(void **state)
{
	static const char both[] = "channels:\n"
	    "- {name: ops, type: ntfy, url: http://n, topic: t, token: s}\n"
	    "- {name: two, type: exec, command: [x]}\n"
	    "monitors:\n"
	    "- {name: A, type: push, notify: [ops, two]}\n";
	struct store s = {0};

	(void)state;
	apply(&s, both, by_apply, "channel_put ops: new channel\n"
	    "channel_put two: new channel\ncreate A: \n");
	apply(&s, "channels:\n"
	    "- {name: ops, type: ntfy, url: http://n, topic: u, token: "
	    "'********'}\n- {name: two, type: exec, command: [y]}\n"
	    "monitors:\n- {name: A, type: push}\n", by_apply,
	    "channel_put ops: topic: t → u\n"
	    "channel_put two: command: [\"x\"] → [\"y\"]\n"
	    "update A: notify: [\"ops\",\"two\"] → none\nlose A\n");
	apply(&s, "channels:\n- {name: ops, type: exec, command: [z]}\n"
	    "monitors:\n- {name: M, type: push, notify: ops}\n", hand,
	    "channel_put ops: type: ntfy → exec, command: none → [\"z\"], "
	    "url: http://n → none, topic: u → none, token: ******** → none\n"
	    "create M: \n");
	refused(&s, "monitors: []", prune, "channel \"ops\" would be deleted, "
	    "but \"M\" still notifies it; name it in the file, or --cascade "
	    "takes it out there too");
	apply(&s, "monitors: []", cascade,
	    "update M: notify: [\"ops\"] → none\ndelete A: \n"
	    "channel_delete ops: \nchannel_delete two: \nlose M\n");
	assert_int_equal(s.nch, 0);
	store_free(&s);
}

static void
test_lose(void **state)
{
	struct store s = {0};
	struct plan *p;
	struct document *doc;
	struct errinfo ei = {0};
	json_t *v;
	char *text;

	(void)state;
	apply(&s, "channels: [{name: o, type: exec, command: [x]}]\n"
	    "monitors:\n- {name: A, type: push, notify: o}\n"
	    "- {name: B, type: push}\n", serve,
	    "channel_put o: new channel\ncreate A: \ncreate B: \n");
	assert_int_equal(plan(&s, "{}", serve, &p, &doc, &ei), ERR_OK);
	v = plan_json(p);
	text = opt_text(v);
	assert_string_equal(text, "{\"changes\":[{\"op\":\"archive\","
	    "\"path\":\"A\",\"type\":\"push\",\"detail\":\"\"},"
	    "{\"op\":\"archive\",\"path\":\"B\",\"type\":\"push\","
	    "\"detail\":\"\"}],\"lose_alerts\":[\"A\"],\"counts\":{"
	    "\"create\":0,\"update\":0,\"rename\":0,\"delete\":0,\"archive\":2,"
	    "\"restore\":0,\"channel_put\":0,\"channel_delete\":0,"
	    "\"maintenance_put\":0,\"maintenance_delete\":0}}");
	xfree(text);
	json_decref(v);
	plan_free(p);
	document_free(doc);
	store_free(&s);
}

/* A hundred thousand monitors: no step may look at each for each. */
static void
test_many(void **state)
{
	struct store s = {0};
	struct plan *p;
	struct document *doc;
	struct errinfo ei = {0};
	struct timespec a, b;
	const size_t n = 100000;
	BUF_AUTO(yaml, 16u << 20);

	(void)state;
	buf_adds(&yaml, "monitors:\n");
	for (size_t i = 0; i < n; i++)
		buf_addf(&yaml, "- {name: M%zu, type: web, url: http://x%zu, "
		    "was: M%zu}\n", i, i, i + 1);
	assert_int_equal(plan(&s, yaml.p, serve, &p, &doc, &ei), ERR_OK);
	assert_int_equal(p->n, n);
	s.m = xcalloc(n, sizeof(*s.m));
	for (size_t i = 0; i < n; i++) {
		s.m[s.n++] = monitor_conf_ref(p->v[i].new_);
		s.m[i]->id = (uint32_t)i + 1;
	}
	plan_free(p);
	document_free(doc);
	doc = rig_document(yaml.p);
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	assert_int_equal(plan_make(&(struct stored){s.m, s.n, NULL, 0}, doc,
	    &serve, &p, &ei), ERR_OK);
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	assert_int_equal(p->n, 0);
	print_message("plan of %zu monitors: %.0f ms\n", n,
	    (double)(b.tv_sec - a.tv_sec) * 1e3 +
	    (double)(b.tv_nsec - a.tv_nsec) / 1e6);
	plan_free(p);
	document_free(doc);
	store_free(&s);
}

#define DEP(name, on) "  - {name: " name ", type: web, url: http://x, " \
	"depends_on: [" on "]}\n"

static void
test_depends(void **state)
{
	struct store s = {0};
	struct plan *p;
	struct document *doc;
	struct errinfo ei = {0};

	(void)state;
	rig_refused("monitors:\n" DEP("a", "b") DEP("b", "c, d")
	    DEP("c", "a") DEP("d", ""),
	    "t.yaml:2: a.depends_on: it would depend on itself: "
	    "a \u2192 b \u2192 c \u2192 a");
	rig_refused("monitors:\n" DEP("a", "a"), "t.yaml:2: a.depends_on: "
	    "it would depend on itself: a \u2192 a");
	/* Two ways to one place are no circle. */
	document_free(rig_document("monitors:\n" DEP("a", "b, c")
	    DEP("b", "d") DEP("c", "d") DEP("d", "")));
	assert_int_equal(plan(&s, "monitors:\n" DEP("a", "nobody"), serve,
	    &p, &doc, &ei), ERR_INVALID);
	assert_string_equal(ei.field, "a.depends_on");
	assert_int_equal(ei.line, 2);
	assert_non_null(strstr(ei.text, "\"nobody\" is not a monitor"));
	document_free(doc);
}

/* Who loses its channel but has a route still hears. */
static void
test_lose_but_routed(void **state)
{
#define CH "channels: [{name: ops, type: ntfy, url: http://n, topic: t}]\n"
	struct store s = {0};
	struct plan *p;
	struct document *doc;
	struct errinfo ei = {0};

	(void)state;
	assert_int_equal(plan(&s, CH "monitors:\n"
	    "  - {name: a, type: web, url: http://x, notify: ops}\n"
	    "  - {name: b, type: web, url: http://x, notify: ops}\n", serve,
	    &p, &doc, &ei), ERR_OK);
	for (size_t i = 0; i < p->n; i++)
		store_do(&s, &p->v[i]);
	plan_free(p);
	document_free(doc);
	assert_int_equal(plan(&s, CH "routes:\n"
	    "  - {match: {name: b}, channels: [ops]}\n"
	    "  - {match: {status: late}, channels: [ops]}\nmonitors:\n"
	    "  - {name: a, type: web, url: http://x}\n"
	    "  - {name: b, type: web, url: http://x}\n", serve,
	    &p, &doc, &ei), ERR_OK);
	assert_string_equal(p->lose_alerts, "a");
	plan_free(p);
	document_free(doc);
	store_free(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life), cmocka_unit_test(test_was),
		cmocka_unit_test(test_was_and_anew),
		cmocka_unit_test(test_owners), cmocka_unit_test(test_groups),
		cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_channels), cmocka_unit_test(test_lose),
		cmocka_unit_test(test_depends),
		cmocka_unit_test(test_lose_but_routed),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

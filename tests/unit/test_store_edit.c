/* Configuration through the writer: what is answered is stored, what is
 * refused changed nothing, the shards hear of it after the commit. */
#include "tests/unit/store_rig.h"

#include "conf/channel.h"

#define T0 INT64_C(1790000000000000)

static const struct plan_opts by_file = {.origin = ORIGIN_FILE,
	.archive = true};
static const struct plan_opts by_apply = {.origin = ORIGIN_APPLY};

static uint32_t
id_of(struct rig *r, const char *path)
{
	struct view_row row;
	uint32_t id = 0;

	if (view_find(store_view(r->s), str_of(path), &row) == ERR_OK) {
		id = row.conf->id;
		view_row_release(&row);
	}
	return id;
}

static void
test_create_and_patch(void **state)
{
	struct rig r;
	struct view_row row;
	struct config_unit *u;
	struct errinfo ei;
	uint32_t id;

	(void)state;
	rig_dir(&r, "s.db");
	rig_open(&r);
	id = rig_create(&r, RIG_WEB("A"));
	rig_change(&r, CONFIG_CREATE, 0, RIG_WEB("A"), ERR_CONFLICT);
	rig_change(&r, CONFIG_CREATE, 0, "{\"name\":\"B\"}", ERR_INVALID);
	rig_change(&r, CONFIG_CREATE, 0, "{\"name\":\"B\",\"type\":\"web\","
	    "\"url\":\"http://x/\",\"notify\":[\"nobody\"]}", ERR_INVALID);
	row = rig_row(&r, id);
	assert_int_equal(row.conf->version, 1);
	view_row_release(&row);
	/* lost updates */
	u = config_unit_new(CONFIG_PATCH);
	u->monitor = id;
	u->if_version = 2;
	u->body = json_pack("{s:s}", "interval", "5m");
	assert_int_equal(rig_send(&r, &u->unit, &ei), ERR_CONFLICT);
	u->if_version = 1;
	assert_int_equal(rig_send(&r, &u->unit, &ei), ERR_OK);
	config_unit_free(u);
	row = rig_row(&r, id);
	assert_int_equal(row.conf->version, 2);
	assert_true(row.conf->interval_ns == INT64_C(300) * 1000000000);
	view_row_release(&row);
	/* nothing changed: no version, no command */
	rig_forget(&r);
	rig_change(&r, CONFIG_PATCH, id, "{\"interval\":\"300s\"}", ERR_OK);
	row = rig_row(&r, id);
	assert_int_equal(row.conf->version, 2);
	view_row_release(&row);
	assert_int_equal(r.nsent, 0);
	rig_change(&r, CONFIG_PATCH, id + 1, "{}", ERR_NOT_FOUND);
	rig_close(&r);
	rig_remove(&r);
}

static void
test_push_token(void **state)
{
	struct rig r;
	struct view_row row;
	uint32_t id, key = 0;
	char token[64];

	(void)state;
	rig_dir(&r, "s.db");
	rig_open(&r);
	id = rig_create(&r, "{\"name\":\"P\",\"type\":\"push\"}");
	row = rig_row(&r, id);
	assert_int_equal(strlen(row.conf->token), 32);
	snprintf(token, sizeof(token), "%s", row.conf->token);
	view_row_release(&row);
	assert_int_equal(view_token(store_view(r.s), str_of(token), &key), id);
	assert_int_equal(key, id);
	assert_int_equal(view_token(store_view(r.s), STR("nonsense"), &key), 0);
	rig_change(&r, CONFIG_PATCH, id, "{\"name\":\"Q\"}", ERR_OK);
	assert_int_equal(view_token(store_view(r.s), str_of(token), &key), id);
	rig_close(&r);
	rig_open(&r);
	assert_int_equal(view_token(store_view(r.s), str_of(token), &key), id);
	rig_change(&r, CONFIG_DELETE, id, NULL, ERR_OK);
	assert_int_equal(view_token(store_view(r.s), str_of(token), &key), 0);
	rig_close(&r);
	rig_remove(&r);
}

static void
test_groups(void **state)
{
	struct rig r;
	struct view_row row;
	uint32_t g, h, m;

	(void)state;
	rig_dir(&r, "s.db");
	rig_open(&r);
	g = rig_create(&r, "{\"name\":\"G\",\"type\":\"group\"}");
	h = rig_create(&r, "{\"name\":\"H\",\"type\":\"group\"}");
	m = rig_create(&r, "{\"name\":\"M\",\"type\":\"web\",\"group\":\"G\","
	    "\"url\":\"http://x/\"}");
	assert_int_equal(id_of(&r, "G/M"), m);
	assert_int_equal(r.keys[2], g);   /* on its group's shard */
	row = rig_row(&r, g);
	assert_int_equal(row.members, 1);
	view_row_release(&row);
	rig_change(&r, CONFIG_DELETE, g, NULL, ERR_CONFLICT);
	/* to another group: the old shard hands it over, state and all */
	rig_forget(&r);
	rig_change(&r, CONFIG_PATCH, m, "{\"group\":\"H\"}", ERR_OK);
	assert_int_equal(r.nsent, 1);
	assert_int_equal(r.sent[0]->kind, COMMAND_MOVE);
	assert_int_equal(r.keys[0], g);
	assert_int_equal(r.sent[0]->shard_key, h);
	row = rig_row(&r, g);
	assert_int_equal(row.members, 0);
	view_row_release(&row);
	/* its members' paths go with a group's name */
	rig_change(&r, CONFIG_PATCH, h, "{\"name\":\"I\"}", ERR_OK);
	assert_int_equal(id_of(&r, "I/M"), m);
	assert_int_equal(id_of(&r, "H/M"), 0);
	rig_close(&r);
	rig_open(&r);
	assert_int_equal(id_of(&r, "I/M"), m);
	rig_change(&r, CONFIG_PATCH, m, "{\"group\":\"X\"}", ERR_INVALID);
	{
		struct config_unit *u = config_unit_new(CONFIG_DELETE);

		u->monitor = h;
		u->opts.cascade = true;
		assert_int_equal(rig_send(&r, &u->unit, NULL), ERR_OK);
		config_unit_free(u);
	}
	assert_int_equal(id_of(&r, "I"), 0);
	assert_int_equal(id_of(&r, "I/M"), 0);
	rig_close(&r);
	assert_int_equal(rig_number(&r, "SELECT count(*) FROM monitor"), 1);
	rig_remove(&r);
}

#define WEB(name) "  - { name: " name ", type: web, url: 'http://x/' }\n"

static void
test_apply(void **state)
{
	struct rig r;
	struct config_unit *u = config_unit_new(CONFIG_APPLY);
	uint32_t a;

	(void)state;
	rig_dir(&r, "s.db");
	rig_open(&r);
	u->doc = rig_document("monitors:\n" WEB("A") WEB("B"));
	u->opts = by_apply;
	u->dry_run = true;
	assert_int_equal(rig_send(&r, &u->unit, NULL), ERR_OK);
	assert_int_equal(json_array_size(json_object_get(u->plan, "changes")),
	    2);
	config_unit_free(u);
	assert_int_equal(id_of(&r, "A"), 0);
	assert_int_equal(rig_apply(&r, "monitors:\n" WEB("A") WEB("B"),
	    by_apply), ERR_OK);
	a = id_of(&r, "A");
	assert_true(a != 0);
	rig_forget(&r);
	assert_int_equal(rig_apply(&r, "monitors:\n" WEB("A") WEB("B"),
	    by_apply), ERR_OK);
	assert_int_equal(r.nsent, 0);   /* nothing to do disturbs nobody */
	/* a rename keeps the number and the history */
	rig_put(&r, &rig_result(a, 1, T0)->unit);
	assert_int_equal(rig_apply(&r, "monitors:\n"
	    "  - { name: C, was: A, type: web, url: 'http://x/' }\n" WEB("B"),
	    by_apply), ERR_OK);
	assert_int_equal(id_of(&r, "C"), a);
	assert_int_equal(rig_samples(&r, a, 10), 1);
	assert_int_equal(rig_number(&r, "SELECT count(*) FROM event"
	    " WHERE kind = 1"), 3);
	rig_close(&r);
	rig_remove(&r);
}

/* What the file no longer names rests: hidden, not checked, its history
 * kept, that time not known; and comes back with its numbers going on. */
static void
test_archive_and_restore(void **state)
{
	struct rig r;
	struct view_row row;
	struct result_unit *late;
	uint32_t a;

	(void)state;
	rig_dir(&r, "s.db");
	rig_open(&r);
	assert_int_equal(rig_apply(&r, "monitors:\n" WEB("A") WEB("B"),
	    by_file), ERR_OK);
	a = id_of(&r, "A");
	rig_put(&r, &rig_turn(a, 1, T0, STATUS_PENDING, STATUS_UP)->unit);
	rig_flush(&r);
	rig_forget(&r);
	assert_int_equal(rig_apply(&r, "monitors:\n" WEB("B"), by_file),
	    ERR_OK);
	assert_int_equal(r.nsent, 1);
	assert_int_equal(r.sent[0]->kind, COMMAND_REMOVE);
	assert_int_equal(id_of(&r, "A"), 0);
	row = rig_row(&r, a);
	assert_true(row.conf->archived);
	assert_int_equal(row.status, STATUS_PENDING);
	view_row_release(&row);
	late = rig_result(a, 2, T0 + 1);   /* was under way */
	assert_int_equal(rig_send(&r, &late->unit, NULL), ERR_NOT_FOUND);
	rig_close(&r);
	rig_open(&r);
	store_replay(r.s);
	assert_int_equal(r.nsent, 1);   /* B only */
	rig_forget(&r);
	assert_int_equal(rig_apply(&r, "monitors:\n" WEB("A") WEB("B"),
	    by_file), ERR_OK);
	assert_int_equal(id_of(&r, "A"), a);
	assert_int_equal(r.nsent, 1);
	assert_int_equal(r.sent[0]->kind, COMMAND_PUT);
	assert_non_null(r.sent[0]->state);
	assert_int_equal(r.sent[0]->state->seq, 1);
	assert_int_equal(r.sent[0]->state->status, STATUS_PENDING);
	rig_close(&r);
	rig_remove(&r);
}

static void
test_export(void **state)
{
	struct rig r, q;
	json_t *doc, *again;
	char *yaml;
	struct config_unit *u = config_unit_new(CONFIG_APPLY);

	(void)state;
	rig_dir(&r, "s.db");
	rig_open(&r);
	rig_create(&r, "{\"name\":\"G\",\"type\":\"group\"}");
	rig_create(&r, "{\"name\":\"G a\",\"type\":\"push\"}");
	rig_create(&r, "{\"name\":\"x\",\"type\":\"push\",\"group\":\"G\"}");
	doc = view_export(store_view(r.s), OPT_SECRETS_PLAIN);
	yaml = json_dumps(doc, 0);
	rig_dir(&q, "s.db");
	rig_open(&q);
	u->doc = rig_document(yaml);
	u->opts = by_apply;
	assert_int_equal(rig_send(&q, &u->unit, NULL), ERR_OK);
	again = view_export(store_view(q.s), OPT_SECRETS_PLAIN);
	assert_true(json_equal(doc, again));
	config_unit_free(u);
	json_decref(again);
	json_decref(doc);
	free(yaml);
	doc = view_export(store_view(r.s), OPT_SECRETS_MASK);
	yaml = json_dumps(doc, 0);
	assert_non_null(strstr(yaml, OPT_MASK));
	free(yaml);
	json_decref(doc);
	rig_close(&r);
	rig_close(&q);
	rig_remove(&r);
	rig_remove(&q);
}

#define HOOK(name) "  - { name: " name ", type: webhook, " \
	"url: 'http://x.example/" name "' }\n"

/* Those that a change does not name are what they were. */
static void
test_channels_beside_a_change(void **state)
{
	struct plan_opts prune = by_apply;
	struct channel_conf *v = NULL;
	struct rig r;
	size_t n;

	(void)state;
	prune.prune = true;
	rig_dir(&r, "s.db");
	rig_open(&r);
	assert_int_equal(rig_apply(&r, "channels:\n" HOOK("a") HOOK("b"),
	    by_apply), ERR_OK);
	assert_int_equal(rig_apply(&r, "channels:\n" HOOK("a") HOOK("b")
	    HOOK("c"), by_apply), ERR_OK);
	assert_int_equal(rig_apply(&r, "channels:\n" HOOK("b") HOOK("c"),
	    prune), ERR_OK);
	n = view_channel_confs(store_view(r.s), &v);
	assert_int_equal(n, 2);
	for (size_t i = 0; i < n; i++) {
		char want[200];

		snprintf(want, sizeof(want), "{\"url\":\"http://x.example/"
		    "%s\"}", v[i].name);
		assert_string_equal(v[i].text, want);
		channel_clear(&v[i]);
	}
	xfree(v);
	rig_close(&r);
	rig_remove(&r);
}

/* A thousand at once, listed by path and by id, found, counted. */
static void
test_many(void **state)
{
	struct rig r;
	BUF_AUTO(b, 1 << 20);
	struct view_filter f = {0};
	struct view_row *rows;
	uint32_t n[STATUS_NMAX];
	size_t got;

	(void)state;
	rig_dir(&r, "s.db");
	rig_open(&r);
	buf_adds(&b, "monitors:\n");
	for (int i = 0; i < 1000; i++)
		buf_addf(&b, "  - { name: n%03d, type: web, url: 'http://x/',"
		    " tags: [t%d] }\n", i * 7 % 1000, i % 10);
	assert_int_equal(rig_apply(&r, b.p, by_apply), ERR_OK);
	view_counts(store_view(r.s), n);
	assert_int_equal(n[STATUS_PENDING], 1000);
	assert_int_equal(view_list(store_view(r.s), &f, VIEW_BY_PATH, 2000,
	    &rows, &got), ERR_OK);
	assert_int_equal(got, 1000);
	for (size_t i = 0; i < got; i++) {
		char want[24];

		snprintf(want, sizeof(want), "n%03zu", i);
		assert_string_equal(rows[i].conf->path, want);
		view_row_release(&rows[i]);
	}
	xfree(rows);
	f.tag = STR("t3");
	f.search = STR("N0");
	assert_int_equal(view_list(store_view(r.s), &f, VIEW_BY_ID, 7, &rows,
	    &got), ERR_OK);
	assert_int_equal(got, 7);
	f.has_ids_after = true;
	f.after = rows[6].conf->id;
	for (size_t i = 0; i < got; i++)
		view_row_release(&rows[i]);
	xfree(rows);
	assert_int_equal(view_list(store_view(r.s), &f, VIEW_BY_ID, 7, &rows,
	    &got), ERR_OK);
	assert_int_equal(got, 3);
	for (size_t i = 0; i < got; i++) {
		assert_true(rows[i].conf->id > f.after);
		view_row_release(&rows[i]);
	}
	xfree(rows);
	rig_close(&r);
	rig_remove(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_create_and_patch),
		cmocka_unit_test(test_push_token),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_apply),
		cmocka_unit_test(test_archive_and_restore),
		cmocka_unit_test(test_export),
		cmocka_unit_test(test_channels_beside_a_change),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

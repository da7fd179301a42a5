/* Weeks of a desk's life in virtual time, from seeds: incidents, escalations,
 * reminders, windows, acknowledgements, providers that fail, answer late or
 * refuse, clock steps, and crashes that lose what was not committed. Checked:
 * nobody hears of what is not committed; who was told of an incident is told
 * of its end, once and after it; who was not is not; nothing stays behind.
 * DESK_SEED=n runs one seed, DESK_DAYS the days of each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/desk.h"
#include "base/mem.h"
#include "base/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define T0 (INT64_C(1790000000) * US_PER_S)
#define S(n) ((int64_t)(n) * US_PER_S)
#define CHANNELS 3
#define MONITORS 12
#define ROWS_MAX 60000
#define UNITS    64

static const char *const names[CHANNELS] = {"ops", "sms", "mail"};

/* One row as the database has it, and what its provider saw of it. */
struct stored {
	struct outbox_row row;
	bool over;
	bool gone;                 /* the crash came before it was durable */
	unsigned arrived;          /* messages with it that were taken */
	int64_t first_us;          /* when the first of them was */
	uint64_t place;            /* of that, among all of its channel */
	bool maybe;                /* sent when a crash or silence came */
	bool waited;               /* it was waiting when one came */
	bool late_word;            /* it told of the beginning too */
};

struct mon {
	int64_t incident_us;       /* 0: well */
	int64_t next_us;           /* it changes then */
	int64_t mute_until_us;
};

struct sim {
	uint64_t rng;
	int64_t now, end;
	struct desk *d;
	struct desk_conf conf;
	struct stored *db;
	size_t n;
	struct mon mon[MONITORS];
	struct alert_unit *queue[UNITS];   /* not committed yet */
	size_t nqueue;
	struct desk_message *flight[CHANNELS];
	int64_t answer_us[CHANNELS], away_until_us[CHANNELS];
	struct { int64_t made_us; char key[OUTBOX_KEY]; } seen[CHANNELS];
	uint64_t taken[CHANNELS];
	unsigned crashes, opens, resolves, collapsed, duplicates;
	bool calm;                 /* no more trouble: all must come to rest */
};

static uint64_t
dice(struct sim *s, uint64_t n)
{
	s->rng ^= s->rng >> 12;
	s->rng ^= s->rng << 25;
	s->rng ^= s->rng >> 27;
	return (s->rng * UINT64_C(2685821657736338717) >> 11) % n;
}

static int
channel_of(const char *name)
{
	for (int i = 0; i < CHANNELS; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	fail_msg("no channel %s", name);
	return 0;
}

static struct stored *
find(struct sim *s, const char *key)
{
	for (size_t i = s->n; i > 0; i--)
		if (strcmp(s->db[i - 1].row.key, key) == 0)
			return &s->db[i - 1];
	return NULL;
}

static bool
is_muted(void *arg, uint32_t monitor, int64_t failed_us, int64_t now_us,
    int64_t *ret_until_us, char note[OUTBOX_NOTE])
{
	struct sim *s = arg;
	const struct mon *m = &s->mon[monitor - 1];

	(void)failed_us;
	if (s->calm || now_us >= m->mute_until_us)
		return false;
	*ret_until_us = dice(s, 2) == 0 ? m->mute_until_us : 0;
	snprintf(note, OUTBOX_NOTE, "maintenance");
	return true;
}

/* -- the store ------------------------------------------------------------------ */

static void
insert(struct sim *s, const struct outbox_row *r)
{
	struct outbox_row made = *r;

	made.known = find(s, r->key) != NULL;
	if (!made.known) {
		assert_true(s->n < ROWS_MAX);
		s->db[s->n++] = (struct stored){.row = *r};
	}
	(void)desk_add(s->d, &made, false, s->now);
}

static void
commit_one(struct sim *s)
{
	struct alert_unit *u = s->queue[0];

	for (size_t i = 0; i < u->nmarks; i++) {
		struct stored *p = find(s, u->marks[i].key);

		assert_non_null(p);
		assert_false(p->over);
		p->row.state = u->marks[i].state;
		p->row.attempts = u->marks[i].attempts;
		p->row.maybe = u->marks[i].maybe;
		p->row.next_us = u->marks[i].next_us;
		snprintf(p->row.note, sizeof(p->row.note), "%s",
		    u->marks[i].note);
		p->over = u->marks[i].over;
	}
	memmove(s->queue, s->queue + 1, --s->nqueue * sizeof(s->queue[0]));
	for (size_t i = 0; i < u->nrows; i++)
		insert(s, &u->rows[i]);
	unit_free(&u->unit);
}

static void
gather(struct sim *s)
{
	struct alert_unit *u;

	while ((u = desk_unit(s->d)) != NULL) {
		if (s->nqueue == UNITS)
			commit_one(s);
		s->queue[s->nqueue++] = u;
	}
}

static void
configure(struct sim *s)
{
	struct desk_channel_conf c[CHANNELS];

	memset(c, 0, sizeof(c));
	for (int i = 0; i < CHANNELS; i++) {
		snprintf(c[i].name, sizeof(c[i].name), "%s", names[i]);
		c[i].grouped = i != 1;
		c[i].self = true;
		c[i].per_minute = i == 2 ? 4 : 0;
	}
	snprintf(c[0].fallback, sizeof(c[0].fallback), "mail");
	desk_channels(s->d, c, CHANNELS, s->now);
}

static void
start(struct sim *s)
{
	struct desk_mute m = {is_muted, s};

	s->d = desk_new(&s->conf, &m);
	configure(s);
	for (size_t i = 0; i < s->n; i++)
		if (!s->db[i].over)
			(void)desk_add(s->d, &s->db[i].row, true, s->now);
}

/* What was in flight may have been taken; what was not committed is lost. */
static void take(struct sim *s, int c, const struct desk_message *m);

static void
crash(struct sim *s)
{
	struct outbox_row r;
	bool late, over;

	s->crashes++;
	for (int c = 0; c < CHANNELS; c++) {
		struct desk_message *m = s->flight[c];

		s->flight[c] = NULL;
		if (m == NULL)
			continue;
		for (size_t i = 0; i < desk_message_rows(m); i++) {
			desk_message_row(m, i, &r, &late, &over);
			find(s, r.key)->maybe = true;
		}
		if (dice(s, 2) == 0)
			take(s, c, m);
	}
	while (s->nqueue > 0) {   /* sent, and nobody noted it */
		struct alert_unit *u = s->queue[--s->nqueue];

		for (size_t i = 0; i < u->nmarks; i++)
			find(s, u->marks[i].key)->maybe = true;
		unit_free(&u->unit);
	}
	for (size_t i = 0; i < s->n; i++)
		if (s->db[i].row.state == OUTBOX_WAITING &&
		    s->db[i].row.next_us <= s->now)
			s->db[i].waited = true;
	desk_free(s->d);
	start(s);
}

/* -- the providers ------------------------------------------------------------------ */

static void
take(struct sim *s, int c, const struct desk_message *m)
{
	struct outbox_row r;
	bool late, collapsed;

	desk_message_row(m, 0, &r, &late, &collapsed);
	/* The same bytes again: known by the idempotency key. */
	if (s->seen[c].made_us == desk_message_made_us(m) &&
	    strcmp(s->seen[c].key, r.key) == 0)
		return;
	s->seen[c].made_us = desk_message_made_us(m);
	snprintf(s->seen[c].key, sizeof(s->seen[c].key), "%s", r.key);
	for (size_t i = 0; i < desk_message_rows(m); i++) {
		struct stored *p;

		desk_message_row(m, i, &r, &late, &collapsed);
		p = find(s, r.key);
		if (p == NULL)
			fail_msg("%s was sent and is not committed", r.key);
		if (p->arrived++ == 0) {
			p->first_us = s->now;
			p->place = ++s->taken[c];
		} else {
			s->duplicates++;
			if (!p->maybe)
				fail_msg("%s was sent twice", r.key);
		}
		s->collapsed += collapsed;
		p->late_word = p->late_word || collapsed;
		if (r.expires_us != 0 && s->now >= r.expires_us + S(3700) &&
		    !late)
			fail_msg("%s was sent as new long after", r.key);
	}
}

/* A fresh message may not tell of what is muted now. */
static void
check_message(struct sim *s, const struct desk_message *m)
{
	struct outbox_row r;
	bool late, collapsed;

	if (desk_message_attempt(m) > 1)
		return;
	for (size_t i = 0; i < desk_message_rows(m); i++) {
		desk_message_row(m, i, &r, &late, &collapsed);
		if (r.event.kind == ALERT_OPEN && !s->calm &&
		    s->now < s->mon[r.event.monitor - 1].mute_until_us)
			fail_msg("%s was announced in a window", r.key);
	}
}

static void
answer(struct sim *s, int c)
{
	struct desk_message *m = s->flight[c];
	struct desk_outcome o = {.jitter = (uint32_t)dice(s, UINT32_MAX)};
	bool away = !s->calm && s->now < s->away_until_us[c];
	uint64_t luck = s->calm ? 99 : dice(s, 100);
	struct outbox_row r;
	bool late, collapsed;

	s->flight[c] = NULL;
	snprintf(o.note, sizeof(o.note), "no");
	if (away || luck < 8) {
		o.result = DELIVERY_AGAIN;
		if (dice(s, 4) == 0)
			o.after_us = S(dice(s, 120));
	} else if (luck < 14) {          /* it may have been taken */
		o.result = DELIVERY_AGAIN;
		o.maybe = true;
		for (size_t i = 0; i < desk_message_rows(m); i++) {
			desk_message_row(m, i, &r, &late, &collapsed);
			find(s, r.key)->maybe = true;
		}
		if (dice(s, 2) == 0)
			take(s, c, m);
	} else if (luck < 16) {
		o.result = DELIVERY_REFUSED;
	} else {
		o.result = DELIVERY_SENT;
		take(s, c, m);
	}
	desk_done(s->d, m, &o, s->now);
	gather(s);
}

/* -- what happens to monitors ------------------------------------------------------ */

static void
tell(struct sim *s, enum alert_kind kind, uint32_t id, int c, unsigned step)
{
	const struct mon *m = &s->mon[id - 1];
	struct outbox_row r = {.state = OUTBOX_WAITING, .step = (uint8_t)step,
	    .next_us = s->now + S(900 * (int64_t)step),
	    .expires_us = s->now + S(86400),
	    .remind_us = c == 0 && kind == ALERT_OPEN ? S(1800) : 0,
	    .event = {.kind = (uint8_t)kind, .monitor = id,
	    .incident_us = m->incident_us, .at_us = s->now,
	    .from = STATUS_UP, .to = kind == ALERT_RESOLVE ? STATUS_UP :
	    STATUS_DOWN, .latency_us = -1}};

	if (kind == ALERT_CHANGE)
		r.event.from = STATUS_DEGRADED;
	snprintf(r.channel, sizeof(r.channel), "%s", names[c]);
	snprintf(r.event.path, sizeof(r.event.path), "m%u", id);
	outbox_key(&r);
	insert(s, &r);
}

static void
change(struct sim *s, uint32_t id)
{
	struct mon *m = &s->mon[id - 1];

	if (m->incident_us == 0) {
		if (s->calm) {
			m->next_us = INT64_MAX;
			return;
		}
		m->incident_us = s->now;
		tell(s, ALERT_OPEN, id, 0, 0);
		tell(s, ALERT_OPEN, id, 1, id % 3 == 0 ? 1 : 0);
		m->next_us = s->now + S(1 + dice(s, dice(s, 2) == 0 ? 40 :
		    20000));
		return;
	}
	if (dice(s, 4) == 0 && !s->calm) {
		tell(s, ALERT_CHANGE, id, 0, 0);
		m->next_us = s->now + S(1 + dice(s, 4000));
		return;
	}
	tell(s, ALERT_RESOLVE, id, 0, 0);
	tell(s, ALERT_RESOLVE, id, 1, 0);
	m->incident_us = 0;
	m->next_us = s->now + S(60 + dice(s, 30000));
}

static void
trouble(struct sim *s)
{
	uint32_t id = (uint32_t)dice(s, MONITORS) + 1;
	struct mon *m = &s->mon[id - 1];
	struct hold_change h = {.monitor = id, .incident_us = m->incident_us,
	    .op = (uint8_t)dice(s, HOLD_NMAX), .at_us = s->now,
	    .until_us = s->now + S(dice(s, 7200)), .by = "kate"};

	switch (dice(s, 600)) {
	case 0:
		crash(s);
		break;
	case 1:
		s->away_until_us[dice(s, CHANNELS)] = s->now +
		    S(dice(s, 6 * 3600));
		break;
	case 2: case 3: case 4: case 5:
		m->mute_until_us = s->now + S(dice(s, 3 * 3600));
		desk_look(s->d, s->now);
		break;
	case 6: case 7: case 8: case 9: case 10: case 11:
		if (m->incident_us != 0)
			desk_hold_change(s->d, &h, s->now);
		break;
	case 12:
		if (dice(s, 5) == 0) {   /* the clock is set */
			int64_t by = S((int64_t)dice(s, 7200) - 3600);

			s->now += by;
			desk_step(s->d, by);
		}
		break;
	default:
		break;
	}
}

static void
turn(struct sim *s)
{
	struct desk_message *m;

	while (s->nqueue > 0 && (s->calm || dice(s, 3) > 0))
		commit_one(s);
	for (uint32_t id = 1; id <= MONITORS; id++)
		if (s->now >= s->mon[id - 1].next_us)
			change(s, id);
	desk_run(s->d, s->now);
	gather(s);
	while ((m = desk_pop(s->d)) != NULL) {
		int c = channel_of(desk_message_channel(m));

		assert_null(s->flight[c]);   /* one at a time */
		check_message(s, m);
		s->flight[c] = m;
		s->answer_us[c] = s->now + (int64_t)dice(s, 3000000);
	}
	for (int c = 0; c < CHANNELS; c++)
		if (s->flight[c] != NULL && s->now >= s->answer_us[c])
			answer(s, c);
	if (!s->calm)
		trouble(s);
	desk_check(s->d);
}

/* -- the checker --------------------------------------------------------------------- */

/* What a channel saw of an incident. */
struct sight {
	bool opened, might, resolved, late_word;
	uint64_t open_place, resolve_place;
};

static struct sight
look(const struct sim *s, size_t at)
{
	const struct alert_event *e = &s->db[at].row.event;
	struct sight v = {0};

	for (size_t i = 0; i < s->n; i++) {
		const struct stored *p = &s->db[i];
		const struct alert_event *o = &p->row.event;

		if (o->monitor != e->monitor || o->incident_us !=
		    e->incident_us || strcmp(p->row.channel,
		    s->db[at].row.channel) != 0)
			continue;
		if (o->kind == ALERT_RESOLVE) {
			v.late_word = v.late_word || p->late_word;
			v.resolved = v.resolved || p->arrived > 0;
			v.resolve_place = MAX(v.resolve_place, p->place);
			continue;
		}
		v.opened = v.opened || p->arrived > 0;
		v.might = v.might || p->maybe || p->waited;
		if (p->arrived > 0 && o->kind == ALERT_OPEN)
			v.open_place = p->place;
	}
	return v;
}

/* Everything of one incident, to read. */
static void
tell_all(const struct sim *s, const struct stored *of)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct stored *p = &s->db[i];

		if (p->row.event.monitor == of->row.event.monitor &&
		    p->row.event.incident_us == of->row.event.incident_us)
			print_message("  %s %s%s arrived %u at +%lld%s %s\n",
			    p->row.key, outbox_state_names[p->row.state],
			    p->over ? ", over," : ",", p->arrived,
			    (long long)(p->first_us - T0) / US_PER_S,
			    p->maybe ? " maybe" : "", p->row.note);
	}
}

static void
judge(struct sim *s)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct stored *p = &s->db[i];
		const struct alert_event *e = &p->row.event;
		struct sight v;

		if (!p->over)
			tell_all(s, p);
		if (!p->over)
			fail_msg("%s stays behind, %s (%s)", p->row.key,
			    outbox_state_names[p->row.state], p->row.note);
		if (e->kind == ALERT_OPEN)
			s->opens += p->arrived > 0;
		if (e->kind != ALERT_RESOLVE)
			continue;
		s->resolves += p->arrived > 0;
		v = look(s, i);
		if (v.opened && !v.resolved &&
		    p->row.state != OUTBOX_REFUSED)
			tell_all(s, p);
		if (v.opened && !v.resolved &&
		    p->row.state != OUTBOX_REFUSED)
			fail_msg("%s: told, and its end was lost (%s, %s)",
			    p->row.key, outbox_state_names[p->row.state],
			    p->row.note);
		if (v.resolved && !v.opened && !v.might && !v.late_word) {
			tell_all(s, p);
			fail_msg("%s: an end of what nobody was told of",
			    p->row.key);
		}
		if (v.resolved && v.open_place > v.resolve_place)
			fail_msg("%s came before its beginning", p->row.key);
	}
}

static void
live(uint64_t seed, int days)
{
	struct sim *s = xcalloc(1, sizeof(*s));
	int64_t rest;

	s->rng = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	s->now = T0;
	s->end = T0 + S(86400 * (int64_t)days);
	s->conf = desk_defaults;
	s->db = xcalloc(ROWS_MAX, sizeof(*s->db));
	for (int i = 0; i < MONITORS; i++)
		s->mon[i].next_us = T0 + S(dice(s, 7200));
	start(s);
	while (s->now < s->end) {
		turn(s);
		s->now += (int64_t)dice(s, S(20));
	}
	/* Calm: everything comes to rest by itself. */
	s->calm = true;
	for (uint32_t id = 1; id <= MONITORS; id++)
		s->mon[id - 1].next_us = s->mon[id - 1].incident_us != 0 ?
		    s->now : INT64_MAX;
	for (rest = s->now + S(4 * 86400); s->now < rest; s->now += S(5))
		turn(s);
	for (int i = 0; i < 3; i++) {
		turn(s);
		s->now += S(5);
	}
	judge(s);
	print_message("seed %llu: %zu rows, %u opens and %u resolves arrived,"
	    " %u collapsed, %u crashes, %u seen twice\n",
	    (unsigned long long)seed, s->n, s->opens, s->resolves,
	    s->collapsed, s->crashes, s->duplicates);
	assert_true(s->opens > 0 && s->resolves > 0);
	while (s->nqueue > 0)
		unit_free(&s->queue[--s->nqueue]->unit);
	desk_free(s->d);
	xfree(s->db);
	xfree(s);
}

static void
whatever_happens_who_was_told_hears_the_end(void **state)
{
	uint64_t seed = 0, days = 3;

	(void)state;
	if (getenv("DESK_DAYS") != NULL)
		assert_true(str_u64(str_of(getenv("DESK_DAYS")), 1000, &days));
	if (getenv("DESK_SEED") != NULL) {
		assert_true(str_u64(str_of(getenv("DESK_SEED")), UINT64_MAX,
		    &seed));
		live(seed, (int)days);
		return;
	}
	for (seed = 1; seed <= 8; seed++) {
		print_message("DESK_SEED=%llu\n", (unsigned long long)seed);
		live(seed, (int)days);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_happens_who_was_told_hears_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

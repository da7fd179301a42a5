/* desk_rig.h: a desk on the bench, for its unit tests: what it wants stored is
 * durable at once, time goes on only to the next thing that happens. */
#ifndef UNIT_DESK_RIG_H
#define UNIT_DESK_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "alert/desk.h"
#include "base/mem.h"
#include "base/time.h"

#include <cmocka.h>

#define T0 (INT64_C(1790000000) * US_PER_S)
#define S(n) ((int64_t)(n) * US_PER_S)

/* A desk, what it has stored so far, and what is muted. */
struct bench {
	struct desk *d;
	int64_t now;
	bool muted;
	int64_t muted_until;
	struct outbox_row rows[400];
	struct outbox_mark marks[400];   /* the last of each key */
	size_t nrows, nmarks, ndeliveries;
};

static inline bool
is_muted(void *arg, uint32_t monitor, int64_t failed_us, int64_t now_us,
    int64_t *ret_until_us, char note[OUTBOX_NOTE])
{
	struct bench *b = arg;

	(void)monitor;
	(void)failed_us;
	(void)now_us;
	if (!b->muted)
		return false;
	*ret_until_us = b->muted_until;
	snprintf(note, OUTBOX_NOTE, "window");
	return true;
}

static inline void
channels(struct bench *b, const char *fallback)
{
	struct desk_channel_conf c[2] = {
		{.name = "ops", .grouped = true},
		{.name = "sms", .grouped = true}};

	snprintf(c[0].fallback, sizeof(c[0].fallback), "%s", fallback);
	c[0].self = c[1].self = fallback[0] != '\0';
	desk_channels(b->d, c, 2, b->now);
}

static inline struct bench *
begin(void)
{
	struct bench *b = xcalloc(1, sizeof(*b));
	struct desk_mute m = {is_muted, b};

	b->now = T0;
	b->d = desk_new(&desk_defaults, &m);
	channels(b, "");
	return b;
}

static inline void
end(struct bench *b)
{
	desk_check(b->d);
	desk_free(b->d);
	xfree(b);
}

static inline struct outbox_row
row(enum alert_kind kind, uint32_t monitor, int64_t incident, int64_t at,
    const char *channel)
{
	struct outbox_row r = {.state = OUTBOX_WAITING, .next_us = at,
	    .expires_us = at + S(86400), .event = {.kind = (uint8_t)kind,
	    .monitor = monitor, .incident_us = incident, .at_us = at,
	    .from = STATUS_UP, .to = STATUS_DOWN, .latency_us = -1}};

	snprintf(r.channel, sizeof(r.channel), "%s", channel);
	snprintf(r.event.path, sizeof(r.event.path), "m%u", monitor);
	outbox_key(&r);
	return r;
}

/* Store what the desk wants stored; new rows are durable at once. */
static inline void
keep(struct bench *b)
{
	struct alert_unit *u;

	while ((u = desk_unit(b->d)) != NULL) {
		for (size_t i = 0; i < u->nrows; i++) {
			assert_true(b->nrows < COUNT(b->rows));
			b->rows[b->nrows++] = u->rows[i];
			(void)desk_add(b->d, &u->rows[i], false, b->now);
		}
		for (size_t i = 0; i < u->nmarks; i++) {
			size_t k = 0;

			while (k < b->nmarks && strcmp(b->marks[k].key,
			    u->marks[i].key) != 0)
				k++;
			assert_true(k < COUNT(b->marks));
			b->marks[k] = u->marks[i];
			b->nmarks = MAX(b->nmarks, k + 1);
		}
		b->ndeliveries += u->ndeliveries;
		unit_free(&u->unit);
	}
	desk_check(b->d);
}

static inline const struct outbox_mark *
mark(const struct bench *b, const struct outbox_row *r)
{
	for (size_t i = 0; i < b->nmarks; i++)
		if (strcmp(b->marks[i].key, r->key) == 0)
			return &b->marks[i];
	return NULL;
}

#define assert_state(b, r, want) \
	do { \
		const struct outbox_mark *m_ = mark((b), &(r)); \
		assert_non_null(m_); \
		assert_string_equal(outbox_state_names[m_->state], \
		    outbox_state_names[want]); \
	} while (0)

static inline void
add(struct bench *b, const struct outbox_row *r)
{
	assert_true(desk_add(b->d, r, false, b->now));
	keep(b);
}

/* The next message within so long; NULL: none. */
static inline struct desk_message *
next(struct bench *b, int64_t within)
{
	int64_t until = b->now + within;

	for (;;) {
		struct desk_message *m = desk_pop(b->d);
		int64_t at = desk_next_us(b->d);

		if (m != NULL)
			return m;
		if (at > until) {
			b->now = until;
			return NULL;
		}
		b->now = MAX(b->now, at);
		desk_run(b->d, b->now);
		keep(b);
	}
}

static inline void
done(struct bench *b, struct desk_message *m, enum delivery_result result,
    bool maybe)
{
	struct desk_outcome o = {.result = (uint8_t)result, .maybe = maybe,
	    .jitter = UINT32_MAX, .note = "because"};

	desk_done(b->d, m, &o, b->now);
	keep(b);
}

static inline struct outbox_row
member(const struct desk_message *m, size_t i, bool *late, bool *collapsed)
{
	struct outbox_row r;

	desk_message_row(m, i, &r, late, collapsed);
	return r;
}

#endif

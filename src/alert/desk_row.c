/* desk_row.c: rows, their incidents and channels, as things; see desk.h. */
#include <stdio.h>
#include <string.h>

#include "alert/desk_impl.h"
#include "base/mem.h"
#include "base/text.h"

static uint64_t
incident_hash(uint32_t monitor, int64_t incident_us)
{
	return map_hash_u64((uint64_t)incident_us ^ (uint64_t)monitor << 40);
}

struct desk_incident *
desk_incident_find(struct desk *d, uint32_t monitor, int64_t incident_us)
{
	uint64_t h = incident_hash(monitor, incident_us);

	for (struct map_node *n = map_first(&d->incidents, h); n != NULL;
	    n = map_next(n)) {
		struct desk_incident *inc = CONTAINER(n, struct desk_incident,
		    node);

		if (inc->monitor == monitor && inc->incident_us == incident_us)
			return inc;
	}
	return NULL;
}

static struct desk_incident *
incident_get(struct desk *d, uint32_t monitor, int64_t incident_us)
{
	struct desk_incident *inc = desk_incident_find(d, monitor,
	    incident_us);

	if (inc != NULL)
		return inc;
	inc = xcalloc(1, sizeof(*inc));
	inc->monitor = monitor;
	inc->incident_us = incident_us;
	list_init(&inc->rows);
	map_put(&d->incidents, &inc->node, incident_hash(monitor,
	    incident_us));
	return inc;
}

struct desk_channel *
desk_channel_get(struct desk *d, const char *name)
{
	struct desk_channel *ch;

	for (size_t i = 0; i < d->nchannels; i++)
		if (strcmp(d->channels[i]->conf.name, name) == 0)
			return d->channels[i];
	ch = xcalloc(1, sizeof(*ch));
	(void)text_copy(ch->conf.name, sizeof(ch->conf.name), str_of(name));
	(void)text_copy(ch->health.channel, sizeof(ch->health.channel),
	    str_of(name));
	list_init(&ch->queue);
	list_init(&ch->tests);
	d->channels = xrealloc(d->channels, d->nchannels + 1,
	    sizeof(*d->channels));
	d->channels[d->nchannels++] = ch;
	return ch;
}

struct desk_row *
desk_row_find(struct desk *d, const char *key)
{
	uint64_t h = map_hash_str(str_of(key));

	for (struct map_node *n = map_first(&d->rows, h); n != NULL;
	    n = map_next(n)) {
		struct desk_row *r = CONTAINER(n, struct desk_row, by_key);

		if (strcmp(r->words, key) == 0)
			return r;
	}
	return NULL;
}

#define WORDS 8

static void
pack(struct desk_row *r, const char *const *words)
{
	size_t n = 0, len;
	char *p;

	for (unsigned i = 0; i < WORDS; i++)
		n += strlen(words[i]) + 1;
	p = xcalloc(n, 1);
	n = 0;
	for (unsigned i = 0; i < WORDS; i++) {
		len = strlen(words[i]) + 1;
		memcpy(p + n, words[i], len);
		if (i > 0)
			r->at[i - 1] = (uint16_t)n;
		n += len;
	}
	xfree(r->words);
	r->words = p;
}

const char *
desk_row_note(const struct desk_row *r)
{
	return r->words + r->at[5];
}

const char *
desk_row_instead(const struct desk_row *r)
{
	const char *name = r->words + r->at[6];

	return name[0] != '\0' ? name : NULL;
}

void
desk_row_set_note(struct desk_row *r, const char *note)
{
	const char *words[WORDS] = {r->words, r->words + r->at[0],
		r->words + r->at[1], r->words + r->at[2], r->words + r->at[3],
		r->words + r->at[4], note, r->words + r->at[6]};

	if (strcmp(desk_row_note(r), note) != 0)
		pack(r, words);
}

struct desk_row *
desk_row_new(struct desk *d, const struct outbox_row *o)
{
	const struct alert_event *e = &o->event;
	bool other = str_starts(str_of(o->note), STR(DESK_INSTEAD));
	const char *words[WORDS] = {o->key, e->path, e->type, e->target,
		e->tags, e->reason, o->note,
		other ? o->note + sizeof(DESK_INSTEAD) - 1 : ""};
	struct desk_row *r = xcalloc(1, sizeof(*r));

	pack(r, words);
	r->ch = desk_channel_get(d, o->channel);
	r->place = PLACE_DONE;
	r->state = o->state;
	r->step = o->step;
	r->attempts = o->attempts;
	r->next_us = o->next_us;
	r->expires_us = o->expires_us;
	r->remind_us = o->remind_us;
	r->kind = e->kind;
	r->severity = e->severity;
	r->from = e->from;
	r->to = e->to;
	r->why = e->why;
	r->monitor = e->monitor;
	r->incident_us = e->incident_us;
	r->at_us = e->at_us;
	r->until_us = e->until_us;
	r->latency_us = e->latency_us;
	if (e->monitor != 0 && e->incident_us != 0) {
		r->inc = incident_get(d, e->monitor, e->incident_us);
		list_push(&r->inc->rows, &r->of_incident);
	}
	map_put(&d->rows, &r->by_key, map_hash_str(str_of(o->key)));
	return r;
}

void
desk_row_get(const struct desk_row *r, struct outbox_row *o)
{
	struct alert_event *e = &o->event;

	*o = (struct outbox_row){.state = r->state, .step = r->step,
	    .attempts = r->attempts, .next_us = r->next_us,
	    .expires_us = r->expires_us, .remind_us = r->remind_us};
	*e = (struct alert_event){.kind = r->kind, .severity = r->severity,
	    .from = r->from, .to = r->to, .why = r->why,
	    .monitor = r->monitor, .incident_us = r->incident_us,
	    .at_us = r->at_us, .until_us = r->until_us,
	    .latency_us = r->latency_us};
	snprintf(o->key, sizeof(o->key), "%s", r->words);
	snprintf(o->channel, sizeof(o->channel), "%s", r->ch->conf.name);
	snprintf(e->path, sizeof(e->path), "%s", r->words + r->at[0]);
	snprintf(e->type, sizeof(e->type), "%s", r->words + r->at[1]);
	snprintf(e->target, sizeof(e->target), "%s", r->words + r->at[2]);
	snprintf(e->tags, sizeof(e->tags), "%s", r->words + r->at[3]);
	snprintf(e->reason, sizeof(e->reason), "%s", r->words + r->at[4]);
	snprintf(o->note, sizeof(o->note), "%s", desk_row_note(r));
}

void
desk_incident_drop(struct desk *d, struct desk_incident *inc)
{
	if (inc->pinned || !list_empty(&inc->rows))
		return;
	list_del(&inc->settling);
	map_del(&d->incidents, &inc->node);
	xfree(inc);
}

void
desk_row_free(struct desk *d, struct desk_row *r)
{
	struct desk_incident *inc = r->inc;

	list_del(&r->queue);
	list_del(&r->of_incident);
	heap_del(&d->timers, &r->wake);
	map_del(&d->rows, &r->by_key);
	if (inc != NULL)
		desk_incident_drop(d, inc);
	xfree(r->words);
	xfree(r);
}

bool
desk_row_opens(const struct desk_row *r)
{
	return r->kind == ALERT_OPEN || r->kind == ALERT_CHANGE ||
	    r->kind == ALERT_FLAP;
}

struct desk_row *
desk_resolve_of(const struct desk_incident *inc, const struct desk_channel *ch)
{
	LIST_EACH(n, &inc->rows) {
		struct desk_row *r = CONTAINER(n, struct desk_row,
		    of_incident);

		if (r->kind == ALERT_RESOLVE && r->ch == ch &&
		    r->place != PLACE_DONE)
			return r;
	}
	return NULL;
}

/* incident_view.c: what is open now, in memory, for pages that ask no
 * database. A closed one stays with its monitor: when the monitor fails again
 * before its end was told, it is the same incident that goes on. */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "store/incidents.h"

struct incident_mem {
	struct list node;             /* open ones, by when they came */
	struct view *view;
	struct entry *of;             /* NULL: manual */
	uint64_t id;
	int64_t incident_us, opened_us, closed_us;
	uint8_t state, severity, worst, why;
	char *title, *cause, *reason; /* owned; NULL: none */
	uint32_t *monitors;           /* owned */
	uint32_t nmonitors;
	struct incident_update *v;    /* public, oldest first; owned */
	size_t n;
};

static struct list *
home(struct incident_mem *m)
{
	return m->of != NULL ? &m->view->outages : &m->view->notices;
}

/* In the list while it is open. */
static void
settle(struct incident_mem *m)
{
	bool open = m->closed_us == 0;

	if (open == list_linked(&m->node))
		return;
	if (open)
		list_push(home(m), &m->node);
	else
		list_del(&m->node);
	m->view->nopen += open ? (size_t)1 : (size_t)-1;
}

struct incident_mem *
incident_mem_at(struct list *node)
{
	return CONTAINER(node, struct incident_mem, node);
}

void
incident_mem_free(struct incident_mem *m)
{
	if (m == NULL)
		return;
	m->closed_us = 1;
	settle(m);
	if (m->of != NULL)
		m->of->mem = NULL;
	incident_updates_free(m->v, m->n);
	xfree(m->title);
	xfree(m->cause);
	xfree(m->reason);
	xfree(m->monitors);
	xfree(m);
}

static char *
words(const char *text)
{
	return text[0] != '\0' ? xstrdup(text) : NULL;
}

static void
replace(char **at, const char *text)
{
	xfree(*at);
	*at = words(text);
}

struct incident_mem *
incident_mem_find(struct view *v, struct entry *en, uint64_t id)
{
	if (en != NULL)
		return en->mem != NULL && en->mem->id == id ? en->mem : NULL;
	LIST_EACH(n, &v->notices) {
		struct incident_mem *m = incident_mem_at(n);

		if (m->id == id)
			return m;
	}
	return NULL;
}

static struct incident_mem *
mem_new(struct view *v, struct entry *en)
{
	struct incident_mem *m = xcalloc(1, sizeof(*m));

	m->view = v;
	m->of = en;
	if (en != NULL) {
		incident_mem_free(en->mem);
		en->mem = m;
	}
	return m;
}

struct incident_mem *
incident_mem_put(struct view *v, struct entry *en, const struct incident *i)
{
	struct incident_mem *m = incident_mem_find(v, en, i->id);

	if (m == NULL)
		m = mem_new(v, en);
	m->id = i->id;
	m->incident_us = i->incident_us;
	m->opened_us = i->opened_us;
	m->closed_us = i->closed_us;
	m->state = i->state;
	m->severity = i->severity;
	m->worst = i->worst;
	m->why = i->why;
	replace(&m->title, i->title);
	replace(&m->cause, i->cause);
	replace(&m->reason, i->reason);
	xfree(m->monitors);
	m->nmonitors = i->nmonitors;
	m->monitors = xcalloc(i->nmonitors + 1, sizeof(*m->monitors));
	memcpy(m->monitors, i->monitors, i->nmonitors * sizeof(*m->monitors));
	settle(m);
	return m;
}

void
incident_mem_update(struct incident_mem *m, const struct incident_update *u)
{
	if (!u->open)
		return;
	if (m->n == INCIDENT_SHOWN_UPDATES) {
		xfree(m->v[0].text);
		m->n--;
		memmove(m->v, m->v + 1, m->n * sizeof(*m->v));
	} else {
		m->v = xrealloc(m->v, m->n + 1, sizeof(*m->v));
	}
	m->v[m->n] = *u;
	m->v[m->n++].text = xstrdup(u->text);
}

/* -- what states say ------------------------------------------------------- */

void
incidents_show(struct store *s, struct entry *en, const struct mon_state *st)
{
	struct incident_mem *m = en->mem;
	int64_t was_us = m != NULL && m->closed_us == 0 ? m->incident_us : 0;
	int64_t want_us = incident_of(st, was_us);
	struct incident i;

	if (want_us == 0 && was_us != 0) {
		m->closed_us = MAX(st->since_us, m->opened_us);
		m->state = INCIDENT_RESOLVED;
		settle(m);
	}
	if (want_us == 0)
		return;
	incident_grade(st, &i);
	if (m == NULL || m->incident_us != want_us) {
		m = mem_new(s->view, en);
		m->incident_us = want_us;
		m->opened_us = want_us;
		m->worst = i.worst;
		m->why = st->why;
		m->reason = words(st->reason);
	} else if (m->closed_us != 0) {
		m->closed_us = 0;
		m->state = INCIDENT_INVESTIGATING;
	}
	m->severity = (uint8_t)MAX(m->severity, i.severity);
	m->worst = (uint8_t)MIN(m->worst, i.worst);
	settle(m);
}

void
incidents_number(struct entry *en)
{
	if (en->mem != NULL &&
	    en->mem->incident_us == en->batch_incident.us)
		en->mem->id = en->batch_incident.id;
}

/* -- for pages ---------------------------------------------------------------- */

static void
copy(const struct incident_mem *m, struct incident_shown *ret)
{
	struct incident *i = &ret->i;

	*i = (struct incident){.id = m->id, .incident_us = m->incident_us,
	    .opened_us = m->opened_us, .state = m->state,
	    .severity = m->severity, .worst = m->worst, .why = m->why,
	    .nmonitors = m->nmonitors};
	memcpy(i->monitors, m->monitors != NULL ? m->monitors : i->monitors,
	    m->nmonitors * sizeof(*m->monitors));
	ret->status = STATUS_UP;
	if (m->of != NULL) {
		i->monitor = m->of->row.conf->id;
		ret->status = m->of->row.status;
		(void)text_copy(i->name, sizeof(i->name),
		    str_of(m->of->row.conf->path));
	}
	(void)text_copy(i->title, sizeof(i->title), str_of(m->title));
	(void)text_copy(i->cause, sizeof(i->cause), str_of(m->cause));
	(void)text_copy(i->reason, sizeof(i->reason), str_of(m->reason));
	ret->n = m->n;
	ret->v = xcalloc(m->n + 1, sizeof(*ret->v));
	for (size_t k = 0; k < m->n; k++) {
		ret->v[k] = m->v[m->n - 1 - k];
		ret->v[k].text = xstrdup(ret->v[k].text);
	}
}

/* Has anybody written of it? */
static bool
written(const struct incident_mem *m)
{
	return m->of == NULL || m->n > 0 || m->title != NULL ||
	    m->cause != NULL;
}

/* The next one of the list from at back that is or is not written of. */
static struct list *
back(struct list *at, const struct list *head, bool want)
{
	while (at != head && written(incident_mem_at(at)) != want)
		at = at->prev;
	return at;
}

/* Both lists from their new ends, merged by when they began. */
static size_t
gather(struct view *v, bool want, struct incident_shown *ret, size_t max)
{
	struct list *a = back(v->outages.prev, &v->outages, want);
	struct list *b = back(v->notices.prev, &v->notices, want);
	size_t n = 0;

	while (n < max && (a != &v->outages || b != &v->notices)) {
		bool first = b == &v->notices || (a != &v->outages &&
		    incident_mem_at(a)->opened_us >=
		    incident_mem_at(b)->opened_us);

		copy(incident_mem_at(first ? a : b), &ret[n++]);
		if (first)
			a = back(a->prev, &v->outages, want);
		else
			b = back(b->prev, &v->notices, want);
	}
	return n;
}

void
view_incidents(struct view *v, size_t max, struct incident_shown **ret,
    size_t *ret_n, size_t *ret_total)
{
	struct incident_shown *all;
	size_t n;

	pthread_rwlock_rdlock(&v->lock);
	all = xcalloc(MIN(max, v->nopen) + 1, sizeof(*all));
	n = gather(v, true, all, max);
	n += gather(v, false, all + n, max - n);
	*ret_total = v->nopen;
	pthread_rwlock_unlock(&v->lock);
	*ret = all;
	*ret_n = n;
}

void
incident_shown_free(struct incident_shown *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		incident_updates_free(s[i].v, s[i].n);
	xfree(s);
}

#include "store/backlog.h"

#include <assert.h>

void
backlog_init(struct backlog *q)
{
	*q = (struct backlog){0};
	q->last = &q->first;
}

bool
unit_alone(const struct unit *u)
{
	return u->kind == UNIT_CONFIG || u->kind == UNIT_TOKEN ||
	    u->kind == UNIT_QUARANTINE || u->kind == UNIT_INCIDENT;
}

bool
unit_pressing(const struct unit *u)
{
	return u->urgent || u->ack != NULL;
}

void
backlog_take(struct backlog *q, struct mbox *from, int64_t now_ns)
{
	struct msg *m = mbox_take(from);

	if (m == NULL)
		return;
	*q->last = m;
	for (; m != NULL; m = m->next) {
		struct unit *u = unit_of(m);

		if (u->queued_ns == 0)
			u->queued_ns = now_ns;
		q->n++;
		if (unit_pressing(u))
			q->nurgent++;
		q->last = &m->next;
	}
}

struct unit *
backlog_first(const struct backlog *q)
{
	return q->first == NULL ? NULL : unit_of(q->first);
}

struct unit *
backlog_cut(struct backlog *q, struct msg **at)
{
	struct msg *m = *at;
	struct unit *u = unit_of(m);

	*at = m->next;
	if (q->last == &m->next)
		q->last = at;
	m->next = NULL;
	assert(q->n > 0);
	q->n--;
	if (unit_pressing(u))
		q->nurgent--;
	return u;
}

struct unit *
backlog_pop(struct backlog *q)
{
	return backlog_cut(q, &q->first);
}

void
backlog_back(struct backlog *q, struct unit *u)
{
	u->msg.next = q->first;
	if (q->first == NULL)
		q->last = &u->msg.next;
	q->first = &u->msg;
	q->n++;
	if (unit_pressing(u))
		q->nurgent++;
}

void
backlog_calm(struct backlog *q, const struct unit *u)
{
	if (!u->urgent)
		q->nurgent--;
}

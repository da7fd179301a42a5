/* edit_gone.c: a monitor that is deleted or archived cannot recover: who was
 * told of its open incident is told of the end, in the transaction that lets
 * it go. */
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "route/route.h"
#include "store/edit_steps.h"
#include "store/load.h"
#include "store/outbox.h"

void
edit_gone_clear(struct edit *e)
{
	xfree(TAKE(e->unit->rows));
	e->unit->nrows = 0;
}

/* As they are before the unit: one that goes with it hears nothing. */
static struct strings
names(const struct view *v)
{
	struct strings all = {xcalloc(v->nchannels + 1, sizeof(char *)), 0};

	for (size_t i = 0; i < v->nchannels; i++)
		all.v[all.n++] = v->channels[i].name;
	return all;
}

static void
take(struct config_unit *u, struct route_rows *add)
{
	if (add->n > 0) {
		u->rows = xrealloc(u->rows, u->nrows + add->n,
		    sizeof(*u->rows));
		memcpy(u->rows + u->nrows, add->v, add->n * sizeof(*add->v));
		u->nrows += add->n;
	}
	xfree(add->v);
}

enum err
edit_gone(struct store *s, struct edit *e, const struct entry *en,
    struct errinfo *ei)
{
	struct strings all;
	struct mon_state st;
	struct route_event ev;
	struct route_rows rows = {0};
	enum err r = load_stored(s, en->row.conf->id, &st, ei);

	if (r == ERR_INVALID)
		log_error("store", "a damaged state: nobody can be told that"
		    " its monitor went", KV("monitor",
		    &en->row.conf->path[0]));
	if (r != ERR_OK)
		return r == ERR_NOT_FOUND || r == ERR_INVALID ? ERR_OK : r;
	ev = (struct route_event){.conf = en->row.conf, .from = st.status,
	    .to = STATUS_PAUSED, .why = WHY_CONFIG, .at_us = e->at_us,
	    .latency_us = -1, .reason = "the monitor was removed"};
	all = names(s->view);
	route_gone(&all, &ev, &st, &rows);
	xfree(all.v);
	r = outbox_rows(s, rows.v, rows.n, ei);
	take(e->unit, &rows);
	return r;
}

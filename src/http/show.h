/* show.h: the JSON of what the API talks about: monitors, samples,
 * transitions, events. One place, so that every route shows the same. */
#ifndef HTTP_SHOW_H
#define HTTP_SHOW_H

#include <stdint.h>

#include "base/buf.h"
#include "model/event.h"
#include "model/sample.h"
#include "store/query.h"
#include "store/view.h"
#include "store/writer.h"

/* Each appends one object and a comma (see field.h). */

/* token and other secrets: the push token only for scope write. */
void show_monitor(struct buf *b, struct view *v, const struct view_row *r,
    enum scope scope, int64_t now_us);
void show_sample(struct buf *b, const struct sample *s);
void show_transition(struct buf *b, const char *key, struct view *v,
    const struct stored_transition *t);
void show_event(struct buf *b, const struct event *e);

/* up ÷ (up + down) of n days, and of a monitor's last VIEW_DAYS local days up
 * to now, maintenance left out: as /uptime has it from the first of them on;
 * NaN: nothing known. */
double show_ratio(const struct day_time *d, int n);
double show_uptime(struct view *v, uint32_t id, int64_t now_us);
/* The reason in words: the row's own, else that of its why. */
const char *show_reason(const struct view_row *r);

#endif

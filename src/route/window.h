/* window.h: when a maintenance window is in force, and for whom. Pure; where
 * windows are kept, and what they hold back, is not known here.
 *
 *   once      [start, end); without end until it is ended by hand
 *   cron      from each of its moments on, for duration
 *   weekly    hours of the week (schedule.h), daylight saving as there
 *   flexible  any of these but cron: duration from the first failure on that
 *             falls into it; before that failure nothing is held back
 * start and end bound cron and weekly windows, too. */
#ifndef ROUTE_WINDOW_H
#define ROUTE_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "conf/route_conf.h"
#include "route/schedule.h"

struct monitor_conf;
struct window;

/* A copy of what c says is kept. ERR_INVALID: field and what is wrong. */
enum err window_make(const struct window_conf *c, struct window **ret,
    struct errinfo *ei) MUST_USE;
void window_free(struct window *w);
void window_freep(struct window *const *w);
const char *window_name(const struct window *w);
/* Is this monitor meant? */
bool window_covers(const struct window *w, const struct monitor_conf *c);

bool window_flexible(const struct window *w);
/* By cron or weekday? */
bool window_recurs(const struct window *w);
/* Nothing of it is in force from then on; SPAN_NEVER. */
int64_t window_end(const struct window *w);
/* Is it in force? failed_us: when the trouble in question began, for flexible
 * windows, which are never in force without (0). */
bool window_active(const struct window *w, int64_t at_us, int64_t failed_us);
/* The run that is in force at at_us, or the next one: from SPAN_NEVER: none;
 * to SPAN_NEVER: open-ended. Runs that overlap are one. Of a flexible window:
 * in which the failure may fall. */
struct span window_span(const struct window *w, int64_t at_us);
/* When it begins next, after at_us; SPAN_NEVER. */
int64_t window_next(const struct window *w, int64_t at_us);
/* With failed_us in it: the run of a flexible window; else window_span. */
struct span window_span_of(const struct window *w, int64_t at_us,
    int64_t failed_us);
/* The runs that touch [from, to), cut to it, oldest first: at most n; returns
 * how many there are. */
size_t window_spans(const struct window *w, struct span within,
    struct span *ret, size_t n);

#endif

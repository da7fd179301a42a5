/* plan_diff.h: what changes, in words, without secrets. Private to plan*.c. */
#ifndef CONF_PLAN_DIFF_H
#define CONF_PLAN_DIFF_H

#include "conf/conf.h"

#define DIFF_MAX 2000   /* bytes of one change's detail */

/* "interval: 1m → 30s, notify: none → [\"ops\"]"; caller xfrees. */
char *plan_diff(const struct monitor_conf *old,
    const struct monitor_conf *new_) MUST_USE;
char *plan_diff_channel(const struct channel_conf *old,
    const struct channel_conf *new_) MUST_USE;
/* Of windows, by their canonical texts; old NULL: a new one. */
char *plan_diff_window(const char *old, const char *new_) MUST_USE;
/* "https://example.org/", for a monitor that is created or goes. */
char *plan_diff_target(const struct monitor_conf *c) MUST_USE;

#endif

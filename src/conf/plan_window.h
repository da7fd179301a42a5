/* plan_window.h: what becomes of maintenance windows. Private to plan*.c. */
#ifndef CONF_PLAN_WINDOW_H
#define CONF_PLAN_WINDOW_H

#include "conf/plan.h"

/* In order: what is new or different, then what goes. The array is the
 * caller's to xfree, each detail too; windows are borrowed from want. */
size_t plan_windows(const struct stored *have, const struct document *want,
    const struct plan_opts *o, struct change **ret);

#endif

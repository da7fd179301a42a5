/* depends.h: who cannot work without whom. Pure. */
#ifndef CONF_DEPENDS_H
#define CONF_DEPENDS_H

#include "conf/monitor.h"

/* The monitor that will have this path; NULL: none will. */
struct depends_view {
	const struct monitor_conf *(*find)(struct depends_view *v,
	    const char *path);
};

/* No monitor of v depends on itself by way of others, and on none that is not
 * there (missing: then that is nothing wrong). ERR_INVALID: field depends_on;
 * the text has the way, "a → b → a". *ret_at: which of v it is. */
enum err depends_check(struct monitor_conf *const *v, size_t n,
    struct depends_view *view, bool missing, size_t *ret_at,
    struct errinfo *ei) MUST_USE;

#endif

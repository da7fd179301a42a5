/* window_conf.h: one maintenance window as it is stored: what somebody wrote,
 * as canonical JSON, and when. When it is in force: route/window.h. */
#ifndef CONF_WINDOW_CONF_H
#define CONF_WINDOW_CONF_H

#include <jansson.h>

#include "conf/monitor.h"
#include "conf/route_conf.h"

#define WINDOWS_ALL_MAX 1000   /* stored, whoever made them */

struct window_stored {
	char name[MONITOR_NAME_MAX + 1];
	enum origin origin;
	char *text;        /* canonical JSON of window_conf_opts; owned */
	int64_t made_us;   /* or last changed: it does not reach back */
	int64_t ended_us;  /* the run that holds this moment ends there; 0 */
	int64_t over_us;   /* over for good since; 0: may come again */
};

void window_stored_clear(struct window_stored *w);
struct window_stored window_stored_copy(const struct window_stored *w);
/* What the file or a body says, checked as a whole; the field of a failure is
 * the key. v is a mapping of window_conf_opts. Released by opt_free. */
enum err window_conf_read(const json_t *v, struct window_conf *ret,
    struct errinfo *ei) MUST_USE;
/* The canonical form; caller xfrees. */
char *window_conf_text(const struct window_conf *c) MUST_USE;

#endif

/* confs.h: a monitor's configuration as a row, and back. */
#ifndef STORE_CONFS_H
#define STORE_CONFS_H

#include "store/inside.h"

enum err confs_put(struct store *s, const struct monitor_conf *c, bool paused,
    struct errinfo *ei) MUST_USE;
/* From the row that STMT_MONITOR_LOAD stands on; group NULL: none. */
enum err confs_load(struct store *s, const struct monitor_conf *group,
    struct monitor_conf **ret, struct errinfo *ei) MUST_USE;
/* The same under another name or in another group; NULL: top level. */
struct monitor_conf *confs_copy(struct store *s, const struct monitor_conf *c,
    const char *name, const char *group_name) MUST_USE;
/* Under the view's lock: the entry gets a copy that is (not) paused. */
void confs_pause(struct store *s, struct entry *e, bool paused);

#endif

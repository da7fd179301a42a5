/* plan_match.h: which stored monitor each wanted one is. Private to plan*.c. */
#ifndef CONF_PLAN_MATCH_H
#define CONF_PLAN_MATCH_H

#include "base/map.h"
#include "conf/plan.h"

enum fate { FATE_KEEP, FATE_ARCHIVE, FATE_DELETE };

struct slot {              /* one stored monitor */
	struct map_node by_path, by_id;
	struct monitor_conf *conf;
	struct slot *group;        /* by its group's id; NULL: none */
	struct wanted *wanted;     /* who claims it; NULL: nobody names it */
	enum fate fate;            /* of what nobody names */
};

struct wanted {            /* one monitor of the document */
	struct monitor_conf **conf;    /* the document's place for it */
	uint32_t line;
	struct wanted *group;
	struct slot *old;          /* NULL: a new one */
	unsigned char mark;        /* while putting changes in order */
};

struct match {
	struct slot *slots;
	struct wanted *wanted;
	size_t nslots, nwanted;
	struct map by_path, by_id;   /* of slots */
};

void match_make(struct match *m, const struct stored *have,
    const struct document *want);
void match_free(struct match *m);
struct slot *match_path(const struct match *m, struct str path);   /* NULL */
struct slot *match_id(const struct match *m, uint32_t id);         /* NULL */

#endif

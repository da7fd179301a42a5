/* incident.h: incidents as they are stored: asked for by readers, changed by
 * units of people. The automatic ones are opened and closed by the writer in
 * the transaction of the state that says so (incidents.h). */
#ifndef STORE_INCIDENT_H
#define STORE_INCIDENT_H

#include "conf/incident_conf.h"
#include "model/incident.h"
#include "model/unit.h"
#include "store/query.h"

struct view;

/* -- reader threads ------------------------------------------------------ */
enum incident_which { INCIDENT_ANY, INCIDENT_OPEN, INCIDENT_CLOSED };
struct incident_query {
	enum incident_which which;
	uint32_t monitor;          /* its own, and manual ones that affect it;
				    * 0: all */
	int64_t from_us, to_us;    /* was open at some time in [from, to); to
				    * 0: no bound */
	uint64_t before_id;        /* page on: only older; 0 newest */
	unsigned limit;            /* ≤ 1000 */
};
/* Newest first: by id, which is the order in which they were opened. Caller
 * xfrees the array. */
enum err query_incidents(struct reader *r, const struct incident_query *q,
    struct incident **ret, size_t *ret_n, struct errinfo *ei) MUST_USE;
/* ERR_NOT_FOUND, or one. */
enum err query_incident(struct reader *r, uint64_t id, struct incident *ret,
    struct errinfo *ei) MUST_USE;
/* What people wrote of it, oldest first; open_only: what everybody may read.
 * Caller incident_updates_frees. */
enum err query_incident_updates(struct reader *r, uint64_t id, bool open_only,
    struct incident_update **ret, size_t *ret_n, struct errinfo *ei) MUST_USE;

/* -- from memory, any thread ---------------------------------------------- */
/* What is open now: first what people wrote of, then the rest, each newest
 * first, with the newest public updates; at most max of them. Caller
 * incident_shown_frees. *ret_total: how many there are. */
#define INCIDENT_SHOWN_UPDATES 20
struct incident_shown {
	struct incident i;            /* id 0: durable, not yet in the
				       * database */
	uint8_t status;               /* of its monitor now */
	struct incident_update *v;    /* newest first; owned */
	size_t n;
};
void view_incidents(struct view *v, size_t max, struct incident_shown **ret,
    size_t *ret_n, size_t *ret_total);
void incident_shown_free(struct incident_shown *s, size_t n);

/* -- units of people -------------------------------------------------------- */
enum incident_op { INCIDENT_CREATE, INCIDENT_CHANGE, INCIDENT_UPDATE,
	INCIDENT_DELETE };
/* Owned like a config_unit: the waiter's after its ack. */
struct incident_unit {
	struct unit unit;
	enum incident_op op;
	struct incident_conf conf;    /* owned; not for DELETE */
	uint64_t id;                  /* but for CREATE */
	uint64_t if_version;          /* of CHANGE; 0: whatever it is */
	char actor[64];
	/* results: as it is now (or was, deleted), and the new update */
	struct incident now;
	struct incident_update update;   /* its text owned; incident 0: none */
	struct incident_update *before;  /* of one that is open again; owned */
	size_t nbefore;
};
struct incident_unit *incident_unit_new(enum incident_op op) MUST_USE;
void incident_unit_free(struct incident_unit *u);

#endif

/* quarantine.h: units that the database refuses for good, or that cannot even
 * be looked into, kept as bytes (unit_code.h) with the reason, for a person to
 * look at, try again or drop. Nothing here goes by itself.
 *
 * A row is written in the transaction that passes the unit by. What the
 * database does not even take as a row becomes a file beside the journal. */
#ifndef STORE_QUARANTINE_H
#define STORE_QUARANTINE_H

#include "store/inside.h"
#include "store/query.h"

#define QUARANTINE_REASON 200
#define QUARANTINE_OWED   4096     /* on their way, at most */
#define QUARANTINE_MAX    100000   /* rows; then nothing is passed by */

enum err quarantine_open(struct store *s, struct errinfo *ei) MUST_USE;
void quarantine_free(struct ward *w);

/* -- the writer's thread -------------------------------------------------- */
/* False: it has no wire form, or there is no room for it. */
bool quarantine_unit(struct store *s, const struct unit *u,
    const char *reason) MUST_USE;
/* A record of the journal. quarantine_room was asked first. */
void quarantine_record(struct store *s, uint64_t seq, struct str bytes,
    const char *reason);
size_t quarantine_room(const struct store *s);
/* Nothing can be passed by any more: fails, for the time being. */
enum err quarantine_full(struct store *s, struct errinfo *ei);
bool quarantine_owes(const struct store *s);
/* Within an attempt: what is on its way, as rows. */
enum err quarantine_put(struct store *s, struct errinfo *ei) MUST_USE;
void quarantine_reset(struct store *s);
void quarantine_done(struct store *s);
/* The attempt failed in there; then they become files. */
bool quarantine_ails(const struct store *s);
enum err quarantine_to_files(struct store *s, struct errinfo *ei) MUST_USE;

/* A struct quarantine_unit, in an attempt of its own. */
enum err quarantine_retry(struct store *s, struct slot *slot,
    struct errinfo *ei) MUST_USE;
void quarantine_apply(struct store *s, struct slot *slot);
/* It was refused again. */
void quarantine_again(struct store *s, struct unit *u, const char *reason);

/* -- reader threads ------------------------------------------------------- */
struct quarantined {
	int64_t id, at_us;
	uint8_t kind;            /* enum unit_kind, or more than there are */
	uint32_t monitor;
	uint32_t attempts;       /* retries in vain */
	uint64_t size;
	char reason[QUARANTINE_REASON];
	struct str bytes;        /* query_quarantined only; owned, xfree(p) */
};
/* Newest first, id < below (0: newest). Caller xfrees *ret. */
enum err query_quarantine(struct reader *r, int64_t below, unsigned limit,
    struct quarantined **ret, size_t *ret_n, struct errinfo *ei) MUST_USE;
enum err query_quarantined(struct reader *r, int64_t id,
    struct quarantined *ret, struct errinfo *ei) MUST_USE;

#endif

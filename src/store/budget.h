/* budget.h: how much room there is, and what gives way when there is none.
 * The writer looks once a second: what the store takes against its disk
 * budget (the database, its log, and all there is in the journal's directory),
 * what the file system has left, and whether a write failed because there was
 * none.
 *
 *   level    begins at (of the budget; or left on the disk)   and then
 *   warn     80 %; 256 MiB or a fifth of the disk             it is said
 *   shed     95 %; 64 MiB or a twentieth                      see below
 *   refuse   100 %; 8 MiB or a hundredth; ENOSPC              503, Retry-After
 *
 * What is shed, in this order:
 *   1. stored samples, the oldest first, down to 85 %; never any of the newest
 *      samples_newest of a monitor;
 *   2. when none of those is left: new samples that were voided by our own
 *      trouble;
 *   3. of new samples that say that what is up is still up, seven of eight,
 *      and at refuse all.
 * Never: a failure, a change of status, a state, anything somebody waits for,
 * configuration, outbox rows; and nothing that was told to be durable.
 *
 * The journal's records count towards the level, but no stored sample goes for
 * their sake: what is passing is over when it is read back. Instead the journal
 * grows only as far as there is room (budget_growth). */
#ifndef STORE_BUDGET_H
#define STORE_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "store/inside.h"

#define BUDGET_LOOK_NS (INT64_C(1) * 1000000000)

struct budget_facts {
	uint64_t used, budget;          /* budget 0: none */
	uint64_t disk_free, disk_size;  /* size 0: not known */
	bool full;                      /* a write failed for want of room */
	uint64_t passing;               /* of used: goes by itself */
};
/* Pure. With some slack downwards, so that a level does not flap. */
enum pressure budget_level(const struct budget_facts *f, enum pressure was);
/* By how much the journal may grow: the budget and the disk keep what the
 * database needs to read it back. Pure. */
uint64_t budget_growth(const struct budget_facts *f);

struct budget *budget_new(void) MUST_USE;
void budget_free(struct budget *b);
/* All on the writer's thread. Look, if it is time to. */
void budget_turn(struct store *s, int64_t now_ns);
/* The last write failed, for want of room or otherwise; or succeeded. */
void budget_failed(struct store *s);
void budget_recovered(struct store *s);
/* There is no room to write: try to make some. */
void budget_relieve(struct store *s);
/* So little is left on the disk that the log must stay small. */
bool budget_is_tight(const struct store *s);
/* Bytes of old samples that should go. */
uint64_t budget_over(const struct store *s);
/* A round of pruning is over and made this much room. */
void budget_pruned(struct store *s, uint64_t bytes);
/* Pages to give back, and so many were. */
uint64_t budget_vacuum(const struct store *s);
void budget_vacuumed(struct store *s, uint64_t pages);
/* A transaction begins: how much of it is thinned is settled. */
void budget_batch(struct store *s);
/* Is this result not stored, and under which name is it counted? */
bool budget_sheds(struct store *s, const struct result_unit *r,
    const struct entry *en, enum shed_kind *ret);
/* For store_pressure and store_retry_after_s; any thread. */
enum pressure budget_pressure(const struct budget *b);
int64_t budget_since_us(const struct budget *b);
uint64_t budget_drain(const struct budget *b);   /* units per second */

#endif

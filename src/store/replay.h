/* replay.h: records of the journal back into the database, in order and
 * before anything newer, by the writer.
 *
 * Before records are looked into, which of them and how often is written to
 * DATA/journal/attempt and synced: one that was there when the process ended
 * three times is not looked into again but put in quarantine. The first time
 * it may have been any of thousands; from then on they come one by one. */
#ifndef STORE_REPLAY_H
#define STORE_REPLAY_H

#include "store/inside.h"

#define REPLAY_ATTEMPTS 3

/* Reads the attempt file. rescue_open comes first. */
enum err replay_open(struct store *s, struct errinfo *ei) MUST_USE;
void replay_free(struct replay *p);
/* Fill the batch, which is empty, with what comes next; it may stay empty when
 * that was no unit: mark_due tells. ERR_STORE: fault says what; again later. */
enum err replay_form(struct store *s, struct errinfo *ei) MUST_USE;
/* At the start, before anything is loaded for good: all of it. */
enum err replay_all(struct store *s, struct errinfo *ei) MUST_USE;

bool replay_starting(const struct store *s);

#endif

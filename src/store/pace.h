/* pace.h: how long a statement may take, and what became of it. */
#ifndef STORE_PACE_H
#define STORE_PACE_H

/* Classes of statements; the limit of each is a setting (store.deadlines). It
 * counts the time inside the database, not what the asker does between two
 * rows: that is what the question's own deadline is for. */
enum pace {
	PACE_FAST,     /* one row, by its key */
	PACE_NORMAL,   /* a page of rows, one unit's rows */
	PACE_SLOW,     /* as many rows as there are */
	PACE_NMAX
};
extern const char *const pace_names[PACE_NMAX];   /* stmt.c */

enum ended {
	ENDED_OK,
	ENDED_TIMEOUT,     /* its limit, the question's, or the snapshot's age */
	ENDED_CANCELLED,   /* whoever asked has left */
	ENDED_STOPPING,
	ENDED_ERROR,       /* the database refused; a lock that was not let go */
	ENDED_NMAX
};
extern const char *const ended_names[ENDED_NMAX];   /* stmt.c */

#endif

/* windows.h: maintenance windows as they are stored, ready to be asked who is
 * in maintenance now. Changed by the writer after a commit, asked by anybody:
 * a lock inside. When a window is in force says route/window.h; what of it
 * lies in the past is kept in rows of its own (applied.h), so that a window
 * may be changed or deleted and uptime stays as it was. */
#ifndef STORE_WINDOWS_H
#define STORE_WINDOWS_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "conf/window_conf.h"

struct windows;
struct windows *windows_new(void) MUST_USE;
void windows_free(struct windows *w);

struct maintenance {
	char name[MONITOR_NAME_MAX + 1];
	int64_t from_us, until_us;   /* until 0: open-ended */
};
/* Is the monitor in maintenance? Of several the one that lasts longest.
 * failed_us: since when it is in trouble, for flexible windows; 0: it is
 * not. */
bool windows_cover(struct windows *w, const struct monitor_conf *c,
    int64_t at_us, int64_t failed_us, struct maintenance *ret);
/* In force now, or the next one to come, each with when; for pages. At most
 * max, soonest first. */
struct upcoming {
	struct maintenance m;
	char description[200];
	bool active;
};
size_t windows_upcoming(struct windows *w, int64_t now_us,
    struct upcoming *ret, size_t max);
/* As the API shows them: all (NULL), or one; NULL: there is none. Caller
 * json_decrefs. */
json_t *windows_json(struct windows *w, const char *name, int64_t now_us)
    MUST_USE;
/* Copies; each is cleared and the array xfreed by the caller. */
size_t windows_list(struct windows *w, struct window_stored **ret);

/* -- the writer --------------------------------------------------------- */
/* Put or replace; what cannot be made any more is logged and left out. */
void windows_set(struct windows *w, const struct window_stored *s);
void windows_remove(struct windows *w, const char *name);
/* Over for good before then, and not the file's: as their rows went. */
void windows_forget(struct windows *w, int64_t before_us);
/* A flexible window that this failure begins: its effect. False: none, or
 * its run has had its first failure. Goes on with *from for the next one. */
bool windows_flex_next(struct windows *w, const struct monitor_conf *c,
    int64_t failed_us, size_t *from, struct maintenance *ret);
/* It is stored. */
void windows_flex_add(struct windows *w, uint32_t monitor,
    const struct maintenance *m);
/* The i-th window's run in force, flexible ones aside; *ret_made: it does not
 * reach back behind. False: none; *ret_more: there are windows from i on. */
bool windows_run(struct windows *w, size_t i, int64_t now_us,
    struct maintenance *ret, int64_t *ret_made, bool *ret_more);
/* Monitors that the window covers, of the sorted ids; NULL: all. */
bool windows_covers(struct windows *w, const char *name,
    const struct monitor_conf *c, bool *ret_all);

/* Over for good since when, or 0. */
int64_t windows_over_us(const struct window_stored *s);

#endif

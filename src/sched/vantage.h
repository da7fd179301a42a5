/* vantage.h: do we see at all? Shared by the shards like caps: a mutex and
 * counters. It hears which hosts fail and which answer, says when beacons are
 * to be asked, is told what they said (beacon.h asks them), and says what a
 * failure is worth. No clock and no I/O: monotonic times are handed in.
 *
 *           a failure would make a monitor down,
 *           or three hosts fail and no fewer than answer
 *   CLEAR ──────────────────────────────────────────────► PENDING
 *     ▲ ◄── a beacon answered, or none has a voice ────────┘   │
 *     │                                        none answered   │
 *     └── a beacon answered, a host that failed answers, ── LOST ◄┘
 *         or no fewer hosts answer than fail
 *
 * What it rests on is an answer within the last second, at most. When hosts
 * contradict the beacons, these are asked once more; those that are silent then
 * lose their voice until they answer. */
#ifndef SCHED_VANTAGE_H
#define SCHED_VANTAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

#define VANTAGE_HOSTS     1024      /* remembered; more share a place */
#define VANTAGE_CLUSTER   3         /* hosts that fail */
#define VANTAGE_WINDOW_NS INT64_C(30000000000)
#define VANTAGE_FRESH_NS  INT64_C(1000000000)

/* What a failure is worth now. */
enum sight {
	SIGHT_CLEAR,     /* it counts */
	SIGHT_PENDING,   /* the beacons are being asked */
	SIGHT_LOST       /* we see nothing: it is void */
};

struct vantage;
/* wake(arg) is called from any thread when the beacons are to be asked, or
 * what they said is known; it must not call back. NULL: nobody. */
struct vantage *vantage_new(void (*wake)(void *arg), void *arg) MUST_USE;
void vantage_free(struct vantage *v);

/* A host out there failed, in a check that began at began_ns: one that began
 * before sight came back saw nothing either. strong: asking is worth it for
 * this one alone (it would make a monitor down, or had no route). */
enum sight vantage_failed(struct vantage *v, uint64_t host, int64_t began_ns,
    int64_t now_ns, bool strong);
/* A host answered, in a check that began at began_ns. */
void vantage_passed(struct vantage *v, uint64_t host, int64_t began_ns,
    int64_t now_ns);
enum sight vantage_sight(const struct vantage *v);   /* cheap */
/* Has anything been looked at that is not this machine? Cheap. */
bool vantage_outside(const struct vantage *v);

/* -- for who asks the beacons ---------------------------------------------- */
/* Is there a beacon whose silence would mean something? */
void vantage_arm(struct vantage *v, bool on);
/* A round that began at began_ns is over: one answered; none did; or it says
 * nothing (none could be asked). */
enum vantage_round { ROUND_SEEN, ROUND_BLIND, ROUND_NOTHING };
void vantage_round(struct vantage *v, enum vantage_round how,
    int64_t now_ns);
/* Did hosts answer while no beacon did? Once for each time. */
bool vantage_contradicted(struct vantage *v);
/* An earlier life of this process had lost sight at from_ns, which may be
 * below zero, and not got it back: nor have we, until somebody answers. Before
 * anything else happens. */
void vantage_resume(struct vantage *v, int64_t from_ns, int64_t now_ns);
/* Sight is lost since …. Once for each time, but not when resumed. */
bool vantage_lost(struct vantage *v, int64_t *ret_from_ns);
/* Sight was lost from … to …, and is back. Once for each time. */
bool vantage_returned(struct vantage *v, int64_t *ret_from_ns,
    int64_t *ret_until_ns);
void vantage_check(struct vantage *v);   /* invariants; aborts */

#endif

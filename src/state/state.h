/* state.h: verdicts. Pure: no clock, no I/O, no allocation; time comes in as
 * numbers. One struct mon_state (model/sample.h) per monitor.
 *
 *   pending ──ok──► up ◄─recoveries ok─ down
 *      │             │ ▲                 ▲
 *      │             │ └─ok─ degraded    │ 1 + retries failures in a row,
 *      └─fails───────┴───────────────────┘ or m of n
 *   any ── voids in a row ──► unknown ── first clear verdict ──► up | down
 *   push: up ──interval──► late ──grace──► down, exactly at those times */
#ifndef STATE_STATE_H
#define STATE_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "model/sample.h"

#define STATE_BLIND_AFTER 3   /* voided samples in a row make unknown */

struct policy {
	uint32_t retries, recoveries;   /* down after 1 + retries; up after */
	uint32_t fail_m, fail_n;        /* m of the last n; 0: in a row */
	uint32_t blind_after;
};

struct verdict {
	bool changed;              /* status differs: a transition */
	enum status from, to;
	enum why why;
	bool recheck;              /* look again after retry_interval */
};

/* Fold one sample's why into st. at_us is when the sample started, change_us
 * when its verdict fell (its end). A why of the local group voids: it moves
 * the voids streak only. From unknown the first clear verdict decides. */
struct verdict state_sample(struct mon_state *st, const struct policy *p,
    enum why why, uint64_t seq, int64_t at_us, int64_t change_us) MUST_USE;

/* In before_pause: paused together with its group, resumes with it. */
#define STATE_BY_GROUP 0x80
struct verdict state_pause(struct mon_state *st, int64_t at_us) MUST_USE;
/* Back to pending: nothing is known until the next verdict. */
struct verdict state_resume(struct mon_state *st, int64_t at_us) MUST_USE;
/* The monitor looks at another target now: the streaks start anew. */
void state_retarget(struct mon_state *st);

/* Heartbeats. Sets deadline_us = beat + interval. */
struct verdict state_beat(struct mon_state *st, bool says_down, uint64_t seq,
    int64_t beat_us, int64_t interval_ns) MUST_USE;
/* The deadline passed: up → late (next deadline: + grace) → down (none). */
struct verdict state_deadline(struct mon_state *st, int64_t now_us,
    int64_t grace_ns) MUST_USE;
/* We were not watching until to_us: a heartbeat may have been sent meanwhile,
 * so it gets a fresh interval from then (+ grace, as always; who is late
 * already passes interval + grace). No transition. voids counts such gaps
 * since the last heartbeat: after STATE_GAPS_MAX it is silence all the same. */
#define STATE_GAPS_MAX 8
void state_gap(struct mon_state *st, int64_t to_us, int64_t interval_ns);
/* Another kind of monitor under the same id: pending, nothing known. */
struct verdict state_reset(struct mon_state *st, int64_t at_us) MUST_USE;

/* Groups: members are counted by status, so a change costs O(1). */
struct group_votes { uint32_t n[STATUS_NMAX]; };
void state_votes_move(struct group_votes *g, int from, int to);   /* -1: none */
/* Worst of the members, paused ignored; no member that counts: pending. */
enum status state_votes_worst(const struct group_votes *g);
struct verdict state_group(struct mon_state *st, const struct group_votes *g,
    int64_t at_us) MUST_USE;

/* The last few samples, newest last, for explaining. Not persisted. */
#define STATE_VOTES 8
struct votes {
	uint64_t seq[STATE_VOTES];
	uint8_t why[STATE_VOTES];
	uint8_t n;
};
void state_vote(struct votes *l, uint64_t seq, enum why why);
/* The words and the vote that explain v: fills t (monitor, seq, at, from, to,
 * why, explain). votes and g may be NULL; g: st is a group's. */
void state_explain(const struct mon_state *st, const struct policy *p,
    const struct verdict *v, const struct votes *votes,
    const struct group_votes *g, struct transition *t);
/* False when st contradicts itself: what a damaged row could make. */
bool state_ok(const struct mon_state *st) MUST_USE;
/* The same for our own doing: aborts. */
void state_check(const struct mon_state *st);

#endif

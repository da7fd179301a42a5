/* parts.h: what the scheduler's files ask of each other. For src/sched only;
 * live.h has the structs and says which file is for what. */
#ifndef SCHED_PARTS_H
#define SCHED_PARTS_H

#include "sched/live.h"

/* -- mon.c --------------------------------------------------------------- */
enum mon_entry { ENTRY_NEW, ENTRY_RESTORED, ENTRY_MOVED, ENTRY_RESUMED };
struct mon *mon_find(const struct sched *s, uint32_t id);
/* conf is given away. c: the PUT, with its state if any. */
void mon_add(struct sched *s, struct monitor_conf *conf, struct command *c);
void mon_change(struct mon *m, struct monitor_conf *conf);
void mon_remove(struct mon *m);
/* Set it going; stop it: no check, no beat, no deadline. Emit nothing. */
void mon_begin(struct mon *m, enum mon_entry how);
void mon_halt(struct mon *m);

/* -- time.c -------------------------------------------------------------- */
/* Look at the wall clock, at most every few ms; first in every entry point. */
void time_sync(struct sched *s);
int64_t time_wall_us(const struct sched *s, int64_t mono_ns);
/* The beat after the one at from_ns: on phase, and never more than an
 * interval, nor less than half of one, later. */
int64_t time_next(const struct mon *m, int64_t from_ns);
/* The first moment on phase after from_ns. */
int64_t time_on_phase(const struct mon *m, int64_t from_ns);
/* Soon after from_ns, spread over at most max_ns, the same for an id. */
int64_t time_soon(const struct mon *m, int64_t from_ns, int64_t max_ns);
/* Set the timer to the next beat or recheck. */
void time_arm(struct mon *m);
void time_stall(void *arg, int64_t stall_ns);

/* -- run.c --------------------------------------------------------------- */
timer_fn run_on_timer;                  /* beat or recheck */
void run_begin(struct mon *m, int64_t due_ns, bool recheck);
/* End it with nothing said: edited, paused, removed, stopping. */
void run_drop(struct mon *m);
/* A look that could not be made: a sample, voided. */
void run_void(struct mon *m, enum why why, int64_t due_ns);
/* What waited for the beacons goes on. */
void run_release(struct sched *s);
void run_stop_all(struct sched *s, int64_t deadline_ns);
void run_doom_all(struct sched *s);     /* slept through: void them */

/* -- queue.c ------------------------------------------------------------- */
void queue_init(struct sched *s);
void queue_free(struct sched *s);
/* Start m now, or let it wait its turn. */
void queue_start(struct mon *m, int64_t due_ns, bool recheck);
void queue_leave(struct mon *m);        /* no-op unless WAITING */
void queue_give(struct sched *s, uint64_t host);   /* a slot is free again */
void queue_pump(struct sched *s);       /* start what can start */
void queue_unblock(struct sched *s);    /* another shard freed a host */
void queue_forget(struct sched *s);     /* everybody leaves */
bool queue_withheld(struct sched *s);   /* is the sink too full to start */

/* -- push.c -------------------------------------------------------------- */
void push_beat(struct mon *m, struct command *c);
void push_unheard(struct mon *m);       /* one that we had to refuse */
void push_restored(struct mon *m);      /* after a start: mind the gap */
void push_moved(struct mon *m);         /* from another shard: no gap */
void push_reconf(struct mon *m, const struct monitor_conf *old);
void push_resumed(struct mon *m);
void push_gap(struct mon *m);           /* we slept */
void push_stepped(struct mon *m, int64_t step_us);

/* -- group.c ------------------------------------------------------------- */
void group_join(struct mon *m, uint32_t group_id);   /* 0: none */
void group_leave(struct mon *m);
/* m is a group (again) or no more. */
void group_own(struct mon *m);
void group_disown(struct mon *m);
/* m's status went from → to; the group's part of the unit, or NULL. */
struct result_part *group_moved(struct mon *m, enum status from);
/* Judge again after members came or went: a unit of its own. */
void group_judge(struct group *g);
timer_fn group_on_settled;

/* -- report.c ------------------------------------------------------------ */
struct policy report_policy(const struct mon *m);
/* m's part: its state, and v's transition when it changed. */
struct result_part *report_part(const struct mon *m, const struct verdict *v,
    const char *reason);
/* Tell whom the routes name: rows for the next unit that is put, and what was
 * told in m's state. p: the sample; NULL: none caused it. True: the state is to
 * be stored. Before report_part, so that the part has it. */
bool report_tell(struct mon *m, const struct verdict *v,
    const struct sample *p);
/* Fill in the parts, count bytes and put. save: a state row is due anyway. */
void report_put(struct mon *m, struct result_unit *u,
    const struct verdict *v, bool save);
/* A change without a sample: pause, lateness, … c may be NULL; its ack and
 * actor go along. */
void report_change(struct mon *m, const struct verdict *v, struct command *c);
void report_group(struct sched *s, struct result_part *part);
void report_event(struct sched *s, enum event_kind kind, uint32_t monitor,
    const char *fmt, ...) FORMAT(4, 5);
/* We saw nothing between: tell whom it concerns. */
/* A restart goes on from it. */
void report_lost(struct sched *s, int64_t from_us);
void report_sight(struct sched *s, int64_t from_us, int64_t until_us);
void report_ack(struct command *c, enum err e, const char *fmt, ...)
    FORMAT(3, 4);

#endif

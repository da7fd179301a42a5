/* entry.h: one monitor as the store remembers it: the row that others read,
 * and what the writer must know to store the next unit. Only the writer's
 * thread changes entries, under the view's write lock; it reads its own
 * without a lock. */
#ifndef STORE_ENTRY_H
#define STORE_ENTRY_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/map.h"
#include "conf/plan.h"
#include "store/covered.h"
#include "store/uptime.h"
#include "store/view.h"
#include "store/windows.h"

#define NODES_MAX 64   /* nodes that report on one monitor */

/* The highest sequence stored of a node other than this daemon. */
struct node_seq {
	uint32_t node;
	uint64_t seq, batch;
};

struct entry {
	struct view_row row;       /* conf is a reference of ours */
	struct map_node by_id, by_path, by_token;
	bool has_path, has_token;
	bool touched;              /* writer: in the batch under way */
	bool counted;              /* writer: its transitions were within their
				    * number, and none came since */
	/* Highest stored sequence, and with the batch under way: whatever is
	 * not above it is a duplicate. */
	uint64_t seq, batch_seq;
	uint64_t placed_seq;       /* stored, and shown: under the lock */
	uint64_t chunk_seq;        /* what is up to here lies in chunks */
	struct node_seq *nodes;
	uint32_t nnodes;
	/* Where its samples of the tail lie: block id × 256 + slot, oldest
	 * first. Answers "the last samples of one monitor" without an index
	 * on disk, which would cost a page per sample. */
	uint64_t *tail;
	uint32_t ntail, tail_cap;
	struct days days;
	/* The incident that is open, committed, and with the batch under
	 * way; and as it is shown, the last one when none is. */
	struct incident_key { int64_t us; uint64_t id; } incident,
	    batch_incident;
	struct incident_mem *mem;  /* owned; incidents.h */
	struct mon_state *boot;    /* from open until store_replay */
};

struct view_token_row {
	char name[64];
	unsigned char hash[32];
	enum scope scope;
	int64_t created_us, expires_us, revoked_us;
};
#define TOKENS_MAX 1000
#define GAPS_MAX   20000   /* kept; older ones are pruned */

struct view {
	pthread_rwlock_t lock;
	struct map by_id, by_path, by_token;
	struct entry **ids, **paths;   /* all; and not archived, sorted */
	size_t nids, npaths, ids_cap, paths_cap;
	bool bulk;                     /* sorted once, at the end */
	uint32_t counts[STATUS_NMAX];
	struct channel_conf *channels;
	size_t nchannels;
	struct view_token_row *tokens;
	size_t ntokens;
	struct calendar *calendar;     /* set before any thread runs */
	struct windows *windows;
	struct covered *covered;       /* what applied, for the day bars; */
	bool covered_doubt;            /* to be read again (writer's) */
	struct list outages, notices;  /* incidents that are open, */
	size_t nopen;                  /* automatic and manual */
	struct gap *gaps;
	size_t ngaps;
	int64_t updated_us;
};

/* -- view.c: reading and the frame ------------------------------------- */
struct view *view_new(void) MUST_USE;
void view_free(struct view *v);
void view_lock(struct view *v);     /* the writer, for changes */
void view_unlock(struct view *v);
/* NULL: no such monitor. The writer, or under a lock. */
struct entry *view_entry(struct view *v, uint32_t id);
struct entry *view_entry_at(struct view *v, struct str path);
/* The first one whose id is greater; NULL: none. */
struct entry *view_next(struct view *v, uint32_t id);

/* -- view_edit.c: the writer's changes, under the write lock ------------ */
/* Many monitors change: sort once, at view_bulk_end. */
void view_bulk(struct view *v);
void view_bulk_end(struct view *v);
/* A new monitor or a new configuration of one; takes the reference. */
struct entry *view_put(struct view *v, struct monitor_conf *c);
void view_remove(struct view *v, uint32_t id);
void view_sample(struct view *v, struct entry *e, const struct sample *s,
    uint64_t place);
/* Its two halves: where it lies in the tail, and what is shown of it. */
void view_place(struct entry *e, uint64_t place, uint64_t seq);
void view_sample_seen(struct entry *e, const struct sample *s);
void view_state(struct view *v, struct entry *e, const struct mon_state *st);
/* The day bars: it had this status until then. */
void view_days_add(struct view *v, struct entry *e, enum status s,
    int64_t until_us);
/* At open: the same without moving the day bars. */
void view_take_state(struct view *v, struct entry *e,
    const struct mon_state *st);
void view_transition(struct view *v, struct entry *e,
    const struct transition *t);
/* The first n places of the tail are gone. */
void view_tail_cut(struct entry *e, uint32_t n);
/* Copies; the old ones are freed. */
void view_set_channels(struct view *v, const struct channel_conf *c, size_t n);
void view_set_token(struct view *v, const struct view_token_row *t);

#endif

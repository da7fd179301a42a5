/* rescue_take.h: what waits goes to the journal, and is told; for rescue.c
 * and rescue_take.c only. */
#ifndef STORE_RESCUE_TAKE_H
#define STORE_RESCUE_TAKE_H

#include "store/rescue.h"
#include "store/unit_code.h"

#define TAKE_UNITS 8192           /* at once */
#define TAKE_BYTES (16u << 20)

/* One that is on its way. slot: its place in the batch, SIZE_MAX when it came
 * from the queue and is in our hands. u NULL: a proof. */
struct item {
	struct unit *u;
	size_t slot, at, n;       /* its bytes */
	uint64_t seq;
	bool chosen, durable;
};

struct rescue {
	struct store *s;
	struct journal *journal;
	pthread_t thread;
	bool started;
	_Atomic bool gone;
	/* under store.mu */
	pthread_cond_t cv, done;
	bool idle, stop, all;
	_Atomic int64_t behind_us;   /* the first record that still waits */
	_Atomic bool in_hand;     /* units that are in neither place */
	int64_t busy_since_ns;    /* the writer; 0: it waits for work */
	uint64_t next_seq;
	uint64_t serial;          /* of the batch */
	bool proving;             /* a COMMIT is under way; its proof: */
	enum proof_kind proof;
	uint64_t proof_id;
	/* the thread's own */
	struct item *items;       /* owned */
	size_t nitems, items_cap;
	uint64_t took_serial, floor_seq;
	struct buf bytes;
	int64_t retry_ns, trim_ns;
	bool short_reserve, more_trim, full;
};

enum take { TAKE_ALL, TAKE_SOME, TAKE_FAILED };
/* store.mu held; it is let go while the disk works. */
enum take rescue_take(struct store *s, int64_t now_ns);

#endif

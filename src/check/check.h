/* check.h: one look at one target, and what every check type implements.
 * Lives on a shard's loop thread.
 *
 * To add a type: write check_NAME.c with its option rows and a struct
 * check_kind, declare it in check.c and add one row to check_kinds there. */
#ifndef CHECK_CHECK_H
#define CHECK_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "conf/monitor.h"
#include "model/sample.h"
#include "world/world.h"

struct check;
struct net;    /* net/net.h */
struct ping;   /* check/ping.h: the shard's ICMP sockets */

/* What a check may use; one per shard. net and ping are NULL in the
 * simulated world, where the types of tests/sim answer instead. */
struct check_env {
	struct world *world;
	struct net *net;
	struct ping *ping;
};

/* What a check found. Zeroed by the scheduler, phases and ping set to -1. */
struct outcome {
	enum why why;
	int64_t phase_ns[PHASE_NMAX];   /* -1: did not happen */
	int64_t started_ns, ended_ns;   /* by socket times; 0: as scheduled */
	int64_t latency_ns;             /* 0: ended - started */
	uint32_t bytes;
	uint16_t code;
	struct peer peer;
	int64_t cert_expiry_s;
	char reason[REASON_MAX];        /* "status 503, want 200-299" */
	/* Filled when want_evidence: JSON object text, redacted, owned by the
	 * receiver (xfree): DNS answer, chain, headers, first 4 KiB of body. */
	char *evidence;
	/* Long form for "vedette probe": one "name: value" a line, owned. */
	char *details;
};

typedef void check_done_fn(struct check *c);

/* Every type's struct starts with this. Allocated (zeroed, kind->size) by the
 * scheduler when the check starts and freed by it after done or cancel. */
struct check {
	const struct check_kind *kind;
	struct check_env *env;
	const struct monitor_conf *conf;   /* kept alive by the scheduler */
	uint32_t run;                      /* run number, for late answers */
	int64_t started_ns, deadline_ns;   /* started + timeout */
	bool recheck;                      /* bypass caches */
	bool want_evidence, want_details;
	struct outcome out;
	check_done_fn *done;
};

struct check_kind {
	struct monitor_kind conf;   /* name, drive, options */
	size_t size;                /* of the type's check struct; 0: passive */
	/* Begin. Must not block and must not call check_end before it
	 * returns: answer from the loop. An error means "could not begin":
	 * c->out.why and reason say why (usually a local one); the scheduler
	 * ends the check itself. */
	enum err (*start)(struct check *c);
	/* Stop caring: after this returns, no callback touches c, and every
	 * socket of it is closed or handed to its pool. Called by the
	 * scheduler at the deadline too: fill c->out as far as known; set why
	 * to the timeout of the layer it was in (NET_TIMEOUT, TLS_TIMEOUT,
	 * TIMEOUT, LOCAL_RESOLVER …). */
	void (*cancel)(struct check *c);
};

/* The only way a started check ends: everything of c is released already and
 * c->out is filled. Calls c->done, which may free c. */
void check_end(struct check *c);
/* Set why, and reason by format; returns c for chaining nothing. */
void check_why(struct check *c, enum why why, const char *fmt, ...) FORMAT(3, 4);

extern const struct check_kind *const check_kinds[];          /* NULL-ended */
extern const struct monitor_kind *const check_monitor_kinds[]; /* the same */
const struct check_kind *check_kind_of(const struct monitor_conf *c);

#endif

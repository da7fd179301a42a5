/* dial.h: one TCP connection to the first of several addresses that answers.
 * Each address is held against the target policy, on what is connected to.
 * The next address is tried when one fails, and beside it when one is silent
 * for DIAL_STAGGER_NS, so that a black hole does not eat the whole timeout. */
#ifndef NET_DIAL_H
#define NET_DIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "model/sample.h"
#include "net/net.h"
#include "net/watch.h"
#include "world/world.h"

#define DIAL_STAGGER_NS INT64_C(300000000)
#define DIAL_WIDTH      4   /* connections tried at once */

struct dial;
struct dial_try {
	struct watch watch;
	struct dial *dial;
	unsigned at;          /* which address */
};

struct dial {
	/* in */
	struct net *net;
	const struct resolve *to;         /* lives as long as the dial */
	void (*done)(struct dial *d);     /* never from inside dial_start */
	/* out: why; when WHY_OK, fd in watch (the caller takes it over with
	 * watch_move, or closes it with dial_close) and the peer */
	enum why why;
	char reason[REASON_MAX];
	struct peer peer;
	struct watch watch;
	int64_t began_ns, ended_ns;
	/* internal */
	struct dial_try tries[DIAL_WIDTH];
	unsigned next, live;
	struct timer timer;
	bool running;
};

/* An error: every address failed at once; why and reason say how. */
enum err dial_start(struct dial *d) MUST_USE;
/* Give up, or close what was connected. Idempotent. why is then set to
 * NET_TIMEOUT when nothing had answered yet. */
void dial_close(struct dial *d);

#endif

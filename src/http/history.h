/* history.h: what was: samples, transitions, and why. On a reader's
 * thread; a read that fails is a 5xx, never an empty list. */
#ifndef HTTP_HISTORY_H
#define HTTP_HISTORY_H

#include "http/req.h"

req_fn history_samples, history_of_monitor, history_of_all;
req_fn history_explain;

/* For other questions about one monitor; false: q->out says why not. A deleted
 * monitor has no history either: 404, not an empty list. */
bool history_known(struct req *q);
/* "rule", "votes" and "evidence" of a transition, and a comma. */
void history_rule(struct buf *b, const struct stored_transition *t);
/* from and to, over the defaults that are in them. */
bool history_window(struct req *q, int64_t *from, int64_t *to);

#endif

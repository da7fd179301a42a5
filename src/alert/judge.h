/* judge.h: what a provider's answer means. */
#ifndef ALERT_JUDGE_H
#define ALERT_JUDGE_H

#include "alert/kinds.h"

/* By HTTP's own rules: 2xx done; 408, 425, 429 and 5xx again, Retry-After
 * honoured; everything else never. */
void judge_http(const struct alert_answer *a, struct alert_outcome *ret);
/* 2xx done, 4xx again, 5xx never; of a login that was refused: never. */
void judge_mail(const struct alert_answer *a, struct alert_outcome *ret);
void judge_exec(const struct alert_answer *a, struct alert_outcome *ret);
/* A header's value, trimmed; p NULL: not there. */
struct str judge_header(const struct alert_answer *a, const char *name);
/* Not before so many seconds; at most ALERT_AFTER_MAX. */
void judge_after(struct alert_outcome *ret, double seconds);
void judge_set(struct alert_outcome *ret, enum alert_result result,
    const char *fmt, ...) FORMAT(3, 4);

#endif

/* send.h: one request on its way to a provider: over HTTP, as mail over SMTP,
 * or to a program. On the courier's loop; knows nothing of rows. The target
 * policy holds for every address, certificates are verified, a POST follows
 * only 307 and 308 and only to the same scheme, host and port. */
#ifndef ALERT_SEND_H
#define ALERT_SEND_H

#include <stdbool.h>
#include <stdint.h>

#include "alert/kind.h"
#include "net/net.h"

#define SEND_NS        (INT64_C(10) * 1000000000)   /* one attempt */
#define SEND_EXEC_MAX_NS (INT64_C(600) * 1000000000)
#define SEND_ANSWER    (64u << 10)      /* of a body; more is not read */
#define SEND_HEADERS   (16u << 10)
#define SEND_OUTPUT    4096u            /* of a program */
#define SEND_REDIRECTS 3

struct send;
struct send_end {
	bool answered;            /* answer is the provider's; else error */
	bool maybe;               /* no answer, and it may have been taken */
	struct alert_answer answer;   /* borrowed until the next call */
	char error[OUTBOX_NOTE];  /* may hold secrets: alert_scrub it */
};
/* r is borrowed until done, which is called from the loop, never from inside
 * send_start, and may free the send. A program may take what it was given in
 * the configuration; everything else SEND_NS. */
struct send *send_start(struct net *n, const struct alert_request *r,
    void (*done)(void *arg, const struct send_end *e), void *arg) MUST_USE;
/* Give up if it runs, without done; then it is gone. NULL is fine. */
void send_free(struct send *s);

#endif

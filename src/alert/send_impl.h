/* send_impl.h: the parts of a send, for send*.c only. */
#ifndef ALERT_SEND_IMPL_H
#define ALERT_SEND_IMPL_H

#include <sys/types.h>

#include "alert/send.h"
#include "net/dial.h"
#include "net/net_impl.h"
#include "net/tls.h"
#include "net/xfer.h"

struct send {
	struct net *net;
	const struct alert_request *req;
	void (*done)(void *arg, const struct send_end *e);
	void *arg;
	struct timer deadline;
	struct job job;              /* ends that must not come from a call */
	struct send_end end;
	struct buf headers, body;    /* of the answer, or output */
	/* HTTP and SMTP */
	char *url;                   /* of this hop; owned */
	char *host;                  /* without brackets; owned */
	bool tls_url;
	uint16_t port;
	unsigned redirects;
	struct resolve names;
	struct dial dial;
	struct tls_seen tls;
	struct xfer *x;
	struct curl_slist *list, *to;
	size_t sent;                 /* of the mail's text */
	bool said;                   /* a request may have gone out */
	bool headed;                 /* a whole HTTP head came back */
	/* programs */
	pid_t pid;                   /* 0 none */
	struct watch child, in, out; /* pidfd, its stdin, its stdout */
};

/* Over: done runs from the loop. text NULL: e->answer holds. */
void send_over(struct send *s, bool maybe, const char *fmt, ...) FORMAT(3, 4);
void send_answered(struct send *s, uint32_t code);

/* send_net.c, send_exec.c: begin; ends come by send_over. */
void send_net_begin(struct send *s);
void send_net_stop(struct send *s);   /* idempotent; sets said */
/* The provider's word, though the rest of its answer did not come; 0: none. */
uint32_t send_net_code(struct send *s);
void send_exec_begin(struct send *s);
void send_exec_stop(struct send *s);

#endif

/* kind.h: the types of channels. Each is two pure functions: one from a
 * message to the bytes its provider's documentation asks for, and one from
 * the provider's answer to what follows from it. No clock, no network, no
 * memory of earlier messages: whoever sends keeps those.
 *
 *   alert_channel_new   once per channel and configuration
 *   alert_split         how many requests a message takes
 *   alert_build         one of them; send it
 *   alert_judge         the answer: done, again after …, or never
 *
 * To add a type: write ch_NAME.c, declare its kind in kinds.h, add one row in
 * kind.c, and its options in conf/channel_opts.c. */
#ifndef ALERT_KIND_H
#define ALERT_KIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "conf/channel_opts.h"
#include "model/alert.h"

#define ALERT_BODY_MAX (4u << 20)   /* of one request */
#define ALERT_ITEMS_MAX 10000       /* events of one message */

/* A channel ready for use: options read, templates compiled. Immutable, may
 * be shared by threads. Caller frees with alert_channel_free. */
struct alert_channel;
enum err alert_channel_new(const struct channel_conf *c,
    struct alert_channel **ret, struct errinfo *ei) MUST_USE;
void alert_channel_free(struct alert_channel *c);
void alert_channel_freep(struct alert_channel *const *c);
const char *alert_channel_name(const struct alert_channel *c);
const struct channel_own *alert_channel_own(const struct alert_channel *c);
/* Does one message tell of many monitors? No: the provider keeps incidents
 * (by our key for each), so every event is a request of its own. */
bool alert_channel_grouped(const struct alert_channel *c);
/* Blank out every secret of the channel, in place: for what curl or the
 * provider say in errors. */
void alert_scrub(const struct alert_channel *c, char *text);

/* What messages say of this daemon. Borrowed by messages. */
struct zone;
struct alert_place {
	const char *base_url;   /* of our pages, no slash at the end; "" none */
	const char *host;       /* our host's name */
	const struct zone *zone;             /* NULL: UTC */
	const struct strings *exec_allow;    /* NULL or empty: exec refused */
};

struct alert_item {
	const struct outbox_row *row;   /* borrowed */
	const char *ack_url;            /* signed; NULL: none */
	bool late;        /* could not be sent in time: the message says so */
	bool collapsed;   /* a RESOLVE whose open was never sent: tells both */
};

/* One message to one channel. The sender fills the first part; the items are
 * in the order in which things happened, at least one. */
struct alert_message {
	const struct alert_channel *channel;
	const struct alert_place *place;
	const struct alert_item *items;
	size_t n;
	int64_t now_us;            /* of this message; kept over its attempts */
	const char *instead_of;    /* fallback for that channel; NULL */
	/* Filled by alert_split. */
	struct alert_part *parts;  /* owned */
	size_t nparts;
};
/* Cut it into as many requests as the provider's limits need, in the order in
 * which they have to be sent: at least one. */
enum err alert_split(struct alert_message *m, struct errinfo *ei) MUST_USE;
void alert_message_clear(struct alert_message *m);   /* frees the parts */

enum alert_request_kind { REQUEST_HTTP, REQUEST_MAIL, REQUEST_EXEC };
struct alert_request {
	enum alert_request_kind kind;
	const char *method;        /* HTTP; static */
	char *url;                 /* http(s)://…, smtp(s)://host:port */
	struct pairs headers;      /* HTTP, in order; no line breaks in them */
	struct buf body;           /* HTTP body, mail text with CRLF, stdin */
	uint32_t tls;              /* MAIL: enum channel_tls, required if set */
	char *user, *password;     /* MAIL; NULL: none */
	char *from;                /* MAIL: envelope */
	struct strings to;         /* MAIL: envelope */
	struct strings argv, env;  /* EXEC: env is to be all there is */
	int64_t timeout_ns;        /* EXEC; 0: the sender's own */
};
/* The same message gives the same bytes at every attempt. ret is zeroed by
 * the caller; alert_request_clear also after a failure. A failure is for
 * ever: the channel cannot say this (ERR_DENIED: exec is not allowed). */
enum err alert_build(const struct alert_message *m, size_t part,
    struct alert_request *ret, struct errinfo *ei) MUST_USE;
void alert_request_clear(struct alert_request *r);

/* What came back, when something did. Connections that fail are the sender's
 * to judge: again. */
struct alert_answer {
	uint32_t code;         /* HTTP status, SMTP reply, exit status */
	struct str headers;    /* HTTP: "Name: value\r\n"… */
	struct str body;       /* HTTP body, last SMTP reply, output */
	int64_t now_us;        /* wall clock, for Retry-After dates */
};
enum alert_result {
	RESULT_DONE,
	RESULT_AGAIN,     /* not now; not before after_ns when that is set */
	RESULT_REFUSED    /* it will never be taken like this */
};
#define ALERT_AFTER_MAX (3600 * INT64_C(1000000000))
struct alert_outcome {
	enum alert_result result;
	int64_t after_ns;          /* at most ALERT_AFTER_MAX; 0: own backoff */
	char note[OUTBOX_NOTE];    /* why, for people; no secrets in it */
};
void alert_judge(const struct alert_message *m, size_t part,
    const struct alert_answer *a, struct alert_outcome *ret);

#endif

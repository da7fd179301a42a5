/* sample.h: one look at one target, and the change of status it led to.
 * Plain data; what the shards make, the writer stores and readers return. */
#ifndef MODEL_SAMPLE_H
#define MODEL_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "model/alerting.h"
#include "model/status.h"
#include "model/why.h"

enum phase {
	PHASE_RESOLVE, PHASE_CONNECT, PHASE_TLS, PHASE_FIRST_BYTE,
	PHASE_TRANSFER, PHASE_NMAX
};
const char *phase_name(enum phase p);   /* "resolve" … "transfer" */

/* The address actually spoken to. family 0: none. */
struct peer {
	uint8_t family;     /* 0, 4 or 6 */
	uint16_t port;
	uint8_t ip[16];     /* network order; the first 4 bytes for IPv4 */
};
/* "192.0.2.1:80", "[2001:db8::1]:443", without a port the bare address; ""
 * for none. dst >= PEER_TEXT. */
#define PEER_TEXT 56
const char *peer_text(const struct peer *p, char *dst);
void peer_set(struct peer *p, const struct sockaddr *sa);
bool peer_is_loopback(const struct peer *p);

#define REASON_MAX 192   /* bytes of human text kept with a sample */

struct sample {
	uint32_t monitor;
	uint32_t node;           /* 0: this daemon */
	uint64_t seq;            /* per (monitor, node), from 1, never reused */
	int64_t due_us;          /* wall clock, Unix microseconds */
	int64_t at_us;           /* when it started */
	int64_t latency_us;      /* start to end by socket times; push: the
				  * sender's "ping", -1 none */
	int32_t phase_us[PHASE_NMAX];   /* -1: did not happen */
	int32_t lag_us;          /* our own lateness: started minus due */
	uint32_t bytes;          /* body bytes read */
	uint16_t code;           /* HTTP status, DNS rcode, ping loss in %; 0 */
	uint8_t status;          /* enum status after this sample */
	uint8_t why;             /* enum why */
	bool recheck;            /* a retry, not the beat */
	struct peer peer;
	int64_t cert_expiry_s;   /* notAfter of the leaf, Unix seconds; 0 none */
	char reason[REASON_MAX]; /* words, sanitised, "" when up */
};

struct transition {
	uint32_t monitor;
	uint64_t seq;            /* the sample that caused it; 0: none */
	int64_t at_us;
	uint8_t from, to;        /* enum status */
	uint8_t why;
	char reason[REASON_MAX];
	/* What explains it: the rule and the vote, JSON, at most EXPLAIN_MAX
	 * bytes: {"rule":"3 failures in a row","votes":[{"seq":…,"why":…},…]} */
#define EXPLAIN_MAX 1024
	char explain[EXPLAIN_MAX];
};

/* What survives a restart so that a monitor goes on exactly as it was.
 * Written with every transition, and every SAVE_EVERY samples; between, the
 * samples with a higher seq are folded in again at start. */
struct mon_state {
	uint32_t monitor;
	uint64_t seq;            /* last sample folded in */
	uint8_t status;
	uint8_t why;
	int64_t since_us;        /* when status began */
	uint16_t fails, oks, voids;   /* streaks */
	uint64_t window;         /* m-of-n: newest sample in bit 0, 1 = failed */
	uint8_t window_n;        /* how many bits are filled */
	uint8_t before_pause;    /* status to fall back to: none, stays pending */
	int64_t last_us;         /* last sample's at_us; 0 never */
	int64_t last_ok_us;
	int64_t beat_us;         /* push: last heartbeat; 0 never */
	int64_t deadline_us;     /* push: when it becomes late or down; 0 none */
	int64_t cert_expiry_s, cert_warned_s;
	char reason[REASON_MAX];
	struct alerting alerting;   /* what people were told */
};

#endif

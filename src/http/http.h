/* http.h: the HTTP front door: status page, API, push, metrics, SSE, on TCP
 * and on the control socket. Reads the view and reader jobs, sends units to
 * the writer and commands to shards; never calls the core. */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "conf/conf.h"
#include "model/command.h"

struct http;
struct store;

struct http_conf {
	const struct settings *settings;
	const char *control_path;      /* DATA/control.sock */
	struct store *store;
	const struct monitor_kind *const *kinds;
	const char *version;
	int64_t started_us;
	/* Give a command to the shard of this monitor. False: full or
	 * stopping; the command stays the caller's. */
	bool (*send)(void *arg, struct command *c);
	/* The core's families of /metrics, appended to ours. */
	void (*metrics)(void *arg, struct buf *out);
	/* How each channel does, by name. */
	json_t *(*channels)(void *arg);
	const unsigned char *link_key;   /* LINK_KEY bytes, model/link.h */
	void *arg;
};

/* Binds both listeners before anything is answered; a port in use, a socket
 * path over 107 bytes or a directory that cannot be written says so. */
enum err http_start(const struct http_conf *c, struct http **ret,
    struct errinfo *ei) MUST_USE;
/* Where people reach this daemon (alerts.base_url), as it is from now on;
 * NULL: where it listens. Any thread. */
void http_base(struct http *h, const char *url);
/* "http://127.0.0.1:8080/": where the status page is, the real port. */
const char *http_url(const struct http *h);
/* Stop taking requests; parked ones are answered or resumed by deadline_ns
 * (monotonic), SSE streams ended. Then http_free. */
void http_quiesce(struct http *h);
void http_stop(struct http *h, int64_t deadline_ns);
void http_free(struct http *h);

#endif

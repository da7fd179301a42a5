/* channel_opts.h: what a channel was set to, as fields. One struct serves all
 * types; which of its fields a type has, the rows in channel_opts.c say. */
#ifndef CONF_CHANNEL_OPTS_H
#define CONF_CHANNEL_OPTS_H

#include <stdint.h>

#include "conf/conf.h"

enum channel_tls { CHANNEL_STARTTLS, CHANNEL_TLS, CHANNEL_PLAIN };
enum channel_region { CHANNEL_US, CHANNEL_EU };
enum channel_severity { CHANNEL_CRITICAL, CHANNEL_ERROR, CHANNEL_WARNING,
	CHANNEL_INFO };
enum channel_loudness { CHANNEL_NORMAL, CHANNEL_LOWEST, CHANNEL_LOW,
	CHANNEL_HIGH, CHANNEL_EMERGENCY };

/* Texts are NULL when not set; all owned, freed by channel_own_free. */
struct channel_own {
	char *url;            /* the webhook, or the server */
	char *user, *password, *token;
	char *secret;         /* signs the body */
	char *key;            /* routing, API or user key */
	char *room;           /* room, chat, topic */
	char *from, *host, *account;
	char *title, *body;   /* templates */
	struct strings to, command;
	struct pairs headers;
	uint32_t method;      /* index into channel_methods */
	uint32_t tls;         /* enum channel_tls */
	uint32_t region;      /* enum channel_region */
	uint32_t severity;    /* enum channel_severity */
	uint32_t priority;    /* a number, enum channel_loudness, or P1 = 0 … */
	uint32_t port;        /* 0: what tls says */
	int64_t timeout_ns;   /* exec */
};
extern const char *const channel_methods[];      /* "POST" … NULL */
extern const char *const channel_severities[];   /* "critical" … NULL */
extern const char *const channel_p_levels[];     /* "P1" … NULL */

/* What c->text says, into a zeroed ret; channel_own_free also after a
 * failure. Fails only when the text was not made by channel_read. */
enum err channel_own_read(const struct channel_conf *c,
    struct channel_own *ret, struct errinfo *ei) MUST_USE;
void channel_own_free(const char *type, struct channel_own *own);

/* May exec start this? allow: alerts.exec_allow; NULL is nothing. */
bool channel_exec_allowed(const struct strings *allow, struct str program);
/* A check of an option: an absolute path without "..". */
const char *channel_program_check(struct str s);

#endif

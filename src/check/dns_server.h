/* dns_server.h: which server a dns check asks: the configured one, or the
 * first that this machine itself uses. */
#ifndef CHECK_DNS_SERVER_H
#define CHECK_DNS_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define DNS_SERVER_HOST 254   /* a host name or address and its NUL */
struct dns_server {
	char host[DNS_SERVER_HOST];
	uint16_t port;
};

/* "host", "host:port", "192.0.2.1:53", "2001:db8::1", "[2001:db8::1]:53". */
bool dns_server_parse(struct str s, struct dns_server *ret) MUST_USE;
/* The first of /etc/resolv.conf; 127.0.0.1 when it names none, as the
 * resolver(5) of every libc does. */
bool dns_server_system(struct dns_server *ret) MUST_USE;
/* For messages: "[2001:db8::1]:53". */
void dns_server_text(const struct dns_server *s, struct buf *out);

#endif

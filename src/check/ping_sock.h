/* ping_sock.h: opens an ICMP socket, in the way that asks for the least
 * privilege, and keeps foreign traffic away from it. Engine-private. */
#ifndef CHECK_PING_SOCK_H
#define CHECK_PING_SOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "model/why.h"

struct ping_fd {
	int fd;
	bool raw;      /* we write the id and read IP headers (IPv4) */
	uint16_t id;   /* raw: the id of our requests */
};

/* WHY_OK, or a local why with words that say what to do. id is random. */
enum why ping_sock_open(int family, uint16_t id, struct ping_fd *ret,
    char *reason, size_t size) MUST_USE;

/* The address alone: 4 or 16 bytes. */
const uint8_t *ping_sock_ip(const struct sockaddr_storage *a, size_t *ret_n);
bool ping_sock_is(const struct sockaddr_storage *a, const uint8_t *ip);
uint64_t ping_sock_hash(int family, const uint8_t *ip);

/* When the kernel received it, wall clock; 0: it did not say. */
int64_t ping_sock_stamp(struct msghdr *h);
/* What the error queue says; NULL: nothing. Points into h. */
struct sock_extended_err;
const struct sock_extended_err *ping_sock_error(struct msghdr *h);

#endif

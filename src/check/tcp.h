/* tcp.h: what the files of the tcp check share: check_tcp.c has the settings
 * and the stages, tcp_io.c reads and writes with and without TLS, tcp_show.c
 * words the evidence. */
#ifndef CHECK_TCP_H
#define CHECK_TCP_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/ssl.h>

#include "base/buf.h"
#include "check/check.h"
#include "net/dial.h"
#include "net/net.h"
#include "net/tls.h"
#include "net/watch.h"

#define TCP_ANSWER_MAX 4096    /* of the peer's bytes are looked at */

struct tcp_conf {
	char *host, *send, *expect, *server_name;
	uint32_t port, ip;
	bool tls, insecure, verify_hostname;
	int64_t cert_expiry_ns;
};

enum tcp_stage { TCP_IDLE, TCP_RESOLVE, TCP_DIAL, TCP_TLS, TCP_SEND,
	TCP_EXPECT };

struct tcp_check {
	struct check c;
	enum tcp_stage stage;
	struct resolve names;
	struct dial dial;
	struct watch watch;      /* of the connected socket */
	watch_fn *ready;         /* what the watch calls */
	SSL *ssl;
	struct tls_seen tls;
	int64_t stage_ns;        /* when this stage began */
	size_t sent;
	struct buf answer;
};

/* What a read or write came to. */
enum tcp_io { TCP_IO_OK, TCP_IO_WAIT, TCP_IO_CLOSED, TCP_IO_FAILED };

/* Watch for events; wanted again by itself after a call that would block. */
void tcp_io_wait(struct tcp_check *t, uint32_t events);
/* ret_errno: of TCP_IO_FAILED, 0 when TLS failed by itself. */
enum tcp_io tcp_io_write(struct tcp_check *t, struct str s, size_t *ret_n,
    int *ret_errno) MUST_USE;
enum tcp_io tcp_io_read(struct tcp_check *t, char *dst, size_t size,
    size_t *ret_n, int *ret_errno) MUST_USE;
/* TCP_IO_OK: the handshake is done. */
enum tcp_io tcp_io_handshake(struct tcp_check *t, int *ret_errno) MUST_USE;
/* Close politely; idempotent. */
void tcp_io_close(struct tcp_check *t);

/* Evidence and details, when they are wanted. */
void tcp_show(struct tcp_check *t);

extern const struct check_kind check_tcp;

#endif

/* ping_sock.c: the unprivileged ICMP socket first, a raw one where the group
 * range does not allow it. A raw socket sees every ICMP packet of the machine,
 * our own requests on loopback included, so the kernel is told to drop all but
 * replies with our id and the errors that may quote us. */
#include "check/ping_sock.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <linux/filter.h>
#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/map.h"
#include "base/time.h"
#include "net/net.h"

/* A burst over many targets comes back within a few milliseconds. */
#define RECV_BYTES (4 << 20)
#define SEND_BYTES (1 << 20)

static int
option(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value));
}

/* The filter of a raw socket. At IPv4 it sees the IP header, at IPv6 only the
 * ICMPv6 message. Replies pass with our id; errors pass if they quote an echo
 * with our id. A load beyond the end drops the packet. */
static int
filter4(int fd, uint16_t id)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),    /* x = header */
		BPF_STMT(BPF_LD | BPF_B | BPF_IND, 0),     /* type */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ICMP_ECHOREPLY, 0, 2),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 4),
		BPF_JUMP(BPF_JMP | BPF_JA, 6, 0, 0),       /* compare */
		/* the quoted packet begins at x + 8 */
		BPF_STMT(BPF_LD | BPF_B | BPF_IND, 8),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x0f),
		BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 2),
		BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0),
		BPF_STMT(BPF_MISC | BPF_TAX, 0),
		/* and x is now 8 short of its ICMP header */
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 12),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, id, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0xffff),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog prog = {.len = COUNT(code), .filter = code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
	    sizeof(prog));
}

static int
filter6(int fd, uint16_t id)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ICMP6_ECHO_REPLY, 0, 2),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 4),
		BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 8 + 40 + 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, id, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0xffff),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog prog = {.len = COUNT(code), .filter = code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
	    sizeof(prog));
}

static int
raw_setup(int fd, int family, uint16_t id)
{
	if (family == AF_INET) {
		struct icmp_filter f = {.data = ~(1u << ICMP_ECHOREPLY |
		    1u << ICMP_DEST_UNREACH | 1u << ICMP_TIME_EXCEEDED |
		    1u << ICMP_PARAMETERPROB)};

		if (setsockopt(fd, SOL_RAW, ICMP_FILTER, &f, sizeof(f)) != 0)
			return -1;
		return filter4(fd, id);
	} else {
		struct icmp6_filter f;

		ICMP6_FILTER_SETBLOCKALL(&f);
		ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &f);
		ICMP6_FILTER_SETPASS(ICMP6_DST_UNREACH, &f);
		ICMP6_FILTER_SETPASS(ICMP6_PACKET_TOO_BIG, &f);
		ICMP6_FILTER_SETPASS(ICMP6_TIME_EXCEEDED, &f);
		ICMP6_FILTER_SETPASS(ICMP6_PARAM_PROB, &f);
		if (setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &f,
			sizeof(f)) != 0)
			return -1;
		return filter6(fd, id);
	}
}

/* Errors about our requests come by the error queue. */
static int
dgram_setup(int fd, int family)
{
	if (family == AF_INET)
		return option(fd, IPPROTO_IP, IP_RECVERR, 1);
	return option(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
}

static bool
denied(int e)
{
	return e == EACCES || e == EPERM;
}

enum why
ping_sock_open(int family, uint16_t id, struct ping_fd *ret, char *reason,
    size_t size)
{
	int proto = family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	int flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
	int fd, saved;
	bool raw = false;

	fd = socket(family, SOCK_DGRAM | flags, proto);
	if (fd < 0 && (denied(errno) || errno == EPROTONOSUPPORT)) {
		fd = socket(family, SOCK_RAW | flags, proto);
		raw = true;
	}
	if (fd < 0 && denied(errno)) {
		(void)snprintf(reason, size,
		    "no permission to ping: run \"sysctl -w net.ipv4."
		    "ping_group_range='0 2147483647'\", or give vedette "
		    "CAP_NET_RAW");
		return WHY_LOCAL_PERMISSION;
	}
	if (fd < 0) {
		(void)snprintf(reason, size, "cannot open an ICMP socket: %s",
		    strerror(errno));
		return errno == EAFNOSUPPORT ? WHY_LOCAL_ROUTE :
		    why_is_local(net_why(errno)) ? net_why(errno) :
						   WHY_LOCAL_OTHER;
	}
	if ((raw ? raw_setup(fd, family, id) : dgram_setup(fd, family)) != 0 ||
	    option(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1) != 0) {
		saved = errno;
		(void)close(fd);
		(void)snprintf(reason, size,
		    "cannot set up an ICMP socket: %s", strerror(saved));
		return WHY_LOCAL_OTHER;
	}
	/* Beyond the machine's limit only with privilege; best effort. */
	if (option(fd, SOL_SOCKET, SO_RCVBUFFORCE, RECV_BYTES) != 0)
		(void)option(fd, SOL_SOCKET, SO_RCVBUF, RECV_BYTES);
	if (option(fd, SOL_SOCKET, SO_SNDBUFFORCE, SEND_BYTES) != 0)
		(void)option(fd, SOL_SOCKET, SO_SNDBUF, SEND_BYTES);
	*ret = (struct ping_fd){.fd = fd, .raw = raw, .id = id};
	return WHY_OK;
}

const uint8_t *
ping_sock_ip(const struct sockaddr_storage *a, size_t *ret_n)
{
	if (a->ss_family == AF_INET) {
		*ret_n = 4;
		return (const uint8_t *)&((const struct sockaddr_in *)(
		    const void *)a)->sin_addr;
	}
	*ret_n = 16;
	return (const uint8_t *)&((const struct sockaddr_in6 *)(
	    const void *)a)->sin6_addr;
}

bool
ping_sock_is(const struct sockaddr_storage *a, const uint8_t *ip)
{
	size_t n;
	const uint8_t *b = ping_sock_ip(a, &n);

	return memcmp(b, ip, n) == 0;
}

uint64_t
ping_sock_hash(int family, const uint8_t *ip)
{
	uint64_t h = 0;

	if (family == AF_INET) {
		uint32_t v;

		memcpy(&v, ip, sizeof(v));
		return map_hash_u64(v);
	}
	for (size_t i = 0; i < 16; i += 8) {
		uint64_t v;

		memcpy(&v, ip + i, sizeof(v));
		h = map_hash_u64(h ^ v);
	}
	return h;
}

int64_t
ping_sock_stamp(struct msghdr *h)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c != NULL;
	    c = CMSG_NXTHDR(h, c)) {
		struct timespec ts;

		if (c->cmsg_level != SOL_SOCKET ||
		    c->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&ts, CMSG_DATA(c), sizeof(ts));
		return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
	}
	return 0;
}

const struct sock_extended_err *
ping_sock_error(struct msghdr *h)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c != NULL;
	    c = CMSG_NXTHDR(h, c)) {
		if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
		    (c->cmsg_level == IPPROTO_IPV6 &&
			c->cmsg_type == IPV6_RECVERR))
			return (const struct sock_extended_err *)(const void *)
			    CMSG_DATA(c);
	}
	return NULL;
}

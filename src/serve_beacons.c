/* serve_beacons.c: see serve_beacons.h. */
#include "serve_beacons.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/log.h"
#include "base/text.h"
#include "check/check.h"
#include "conf/beacon.h"

#define FILE_MAX 65536
#define RTF_GATEWAY 0x2

static void
slurp(const char *path, struct buf *out)
{
	char chunk[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 0;

	while (fd >= 0 && (n = read(fd, chunk, sizeof(chunk))) > 0)
		buf_add(out, (struct str){chunk, (size_t)n});
	if (fd >= 0)
		(void)close(fd);
}

static struct str
field(struct str *line)
{
	struct str w;

	while (line->n > 0 && (line->p[0] == ' ' || line->p[0] == '\t'))
		*line = (struct str){line->p + 1, line->n - 1};
	w = (struct str){line->p, 0};
	while (w.n < line->n && line->p[w.n] != ' ' && line->p[w.n] != '\t')
		w.n++;
	*line = (struct str){line->p + w.n, line->n - w.n};
	return w;
}

static bool
hex32(struct str s, uint32_t *ret)
{
	static const char digits[] = "0123456789ABCDEF";
	uint32_t v = 0;

	for (size_t i = 0; i < s.n; i++) {
		const char *d = s.p[i] != '\0' ? strchr(digits, s.p[i]) : NULL;

		if (d == NULL)
			return false;
		v = v << 4 | (uint32_t)(d - digits);
	}
	*ret = v;
	return s.n > 0 && s.n <= 8;
}

/* Iface Destination Gateway Flags …, in hexadecimal, addresses as they lie in
 * memory. */
void
beacon_gateways(struct str text, struct buf *out)
{
	char ip[INET_ADDRSTRLEN];
	uint32_t to, by, flags;
	struct str line, w;

	while (text.n > 0) {
		text = str_cut(text, '\n', &line);
		w = field(&line);
		if (!hex32(field(&line), &to) || !hex32(field(&line), &by) ||
		    !hex32(field(&line), &flags) || w.n == 0)
			continue;
		if (to != 0 || by == 0 || (flags & RTF_GATEWAY) == 0 ||
		    inet_ntop(AF_INET, &by, ip, sizeof(ip)) == NULL)
			continue;
		buf_addf(out, "%s\n", ip);
	}
}

void
beacon_nameservers(struct str text, struct buf *out)
{
	struct str line, w;

	while (text.n > 0) {
		text = str_cut(text, '\n', &line);
		if (!str_is(field(&line), "nameserver"))
			continue;
		w = field(&line);
		buf_add(out, w);
		buf_addc(out, '\n');
	}
}

/* A stub on this machine answers whether it sees anything or not. */
static bool
is_local(struct str host)
{
	return str_starts(host, STR("127.")) || str_is(host, "::1") ||
	    str_starts(host, STR("::1%"));
}

struct found {
	struct beacon_conf *v;
	size_t n;
};

static json_t *
as_json(const struct beacon_spec *b)
{
	char server[320];

	switch (b->kind) {
	case BEACON_TCP:
		return json_pack("{s:s,s:s%,s:i,s:s}", "type", "tcp", "host",
		    b->host.p, b->host.n, "port", b->port, "interval", "1m");
	case BEACON_PING:
	case BEACON_GATEWAY:
		return json_pack("{s:s,s:s%,s:s,s:f,s:s,s:s}", "type",
		    "ping", "host", b->host.p, b->host.n, "wait", "1s",
		    "loss_max", 1.0, "spacing", "100ms", "interval", "1m");
	case BEACON_DNS:
	case BEACON_RESOLVERS:
		(void)snprintf(server, sizeof(server),
		    memchr(b->host.p, ':', b->host.n) != NULL ?
		    "[%.*s]:%u" : "%.*s:%u", (int)b->host.n, b->host.p,
		    b->port != 0 ? b->port : 53u);
		return json_pack("{s:s,s:s,s:s,s:s,s:s}", "type", "dns",
		    "host", "example.com", "record", "NS", "server", server,
		    "interval", "1m");
	}
	return NULL;
}

static void
add(struct found *f, const struct beacon_spec *b, bool by_itself)
{
	json_t *v = as_json(b);
	char *text = v != NULL ? json_dumps(v, JSON_COMPACT) : NULL;
	struct monitor_conf *c = NULL;
	struct errinfo ei = {0};
	char name[MONITOR_NAME_MAX + 1], words[512];

	(void)snprintf(name, sizeof(name), "%s %.*s port %u",
	    v != NULL ? json_string_value(json_object_get(v, "type")) : "",
	    (int)MIN(b->host.n, (size_t)90), b->host.p, b->port);
	json_decref(v);
	if (text == NULL || f->n == BEACONS_MAX) {
		free(text);
		return;
	}
	if (monitor_conf_load(str_of(text), name, NULL, check_monitor_kinds,
	    &c, &ei) == ERR_OK)
		f->v[f->n++] = (struct beacon_conf){c, by_itself};
	else
		log_warn("serve", "a beacon cannot be used",
		    KV("beacon", name),
		    KV("error", errinfo_text(&ei, words, sizeof(words))));
	free(text);
}

/* Each line of hosts, as a beacon of that kind. */
static void
add_lines(struct found *f, enum beacon_kind kind, struct str hosts)
{
	struct str one;

	while (hosts.n > 0) {
		struct beacon_spec b = {.kind = kind};

		hosts = str_cut(hosts, '\n', &one);
		b.host = one;
		/* fe80::1%eth0 and the like: the row of the check says no. */
		if (one.n > 0 && !is_local(one))
			add(f, &b, true);
	}
}

static void
add_resolvers(struct found *f, const struct settings *st)
{
	BUF_AUTO(text, FILE_MAX);
	BUF_AUTO(hosts, FILE_MAX);
	struct beacon_spec b;

	for (size_t i = 0; i < st->net.resolvers.n; i++) {
		BUF_AUTO(url, 320);

		buf_addf(&url, "dns://%s", st->net.resolvers.v[i]);
		if (beacon_parse(buf_str(&url), &b) && !is_local(b.host))
			add(f, &b, true);
	}
	if (st->net.resolvers.n > 0)
		return;
	slurp("/etc/resolv.conf", &text);
	beacon_nameservers(buf_str(&text), &hosts);
	add_lines(f, BEACON_RESOLVERS, buf_str(&hosts));
}

size_t
beacon_list(void *settings, struct beacon_conf ret[BEACONS_MAX])
{
	const struct settings *st = settings;
	struct found f = {.v = ret};
	struct beacon_spec b;

	for (size_t i = 0; i < st->net.beacons.n; i++) {
		BUF_AUTO(text, FILE_MAX);
		BUF_AUTO(hosts, FILE_MAX);

		if (!beacon_parse(str_of(st->net.beacons.v[i]), &b))
			continue;
		if (b.kind == BEACON_GATEWAY) {
			slurp("/proc/net/route", &text);
			beacon_gateways(buf_str(&text), &hosts);
			add_lines(&f, BEACON_GATEWAY, buf_str(&hosts));
		} else if (b.kind == BEACON_RESOLVERS)
			add_resolvers(&f, st);
		else
			add(&f, &b, false);
	}
	return f.n;
}

/* resolver.c: one question for all who ask for the same name at the same
 * time; answers are kept for their TTL, at most a minute. c-ares may answer
 * from inside the call that asks, so every answer reaches its asker as a job.
 * A resolver of ours that does not answer is our own fault; what it answers
 * is the target's. */
#include "net/resolver.h"

#include <arpa/inet.h>
#include <assert.h>
#include <ctype.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <ares.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "net/chan.h"
#include "net/net_impl.h"

#define PENDING_MAX 8192              /* names being asked for */
#define SERVERS_MAX 8
#define RECHECK_NS  (5 * NS_PER_S)    /* look whether resolv.conf changed */

static const char resolv_conf[] = "/etc/resolv.conf";

/* One channel for each combination of enum chan_flags. */
#define CHANS 4

struct resolver {
	struct net *net;
	struct chan *chan[CHANS];   /* opened when first needed */
	char *servers;                  /* NULL: resolv.conf */
	struct timespec conf_mtime;
	int64_t conf_checked_ns;
	bool closing;
	struct map pending;             /* struct lookup */
	struct map cache;               /* struct cached */
	struct list lru;                /* of the cache, oldest first */
};

struct key {
	char name[RESOLVER_NAME_MAX + 2];
	int family;
};

struct lookup {
	struct map_node node;
	struct resolver *rv;
	struct list waiters;
	struct key key;
	int refused;   /* what the first server said, once others are asked */
};

struct waiter {
	struct job job;      /* in its look-up's list, then in the net's */
	struct resolve *r;
};

struct cached {
	struct map_node node;
	struct list lru;
	int64_t until_ns;
	struct key key;
	unsigned n;
	struct peer addr[RESOLVE_ADDRS_MAX];
};

/* -- keys and answers ---------------------------------------------------- */

static bool
key_set(struct key *k, const char *name, int family)
{
	size_t n = strlen(name);

	if (n == 0 || n > RESOLVER_NAME_MAX)
		return false;
	for (size_t i = 0; i <= n; i++)
		k->name[i] = (char)tolower((unsigned char)name[i]);
	k->family = family;
	return true;
}

static uint64_t
key_hash(const struct key *k)
{
	return map_hash_str(str_of(k->name)) + (uint64_t)k->family;
}

static bool
key_eq(const struct key *a, const struct key *b)
{
	return a->family == b->family && strcmp(a->name, b->name) == 0;
}

static void
answer_addr(struct resolve *r, const struct sockaddr *sa)
{
	struct sockaddr_storage *to = &r->addr[r->n];

	if (r->n == RESOLVE_ADDRS_MAX)
		return;
	*to = (struct sockaddr_storage){.ss_family = sa->sa_family};
	if (sa->sa_family == AF_INET) {
		struct sockaddr_in *in = (struct sockaddr_in *)to;

		memcpy(in, sa, sizeof(*in));
		in->sin_port = htons(r->port);
	} else if (sa->sa_family == AF_INET6) {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)to;

		memcpy(in6, sa, sizeof(*in6));
		in6->sin6_port = htons(r->port);
	} else {
		return;
	}
	r->n++;
}

static void
answer_why(struct resolve *r, enum why why, const char *what)
{
	char text[REASON_MAX];

	r->why = why;
	(void)snprintf(text, sizeof(text), "%.100s: %s", r->name, what);
	(void)text_copy(r->reason, sizeof(r->reason), str_of(text));
}

/* -- without the network ------------------------------------------------- */

static bool
literal(struct resolve *r)
{
	struct sockaddr_storage ss = {.ss_family = AF_UNSPEC};
	struct sockaddr_in *in = (struct sockaddr_in *)&ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&ss;
	struct addrinfo hints = {.ai_family = AF_INET6,
		.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
	struct addrinfo *ai = NULL;

	if (inet_pton(AF_INET, r->name, &in->sin_addr) == 1) {
		ss.ss_family = AF_INET;
	} else if (strchr(r->name, ':') == NULL) {
		return false;
	} else if (inet_pton(AF_INET6, r->name, &in6->sin6_addr) == 1) {
		ss.ss_family = AF_INET6;
	} else if (getaddrinfo(r->name, NULL, &hints, &ai) == 0) {
		memcpy(&ss, ai->ai_addr, ai->ai_addrlen);   /* fe80::1%eth0 */
		freeaddrinfo(ai);
	} else {
		answer_why(r, WHY_DNS_MALFORMED, "is neither address nor name");
		return true;
	}
	if (r->family != AF_UNSPEC && r->family != ss.ss_family)
		answer_why(r, WHY_DNS_NODATA, r->family == AF_INET ?
		    "is not an IPv4 address" : "is not an IPv6 address");
	else
		answer_addr(r, (struct sockaddr *)&ss);
	return true;
}

static struct cached *
cache_find(struct resolver *rv, const struct key *k)
{
	for (struct map_node *m = map_first(&rv->cache, key_hash(k)); m != NULL;
	    m = map_next(m)) {
		struct cached *c = CONTAINER(m, struct cached, node);

		if (key_eq(&c->key, k))
			return c;
	}
	return NULL;
}

static void
cache_drop(struct resolver *rv, struct cached *c)
{
	map_del(&rv->cache, &c->node);
	list_del(&c->lru);
	xfree(c);
}

static void
cache_put(struct resolver *rv, const struct key *k, const struct resolve *r,
    int64_t ttl_ns)
{
	struct cached *c = cache_find(rv, k);

	if (c != NULL)
		cache_drop(rv, c);
	if (rv->cache.n >= RESOLVER_CACHE_MAX)
		cache_drop(rv, CONTAINER(rv->lru.next, struct cached, lru));
	c = xcalloc(1, sizeof(*c));
	c->key = *k;
	c->until_ns = world_now(rv->net->world) + ttl_ns;
	c->n = r->n;
	for (unsigned i = 0; i < r->n; i++)
		peer_set(&c->addr[i], (const struct sockaddr *)&r->addr[i]);
	map_put(&rv->cache, &c->node, key_hash(k));
	list_push(&rv->lru, &c->lru);
}

static void
peer_addr(const struct peer *p, struct sockaddr_storage *ss)
{
	*ss = (struct sockaddr_storage){
		.ss_family = p->family == 4 ? AF_INET : AF_INET6};
	if (p->family == 4)
		memcpy(&((struct sockaddr_in *)ss)->sin_addr, p->ip, 4);
	else
		memcpy(&((struct sockaddr_in6 *)ss)->sin6_addr, p->ip, 16);
}

static bool
cache_answer(struct resolver *rv, struct resolve *r, const struct key *k)
{
	struct cached *c = cache_find(rv, k);

	if (c == NULL || c->until_ns <= world_now(rv->net->world))
		return false;
	for (unsigned i = 0; i < c->n; i++) {
		struct sockaddr_storage ss;

		peer_addr(&c->addr[i], &ss);
		answer_addr(r, (struct sockaddr *)&ss);
	}
	return true;
}

bool
resolver_now(struct resolver *rv, struct resolve *r)
{
	struct key k;

	r->n = 0;
	r->why = WHY_OK;
	r->reason[0] = '\0';
	assert(r->pending == NULL);
	if (literal(r))
		return true;
	if (!key_set(&k, r->name, r->family)) {
		answer_why(r, WHY_DNS_MALFORMED, "is no host name");
		return true;
	}
	return !r->fresh && cache_answer(rv, r, &k);
}

/* -- questions ----------------------------------------------------------- */

static void
waiter_answer(struct job *j)
{
	struct waiter *w = CONTAINER(j, struct waiter, job);
	struct resolve *r = w->r;

	r->pending = NULL;
	xfree(w);
	r->done(r);
}

static struct waiter *
waiter_new(struct resolve *r)
{
	struct waiter *w = xcalloc(1, sizeof(*w));

	w->job.fn = waiter_answer;
	w->r = r;
	r->pending = w;
	return w;
}

static enum why
status_why(int status)
{
	switch (status) {
	case ARES_SUCCESS:
		return WHY_OK;
	case ARES_ENOTFOUND:
		return WHY_DNS_NXDOMAIN;
	case ARES_ENODATA:
		return WHY_DNS_NODATA;
	case ARES_ESERVFAIL:
		return WHY_DNS_SERVFAIL;
	case ARES_EBADNAME:
	case ARES_EBADRESP:
	case ARES_EFORMERR:
		return WHY_DNS_MALFORMED;
	/* A refusal is between the resolver and us, or it has nobody to ask:
	 * what a name's own servers refuse reaches us as SERVFAIL. */
	default:
		return WHY_LOCAL_RESOLVER;
	}
}

static const char *
local_text(int status)
{
	switch (status) {
	case ARES_ETIMEOUT:
		return "our resolver does not answer";
	case ARES_EREFUSED:
	case ARES_ENOTIMP:
		return "our resolver refuses to answer";
	default:
		return "our resolver cannot be asked";
	}
}

/* The shortest life of what was answered. */
static int64_t
ttl_of(const struct ares_addrinfo *ai)
{
	int64_t ttl = RESOLVER_TTL_MAX_NS;

	for (struct ares_addrinfo_node *n = ai->nodes; n != NULL;
	    n = n->ai_next)
		ttl = MIN(ttl, n->ai_ttl * NS_PER_S);
	return MAX(ttl, RESOLVER_TTL_MIN_NS);
}

static void
fill(struct resolve *r, int status, const struct ares_addrinfo *ai)
{
	enum why why = status_why(status);

	r->n = 0;
	r->why = why;
	r->reason[0] = '\0';
	for (struct ares_addrinfo_node *n = ai != NULL ? ai->nodes : NULL;
	    n != NULL; n = n->ai_next)
		answer_addr(r, n->ai_addr);
	if (why == WHY_LOCAL_RESOLVER)
		answer_why(r, why, local_text(status));
	else if (why != WHY_OK)
		answer_why(r, why, why_text(why));
	else if (r->n == 0)
		answer_why(r, WHY_DNS_NODATA, why_text(WHY_DNS_NODATA));
}

static void on_answer(void *arg, int status, int timeouts,
    struct ares_addrinfo *ai);

static struct chan *
chan_for(struct resolver *rv, const struct key *k, unsigned flags)
{
	struct errinfo ei;

	/* A dotted name is whole: a search domain with a wildcard would
	 * otherwise turn "no such host" into somebody else's address. */
	if (strchr(k->name, '.') == NULL)
		flags |= CHAN_SEARCH;
	if (rv->chan[flags] == NULL && chan_new(rv->net, rv->servers, flags,
	    &rv->chan[flags], &ei) != ERR_OK)
		return NULL;
	return rv->chan[flags];
}

/* The first server will not answer this: ask the others, if there are any. */
static bool
ask_others(struct lookup *l, int status)
{
	struct chan *c;

	if (l->rv->closing || l->refused != ARES_SUCCESS ||
	    (status != ARES_ESERVFAIL && status != ARES_EREFUSED &&
	    status != ARES_ENOTIMP))
		return false;
	c = chan_for(l->rv, &l->key, CHAN_SKIP);
	if (c == NULL || chan_servers(c) < 2)
		return false;
	l->refused = status;
	chan_ask(c, l->key.name, l->key.family, on_answer, l);
	return true;
}

static void
on_answer(void *arg, int status, int timeouts, struct ares_addrinfo *ai)
{
	struct lookup *l = arg;
	struct resolver *rv = l->rv;
	struct resolve r = {.name = l->key.name, .family = l->key.family};
	struct list *n;

	(void)timeouts;
	if (ask_others(l, status)) {
		if (ai != NULL)
			ares_freeaddrinfo(ai);
		return;
	}
	if (l->refused != ARES_SUCCESS &&
	    status_why(status) == WHY_LOCAL_RESOLVER)
		status = l->refused;
	map_del(&rv->pending, &l->node);
	fill(&r, status, ai);
	if (r.why == WHY_OK)
		cache_put(rv, &l->key, &r, ttl_of(ai));
	while ((n = list_pop(&l->waiters)) != NULL) {
		struct waiter *w = CONTAINER(n, struct waiter, job.node);

		fill(w->r, status, ai);
		net_defer(rv->net, &w->job);
	}
	if (ai != NULL)
		ares_freeaddrinfo(ai);
	xfree(l);
}

/* Read resolv.conf anew when it changed and nobody waits for the old one. */
static void
servers_refresh(struct resolver *rv)
{
	int64_t now = world_now(rv->net->world);
	struct stat st;

	if (rv->servers != NULL || rv->pending.n > 0 ||
	    now - rv->conf_checked_ns < RECHECK_NS)
		return;
	rv->conf_checked_ns = now;
	if (stat(resolv_conf, &st) != 0)
		return;
	if (st.st_mtim.tv_sec == rv->conf_mtime.tv_sec &&
	    st.st_mtim.tv_nsec == rv->conf_mtime.tv_nsec)
		return;
	rv->conf_mtime = st.st_mtim;
	for (int i = 0; i < CHANS; i++)
		chan_free(TAKE(rv->chan[i]));
}

static struct lookup *
lookup_find(struct resolver *rv, const struct key *k)
{
	for (struct map_node *m = map_first(&rv->pending, key_hash(k));
	    m != NULL; m = map_next(m)) {
		struct lookup *l = CONTAINER(m, struct lookup, node);

		if (key_eq(&l->key, k))
			return l;
	}
	return NULL;
}

/* RFC 6761 §6.3: this name means loopback, and nobody is asked. c-ares 1.18
 * would also leak it at every look-up when /etc/hosts has it once only. */
static bool
localhost_answer(struct resolve *r, const struct key *k)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6,
		.sin6_addr = IN6ADDR_LOOPBACK_INIT};

	if (strcmp(k->name, "localhost") != 0)
		return false;
	if (k->family != AF_INET6)
		answer_addr(r, (struct sockaddr *)&in);
	if (k->family != AF_INET)
		answer_addr(r, (struct sockaddr *)&in6);
	return true;
}

void
resolver_ask(struct resolver *rv, struct resolve *r)
{
	struct lookup *l;
	struct chan *chan;
	struct key k;
	bool now = resolver_now(rv, r);
	struct waiter *w = waiter_new(r);

	if (now || (key_set(&k, r->name, r->family) && localhost_answer(r, &k))) {
		net_defer(rv->net, &w->job);
		return;
	}
	servers_refresh(rv);
	l = lookup_find(rv, &k);
	if (l != NULL) {
		list_push(&l->waiters, &w->job.node);
		return;
	}
	chan = rv->pending.n < PENDING_MAX ? chan_for(rv, &k, 0) : NULL;
	if (chan == NULL) {
		answer_why(r, WHY_LOCAL_RESOLVER,
		    "no further question to our resolver is possible");
		net_defer(rv->net, &w->job);
		return;
	}
	l = xcalloc(1, sizeof(*l));
	l->rv = rv;
	l->key = k;
	list_init(&l->waiters);
	list_push(&l->waiters, &w->job.node);
	map_put(&rv->pending, &l->node, key_hash(&k));
	chan_ask(chan, l->key.name, k.family, on_answer, l);
}

void
resolver_cancel(struct resolve *r)
{
	struct waiter *w = r->pending;

	if (w == NULL)
		return;
	r->pending = NULL;
	list_del(&w->job.node);
	xfree(w);
}

/* -- making and ending --------------------------------------------------- */

static enum err
servers_join(struct resolver *rv, const struct strings *servers,
    struct errinfo *ei)
{
	BUF_AUTO(b, 1024);

	if (servers->n == 0)
		return ERR_OK;
	if (servers->n > SERVERS_MAX)
		return fail_at(ei, ERR_LIMIT, "net.resolvers", 0,
		    "more than %d resolvers", SERVERS_MAX);
	for (size_t i = 0; i < servers->n; i++) {
		if (i > 0)
			buf_addc(&b, ',');
		buf_adds(&b, servers->v[i]);
	}
	if (!buf_ok(&b))
		return fail_at(ei, ERR_LIMIT, "net.resolvers", 0, "too long");
	rv->servers = buf_take(&b);
	return ERR_OK;
}

static void
resolver_freep(struct resolver *const *rv)
{
	resolver_free(*rv);
}

enum err
resolver_new(struct net *n, const struct strings *servers,
    struct resolver **ret, struct errinfo *ei)
{
	struct resolver *rv CLEANUP(resolver_freep) = xcalloc(1, sizeof(*rv));
	struct stat st;
	enum err e;

	rv->net = n;
	list_init(&rv->lru);
	e = servers_join(rv, servers, ei);
	/* Opened now only to hear at once of servers that are no addresses. */
	if (e == ERR_OK && rv->servers != NULL)
		e = chan_new(n, rv->servers, 0, &rv->chan[0], ei);
	if (e != ERR_OK)
		return e;
	if (stat(resolv_conf, &st) == 0)
		rv->conf_mtime = st.st_mtim;
	*ret = TAKE(rv);
	return ERR_OK;
}

void
resolver_free(struct resolver *rv)
{
	if (rv == NULL)
		return;
	rv->closing = true;
	for (int i = 0; i < CHANS; i++)
		chan_free(rv->chan[i]);
	assert(rv->pending.n == 0);
	while (!list_empty(&rv->lru))
		cache_drop(rv, CONTAINER(rv->lru.next, struct cached, lru));
	map_free(&rv->pending);
	map_free(&rv->cache);
	xfree(rv->servers);
	xfree(rv);
}

const char *
resolver_servers(const struct resolver *rv)
{
	return rv->servers;
}

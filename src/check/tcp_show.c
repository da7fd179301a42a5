#include "check/tcp.h"

#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"

static char *
evidence(const struct tcp_check *t)
{
	const struct outcome *o = &t->c.out;
	char peer[PEER_TEXT];
	BUF_AUTO(b, 65536);

	buf_adds(&b, "{\"why\":");
	text_json(&b, str_of(why_name(o->why)));
	buf_adds(&b, ",\"reason\":");
	text_json(&b, str_of(o->reason));
	buf_adds(&b, ",\"addresses\":[");
	for (unsigned i = 0; i < t->names.n; i++) {
		struct peer p = {.family = 0};

		peer_set(&p, (const struct sockaddr *)&t->names.addr[i]);
		buf_adds(&b, i > 0 ? "," : "");
		text_json(&b, str_of(peer_text(&p, peer)));
	}
	buf_adds(&b, "],\"peer\":");
	text_json(&b, str_of(peer_text(&o->peer, peer)));
	if (((const struct tcp_conf *)t->c.conf->own)->tls) {
		buf_adds(&b, ",\"tls\":");
		tls_json(&t->tls, &b);
	}
	buf_adds(&b, ",\"answer\":");
	text_json(&b, buf_str(&t->answer));
	buf_addc(&b, '}');
	return buf_ok(&b) ? buf_take(&b) : NULL;
}

static char *
details(const struct tcp_check *t)
{
	char text[TIME_TEXT];
	char peer[PEER_TEXT];
	BUF_AUTO(b, 16384);

	for (unsigned i = 0; i < t->names.n; i++) {
		struct peer p = {.family = 0};

		peer_set(&p, (const struct sockaddr *)&t->names.addr[i]);
		buf_addf(&b, "address: %s\n", peer_text(&p, peer));
	}
	tls_lines(&t->tls, &b);
	if (t->tls.not_after_s != 0)
		buf_addf(&b, "certificate ends: %s\n",
		    time_format_utc(t->tls.not_after_s * US_PER_S, text));
	if (t->answer.n > 0) {
		buf_adds(&b, "answer: ");
		text_line(&b, buf_str(&t->answer), 512);
		buf_addc(&b, '\n');
	}
	return buf_ok(&b) ? buf_take(&b) : NULL;
}

void
tcp_show(struct tcp_check *t)
{
	struct check *c = &t->c;

	if (c->want_evidence && c->out.why != WHY_OK) {
		xfree(c->out.evidence);
		c->out.evidence = evidence(t);
	}
	if (c->want_details) {
		xfree(c->out.details);
		c->out.details = details(t);
	}
}

/* dns_show.c: foreign text goes through base/text.h on its way out. */
#include "check/dns_show.h"

#include "base/text.h"

#define SHOW_MAX (64u << 10)

static void
list_json(struct buf *b, char *const *v, size_t n)
{
	buf_addc(b, '[');
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_addc(b, ',');
		text_json(b, str_of(v[i]));
	}
	buf_addc(b, ']');
}

char *
dns_show_evidence(const struct dns_show *s)
{
	BUF_AUTO(b, SHOW_MAX);
	BUF_AUTO(server, DNS_SERVER_HOST + 16);

	dns_server_text(s->server, &server);
	buf_adds(&b, "{\"server\":");
	text_json(&b, buf_str(&server));
	buf_addf(&b, ",\"transport\":\"%s\",\"record\":\"%s\"",
	    s->tcp ? "tcp" : "udp", dns_wire_types[s->type]);
	buf_addf(&b, ",\"rcode\":\"%s\",\"truncated\":%s,\"cnames\":",
	    dns_wire_rcode(s->found->rcode),
	    s->found->truncated ? "true" : "false");
	list_json(&b, s->found->chain, s->found->nchain);
	buf_adds(&b, ",\"answers\":");
	list_json(&b, s->found->v, s->found->n);
	buf_addc(&b, '}');
	return buf_ok(&b) ? buf_take(&b) : NULL;
}

static void
details_list(struct buf *b, const char *name, char *const *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		buf_addf(b, "%s: ", name);
		text_line(b, str_of(v[i]), DNS_TEXT_MAX);
		buf_addc(b, '\n');
	}
}

char *
dns_show_details(const struct dns_show *s)
{
	BUF_AUTO(b, SHOW_MAX);

	buf_adds(&b, "server: ");
	dns_server_text(s->server, &b);
	buf_adds(&b, s->tcp ? " over TCP\n" : " over UDP\n");
	if (s->foreign > 0)
		buf_addf(&b, "passed over: %u (%s)\n", s->foreign,
		    s->foreign_reason);
	if (s->found != NULL) {
		buf_addf(&b, "rcode: %s%s%s\n", dns_wire_rcode(s->found->rcode),
		    s->found->authoritative ? ", authoritative" : "",
		    s->found->truncated ? ", truncated" : "");
		details_list(&b, "cname", s->found->chain, s->found->nchain);
		details_list(&b, "answer", s->found->v, s->found->n);
	}
	return buf_ok(&b) ? buf_take(&b) : NULL;
}

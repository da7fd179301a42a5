#include "alert/judge.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "base/time.h"

#define BODY_MAX (64u << 10)   /* no answer is longer */

void
judge_set(struct alert_outcome *ret, enum alert_result result,
    const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ret->result = result;
	(void)text_copy(ret->note, sizeof(ret->note), str_of(text));
}

struct str
judge_header(const struct alert_answer *a, const char *name)
{
	struct str rest = a->headers, line, key;

	while (rest.n > 0) {
		rest = str_cut(rest, '\n', &line);
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		line = str_cut(line, ':', &key);
		if (key.n == strlen(name) &&
		    strncasecmp(key.p, name, key.n) == 0)
			return str_trim(line);
	}
	return (struct str){NULL, 0};
}

void
judge_after(struct alert_outcome *ret, double seconds)
{
	double most = (double)(ALERT_AFTER_MAX / NS_PER_S);

	if (!(seconds > 0))
		return;
	ret->after_ns = (int64_t)((seconds < most ? seconds : most) *
	    (double)NS_PER_S);
}

static void
retry_after(const struct alert_answer *a, struct alert_outcome *ret)
{
	struct str v = judge_header(a, "Retry-After");
	char text[64];
	uint64_t n;
	time_t at;

	if (v.p == NULL)
		return;
	if (str_u64(v, UINT32_MAX, &n)) {
		judge_after(ret, (double)n);
		return;
	}
	at = curl_getdate(text_copy(text, sizeof(text), v), NULL);
	if (at != -1)
		judge_after(ret, (double)at - (double)(a->now_us / US_PER_S));
}

/* The first line of what it said, if that is a text that people can read. */
static const char *
said(const struct alert_answer *a, char dst[100])
{
	struct str body = a->body, line;

	(void)str_cut(body, '\n', &line);
	line = str_trim(line);
	return text_copy(dst, 100, line);
}

void
judge_http(const struct alert_answer *a, struct alert_outcome *ret)
{
	char text[100];
	const char *body = said(a, text), *colon = body[0] != '\0' ? ": " : "";

	*ret = (struct alert_outcome){0};
	if (a->code >= 200 && a->code < 300)
		judge_set(ret, RESULT_DONE, "%s", "");
	else if (a->code == 408 || a->code == 425 || a->code == 429 ||
	    a->code >= 500) {
		judge_set(ret, RESULT_AGAIN, "HTTP %u%s%s", a->code, colon,
		    body);
		retry_after(a, ret);
	} else if (a->code >= 300 && a->code < 400)
		judge_set(ret, RESULT_REFUSED, "HTTP %u: it redirects; set "
		    "the URL that it redirects to", a->code);
	else
		judge_set(ret, RESULT_REFUSED, "HTTP %u%s%s", a->code, colon,
		    body);
}

void
judge_mail(const struct alert_answer *a, struct alert_outcome *ret)
{
	char text[100];
	/* 530, 534, 535, 538: who we are, or how we said it. */
	enum alert_result result = a->code >= 200 && a->code < 300 ?
	    RESULT_DONE : a->code >= 500 && a->code < 600 ? RESULT_REFUSED :
	    RESULT_AGAIN;

	*ret = (struct alert_outcome){0};
	if (result == RESULT_DONE)
		judge_set(ret, result, "%s", "");
	else
		judge_set(ret, result, "SMTP %u %s", a->code, said(a, text));
}

/* 75 is sysexits' "try again later"; 126 and 127 are "there is no such
 * program", which no repetition makes better. */
void
judge_exec(const struct alert_answer *a, struct alert_outcome *ret)
{
	char text[100];
	const char *out = said(a, text);

	*ret = (struct alert_outcome){0};
	if (a->code == 0)
		judge_set(ret, RESULT_DONE, "%s", "");
	else
		judge_set(ret, a->code == 126 || a->code == 127 ?
		    RESULT_REFUSED : RESULT_AGAIN, "exit status %u%s%s",
		    a->code, out[0] != '\0' ? ": " : "", out);
}

void
alert_judge(const struct alert_message *m, size_t part,
    const struct alert_answer *a, struct alert_outcome *ret)
{
	const struct alert_kind_row *k = m->channel->kind;
	struct alert_answer clean = *a, whole = *a;
	BUF_AUTO(all, BODY_MAX + 1);
	struct str line;
	char head[4096];

	/* Before it is cut: half a secret is one too. */
	(void)str_cut(a->body, '\n', &line);
	alert_scrub(m->channel, text_copy(head, sizeof(head), line));
	clean.body = str_of(head);
	for (size_t i = 0; i < MIN(a->body.n, (size_t)BODY_MAX); i++)
		buf_addc(&all, a->body.p[i] != '\0' ? a->body.p[i] : ' ');
	buf_addc(&all, '\0');
	alert_scrub(m->channel, all.p);
	whole.body = (struct str){all.p, all.n - 1};
	if (k == &alert_email)
		judge_mail(&clean, ret);
	else if (k == &alert_exec)
		judge_exec(&clean, ret);
	else
		judge_http(&clean, ret);
	if (k->judge != NULL)
		k->judge(m, &m->parts[part], &whole, ret);
	alert_scrub(m->channel, ret->note);
}

/* statics.c: see statics.h. */
#include "http/statics.h"

#include <string.h>

#include "web_assets.h"

static const struct web_asset *
statics_find(struct str name)
{
	const struct web_asset *a = web_assets;

	while (a->name != NULL && !str_is(name, a->name))
		a++;
	return a->name != NULL ? a : NULL;
}

const char *
statics_version(const char *name)
{
	static _Thread_local char text[40];
	const struct web_asset *a = statics_find(str_of(name));
	size_t n = 0;

	for (const char *p = a != NULL ? a->etag : ""; *p != '\0' &&
	    n + 1 < sizeof(text); p++)
		if (*p != '"')
			text[n++] = *p;
	text[n] = '\0';
	return text;
}

enum flow
statics_get(struct req *q)
{
	const struct web_asset *a = statics_find(q->seg);
	const char *have;
	BUF_AUTO(b, 4u << 20);

	if (a == NULL)
		return req_bad(q, 404, NULL, "there is no such file");
	have = MHD_lookup_connection_value(q->conn, MHD_HEADER_KIND,
	    "If-None-Match");
	if (have != NULL && strstr(have, a->etag) != NULL) {
		answer_take(&q->out, 304, NULL, &b);
	} else {
		buf_add(&b, (struct str){(const char *)a->data, a->size});
		answer_take(&q->out, 200, a->content_type, &b);
	}
	answer_header(&q->out, "ETag", a->etag);
	q->out.cache = "public, max-age=86400";
	return ANSWERED;
}

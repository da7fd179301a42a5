/* cli_sse.c: the event stream grammar of the HTML standard, § 9.2.6. */
#include "cli/cli_sse.h"

#include <stdio.h>
#include <string.h>

void
cli_sse_init(struct cli_sse *s, sse_fn *fn)
{
	*s = (struct cli_sse){.fn = fn};
	buf_init(&s->line, SSE_LINE_MAX);
	buf_init(&s->data, SSE_DATA_MAX);
}

void
cli_sse_free(struct cli_sse *s)
{
	buf_free(&s->line);
	buf_free(&s->data);
}

void
cli_sse_restart(struct cli_sse *s)
{
	buf_clear(&s->line);
	buf_clear(&s->data);
	s->name[0] = '\0';
	s->cr = s->broken = false;
}

static void
field(struct cli_sse *s, struct str line)
{
	struct str name, value;

	if (line.p[0] == ':')   /* a comment: keeps the connection alive */
		return;
	value = str_cut(line, ':', &name);
	if (value.n > 0 && value.p[0] == ' ') {
		value.p++;
		value.n--;
	}
	if (str_is(name, "data")) {
		buf_add(&s->data, value);
		buf_addc(&s->data, '\n');
		s->broken |= !buf_ok(&s->data);
	} else if (str_is(name, "event") && value.n < sizeof(s->name)) {
		(void)snprintf(s->name, sizeof(s->name), "%.*s",
		    (int)value.n, value.p);
	} else if (str_is(name, "id") && value.n < sizeof(s->id) &&
	    memchr(value.p, '\0', value.n) == NULL) {
		(void)snprintf(s->id, sizeof(s->id), "%.*s", (int)value.n,
		    value.p);
	}
}

static bool
event_end(struct cli_sse *s)
{
	struct str data = buf_str(&s->data);
	bool go_on = true;

	if (data.n > 0 && !s->broken) {
		data.n--;   /* the last line's newline is no part of it */
		go_on = s->fn(s, s->name[0] != '\0' ? s->name : "message",
		    data);
	}
	buf_clear(&s->data);
	s->name[0] = '\0';
	s->broken = false;
	return go_on;
}

static bool
line_end(struct cli_sse *s)
{
	bool go_on = true;

	if (!buf_ok(&s->line))
		s->broken = true;
	else if (s->line.n == 0)
		go_on = event_end(s);
	else
		field(s, buf_str(&s->line));
	buf_clear(&s->line);
	return go_on;
}

bool
cli_sse_feed(struct cli_sse *s, struct str bytes)
{
	for (size_t i = 0; i < bytes.n; i++) {
		char c = bytes.p[i];
		bool tail = s->cr && c == '\n';

		s->cr = c == '\r';
		if (tail)
			continue;
		if (c != '\n' && c != '\r')
			buf_addc(&s->line, c);
		else if (!line_end(s))
			return false;
	}
	return true;
}

/* check.c: the list of check types, and how a check ends. To add a type write
 * check_NAME.c, declare its row here and put it into both tables. */
#include "check/check.h"

#include <assert.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include "base/text.h"

extern const struct check_kind check_http, check_tcp, check_ping, check_dns,
    check_push, check_group;

const struct check_kind *const check_kinds[] = {
	&check_http, &check_tcp, &check_ping, &check_dns, &check_push,
	&check_group, NULL
};

const struct monitor_kind *const check_monitor_kinds[] = {
	&check_http.conf, &check_tcp.conf, &check_ping.conf, &check_dns.conf,
	&check_push.conf, &check_group.conf, NULL
};
_Static_assert(COUNT(check_kinds) == COUNT(check_monitor_kinds),
    "one row in each table per type");

const struct check_kind *
check_kind_of(const struct monitor_conf *c)
{
	_Static_assert(offsetof(struct check_kind, conf) == 0,
	    "a monitor_kind is the head of its check_kind");
	return (const struct check_kind *)(const void *)c->kind;
}

void
check_end(struct check *c)
{
	assert(c->done != NULL);
	c->done(c);
}

void
check_why(struct check *c, enum why why, const char *fmt, ...)
{
	char text[2 * REASON_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	c->out.why = why;
	(void)text_copy(c->out.reason, sizeof(c->out.reason), str_of(text));
}

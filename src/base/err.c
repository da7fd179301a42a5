#include "base/err.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

static const char *const names[] = {
	[ERR_OK] = "ok",
	[ERR_LIMIT] = "limit",
	[ERR_PARSE] = "parse",
	[ERR_INVALID] = "invalid",
	[ERR_NOT_FOUND] = "not_found",
	[ERR_CONFLICT] = "conflict",
	[ERR_DENIED] = "denied",
	[ERR_AGAIN] = "again",
	[ERR_TIMEOUT] = "timeout",
	[ERR_SYS] = "sys",
	[ERR_STORE] = "store",
	[ERR_STOPPING] = "stopping",
	[ERR_CANCELLED] = "cancelled",
};
_Static_assert(COUNT(names) == ERR_NMAX, "one name per error");

const char *
err_name(enum err e)
{
	return (unsigned)e < COUNT(names) ? names[e] : "?";
}

enum err
fail(struct errinfo *ei, enum err e, const char *fmt, ...)
{
	va_list ap;

	if (ei == NULL)
		return e;
	va_start(ap, fmt);
	(void)vsnprintf(ei->text, sizeof(ei->text), fmt, ap);
	va_end(ap);
	return e;
}

enum err
fail_at(struct errinfo *ei, enum err e, const char *field, uint32_t line,
    const char *fmt, ...)
{
	va_list ap;

	if (ei == NULL)
		return e;
	(void)snprintf(ei->field, sizeof(ei->field), "%s",
	    field == NULL ? "" : field);
	ei->line = line;
	va_start(ap, fmt);
	(void)vsnprintf(ei->text, sizeof(ei->text), fmt, ap);
	va_end(ap);
	return e;
}

const char *
errinfo_text(const struct errinfo *ei, char *dst, size_t size)
{
	char line[16] = "";

	if (ei->line > 0)
		(void)snprintf(line, sizeof(line), "%u",
		    (unsigned)ei->line);
	/* Without a file a line still helps: "line 3: …". */
	(void)snprintf(dst, size, "%s%s%s%s%s%s%s",
	    ei->file[0] != '\0' ? ei->file : (ei->line > 0 ? "line " : ""),
	    ei->file[0] != '\0' && ei->line > 0 ? ":" : "", line,
	    ei->file[0] != '\0' || ei->line > 0 ? ": " : "", ei->field,
	    ei->field[0] != '\0' ? ": " : "", ei->text);
	return dst;
}

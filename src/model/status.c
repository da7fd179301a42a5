#include "model/status.h"

#include "base/attr.h"

static const char *const names[] = {
	[STATUS_DOWN] = "down",
	[STATUS_UNKNOWN] = "unknown",
	[STATUS_LATE] = "late",
	[STATUS_DEGRADED] = "degraded",
	[STATUS_PENDING] = "pending",
	[STATUS_UP] = "up",
	[STATUS_PAUSED] = "paused",
};
_Static_assert(COUNT(names) == STATUS_NMAX, "one name per status");

const char *
status_name(enum status s)
{
	return (unsigned)s < COUNT(names) ? names[s] : "?";
}

bool
status_parse(struct str s, enum status *ret)
{
	for (unsigned i = 0; i < COUNT(names); i++) {
		if (str_is(s, names[i])) {
			*ret = (enum status)i;
			return true;
		}
	}
	return false;
}

int
status_up(enum status s)
{
	switch (s) {
	case STATUS_UP:
	case STATUS_DEGRADED:
	case STATUS_LATE:
		return 1;
	case STATUS_DOWN:
		return 0;
	case STATUS_UNKNOWN:
	case STATUS_PENDING:
	case STATUS_PAUSED:
	case STATUS_NMAX:
		return -1;
	}
	return -1;
}

#include "model/event.h"

static const char *const names[] = {
	[EVENT_TRANSITION] = "transition",
	[EVENT_CONFIG] = "config",
	[EVENT_START] = "start",
	[EVENT_STOP] = "stop",
	[EVENT_DROP] = "drop",
	[EVENT_STORE] = "store",
	[EVENT_ACCESS] = "access",
	[EVENT_CLOCK] = "clock",
	[EVENT_ALERT] = "alert",
	[EVENT_HEALTH] = "health",
	[EVENT_QUARANTINE] = "quarantine",
	[EVENT_INCIDENT] = "incident",
};
_Static_assert(COUNT(names) == EVENT_NMAX, "one name per kind");

const char *
event_kind_name(enum event_kind k)
{
	return (unsigned)k < COUNT(names) ? names[k] : "?";
}

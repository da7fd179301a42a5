#include "model/incident.h"

#include <stdio.h>

#include "base/mem.h"
#include "model/status.h"

const char *const incident_state_names[] = {
	[INCIDENT_INVESTIGATING] = "investigating",
	[INCIDENT_IDENTIFIED] = "identified",
	[INCIDENT_MONITORING] = "monitoring",
	[INCIDENT_RESOLVED] = "resolved",
	[INCIDENT_STATE_NMAX] = NULL,
};

void
incident_updates_free(struct incident_update *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		xfree(v[i].text);
	xfree(v);
}

const char *
incident_title(const struct incident *i, char *dst)
{
	if (i->title[0] != '\0' || i->monitor == 0)
		(void)snprintf(dst, INCIDENT_TITLE_TEXT, "%s", i->title);
	else
		(void)snprintf(dst, INCIDENT_TITLE_TEXT, "%s %s", i->name,
		    status_name((enum status)i->worst));
	return dst;
}

int64_t
incident_of(const struct mon_state *st, int64_t was_us)
{
	const struct alerting *a = &st->alerting;

	if (a->incident_us != 0)
		return a->recover_us == 0 ? a->incident_us : 0;
	switch ((enum status)st->status) {
	case STATUS_DOWN:
	case STATUS_LATE:
	case STATUS_DEGRADED:
		return was_us != 0 ? was_us : st->since_us;
	case STATUS_UNKNOWN:
		return was_us;   /* it opens nothing and ends nothing */
	case STATUS_PENDING:
	case STATUS_UP:
	case STATUS_PAUSED:
	case STATUS_NMAX:
		break;
	}
	return 0;
}

void
incident_grade(const struct mon_state *st, struct incident *ret)
{
	const struct alerting *a = &st->alerting;
	uint8_t status = a->incident_us != 0 ? a->status : st->status;

	*ret = (struct incident){.severity = a->severity, .worst = status};
	if (a->incident_us == 0)
		ret->severity = status == STATUS_DOWN ? SEVERITY_CRITICAL :
		    SEVERITY_WARNING;
	/* Not seeing is no worse trouble than what was seen. */
	if (status == STATUS_UNKNOWN)
		ret->worst = STATUS_DEGRADED;
}

void
incident_monitors_text(const struct incident *i, struct buf *out)
{
	for (uint32_t k = 0; k < i->nmonitors; k++)
		buf_addf(out, "%s%u", k > 0 ? "," : "", i->monitors[k]);
}

void
incident_monitors_parse(struct str text, struct incident *ret)
{
	struct str word;
	uint64_t id;

	ret->nmonitors = 0;
	while (text.n > 0 && ret->nmonitors < INCIDENT_MONITORS_MAX) {
		text = str_cut(text, ',', &word);
		if (!str_u64(word, UINT32_MAX, &id))
			return;
		ret->monitors[ret->nmonitors++] = (uint32_t)id;
	}
}

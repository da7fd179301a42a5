#include "store/daily.h"

bool
daily_due(const struct daily *d, const struct zone *z, int64_t now_us)
{
	int32_t late = zone_local(z, now_us).second / 60 - d->minute;

	if (d->minute < 0 || late < 0 || late >= DAILY_WINDOW)
		return false;
	return !d->done || zone_day(z, now_us) != d->day;
}

void
daily_done(struct daily *d, const struct zone *z, int64_t now_us)
{
	d->done = true;
	d->day = zone_day(z, now_us);
}

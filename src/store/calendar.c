#include "store/calendar.h"

#include "base/mem.h"

#define BACK   100      /* days */
#define DAYS   900
#define DAY_US (86400 * US_PER_S)

struct calendar {
	struct zone *zone;          /* owned */
	int32_t first;
	int64_t start[DAYS + 1];
};

struct calendar *
calendar_new(struct zone *z, int64_t now_us)
{
	struct calendar *c;

	if (z == NULL)
		return NULL;
	c = xcalloc(1, sizeof(*c));
	c->zone = z;
	c->first = zone_day(z, now_us) - BACK;
	for (int32_t i = 0; i <= DAYS; i++)
		c->start[i] = zone_day_start(z, c->first + i);
	return c;
}

void
calendar_free(struct calendar *c)
{
	if (c == NULL)
		return;
	zone_free(c->zone);
	xfree(c);
}

const struct zone *
calendar_zone(const struct calendar *c)
{
	return c == NULL ? NULL : c->zone;
}

int32_t
calendar_day(const struct calendar *c, int64_t us)
{
	int32_t i;

	if (c == NULL || us < c->start[0] || us >= c->start[DAYS])
		return zone_day(calendar_zone(c), us);
	i = (int32_t)((us - c->start[0]) / DAY_US);
	while (i < DAYS - 1 && c->start[i + 1] <= us)
		i++;
	while (i > 0 && c->start[i] > us)
		i--;
	return c->first + i;
}

int64_t
calendar_start(const struct calendar *c, int32_t day)
{
	if (c == NULL)
		return day * DAY_US;
	if (day < c->first || day > c->first + DAYS)
		return zone_day_start(c->zone, day);
	return c->start[day - c->first];
}

/* A time zone file that is accepted answers every question consistently: what
 * is shown leads back to the moment, and days follow each other without holes
 * or overlaps. */
#include <stdint.h>
#include <stdlib.h>

#include "base/zone.h"

#define HOUR_US (3600 * US_PER_S)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool ok)
{
	if (!ok)
		abort();
}

static void
moment(const struct zone *z, int64_t us)
{
	struct local l = zone_local(z, us);
	int64_t shown = us + l.offset_s * US_PER_S;
	int32_t day = zone_day(z, us);

	require(l.second >= 0 && l.second < 86400 && l.weekday < 7);
	require(l.offset_s == zone_offset(z, us));
	require(time_days(l.date) * 86400 + l.second == shown / US_PER_S -
	    (shown % US_PER_S < 0));
	/* Shown once, or twice and this is one of them, or between them. */
	require(zone_utc(z, shown, ZONE_EARLIER) <= us);
	require(zone_utc(z, shown, ZONE_LATER) >= us);
	require(zone_day_start(z, day) <= us);
	require(zone_day_start(z, day + 1) > us);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct zone *z CLEANUP(zone_freep) = NULL;
	uint64_t at = 0;

	if (zone_parse((struct str){(const char *)data, size}, &z, NULL) !=
	    ERR_OK)
		return 0;
	for (size_t i = 0; i < size && i < 64; i++)
		at = at * 31 + data[size - 1 - i];
	for (int i = 0; i < 40; i++) {
		int64_t us = (int64_t)(at % UINT64_C(6000000000)) * US_PER_S -
		    INT64_C(2000000000) * US_PER_S;

		moment(z, us);
		moment(z, zone_day_start(z, zone_day(z, us)));
		at = at * UINT64_C(6364136223846793005) + 1442695040888963407u;
	}
	return 0;
}

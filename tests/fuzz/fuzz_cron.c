/* What is taken as cron has moments that come one after the other, each on a
 * whole minute, a day and an hour that the text names; what it names as moment
 * by moment is found again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cron.h"
#include "base/time.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool ok)
{
	if (!ok)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str s = {(const char *)data, size};
	struct errinfo ei = {0};
	int64_t at = INT64_C(1770000000) * US_PER_S, next;
	struct cron c;

	if (cron_parse(s, &c, &ei) != ERR_OK) {
		require(ei.text[0] != '\0');
		return 0;
	}
	require(c.minutes != 0 && c.minutes >> 60 == 0);
	require(c.hours != 0 && c.hours >> 24 == 0);
	require(c.days != 0 && (c.days & 1) == 0);
	require(c.months != 0 && c.months >> 13 == 0);
	require(c.weekdays != 0 && c.weekdays >> 7 == 0);
	for (unsigned i = 0; i < 8; i++) {
		struct local l;

		next = cron_next(&c, NULL, at);
		if (next == CRON_NEVER)
			return 0;
		require(next > at && next % (60 * US_PER_S) == 0);
		/* None is left out: from just before it is the next, too. */
		require(cron_next(&c, NULL, next - 1) == next);
		l = zone_local(NULL, next);
		require((c.minutes >> l.second / 60 % 60 & 1) != 0);
		require((c.hours >> l.second / 3600 & 1) != 0);
		require((c.months >> l.date.month & 1) != 0);
		require((c.days >> l.date.day & 1) != 0 ||
		    (c.weekdays >> l.weekday & 1) != 0);
		at = next;
	}
	return 0;
}

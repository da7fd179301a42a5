/* zone.h: time zones from the system's TZif files (RFC 8536, versions 1 to 4),
 * their footer's rule for the years after the table included. Immutable once
 * made, so any thread may ask. Everywhere NULL is UTC, and needs no file. */
#ifndef BASE_ZONE_H
#define BASE_ZONE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"

#define ZONE_DIR       "/usr/share/zoneinfo"
#define ZONE_NAME_MAX  64          /* "America/Argentina/Buenos_Aires" */
#define ZONE_BYTES_MAX (256u << 10)
#define ZONE_TIMES_MAX 4096u       /* changes in one file */
#define ZONE_ABBR      12

struct zone;

/* "Europe/Berlin" from ZONE_DIR. "UTC" gives NULL and ERR_OK. ERR_INVALID:
 * the name cannot be one; ERR_NOT_FOUND; ERR_PARSE. Caller zone_frees. */
enum err zone_load(const char *name, struct zone **ret, struct errinfo *ei) MUST_USE;
/* The bytes of a TZif file. ERR_PARSE; a file with leap seconds ("right/…")
 * is refused, because our time has none. */
enum err zone_parse(struct str bytes, struct zone **ret, struct errinfo *ei) MUST_USE;
void zone_free(struct zone *z);
void zone_freep(struct zone **z);

/* What a clock on the wall shows there. */
struct local {
	struct date date;
	int32_t second;           /* of the day as shown, 0 … 86399 */
	unsigned weekday;         /* 0 Monday … 6 Sunday */
	int32_t offset_s;         /* east of UTC */
	bool dst;
	char abbr[ZONE_ABBR];     /* "CET" */
};
struct local zone_local(const struct zone *z, int64_t unix_us);
int32_t zone_offset(const struct zone *z, int64_t unix_us);

/* The moment when a clock there shows the date and time that local_us shows
 * in UTC. A time that is shown twice (fold) is the earlier or the later one as
 * asked; one that is skipped (gap) counts on from before the gap, so 02:30 of
 * a night without it is 03:30. */
enum zone_fold { ZONE_EARLIER, ZONE_LATER };
int64_t zone_utc(const struct zone *z, int64_t local_us, enum zone_fold which);

/* Local days as runs of time without holes or overlaps: day D (from
 * 1970-01-01) is [zone_day_start(D), zone_day_start(D + 1)): 23, 24 or 25
 * hours, now and then something else; nothing at all when the date was
 * skipped. A day begins at the first moment that shows its date or a later
 * one, which need not be midnight. */
int32_t zone_day(const struct zone *z, int64_t unix_us);
int64_t zone_day_start(const struct zone *z, int32_t day);
/* "2026-11-21" of a day; dst ≥ TIME_TEXT. */
const char *zone_day_text(int32_t day, char *dst);

#endif

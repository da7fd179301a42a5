/* What parses prints, and what is printed parses to the same value. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool ok)
{
	if (!ok)
		abort();
}

static void
bounded(const char *s)
{
	require(strlen(s) < TIME_TEXT);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str s = {(const char *)data, size};
	char text[TIME_TEXT];
	int64_t v, back;

	if (time_parse_duration(s, &v)) {
		require(v >= 0);
		require(time_parse_duration(
		    str_of(time_format_duration(v, text)), &back));
		require(back == v);
		bounded(time_format_human(v, text));
	}
	/* Dates before the year 0 and after 9999 print, but have no form
	 * that RFC 3339 could read. */
	if (time_parse_utc(s, &v)) {
		const char *t = time_format_utc(v, text);

		bounded(t);
		if (time_parse_utc(str_of(t), &back))
			require(back == v);
		else
			require(v < INT64_C(-62167219200000000) ||
			    v >= INT64_C(253402300800000000));
		bounded(time_format_http(v, text));
	}
	/* Any number at all prints within its bounds. */
	if (size >= sizeof(v)) {
		memcpy(&v, data, sizeof(v));
		bounded(time_format_duration(v, text));
		bounded(time_format_human(v, text));
		bounded(time_format_utc(v, text));
		bounded(time_format_http(v, text));
	}
	return 0;
}

/* A roll-up that is accepted is one that we could have written: it reads back
 * as itself, and its quantiles lie between its least and its greatest. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "store/crc32c.h"
#include "store/rollup.h"

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
	static struct rollup r, back;
	static unsigned char bytes[ROLLUP_BYTES], sealed[4096];
	struct str s;
	uint32_t crc;

	/* With its checksum made right, or nothing would get further. */
	if (size > sizeof(sealed) - 4)
		return 0;
	memcpy(sealed, data, size);
	crc = crc32c(sealed, size);
	for (unsigned i = 0; i < 4; i++)
		sealed[size + i] = (unsigned char)(crc >> (8 * i));
	if (!rollup_get((struct str){(char *)sealed, size + 4}, &r))
		return 0;
	s = rollup_put(&r, bytes);
	require(rollup_get(s, &back));
	require(back.lat.n == r.lat.n && back.sum_us == r.sum_us);
	require(memcmp(back.lat.count, r.lat.count, sizeof(r.lat.count)) == 0);
	if (r.lat.n == 0) {
		require(isnan(rollup_quantile(&r, .5)));
		return 0;
	}
	for (int q = 0; q <= 4; q++) {
		double v = rollup_quantile(&r, q / 4.0);

		require(v >= (double)r.min_us && v <= (double)r.max_us);
	}
	rollup_merge(&back, &r);
	require(back.lat.n == 2 * r.lat.n && back.max_us == r.max_us);
	return 0;
}

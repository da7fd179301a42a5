/* crc32c.c: table driven, eight bytes a step; the tables are made once. */
#include "store/crc32c.h"

#include <pthread.h>
#include <string.h>

static uint32_t table[8][256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
make_tables(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;

		for (int k = 0; k < 8; k++)
			c = (c & 1) != 0 ? (c >> 1) ^ UINT32_C(0x82f63b78) :
			    c >> 1;
		table[0][i] = c;
	}
	for (uint32_t i = 0; i < 256; i++)
		for (int t = 1; t < 8; t++)
			table[t][i] = (table[t - 1][i] >> 8) ^
			    table[0][table[t - 1][i] & 0xff];
}

uint32_t
crc32c(const void *data, size_t n)
{
	const unsigned char *p = data;
	uint32_t c = ~UINT32_C(0);

	pthread_once(&once, make_tables);
	for (; n >= 8; n -= 8, p += 8) {
		uint64_t w;

		memcpy(&w, p, 8);
		w ^= c;
		c = 0;
		for (int t = 0; t < 8; t++)
			c ^= table[7 - t][(w >> (8 * t)) & 0xff];
	}
	for (; n > 0; n--, p++)
		c = (c >> 8) ^ table[0][(c ^ *p) & 0xff];
	return ~c;
}

/* cli_near.c: see the header. */
#include "cli/cli_near.h"

#include <string.h>
#include <strings.h>

#include "base/attr.h"

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* Optimal string alignment, three rows at a time. */
unsigned
cli_near_distance(const char *a, const char *b)
{
	unsigned row[3][CLI_NEAR_MAX + 1];
	size_t na = strnlen(a, CLI_NEAR_MAX), nb = strnlen(b, CLI_NEAR_MAX);
	unsigned *older = row[0], *old = row[1], *new_ = row[2];

	for (size_t j = 0; j <= nb; j++) {
		older[j] = 0;
		old[j] = (unsigned)j;
	}
	for (size_t i = 1; i <= na; i++) {
		unsigned *spare = older;

		new_[0] = (unsigned)i;
		for (size_t j = 1; j <= nb; j++) {
			unsigned cost = lower(a[i - 1]) != lower(b[j - 1]);
			unsigned d = MIN(old[j], new_[j - 1]) + 1;

			d = MIN(d, old[j - 1] + cost);
			if (i > 1 && j > 1 &&
			    lower(a[i - 1]) == lower(b[j - 2]) &&
			    lower(a[i - 2]) == lower(b[j - 1]))
				d = MIN(d, older[j - 2] + 1);
			new_[j] = d;
		}
		older = old;
		old = new_;
		new_ = spare;
	}
	return old[nb];
}

bool
cli_near_close(const char *want, const char *have)
{
	size_t n = strnlen(want, CLI_NEAR_MAX);

	if (n >= 3 && strcasestr(have, want) != NULL)
		return true;
	return cli_near_distance(want, have) <= (n < 4 ? 1 : n < 9 ? 2 : 3);
}

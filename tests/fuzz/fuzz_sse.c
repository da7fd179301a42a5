/* However a stream of events is cut, the same events come out of it, and
 * nothing grows beyond its bound. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/map.h"
#include "cli/cli_sse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	struct cli_sse sse;
	uint64_t hash, n;
};

static bool
on_event(struct cli_sse *s, const char *name, struct str data)
{
	struct seen *x = CONTAINER(s, struct seen, sse);

	if (data.n > SSE_DATA_MAX || strlen(s->id) >= SSE_ID_MAX)
		abort();
	for (size_t i = 0; i < data.n; i++)
		x->hash = map_hash_u64(x->hash ^ (unsigned char)data.p[i]);
	for (size_t i = 0; name[i] != '\0'; i++)
		x->hash = map_hash_u64(x->hash ^ (unsigned char)name[i]);
	x->n++;
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data;
	struct seen whole = {0}, cut = {0};
	size_t step = size > 0 ? data[0] % 7 + 1 : 1;

	cli_sse_init(&whole.sse, on_event);
	cli_sse_init(&cut.sse, on_event);
	if (!cli_sse_feed(&whole.sse, (struct str){p, size}))
		abort();
	for (size_t i = 0; i < size; i += step)
		if (!cli_sse_feed(&cut.sse,
		    (struct str){p + i, MIN(step, size - i)}))
			abort();
	if (whole.n != cut.n || whole.hash != cut.hash ||
	    strcmp(whole.sse.id, cut.sse.id) != 0)
		abort();
	cli_sse_free(&whole.sse);
	cli_sse_free(&cut.sse);
	return 0;
}

/* "row value": any text for any type of value either is refused in words, or
 * its canonical form reads back as the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "conf/opt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct all {
	int64_t duration;
	uint32_t count, choice, narrow, shards;
	uint64_t size;
	bool flag;
	char *text, *secret;
	struct strings list;
	struct ranges ranges;
	double ratio;
};

static const char *const words[] = {"red", "green", NULL};
static const struct opt rows[] = {
	DURATION("duration", all, duration, .dflt = "60s"),
	COUNTER("count", all, count, .max = 100),
	COUNTER("shards", all, shards, .flags = OPT_AUTO, .dflt = "auto",
	    .min = 1, .max = 64),
	SIZE("size", all, size, .dflt = "64KiB"),
	SIZE32("narrow", all, narrow, .flags = OPT_NARROW, .dflt = "1MiB"),
	FLAG("flag", all, flag, .dflt = "true"),
	STRING("text", all, text, .max = 100),
	SECRET("secret", all, secret, .max = 100),
	CHOICE("choice", all, choice, .choices = words, .dflt = "red"),
	STRINGS("list", all, list, .max = 8, .dflt = "a, b"),
	RANGES("ranges", all, ranges, .dflt = "200-299", .max = 65535),
	RATIO("ratio", all, ratio, .dflt = "50%"),
	OPT_END
};

static void
require(bool ok)
{
	if (!ok)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct opt *o = &rows[size > 0 ? data[0] % (COUNT(rows) - 1) : 0];
	struct all a = {0}, b = {0};
	struct opt_set sa = {rows, &a}, sb = {rows, &b};
	struct str text = {(const char *)data + (size > 0), size - (size > 0)};
	struct errinfo ei = {0};
	struct tree *t = NULL;
	json_t *v;

	/* the readers of files and of the environment let none of these by */
	if (!text_utf8_ok(text) || (text.n > 0 &&
	    memchr(text.p, 0, text.n) != NULL))
		return 0;
	opt_defaults(rows, &a);
	if (opt_set(o, &a, text, &ei) != ERR_OK) {
		require(ei.text[0] != '\0');
		require(strcmp(ei.field, o->name) == 0);
	} else {
		v = opt_write(&sa, 1, OPT_SECRETS_PLAIN);
		require(tree_from_json_value(v, &t, &ei) == ERR_OK);
		require(opt_read(tree_root(t), &sb, 1, NULL, &ei) == ERR_OK);
		require(opt_equal(rows, &a, &b, 0));
		tree_free(t);
		json_decref(v);
	}
	opt_free(rows, &a);
	opt_free(rows, &b);
	return 0;
}

/* zone.c: a zone is a list of moments at which its offset changes, and a rule
 * for what comes after the last of them. Every question is answered from the
 * run of equal offset around a moment (around), so that folds and gaps need no
 * cases of their own. */
#include "base/zone.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/zone_rule.h"

#define HEAD      44
#define TYPES_MAX 256u
#define CHARS_MAX 4096u
#define OFFSET_MAX (26 * 3600)   /* RFC 8536 §3.2 says nothing is beyond */
#define DAY_S     INT64_C(86400)

struct zone {
	size_t ntimes, ntypes;
	int64_t *time_s;          /* ascending */
	uint8_t *type;            /* from that time on */
	struct zone_type *types;  /* the first is in force before all times */
	struct zone_rule rule;
	bool has_rule;
};

/* [from, to) with one offset. */
struct run {
	int64_t from_s, to_s;
	const struct zone_type *type;
};

static const struct zone_type utc = {.abbr = "UTC"};

void
zone_free(struct zone *z)
{
	if (z == NULL)
		return;
	xfree(z->time_s);
	xfree(z->type);
	xfree(z->types);
	xfree(z);
}

void
zone_freep(struct zone **z)
{
	zone_free(*z);
}

/* -- reading ------------------------------------------------------------ */
struct in {
	const unsigned char *p;
	size_t n;
};

static const unsigned char *
take(struct in *in, size_t n)
{
	const unsigned char *p = in->p;

	if (n > in->n)
		return NULL;
	in->p += n;
	in->n -= n;
	return p;
}

static int64_t
big_endian(const unsigned char *p, unsigned bytes)
{
	uint64_t v = bytes < 8 && (p[0] & 0x80) != 0 ? UINT64_MAX : 0;

	for (unsigned i = 0; i < bytes; i++)
		v = v << 8 | p[i];
	return (int64_t)v;
}

struct head {
	unsigned char version;
	uint32_t isut, isstd, leaps, times, types, chars;
};

static bool
head(struct in *in, struct head *ret)
{
	const unsigned char *p = take(in, HEAD);
	uint32_t *v[] = {&ret->isut, &ret->isstd, &ret->leaps, &ret->times,
	    &ret->types, &ret->chars};

	if (p == NULL || memcmp(p, "TZif", 4) != 0)
		return false;
	ret->version = p[4];
	for (size_t i = 0; i < COUNT(v); i++) {
		const unsigned char *q = p + 20 + 4 * i;

		*v[i] = (uint32_t)q[0] << 24 | (uint32_t)q[1] << 16 |
		    (uint32_t)q[2] << 8 | q[3];
	}
	return ret->times <= ZONE_TIMES_MAX && ret->types >= 1 &&
	    ret->types <= TYPES_MAX && ret->chars >= 1 &&
	    ret->chars <= CHARS_MAX && ret->leaps <= CHARS_MAX &&
	    ret->isut <= TYPES_MAX && ret->isstd <= TYPES_MAX;
}

static size_t
block_bytes(const struct head *h, unsigned width)
{
	return (size_t)h->times * (width + 1) + h->types * 6 + h->chars +
	    h->leaps * (width + 4) + h->isstd + h->isut;
}

static bool
read_types(struct zone *z, const unsigned char *p, const struct head *h)
{
	const char *words = (const char *)p + h->types * 6;

	z->ntypes = h->types;
	z->types = xcalloc(h->types, sizeof(*z->types));
	for (uint32_t i = 0; i < h->types; i++, p += 6) {
		struct zone_type *t = &z->types[i];

		t->offset_s = (int32_t)big_endian(p, 4);
		t->dst = p[4] != 0;
		if (t->offset_s > OFFSET_MAX || t->offset_s < -OFFSET_MAX ||
		    p[5] >= h->chars)
			return false;
		for (size_t k = 0; k + 1 < sizeof(t->abbr) &&
		    p[5] + k < h->chars && words[p[5] + k] != '\0'; k++)
			t->abbr[k] = words[p[5] + k];
	}
	return true;
}

static bool
read_block(struct zone *z, struct in *in, const struct head *h, unsigned width)
{
	const unsigned char *p = take(in, block_bytes(h, width));

	if (p == NULL)
		return false;
	z->ntimes = h->times;
	z->time_s = xcalloc(h->times + 1, sizeof(*z->time_s));
	z->type = xcalloc(h->times + 1, 1);
	for (uint32_t i = 0; i < h->times; i++, p += width) {
		z->time_s[i] = big_endian(p, width);
		if (i > 0 && z->time_s[i] <= z->time_s[i - 1])
			return false;
	}
	memcpy(z->type, p, h->times);
	for (uint32_t i = 0; i < h->times; i++)
		if (z->type[i] >= h->types)
			return false;
	return read_types(z, p + h->times, h);
}

static bool
read_footer(struct zone *z, struct in *in)
{
	struct str s = {(const char *)in->p, in->n};
	const char *end;

	if (s.n < 2 || s.p[0] != '\n' ||
	    (end = memchr(s.p + 1, '\n', s.n - 1)) == NULL)
		return false;
	s = (struct str){s.p + 1, (size_t)(end - s.p - 1)};
	if (s.n == 0)
		return true;   /* nothing is known of the time after */
	z->has_rule = zone_rule_parse(s, &z->rule);
	return z->has_rule;
}

enum err
zone_parse(struct str bytes, struct zone **ret, struct errinfo *ei)
{
	struct in in = {(const unsigned char *)bytes.p, bytes.n};
	struct zone *z CLEANUP(zone_freep) = xcalloc(1, sizeof(*z));
	struct head h;
	unsigned width = 4;

	if (bytes.n > ZONE_BYTES_MAX)
		return fail(ei, ERR_LIMIT, "a time zone of more than %u bytes",
		    ZONE_BYTES_MAX);
	if (!head(&in, &h))
		return fail(ei, ERR_PARSE, "not a time zone file (TZif)");
	if (h.version >= '2') {   /* the first block is for old readers */
		width = 8;
		if (take(&in, block_bytes(&h, 4)) == NULL || !head(&in, &h))
			return fail(ei, ERR_PARSE, "the time zone file is cut"
			    " off");
	}
	if (h.leaps != 0)
		return fail(ei, ERR_PARSE, "the time zone counts leap"
		    " seconds; take the one without \"right/\"");
	if (!read_block(z, &in, &h, width) ||
	    (width == 8 && !read_footer(z, &in)))
		return fail(ei, ERR_PARSE, "the time zone file is damaged");
	*ret = TAKE(z);
	return ERR_OK;
}

static bool
name_ok(const char *name)
{
	size_t n = strlen(name);

	if (n == 0 || n > ZONE_NAME_MAX || name[0] == '/' ||
	    strstr(name, "..") != NULL)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)name[i]) &&
		    strchr("_+-/", name[i]) == NULL)
			return false;
	return true;
}

static void
file_close(FILE **f)
{
	if (*f != NULL)
		fclose(*f);
}

enum err
zone_load(const char *name, struct zone **ret, struct errinfo *ei)
{
	char path[sizeof(ZONE_DIR) + ZONE_NAME_MAX + 2];
	FILE *f CLEANUP(file_close) = NULL;
	char *bytes CLEANUP(xfreep) = NULL;
	size_t n;

	if (strcmp(name, "UTC") == 0) {
		*ret = NULL;
		return ERR_OK;
	}
	if (!name_ok(name))
		return fail(ei, ERR_INVALID, "not the name of a time zone; "
		    "allowed: UTC, or a name such as Europe/Berlin");
	snprintf(path, sizeof(path), "%s/%s", ZONE_DIR, name);
	f = fopen(path, "re");
	bytes = xcalloc(ZONE_BYTES_MAX + 1, 1);
	n = f == NULL ? 0 : fread(bytes, 1, ZONE_BYTES_MAX + 1, f);
	if (n == 0)   /* a folder opens, but does not read */
		return fail(ei, ERR_NOT_FOUND, "there is no time zone %s in "
		    ZONE_DIR "; allowed: UTC, or a name such as Europe/Berlin",
		    name);
	return zone_parse((struct str){bytes, n}, ret, ei);
}

/* -- runs ---------------------------------------------------------------- */

/* How many changes lie at or before a time. */
static size_t
changes_up_to(const struct zone *z, int64_t s)
{
	size_t lo = 0, hi = z->ntimes;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (z->time_s[mid] <= s)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static int64_t
floor_days(int64_t s)
{
	return s / DAY_S - (s % DAY_S < 0);
}

/* By the rule: the changes of the years around, in their order. */
static struct run
ruled(const struct zone *z, int64_t s)
{
	const struct zone_rule *r = &z->rule;
	struct run run = {INT64_MIN, INT64_MAX, &r->std};
	int64_t year = time_date(floor_days(s)).year;

	if (!r->has_dst)
		return run;
	for (int64_t y = year - 1; y <= year + 1; y++) {
		const int64_t at[2] = {
		    zone_rule_local(&r->start, y) - r->std.offset_s,
		    zone_rule_local(&r->end, y) - r->dst.offset_s};

		for (int k = 0; k < 2; k++) {
			/* Of two at once (always summer) the start wins. */
			if (at[k] <= s && (at[k] > run.from_s ||
			    (at[k] == run.from_s && k == 0))) {
				run.from_s = at[k];
				run.type = k == 0 ? &r->dst : &r->std;
			} else if (at[k] > s) {
				run.to_s = MIN(run.to_s, at[k]);
			}
		}
	}
	return run;
}

static struct run
around(const struct zone *z, int64_t s)
{
	struct run run = {INT64_MIN, INT64_MAX, &utc};
	size_t n;

	if (z == NULL)
		return run;
	n = changes_up_to(z, s);
	if (n == z->ntimes && z->has_rule) {
		run = ruled(z, s);
		if (n > 0)
			run.from_s = MAX(run.from_s, z->time_s[n - 1]);
		return run;
	}
	run.type = n == 0 ? &z->types[0] : &z->types[z->type[n - 1]];
	if (n > 0)
		run.from_s = z->time_s[n - 1];
	if (n < z->ntimes)
		run.to_s = z->time_s[n];
	return run;
}

static int64_t
seconds(int64_t us, int64_t *rest)
{
	int64_t s = us / US_PER_S - (us % US_PER_S < 0);

	*rest = us - s * US_PER_S;
	return s;
}

/* -- questions ------------------------------------------------------------ */
int32_t
zone_offset(const struct zone *z, int64_t unix_us)
{
	int64_t rest;

	return around(z, seconds(unix_us, &rest)).type->offset_s;
}

struct local
zone_local(const struct zone *z, int64_t unix_us)
{
	int64_t rest, s = seconds(unix_us, &rest);
	const struct zone_type *t = around(z, s).type;
	int64_t shown = s + t->offset_s, day = floor_days(shown);
	struct local l = {.date = time_date(day),
	    .second = (int32_t)(shown - day * DAY_S),
	    .weekday = (unsigned)(((day + 3) % 7 + 7) % 7),
	    .offset_s = t->offset_s, .dst = t->dst};

	memcpy(l.abbr, t->abbr, sizeof(l.abbr));
	return l;
}

int64_t
zone_utc(const struct zone *z, int64_t local_us, enum zone_fold which)
{
	int64_t rest, shown = seconds(local_us, &rest);
	int64_t s = shown - OFFSET_MAX, found = 0, before = 0;
	bool any = false;
	struct run r;

	do {
		int64_t t;

		r = around(z, s);
		t = shown - r.type->offset_s;
		if (t >= r.from_s && t < r.to_s) {
			found = t;
			any = true;
			if (which == ZONE_EARLIER)
				break;
		} else if (t >= r.to_s) {
			before = t;   /* it would be, had nothing changed */
		}
		s = r.to_s;
	} while (r.to_s <= shown + OFFSET_MAX);
	return (any ? found : before) * US_PER_S + rest;
}

int64_t
zone_day_start(const struct zone *z, int32_t day)
{
	int64_t shown = day * DAY_S, s = shown - OFFSET_MAX;

	for (;;) {
		struct run r = around(z, s);
		int64_t t = MAX(shown - r.type->offset_s, r.from_s);

		if (t < r.to_s || r.to_s > shown + OFFSET_MAX)
			return t * US_PER_S;
		s = r.to_s;
	}
}

int32_t
zone_day(const struct zone *z, int64_t unix_us)
{
	int64_t rest, s = seconds(unix_us, &rest);
	int32_t day;

	if (z == NULL)
		return (int32_t)floor_days(s);
	day = (int32_t)floor_days(s + around(z, s).type->offset_s);
	/* Set back over midnight, the old date is shown once more. */
	while (zone_day_start(z, day + 1) <= unix_us)
		day++;
	return day;
}

const char *
zone_day_text(int32_t day, char *dst)
{
	struct date d = time_date(day);

	snprintf(dst, TIME_TEXT, "%04lld-%02u-%02u", (long long)d.year,
	    d.month, d.day);
	return dst;
}

/* prom.c: see prom.h. */
#include "base/prom.h"

#include <math.h>
#include <stdatomic.h>

#include "base/text.h"
#include "base/time.h"

void
prom_family(struct buf *b, const char *name, const char *type,
    const char *help)
{
	buf_addf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void
prom_head(struct buf *b, const char *name, const struct prom_label *l,
    size_t nlabels)
{
	buf_adds(b, name);
	for (size_t i = 0; i < nlabels; i++) {
		buf_addc(b, i == 0 ? '{' : ',');
		buf_adds(b, l[i].name);
		buf_add(b, STR("=\""));
		text_label(b, l[i].value);
		buf_addc(b, '"');
	}
	if (nlabels > 0)
		buf_addc(b, '}');
	buf_addc(b, ' ');
}

void
prom_u64(struct buf *b, const char *name, const struct prom_label *l,
    size_t nlabels, uint64_t v)
{
	prom_head(b, name, l, nlabels);
	if (v <= INT64_MAX)
		buf_addi(b, (int64_t)v);
	else
		buf_addf(b, "%llu", (unsigned long long)v);
	buf_addc(b, '\n');
}

static void
prom_number(struct buf *b, double v)
{
	if (isnan(v))
		buf_add(b, STR("NaN"));
	else if (isinf(v))
		buf_adds(b, v > 0 ? "+Inf" : "-Inf");
	else if (v == floor(v) && fabs(v) < 9e15)
		buf_addi(b, (int64_t)v);   /* exact: 1.79e9 would lose seconds */
	else
		buf_addf(b, "%.9g", v);
}

void
prom_f64(struct buf *b, const char *name, const struct prom_label *l,
    size_t nlabels, double v)
{
	prom_head(b, name, l, nlabels);
	prom_number(b, v);
	buf_addc(b, '\n');
}

void
prom_gauge(struct buf *b, const char *name, const char *help, double v)
{
	prom_family(b, name, "gauge", help);
	prom_f64(b, name, NULL, 0, v);
}

void
prom_counter(struct buf *b, const char *name, const char *help, uint64_t v)
{
	prom_family(b, name, "counter", help);
	prom_u64(b, name, NULL, 0, v);
}

void
prom_hist(struct buf *b, const char *name, const char *help,
    const struct hist *h)
{
	uint64_t total = 0;

	prom_family(b, name, "histogram", help);
	for (size_t i = 0; i < HIST_BUCKETS; i++) {
		total += atomic_load_explicit(&h->n[i], memory_order_relaxed);
		if (i + 1 < HIST_BUCKETS)
			buf_addf(b, "%s_bucket{le=\"%g\"} ", name,
			    (double)hist_bounds_ns[i] / (double)NS_PER_S);
		else
			buf_addf(b, "%s_bucket{le=\"+Inf\"} ", name);
		buf_addi(b, (int64_t)total);
		buf_addc(b, '\n');
	}
	buf_addf(b, "%s_sum %.9g\n", name,
	    (double)atomic_load_explicit(&h->sum_ns, memory_order_relaxed)
	    / (double)NS_PER_S);
	buf_addf(b, "%s_count %llu\n", name, (unsigned long long)total);
}

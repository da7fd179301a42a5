/* prom.c: see prom.h. */
#include "base/prom.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/text.h"
#include "base/time.h"

void
prom_family(struct buf *b, const char *name, const char *type,
    const char *help)
{
	buf_addf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* NAME_bucket{…,le="…"}: the labels and one more. */
static void
prom_part(struct buf *b, const char *name, const char *part,
    const struct prom_label *l, size_t nlabels, const char *le)
{
	buf_adds(b, name);
	buf_adds(b, part);
	for (size_t i = 0; i < nlabels; i++) {
		buf_addc(b, i == 0 ? '{' : ',');
		buf_adds(b, l[i].name);
		buf_add(b, STR("=\""));
		text_label(b, l[i].value);
		buf_addc(b, '"');
	}
	if (le != NULL)
		buf_addf(b, "%sle=\"%s\"", nlabels == 0 ? "{" : ",", le);
	if (nlabels > 0 || le != NULL)
		buf_addc(b, '}');
	buf_addc(b, ' ');
}

void
prom_u64(struct buf *b, const char *name, const struct prom_label *l,
    size_t nlabels, uint64_t v)
{
	prom_part(b, name, "", l, nlabels, NULL);
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
	prom_part(b, name, "", l, nlabels, NULL);
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
prom_hist_row(struct buf *b, const char *name, const struct prom_label *l,
    size_t nlabels, const struct hist *h)
{
	uint64_t total = 0;
	char le[24];

	for (size_t i = 0; i < HIST_BUCKETS; i++) {
		total += atomic_load_explicit(&h->n[i], memory_order_relaxed);
		if (i + 1 < HIST_BUCKETS)
			snprintf(le, sizeof(le), "%g",
			    (double)hist_bounds_ns[i] / (double)NS_PER_S);
		else
			snprintf(le, sizeof(le), "+Inf");
		prom_part(b, name, "_bucket", l, nlabels, le);
		buf_addi(b, (int64_t)total);
		buf_addc(b, '\n');
	}
	prom_part(b, name, "_sum", l, nlabels, NULL);
	buf_addf(b, "%.9g\n", (double)atomic_load_explicit(&h->sum_ns,
	    memory_order_relaxed) / (double)NS_PER_S);
	prom_part(b, name, "_count", l, nlabels, NULL);
	buf_addf(b, "%llu\n", (unsigned long long)total);
}

void
prom_hist(struct buf *b, const char *name, const char *help,
    const struct hist *h)
{
	prom_family(b, name, "histogram", help);
	prom_hist_row(b, name, NULL, 0, h);
}

/* prom.h: the Prometheus text exposition, 0.0.4: a family's HELP and TYPE
 * once, then its samples together. Label values go through text_label. */
#ifndef BASE_PROM_H
#define BASE_PROM_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/hist.h"

struct prom_label {
	const char *name;
	struct str value;
};
#define PROM_LABEL(n, v) ((struct prom_label){(n), (v)})

/* type is "counter", "gauge" or "histogram"; help is one sentence of ours. */
void prom_family(struct buf *b, const char *name, const char *type,
    const char *help);
void prom_u64(struct buf *b, const char *name, const struct prom_label *l,
    size_t nlabels, uint64_t v);
/* NaN and infinities are written as Prometheus wants them. */
void prom_f64(struct buf *b, const char *name, const struct prom_label *l,
    size_t nlabels, double v);
/* A family of one sample without labels. */
void prom_gauge(struct buf *b, const char *name, const char *help, double v);
void prom_counter(struct buf *b, const char *name, const char *help,
    uint64_t v);
/* One histogram of a family, in seconds, cumulative, with _sum and _count. */
void prom_hist_row(struct buf *b, const char *name,
    const struct prom_label *l, size_t nlabels, const struct hist *h);
/* A family of one histogram without labels. */
void prom_hist(struct buf *b, const char *name, const char *help,
    const struct hist *h);

#endif

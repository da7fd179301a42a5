/* serve_metrics.c: the scheduler's families of /metrics, summed over shards.
 * Reads relaxed atomics, so any thread may call it. */
#include "serve_core.h"

#include <stdatomic.h>

#include "base/hist.h"
#include "base/prom.h"
#include "check/check.h"

#define SUM(co, field) \
	({ \
		uint64_t sum_ = 0; \
		for (unsigned i_ = 0; i_ < (co)->nshards; i_++) \
			sum_ += atomic_load_explicit( \
			    &shard_stats((co)->shards[i_])->field, \
			    memory_order_relaxed); \
		sum_; \
	})

static void
checks_total(const struct core *co, struct buf *out)
{
	static const char *const results[] = {"ok", "fail", "void"};
	static const char name[] = "vedette_checks_total";

	prom_family(out, name, "counter",
	    "Checks that ended, by type and result.");
	for (size_t k = 0; check_kinds[k] != NULL; k++)
		for (size_t r = 0; r < COUNT(results); r++) {
			const struct prom_label l[] = {
				PROM_LABEL("type",
				    str_of(check_kinds[k]->conf.name)),
				PROM_LABEL("result", str_of(results[r])),
			};

			prom_u64(out, name, l, COUNT(l), SUM(co, checks[k][r]));
		}
}

static void
voided_total(const struct core *co, struct buf *out)
{
	static const char name[] = "vedette_voided_total";

	prom_family(out, name, "counter",
	    "Samples voided because the fault was ours, by why.");
	for (int w = 0; w < WHY_NMAX; w++) {
		const struct prom_label l =
		    PROM_LABEL("why", str_of(why_name((enum why)w)));

		if (why_known(w) && why_is_local((enum why)w))
			prom_u64(out, name, &l, 1, SUM(co, voided[w]));
	}
}

static void
lag(const struct core *co, struct buf *out)
{
	struct hist all = {0};

	for (unsigned i = 0; i < co->nshards; i++) {
		const struct hist *h = &shard_stats(co->shards[i])->lag;

		for (size_t b = 0; b < HIST_BUCKETS; b++)
			all.n[b] += atomic_load_explicit(&h->n[b],
			    memory_order_relaxed);
		all.sum_ns += atomic_load_explicit(&h->sum_ns,
		    memory_order_relaxed);
	}
	prom_hist(out, "vedette_sched_lag_seconds",
	    "How late checks start after they are due.", &all);
}

void
core_metrics(void *arg, struct buf *out)
{
	const struct core *co = arg;

	lag(co, out);
	checks_total(co, out);
	voided_total(co, out);
	prom_gauge(out, "vedette_checks_in_flight", "Checks running now.",
	    (double)SUM(co, in_flight));
	prom_gauge(out, "vedette_checks_waiting",
	    "Checks that wait for a free slot.", (double)SUM(co, waiting));
	prom_gauge(out, "vedette_shards", "Scheduler threads.",
	    (double)co->nshards);
	prom_counter(out, "vedette_checks_started_total", "Checks started.",
	    SUM(co, started));
	prom_counter(out, "vedette_late_answers_total",
	    "Answers that came after their check had ended.",
	    SUM(co, late_answers));
	prom_counter(out, "vedette_skipped_beats_total",
	    "Beats skipped because the check before still ran or we slept.",
	    SUM(co, skipped_beats));
	prom_counter(out, "vedette_stalls_total",
	    "Times a scheduler thread found that it had not been running.",
	    SUM(co, stalls));
	prom_counter(out, "vedette_checks_withheld_total",
	    "Starts withheld because the store's queue was full.",
	    SUM(co, paused_by_store));
	courier_metrics(co->courier, out);
}

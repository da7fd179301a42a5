/* view.h: the last durable word on every monitor, in memory: what the status
 * page, /metrics, lists and token look-ups read. Only the writer changes it,
 * after a commit; readers copy rows out under a read lock. It is the one
 * shared structure of the daemon, because an immutable copy of 100,000 rows
 * per commit would cost more than the checks. */
#ifndef STORE_VIEW_H
#define STORE_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/conf.h"
#include "conf/monitor.h"
#include "model/sample.h"
#include "store/writer.h"

struct view;
struct zone;
struct windows;

#define VIEW_SPARK 30   /* latest latencies kept for a sparkline */
#define VIEW_DAYS  90

/* Time of one local day, from transitions. Known is up + down; what was
 * maintenance is in none of the others. */
struct day_time { int64_t up_us, down_us, maintenance_us, other_us; };

struct view_row {
	struct monitor_conf *conf;     /* a reference: view_row_release */
	uint32_t members;              /* of a group, not archived */
	uint8_t status, why;
	int64_t since_us, last_us, last_ok_us, beat_us, deadline_us;
	int64_t latency_us;            /* of the last sample; -1 none */
	int32_t phase_us[PHASE_NMAX];
	uint16_t code;
	uint64_t seq;
	int64_t cert_expiry_s;
	struct peer peer;
	uint64_t samples_total, samples_ok;   /* since this start */
	char reason[REASON_MAX];
	uint8_t nspark;
	int32_t spark_us[VIEW_SPARK];  /* oldest first; -1: failed or void */
};
void view_row_release(struct view_row *r);

/* ERR_NOT_FOUND, or *ret is a copy. path is "Group/Name". Archived monitors
 * are found by id only. */
enum err view_get(struct view *v, uint32_t id, struct view_row *ret) MUST_USE;
enum err view_find(struct view *v, struct str path, struct view_row *ret) MUST_USE;
/* O(1): the monitor with this push token; 0 none. Constant-time compare. */
uint32_t view_token(struct view *v, struct str token, uint32_t *ret_shard_key);

struct view_filter {
	struct str status;    /* name; empty: all */
	struct str type, tag, group, search;
	bool archived;
	bool has_ids_after;   /* page on: only ids greater than after */
	uint32_t after;
};
/* Rows ordered by path or by id, copied; *ret_n of at most max. Caller
 * releases each and xfrees the array. */
enum view_order { VIEW_BY_ID, VIEW_BY_PATH };
enum err view_list(struct view *v, const struct view_filter *f,
    enum view_order order, size_t max, struct view_row **ret, size_t *ret_n) MUST_USE;
/* How many by status, archived not counted. Groups are left out. */
void view_counts(struct view *v, uint32_t n[STATUS_NMAX]);
/* The last VIEW_DAYS days in view_zone, oldest first, up to now. */
enum err view_days(struct view *v, uint32_t id, int64_t now_us,
    struct day_time ret[VIEW_DAYS]) MUST_USE;
/* The zone of the days (store_conf.time_zone); NULL: UTC. */
const struct zone *view_zone(const struct view *v);
/* Who is in maintenance (windows.h). */
struct windows *view_windows(const struct view *v);
/* When the store last committed anything (wall µs). */
int64_t view_updated_us(struct view *v);

/* API tokens, the same way. SCOPE_NONE: unknown, revoked or expired. */
enum scope view_scope(struct view *v, const unsigned char hash[32],
    int64_t now_us, char name[64]);
json_t *view_tokens(struct view *v) MUST_USE;   /* name, scope, created, expires */
/* Copies, with their secrets: for who sends. Caller channel_clears each and
 * xfrees the array. */
size_t view_channel_confs(struct view *v, struct channel_conf **ret);
json_t *view_channels(struct view *v, enum opt_secrets how) MUST_USE;
/* The stored configuration as a document for export: channels, monitors with
 * groups nested, order by path. Caller json_decrefs. */
json_t *view_export(struct view *v, enum opt_secrets how) MUST_USE;

#endif

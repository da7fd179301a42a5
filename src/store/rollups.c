#include "store/rollups.h"

#include "base/log.h"
#include "base/mem.h"
#include "world/world.h"

#define MARK_BLOCK   "compact_block"
#define MARK_MONITOR "compact_monitor"
#define SINCE        "rolled_since"

/* What there is already joins what comes. A row that cannot be read is begun
 * anew and says for ever that something is missing. */
static enum err
join(struct store *s, const struct val key[3], struct rollup *r,
    struct errinfo *ei)
{
	const struct backend_ops *ops = s->db->ops;
	struct rollup *old CLEANUP(xfreep) = xcalloc(1, sizeof(*old));
	enum err e = ops->query(s->db, STMT_ROLLUP_GET, key, 3, ei);

	if (e == ERR_OK)
		e = ops->next(s->db, STMT_ROLLUP_GET, ei);
	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	if (e != ERR_OK)
		return e;
	if (rollup_get(ops->column_str(s->db, STMT_ROLLUP_GET, 0), old)) {
		rollup_merge(r, old);
	} else {
		log_error("store", "a roll-up is damaged: it begins anew",
		    KV_I("monitor", key[2].i), KV_I("hour", key[1].i));
		batch_owe(s, EVENT_STORE, "a roll-up of samples is damaged");
		r->damaged = true;
	}
	ops->done(s->db, STMT_ROLLUP_GET);
	return ERR_OK;
}

static enum err
add_to(struct store *s, enum rollup_level level, uint32_t monitor,
    int64_t start, struct rollup *r, struct errinfo *ei)
{
	unsigned char bytes[ROLLUP_BYTES];
	const struct val key[3] = {V_INT(level), V_INT(start), V_INT(monitor)};
	enum err e = join(s, key, r, ei);

	if (e == ERR_OK)
		e = s->db->ops->run(s->db, STMT_ROLLUP_PUT, VALS(key[0],
		    key[1], key[2], V_BYTES(rollup_put(r, bytes))), NULL, ei);
	rollup_clear(r);
	return e;
}

/* Runs of samples of one hour, or of one day. */
static enum err
add_level(struct store *s, enum rollup_level level, const struct sample *v,
    size_t n, struct rollup *r, struct errinfo *ei)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		int64_t at = rollup_start(level, rollup_hour(v[i].at_us));

		rollup_add(r, &v[i]);
		if (i + 1 == n || at != rollup_start(level,
		    rollup_hour(v[i + 1].at_us)))
			e = add_to(s, level, v[i].monitor, at, r, ei);
	}
	return e;
}

enum err
rollups_add(struct store *s, const struct sample *v, size_t n,
    struct errinfo *ei)
{
	struct rollup *r CLEANUP(xfreep) = xcalloc(1, sizeof(*r));
	enum err e = ERR_OK;

	for (int level = 0; e == ERR_OK && level < ROLLUP_NLEVEL; level++)
		e = add_level(s, (enum rollup_level)level, v, n, r, ei);
	return e;
}

/* The rows are sorted by time, then monitor: every hour there is is visited.
 * Deletions are rare; what is read and pruned all day long lies together. */
enum err
rollups_doom(struct store *s, uint32_t monitor, int64_t until_ns,
    struct rollup_place *from, bool *ret_gone, struct errinfo *ei)
{
	const struct backend_ops *ops = s->db->ops;

	*ret_gone = false;
	while (from->level < ROLLUP_NLEVEL) {
		int64_t after = from->begun ? from->hour : INT64_MIN, hour = 0;
		enum err e = backend_int(s->db, STMT_ROLLUP_NEXT,
		    VALS(V_INT(from->level), V_INT(after)), INT64_MIN, &hour,
		    ei);

		if (e != ERR_OK)
			return e;
		if (hour == INT64_MIN) {
			*from = (struct rollup_place){.level = from->level + 1};
			continue;
		}
		e = ops->run(s->db, STMT_ROLLUP_DEL, VALS(V_INT(from->level),
		    V_INT(hour), V_INT(monitor)), NULL, ei);
		if (e != ERR_OK)
			return e;
		from->hour = hour;
		from->begun = true;
		if (clock_mono_ns() >= until_ns)
			return ERR_OK;
	}
	*ret_gone = true;
	return ERR_OK;
}

enum err
rollups_mark(struct store *s, uint64_t block, uint32_t monitor,
    struct errinfo *ei)
{
	enum err e = s->db->ops->run(s->db, STMT_META_PUT,
	    VALS(V_TEXT(MARK_BLOCK), V_INT(block)), NULL, ei);

	if (e == ERR_OK)
		e = s->db->ops->run(s->db, STMT_META_PUT,
		    VALS(V_TEXT(MARK_MONITOR), V_INT(monitor)), NULL, ei);
	return e;
}

enum err
rollups_marked(struct backend *db, uint64_t *ret_block, uint32_t *ret_monitor,
    struct errinfo *ei)
{
	int64_t block = 0, monitor = 0;
	enum err e = backend_int(db, STMT_META_GET, VALS(V_TEXT(MARK_BLOCK)),
	    0, &block, ei);

	if (e == ERR_OK)
		e = backend_int(db, STMT_META_GET, VALS(V_TEXT(MARK_MONITOR)),
		    0, &monitor, ei);
	if (e != ERR_OK)
		return e;
	*ret_block = (uint64_t)block;
	*ret_monitor = (uint32_t)monitor;
	return ERR_OK;
}

enum err
rollups_since(struct backend *db, int64_t *ret_us, struct errinfo *ei)
{
	return backend_int(db, STMT_META_GET, VALS(V_TEXT(SINCE)), 0, ret_us,
	    ei);
}

/* log.h: one line per decision, at the place that decides.
 *   log_warn("store", "commit failed", KV("class", "busy"), KV_I("tries", n));
 * text:    2026-11-21T10:00:00.123Z warn store: commit failed class=busy tries=3
 * json:    {"ts":…,"level":"warn","mod":"store","msg":…,"class":…}
 * journal: <4>store: commit failed class=busy tries=3
 * Control, bidi and escape characters in values are neutralised. A call site
 * that repeats is held to LOG_BURST lines per LOG_WINDOW_NS; the next line
 * after that says how many were left out. Any thread. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

#define LOG_BURST     20
#define LOG_WINDOW_NS INT64_C(10000000000)

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_NLEVELS };
enum log_format { LOG_TEXT, LOG_JSON, LOG_JOURNAL, LOG_NFORMATS };

extern const char *const log_level_names[];    /* NULL-terminated */
extern const char *const log_format_names[];

struct log_kv {
	const char *key;
	const char *s;   /* NULL: the number */
	int64_t i;
};
#define KV(k, v)    ((struct log_kv){.key = (k), .s = log_word(v)})
#define KV_I(k, v)  ((struct log_kv){.key = (k), .i = (v)})

static inline const char *
log_word(const char *s)
{
	return s == NULL ? "" : s;
}

struct log_site {   /* static at each call; the rate limit's memory */
	int64_t window_ns;
	uint32_t lines, held;
};

/* base knows no clock: both functions are handed in at start (wall clock in
 * microseconds, monotonic in nanoseconds). fd is where lines go. */
void log_setup(int fd, int64_t (*wall_us)(void), int64_t (*mono_ns)(void));
void log_set(enum log_level level, enum log_format format);   /* live */

void log_line(struct log_site *site, enum log_level level, const char *mod,
    const char *msg, const struct log_kv *kv, int nkv);

#define LOG_AT(level, mod, msg, ...) \
	do { \
		static struct log_site log_site_; \
		const struct log_kv log_kv_[] = {{0}, ##__VA_ARGS__}; \
		log_line(&log_site_, level, mod, msg, log_kv_ + 1, \
		    (int)COUNT(log_kv_) - 1); \
	} while (0)
#define log_debug(mod, msg, ...) LOG_AT(LOG_DEBUG, mod, msg, ##__VA_ARGS__)
#define log_info(mod, msg, ...)  LOG_AT(LOG_INFO, mod, msg, ##__VA_ARGS__)
#define log_warn(mod, msg, ...)  LOG_AT(LOG_WARN, mod, msg, ##__VA_ARGS__)
#define log_error(mod, msg, ...) LOG_AT(LOG_ERROR, mod, msg, ##__VA_ARGS__)

#endif

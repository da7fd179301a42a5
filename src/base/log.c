#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "base/time.h"

#define LINE_MAX_BYTES  16384
#define VALUE_MAX_BYTES 1024   /* of one value or message */

const char *const log_level_names[] = {
	[LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARN] = "warn",
	[LOG_ERROR] = "error", NULL,
};
_Static_assert(COUNT(log_level_names) == LOG_NLEVELS + 1, "a name per level");
const char *const log_format_names[] = {
	[LOG_TEXT] = "text", [LOG_JSON] = "json", [LOG_JOURNAL] = "journal",
	NULL,
};
_Static_assert(COUNT(log_format_names) == LOG_NFORMATS + 1,
    "a name per format");

/* What sd-daemon(3) calls these levels. */
static const char journal_digit[] = {'7', '6', '4', '3'};
_Static_assert(sizeof(journal_digit) == LOG_NLEVELS, "a digit per level");

/* Set before threads start, apart from level and format, which are live. */
static int out_fd = STDERR_FILENO;
static int64_t (*clock_us)(void);
static int64_t (*clock_ns)(void);
static atomic_int level_now = LOG_INFO, format_now = LOG_TEXT;

/* Guards every site's memory and keeps lines whole. */
static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;

void
log_setup(int fd, int64_t (*wall_us)(void), int64_t (*mono_ns)(void))
{
	out_fd = fd;
	clock_us = wall_us;
	clock_ns = mono_ns;
}

void
log_set(enum log_level level, enum log_format format)
{
	assert((unsigned)level < LOG_NLEVELS);
	assert((unsigned)format < LOG_NFORMATS);
	atomic_store_explicit(&level_now, (int)level, memory_order_relaxed);
	atomic_store_explicit(&format_now, (int)format, memory_order_relaxed);
}

/* May this site write now? *held is what it left out before. */
static bool
admit(struct log_site *site, uint32_t *held)
{
	int64_t now;

	*held = 0;
	if (clock_ns == NULL)
		return true;
	now = clock_ns();
	if (site->lines == 0 || now - site->window_ns >= LOG_WINDOW_NS) {
		site->window_ns = now;
		site->lines = 0;
		*held = site->held;
		site->held = 0;
	}
	if (site->lines == LOG_BURST) {
		site->held++;
		return false;
	}
	site->lines++;
	return true;
}

/* Bare when it can be read back as one word, else quoted. */
static void
add_word(struct buf *b, const char *s)
{
	BUF_AUTO(clean, VALUE_MAX_BYTES);
	struct str v;
	bool bare;

	text_line(&clean, str_of(s), VALUE_MAX_BYTES);
	v = buf_str(&clean);
	bare = v.n > 0;
	for (size_t i = 0; i < v.n; i++)
		bare = bare && v.p[i] != ' ' && v.p[i] != '"' &&
		    v.p[i] != '=' && v.p[i] != '\\';
	if (bare) {
		buf_add(b, v);
		return;
	}
	/* Only quote and backslash are left to escape. */
	buf_addc(b, '"');
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] == '"' || v.p[i] == '\\')
			buf_addc(b, '\\');
		buf_addc(b, v.p[i]);
	}
	buf_addc(b, '"');
}

static void
add_json(struct buf *b, const char *s)
{
	BUF_AUTO(cut, VALUE_MAX_BYTES);

	text_line(&cut, str_of(s), VALUE_MAX_BYTES);
	text_json(b, buf_str(&cut));
}

static void
add_kv(struct buf *b, const struct log_kv *kv, bool json)
{
	buf_adds(b, json ? ",\"" : " ");
	buf_adds(b, kv->key);
	buf_adds(b, json ? "\":" : "=");
	if (kv->s == NULL) {
		buf_addi(b, kv->i);
	} else if (json) {
		add_json(b, kv->s);
	} else {
		add_word(b, kv->s);
	}
}

/* RFC 3339 with always three digits, so that columns line up. */
static void
add_time(struct buf *b)
{
	int64_t us = clock_us == NULL ? 0 : clock_us();
	char at[TIME_TEXT];

	(void)time_format_utc(us - us % US_PER_S, at);
	buf_addf(b, "%.19s.%03dZ", at, (int)(us % US_PER_S / 1000));
}

struct line {
	enum log_level level;
	const char *mod, *msg;
	const struct log_kv *kv;
	int nkv;
	uint32_t held;
};

static void
format_line(struct buf *b, const struct line *l, enum log_format format)
{
	bool json = format == LOG_JSON;

	switch (format) {
	case LOG_TEXT:
		add_time(b);
		buf_addf(b, " %s %s: ", log_level_names[l->level], l->mod);
		text_line(b, str_of(l->msg), VALUE_MAX_BYTES);
		break;
	case LOG_JSON:
		buf_adds(b, "{\"ts\":\"");
		add_time(b);
		buf_addf(b, "\",\"level\":\"%s\",\"mod\":\"%s\",\"msg\":",
		    log_level_names[l->level], l->mod);
		add_json(b, l->msg);
		break;
	case LOG_JOURNAL:
		buf_addf(b, "<%c>%s: ", journal_digit[l->level], l->mod);
		text_line(b, str_of(l->msg), VALUE_MAX_BYTES);
		break;
	case LOG_NFORMATS:
		break;
	}
	for (int i = 0; i < l->nkv; i++)
		add_kv(b, &l->kv[i], json);
	if (l->held > 0)
		add_kv(b, &KV_I("left_out", l->held), json);
	buf_adds(b, json ? "}\n" : "\n");
}

static void
write_all(struct str s)
{
	while (s.n > 0) {
		ssize_t n = write(out_fd, s.p, s.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;   /* nobody left to tell */
		s.p += n;
		s.n -= (size_t)n;
	}
}

void
log_line(struct log_site *site, enum log_level level, const char *mod,
    const char *msg, const struct log_kv *kv, int nkv)
{
	struct line l = {level, mod, msg, kv, nkv, 0};
	BUF_AUTO(b, LINE_MAX_BYTES);
	enum log_format format;

	if ((int)level < atomic_load_explicit(&level_now,
	    memory_order_relaxed))
		return;
	format = (enum log_format)atomic_load_explicit(&format_now,
	    memory_order_relaxed);
	pthread_mutex_lock(&mu);
	if (admit(site, &l.held)) {
		format_line(&b, &l, format);
		/* More values than a line holds: the head, and whole. */
		if (!buf_ok(&b)) {
			l.nkv = 0;
			buf_clear(&b);
			format_line(&b, &l, format);
		}
		write_all(buf_str(&b));
	}
	pthread_mutex_unlock(&mu);
}

/* told.h: what the public may read of incidents, as they are stored: for the
 * history page and the feeds. Names of monitors, titles, causes and public
 * updates are for everybody; a check's own words only where its target may be
 * seen (row.h), and who wrote what is nobody's business. */
#ifndef HTTP_TOLD_H
#define HTTP_TOLD_H

#include "http/req.h"
#include "store/incident.h"

#define TOLD_UPDATES 20   /* newest public updates of one, in a list */

struct told {
	struct incident i;
	struct incident_update *v;   /* oldest first; owned */
	size_t n;
	size_t left;                 /* older ones that are not among them */
};
/* Newest first. all: every update of each. Caller told_frees. */
enum err told_read(struct req *q, const struct incident_query *iq, bool all,
    struct told **ret, size_t *ret_n, struct errinfo *ei) MUST_USE;
/* That one; ERR_NOT_FOUND. With every update. */
enum err told_one(struct req *q, uint64_t id, struct told **ret,
    struct errinfo *ei) MUST_USE;
void told_free(struct told *t, size_t n);

/* When anything of it that is public changed last. */
int64_t told_changed(const struct told *t);
/* "down", "degraded", …: the worst it was; "notice" for a manual one. */
const char *told_class(const struct incident *i);
const char *told_word(uint8_t state);   /* "Resolved" */
const char *told_state(const struct incident *i);
/* HTML: what happened and to whom, one paragraph; what people said, a list,
 * newest first, with times in the page's zone. */
void told_summary(struct buf *b, struct http *h, const struct incident *i);
void told_updates(struct buf *b, struct http *h, const struct told *t);
/* Text of several lines. */
void told_lines(struct buf *b, struct str text);

/* q->out, a 200, becomes one that can be asked for conditionally: ETag of its
 * bytes, Last-Modified (changed_us 0: without), 304 where q knows it. */
void told_answer(struct req *q, int64_t changed_us);

#endif

/* pages.h: renderings of the public pages, kept for a second, so that a crowd
 * in front of them costs as much as one. Whoever comes first renders, the
 * others wait for it. */
#ifndef HTTP_PAGES_H
#define HTTP_PAGES_H

#include <stdint.h>

#include "http/answer.h"
#include "http/req.h"

#define PAGES_KEPT    16
#define PAGES_KEEP_NS INT64_C(1000000000)

struct pages;

struct pages *pages_new(void) MUST_USE;
void pages_free(struct pages *p);
/* For renderings that ask the database, on readers' threads, where nobody
 * waits for another: a copy of the one with this key, and what was given with
 * it, if it is fresh; and one that was made, when it is a 200. */
bool pages_take(struct pages *p, uint64_t key, struct answer *out,
    int64_t *ret_stamp) MUST_USE;
void pages_give(struct pages *p, uint64_t key, const struct answer *out,
    int64_t stamp);
/* q->out becomes a copy of the rendering with this key; render makes it in
 * q->out when there is none. Only a 200 is kept. */
enum flow pages_answer(struct req *q, uint64_t key, req_fn *render);

#endif

/* buf.h: borrowed runs of bytes, and a growable buffer with a hard maximum. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

/* A borrowed run of bytes. Never owns, never NUL-terminated, passed by value. */
struct str {
	const char *p;
	size_t n;
};
#define STR(lit) ((struct str){(lit), sizeof(lit) - 1})

struct str str_of(const char *s);            /* NULL gives the empty run */
bool str_eq(struct str a, struct str b);
bool str_is(struct str a, const char *s);    /* compares with a C string */
bool str_starts(struct str a, struct str prefix);
/* Cut at the first sep: *head gets what is before it, the rest is returned
 * (empty when there is no sep; *head is then all of s). */
struct str str_cut(struct str s, char sep, struct str *head);
struct str str_trim(struct str s);           /* spaces and tabs at both ends */
/* Decimal digits only, no sign, no blanks. False on anything else or when the
 * value would exceed max; *ret is written on success only. */
bool str_u64(struct str s, uint64_t max, uint64_t *ret) MUST_USE;
/* Compares in a time that depends on the length alone: for secrets. */
bool str_eq_secret(struct str a, struct str b);

struct buf {
	char *p;      /* owned; NUL-terminated whenever non-NULL */
	size_t n;     /* bytes in use */
	size_t cap;   /* bytes allocated, the NUL included */
	size_t max;   /* n never exceeds this; set once, in buf_init */
	bool broken;  /* an append did not fit; later appends do nothing */
};

void buf_init(struct buf *b, size_t max);
void buf_free(struct buf *b);
void buf_clear(struct buf *b);               /* empty, keeps the memory */
void buf_add(struct buf *b, struct str s);
void buf_adds(struct buf *b, const char *s);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) FORMAT(2, 3);
void buf_addi(struct buf *b, int64_t v);     /* decimal, faster than addf */

/* After a run of appends, ask once. True when every byte fitted. */
bool buf_ok(const struct buf *b) MUST_USE;
struct str buf_str(const struct buf *b);
/* Give the NUL-terminated bytes away (caller frees with xfree); b is empty
 * afterwards. Never NULL. */
char *buf_take(struct buf *b) MUST_USE;

#define BUF_AUTO(name, limit) \
	struct buf name CLEANUP(buf_free) = {.max = (limit)}

#endif

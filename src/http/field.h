/* field.h: JSON written straight into a buffer: each call appends
 * "key":value and a comma; field_close turns the last comma into the bracket.
 * A NULL key is an array item. Times are RFC 3339; absent values null. */
#ifndef HTTP_FIELD_H
#define HTTP_FIELD_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/buf.h"

void field_key(struct buf *b, const char *key);
void field_str(struct buf *b, const char *key, struct str v);
void field_text(struct buf *b, const char *key, const char *v);   /* NULL: null */
void field_word(struct buf *b, const char *key, const char *v);   /* "": null */
void field_int(struct buf *b, const char *key, int64_t v);
void field_u64(struct buf *b, const char *key, uint64_t v);
void field_real(struct buf *b, const char *key, double v, int digits);
void field_flag(struct buf *b, const char *key, bool v);
void field_null(struct buf *b, const char *key);
void field_time(struct buf *b, const char *key, int64_t us);   /* ≤ 0: null */
/* v is printed with everything above ASCII escaped: exact and harmless. */
void field_json(struct buf *b, const char *key, const json_t *v);
void field_open(struct buf *b, const char *key, char bracket);
/* Close the innermost bracket; a comma follows only when field_next. */
void field_close(struct buf *b, char bracket);
void field_next(struct buf *b, char bracket);

#endif

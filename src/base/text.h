/* text.h: foreign text on its way into a sink. Each function appends to a
 * bounded buffer and makes the bytes harmless there: invalid UTF-8 becomes
 * U+FFFD, control characters are escaped or replaced, bidi controls
 * (U+202A–202E, U+2066–2069, U+200E/F, U+061C), line separators and what XML
 * has not (U+FFFE, U+FFFF) replaced. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

void text_json(struct buf *b, struct str s);    /* with the quotes */
void text_html(struct buf *b, struct str s);    /* element and attribute text */
void text_label(struct buf *b, struct str s);   /* Prometheus label, no quotes */
/* One line for a log, a terminal or a database column: no control characters,
 * at most max bytes cut at a character, "…" when cut. */
void text_line(struct buf *b, struct str s, size_t max);
/* The same into a fixed array; always NUL-terminated. Returns dst. */
char *text_copy(char *dst, size_t size, struct str s);
void text_url(struct buf *b, struct str s);     /* percent-encoded component */
bool text_utf8_ok(struct str s);
/* How long others think a text is, and its longest beginning of at most max
 * that ends between characters. A byte that is not UTF-8 counts as one. */
enum text_measure { TEXT_BYTES, TEXT_CHARS, TEXT_UTF16 };
size_t text_size(struct str s, enum text_measure m);
struct str text_cut(struct str s, size_t max, enum text_measure m);
/* Hexadecimal, lower case; size must be 2 * n + 1. */
void text_hex(char *dst, size_t size, const unsigned char *p, size_t n);

#endif

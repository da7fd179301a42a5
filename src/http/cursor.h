/* cursor.h: the opaque place in a list, and the versions of If-Match. Foreign
 * text in, numbers out. */
#ifndef HTTP_CURSOR_H
#define HTTP_CURSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define CURSOR_TEXT 24

/* kind is the list's letter, so that one list's cursor is not another's. */
const char *cursor_format(char kind, uint64_t place, char *dst);
/* place is at least 1. */
bool cursor_parse(struct str s, char kind, uint64_t *ret) MUST_USE;

/* If-Match (RFC 9110 §13.1.1) against the version now: 0 for "*" or an empty
 * header, the version when it is one of the list, else one that cannot be. */
#define CURSOR_NO_VERSION UINT64_MAX
uint64_t cursor_if_match(struct str header, uint64_t now);

#endif

/* link.h: the signed link in a message by which its reader acknowledges the
 * incident. Whoever has the link may do that one thing until it expires; it is
 * signed (HMAC-SHA256, 128 bits of it) with a key that never leaves the data
 * directory. Pure. */
#ifndef MODEL_LINK_H
#define MODEL_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define LINK_KEY     32
#define LINK_TEXT    73   /* 36 bytes in hexadecimal, and a NUL */
#define LINK_LIFE_US (INT64_C(7) * 86400 * 1000000)

struct link {
	uint32_t monitor;
	int64_t incident_us;
	int64_t expires_us;   /* a whole second */
};
void link_make(const unsigned char key[LINK_KEY], const struct link *l,
    char ret[LINK_TEXT]);
/* False: not made with this key, whatever else is wrong with it. That it has
 * expired is for the caller to see. */
bool link_open(const unsigned char key[LINK_KEY], struct str text,
    struct link *ret) MUST_USE;

#endif

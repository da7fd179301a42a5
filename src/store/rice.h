/* rice.h: one column of numbers as bits. Picks for itself what is smallest: a
 * line, values above their least, values, differences or second differences,
 * and the Rice parameter (R. F. Rice, JPL 79-22, 1979). Pure; shared by the
 * chunk codec only. */
#ifndef STORE_RICE_H
#define STORE_RICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "store/wire.h"

#define RICE_MAX 1024   /* numbers in a column */

void rice_put(struct buf *out, const int64_t *v, size_t n);
/* False: the bytes do not hold n numbers. */
bool rice_get(struct wire_in *in, int64_t *v, size_t n) MUST_USE;

#endif

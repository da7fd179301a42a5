/* mem.h: allocation that succeeds or ends the process. Sizes that come from
 * outside never reach these: they go through buf.h, which has a maximum. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

#include "base/attr.h"

void *xcalloc(size_t n, size_t size) MUST_USE
    __attribute__((malloc, returns_nonnull, alloc_size(1, 2)));
void *xrealloc(void *p, size_t n, size_t size) MUST_USE
    __attribute__((returns_nonnull, alloc_size(2, 3)));
char *xstrdup(const char *s) MUST_USE __attribute__((malloc, returns_nonnull));
char *xstrndup(const char *p, size_t n) MUST_USE
    __attribute__((malloc, returns_nonnull));
void xfree(void *p);
/* For CLEANUP(xfreep) on a char * or any object pointer. */
void xfreep(void *pp);

#endif

/* attr.h: every compiler extension we use, named once. gcc 12 and clang 14. */
#ifndef BASE_ATTR_H
#define BASE_ATTR_H

#include <stddef.h>

#define MUST_USE     __attribute__((warn_unused_result))
#define FORMAT(f, a) __attribute__((format(printf, f, a)))
#define CLEANUP(fn)  __attribute__((cleanup(fn)))
#define UNUSED       __attribute__((unused))
#define NORETURN     __attribute__((noreturn))

/* OWNS(foo_free): the caller owns what this function returns and must pass
 * it to foo_free. gcc's -fanalyzer then reports leaks, double frees and
 * mismatched frees; clang 14 has no such form, so there it says nothing.
 * The file that implements foo_free says "#define OWNS_OFF" before its first
 * include: seeing both bodies, gcc 12 would report its own constructor. */
#if defined(__clang__) || defined(OWNS_OFF)
#define OWNS(free_fn) MUST_USE
#else
#define OWNS(free_fn) MUST_USE __attribute__((malloc, malloc(free_fn, 1)))
#endif

/* Thread roles, checked by clang -Wthread-safety; see base/role.h. */
#if defined(__clang__)
#define ROLE_TYPE      __attribute__((capability("role")))
#define ON(r)          __attribute__((requires_capability(r)))
#define OWNED_BY(r)    __attribute__((guarded_by(r)))
#define ROLE_ENTER(r)  __attribute__((acquire_capability(r)))
#define ROLE_LEAVE(r)  __attribute__((release_capability(r)))
#define ROLE_ASSERT(r) __attribute__((assert_capability(r)))
#define ROLE_UNCHECKED __attribute__((no_thread_safety_analysis))
#else
#define ROLE_TYPE
#define ON(r)
#define OWNED_BY(r)
#define ROLE_ENTER(r)
#define ROLE_LEAVE(r)
#define ROLE_ASSERT(r)
#define ROLE_UNCHECKED
#endif

/* TAKE(p): give p away; the variable forgets it, so CLEANUP sees NULL. */
#define TAKE(p) ({ __typeof__(p) take_ = (p); (p) = NULL; take_; })
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define CONTAINER(ptr, type, member) \
	((type *)(void *)((char *)(ptr) - offsetof(type, member)))
#define MIN(a, b) ({ __typeof__(a) a_ = (a); __typeof__(b) b_ = (b); \
	a_ < b_ ? a_ : b_; })
#define MAX(a, b) ({ __typeof__(a) a_ = (a); __typeof__(b) b_ = (b); \
	a_ > b_ ? a_ : b_; })

#endif

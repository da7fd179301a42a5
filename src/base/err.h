/* err.h: what can go wrong inside the program, with words for whoever asked.
 * Not why a target is down: that is model/why.h. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdint.h>

#include "base/attr.h"

enum err {
	ERR_OK = 0,
	ERR_LIMIT,       /* a configured or compiled bound would be exceeded */
	ERR_PARSE,       /* the bytes are not what the format allows */
	ERR_INVALID,     /* well-formed, but not an allowed value */
	ERR_NOT_FOUND,   /* no such object */
	ERR_CONFLICT,    /* changed meanwhile, or exists already */
	ERR_DENIED,      /* not allowed for this caller */
	ERR_AGAIN,       /* not now: a queue is full, a store is busy */
	ERR_TIMEOUT,     /* our own deadline ended it */
	ERR_SYS,         /* a system call failed */
	ERR_STORE,       /* the database refused */
	ERR_STOPPING,    /* the daemon is stopping */
	ERR_CANCELLED,   /* whoever asked has left */
	ERR_NMAX
};

/* Where and what, in words an operator can act on. Every part is truncated
 * to fit, never overflowed. file and line are set for messages about a file. */
struct errinfo {
	char text[512];
	char field[128];   /* the key that is wrong, "monitors[3].interval" */
	char file[256];
	uint32_t line;     /* 1-based; 0: none */
};

/* Lower-case word, stable: it is a metric label. */
const char *err_name(enum err e);

/* Fill ei->text (ei may be NULL) and return e, so that a failing function
 * ends with one statement. field and line are left as they are. */
enum err fail(struct errinfo *ei, enum err e, const char *fmt, ...)
    FORMAT(3, 4);
/* The same, naming the field and the line of the file (0: none). */
enum err fail_at(struct errinfo *ei, enum err e, const char *field,
    uint32_t line, const char *fmt, ...) FORMAT(5, 6);
/* "FILE:LINE: field: text", the parts that are there. Returns dst. */
const char *errinfo_text(const struct errinfo *ei, char *dst, size_t size);

#endif

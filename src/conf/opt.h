/* opt.h: one row per setting. The row is the parser, the default, the range,
 * the error text, the JSON Schema, the manual entry and the reference line.
 * A struct described by rows is read from a tree (conf/tree.h), printed back
 * as canonical JSON and freed by the same rows. */
#ifndef CONF_OPT_H
#define CONF_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "conf/tree.h"

enum opt_type {
	OPT_DURATION,   /* int64_t ns */
	OPT_COUNT,      /* uint32_t */
	OPT_SIZE,       /* uint64_t bytes: 64KiB, 4MiB, 1GiB, or a number */
	OPT_FLAG,       /* bool */
	OPT_STRING,     /* char *, owned, NULL when not given */
	OPT_SECRET,     /* char *, owned; masked in export, never logged */
	OPT_CHOICE,     /* uint32_t index into choices */
	OPT_STRINGS,    /* struct strings: a list, or one scalar */
	OPT_PAIRS,      /* struct pairs: a mapping of name to text */
	OPT_RANGES,     /* struct ranges: "200-299,301", or a list of such */
	OPT_TABLE,      /* a nested mapping: sub rows, same struct */
	OPT_RATIO,      /* double 0..1, written 0.5 or 50% */
	OPT_LIST,       /* struct maps: a list of mappings: sub rows */
	OPT_NTYPES
};

struct strings { char **v; size_t n; };                   /* owned */
struct pair    { char *name, *value; };
struct pairs   { struct pair *v; size_t n; };             /* owned */
struct range   { uint32_t lo, hi; };
struct ranges  { struct range *v; size_t n; };            /* owned */
struct maps   { void *v; size_t n; };   /* owned; of opt.size bytes each */
bool ranges_have(const struct ranges *r, uint32_t x);

enum opt_flags {
	OPT_REQUIRED = 1,   /* an error when missing */
	OPT_RESTART = 2,    /* takes effect at restart; otherwise live */
	OPT_SECRETS = 4,    /* the values of these pairs are secrets */
	OPT_TARGET = 8,     /* changing it means another target: history stays,
			     * the streak starts anew */
	OPT_HIDDEN = 16,    /* not exported (was:) */
	OPT_NULLABLE = 32,  /* no default: absent stays zero/NULL */
	OPT_AUTO = 64,      /* a number, or the word auto, stored as 0 */
	OPT_NARROW = 128    /* a size in a uint32_t; SIZE32 needs it */
};

struct opt {
	const char *name;
	enum opt_type type;
	unsigned flags;
	size_t offset;
	const char *dflt;             /* in the file's own syntax; NULL: zero */
	int64_t min, max;             /* value; for strings and lists: length */
	const char *const *choices;   /* NULL-terminated, for OPT_CHOICE */
	const struct opt *sub;        /* for OPT_TABLE and OPT_LIST */
	size_t size;                  /* of one item, for OPT_LIST */
	/* One more test of the text (a URL, a host name): NULL when fine, else
	 * what is allowed, "an absolute http:// or https:// URL". */
	const char *(*check)(struct str text);
	const char *help;             /* one sentence for manual and schema */
};

/* The row refuses to compile when the field has another type. */
#define OPT_SAME(s, f, T) \
	(0 * sizeof(char[__builtin_types_compatible_p( \
	    __typeof__(((struct s *)0)->f), T) ? 1 : -1]))
#define OPT_ROW(n, t, s, f, T, ...) \
	{ .name = (n), .type = (t), \
	  .offset = offsetof(struct s, f) + OPT_SAME(s, f, T), __VA_ARGS__ }
#define DURATION(n, s, f, ...) OPT_ROW(n, OPT_DURATION, s, f, int64_t, __VA_ARGS__)
#define COUNTER(n, s, f, ...)  OPT_ROW(n, OPT_COUNT, s, f, uint32_t, __VA_ARGS__)
#define SIZE(n, s, f, ...)     OPT_ROW(n, OPT_SIZE, s, f, uint64_t, __VA_ARGS__)
#define SIZE32(n, s, f, ...)   OPT_ROW(n, OPT_SIZE, s, f, uint32_t, __VA_ARGS__)
#define FLAG(n, s, f, ...)     OPT_ROW(n, OPT_FLAG, s, f, bool, __VA_ARGS__)
#define STRING(n, s, f, ...)   OPT_ROW(n, OPT_STRING, s, f, char *, __VA_ARGS__)
#define SECRET(n, s, f, ...)   OPT_ROW(n, OPT_SECRET, s, f, char *, __VA_ARGS__)
#define CHOICE(n, s, f, ...)   OPT_ROW(n, OPT_CHOICE, s, f, uint32_t, __VA_ARGS__)
#define STRINGS(n, s, f, ...)  OPT_ROW(n, OPT_STRINGS, s, f, struct strings, __VA_ARGS__)
#define PAIRS(n, s, f, ...)    OPT_ROW(n, OPT_PAIRS, s, f, struct pairs, __VA_ARGS__)
#define RANGES(n, s, f, ...)   OPT_ROW(n, OPT_RANGES, s, f, struct ranges, __VA_ARGS__)
#define RATIO(n, s, f, ...)    OPT_ROW(n, OPT_RATIO, s, f, double, __VA_ARGS__)
#define MAPS(n, s, f, item, rows, ...) \
	OPT_ROW(n, OPT_LIST, s, f, struct maps, .sub = (rows), \
	    .size = sizeof(struct item), __VA_ARGS__)
#define TABLE(n, rows, ...)    { .name = (n), .type = OPT_TABLE, .sub = (rows), __VA_ARGS__ }
#define OPT_END                { .name = NULL }

/* Several row arrays may describe one object (common rows + the type's). */
struct opt_set {
	const struct opt *rows;   /* ends with OPT_END */
	void *base;               /* the struct the offsets are of */
};

/* Fill every set's struct (zeroed by the caller) with defaults, then from the
 * mapping n. Unknown keys, wrong types, out-of-range values and missing
 * required keys fail with file, line, key and what is allowed; what was set
 * so far is released by the caller with opt_free. skip: keys that belong to
 * somebody else ("monitors" of a group), NULL-terminated, may be NULL. */
enum err opt_read(const struct node *n, const struct opt_set *sets, size_t nsets,
    const char *const *skip, struct errinfo *ei) MUST_USE;
void opt_free(const struct opt *rows, void *base);

/* Canonical JSON of what differs from the defaults, keys in row order, values
 * in their canonical text. New reference; caller json_decrefs. */
enum opt_secrets { OPT_SECRETS_PLAIN, OPT_SECRETS_MASK };
json_t *opt_write(const struct opt_set *sets, size_t nsets,
    enum opt_secrets how) MUST_USE;
#define OPT_MASK "********"
char *opt_text(const json_t *v) MUST_USE;   /* compact, for xfree */

/* The struct's fields as if an empty mapping had been read. */
void opt_defaults(const struct opt *rows, void *base);
/* One value from text, as from a file: lists with commas between. */
enum err opt_set(const struct opt *o, void *base, struct str text,
    struct errinfo *ei) MUST_USE;
/* The row called name; NULL. */
const struct opt *opt_find(const struct opt *rows, struct str name);
/* Do the rows that have one of these flags (0: all) hold the same in both? */
bool opt_equal(const struct opt *rows, const void *a, const void *b,
    unsigned flags);
/* Secrets that were set to "" (to be written, as "no secret") become NULL. */
void opt_drop_empty(const struct opt *rows, void *base);
/* Put where it is before the field that ei names: "monitors[2].". */
void opt_under(struct errinfo *ei, const char *fmt, ...) FORMAT(2, 3);
/* OPT_MASK in a secret of v becomes what old has there. A secret that v does
 * not name is taken over too when missing is set; "" always removes it. */
void opt_unmask(const struct opt *rows, json_t *v, const json_t *old,
    bool missing);
void opt_hide(const struct opt *rows, json_t *v);   /* secrets become OPT_MASK */
/* The first secret of v that still is OPT_MASK; NULL: none. */
const struct opt *opt_masked(const struct opt *rows, const json_t *v);

/* JSON Schema (2020-12) "properties" of these rows; caller json_decrefs. */
json_t *opt_schema(const struct opt *rows) MUST_USE;
/* Reference lines: Markdown table rows, and man page (roff) entries. */
void opt_reference(const struct opt *rows, const char *prefix, struct buf *out);
void opt_man(const struct opt *rows, const char *prefix, struct buf *out);

#endif

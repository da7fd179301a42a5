/* opt_value.h: one value of one row: from text or a node, to JSON, compared,
 * released. A field is the address the row's offset leads to. Private to
 * src/conf; the rest of the program uses opt.h. */
#ifndef CONF_OPT_VALUE_H
#define CONF_OPT_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/opt.h"

#define OPT_TEXT_MAX  8192   /* bytes of one text, when the row says nothing */
#define OPT_ITEMS_MAX 256    /* of a list, when the row says nothing */
#define OPT_NAME_MAX  256    /* bytes of the name in a pair */

/* Room for any value: a default is read into it to compare and to print. */
union opt_any {
	int64_t duration;
	uint32_t count;
	uint64_t size;
	bool flag;
	char *text;
	struct strings strings;
	struct pairs pairs;
	struct ranges ranges;
	struct maps items;
	double ratio;
};

void *opt_value_field(const struct opt *o, const void *base);
/* Scalars, and lists with commas between: of defaults and the environment. */
enum err opt_value_from_text(const struct opt *o, void *field, struct str s,
    uint32_t line, struct errinfo *ei) MUST_USE;
enum err opt_value_from_node(const struct opt *o, void *field,
    const struct node *n, struct errinfo *ei) MUST_USE;
/* The row's default into a zeroed field. A default that its own row refuses
 * is a programmer's error and aborts. */
void opt_value_default(const struct opt *o, void *field);
void opt_value_clear(const struct opt *o, void *field);
bool opt_value_equal(const struct opt *o, const void *a, const void *b);
bool opt_value_is_default(const struct opt *o, const void *field);
/* NULL for a text that is not set. */
json_t *opt_value_json(const struct opt *o, const void *field,
    enum opt_secrets how) MUST_USE;
/* The default as it would be written, or NULL when there is none. */
json_t *opt_value_default_json(const struct opt *o) MUST_USE;
/* "1s to 1d, e.g. 30s"; what a value of this row may be. */
void opt_value_allowed(const struct opt *o, struct buf *out);

bool opt_value_parse_size(struct str s, uint64_t *ret) MUST_USE;
#define OPT_SIZE_TEXT 32
const char *opt_value_format_size(uint64_t v, char *dst);
uint64_t opt_value_max(const struct opt *o);   /* 0 in the row: the type's */
const char *opt_value_type(enum opt_type t);   /* "a duration" */

#endif

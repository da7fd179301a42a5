/* template.h: texts with holes. {{field}} is a field's value, {{field |
 * filter | filter:N}} the value as the filters leave it,
 * {{#if field}}…{{else}}…{{/if}} and {{#if field == "text"}} a choice (empty
 * is no), {{#each events}}…{{/each}} a repetition. Nothing else: no code, no
 * loops without an end, no recursion. Output ends at the buffer's maximum.
 *
 * Filters: upper, lower, truncate:N (characters), default:"text", and, last,
 * what says how the value is written: json (with the quotes), html, url, raw.
 * Without one of those four it is written as the place needs it. */
#ifndef BASE_TEMPLATE_H
#define BASE_TEMPLATE_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

#define TEMPLATE_BYTES_MAX 16384u
#define TEMPLATE_DEPTH_MAX 8
#define TEMPLATE_FILTERS_MAX 6

/* Immutable once parsed; any thread may run it. */
struct template;
/* fields: what there is, ends with NULL; borrowed for as long as the template
 * lives. Messages say the line and the column. ERR_INVALID, ERR_LIMIT. */
enum err template_parse(struct str text, const char *const *fields,
    struct template **ret, struct errinfo *ei) MUST_USE;
void template_free(struct template *t);
void template_freep(struct template *const *t);

#define TEMPLATE_WHOLE SIZE_MAX
/* Where values come from: embed it, recover yours with CONTAINER. */
struct template_source {
	size_t first, n;   /* the events that {{#each events}} goes over */
	/* Append a field's value, plain: of event i, or outside of each of the
	 * whole (TEMPLATE_WHOLE). */
	void (*field)(const struct template_source *s, size_t field, size_t i,
	    struct buf *out);
	/* How the field's value is written here; NULL: as it is. */
	void (*escape)(const struct template_source *s, size_t field,
	    struct str value, struct buf *out);
};
void template_run(const struct template *t, const struct template_source *s,
    struct buf *out);

#endif

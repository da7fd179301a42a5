/* channel.h: whom to tell. Rows per type of channel: what may and must be set,
 * what is a secret. Sending is not done here. */
#ifndef CONF_CHANNEL_H
#define CONF_CHANNEL_H

#include <stdbool.h>

#include "conf/conf.h"

#define CHANNELS_MAX 1000

struct channel_type {
	const char *name;
	const struct opt *opts;
};
extern const struct channel_type channel_types[];   /* ends with NULL */
const struct opt *channel_rows(struct str type);    /* NULL: no such type */

/* From a mapping with name, type and the type's own keys, into a zeroed ret;
 * channel_clear also after a failure. */
enum err channel_read(const struct node *n, struct channel_conf *ret,
    struct errinfo *ei) MUST_USE;
void channel_clear(struct channel_conf *c);
/* A stored row: what channel_read would have made. */
enum err channel_load(struct str json, const char *name, const char *type,
    struct channel_conf *ret, struct errinfo *ei) MUST_USE;
/* Name, type and what was set. Caller json_decrefs. */
json_t *channel_json(const struct channel_conf *c, enum opt_secrets how)
    MUST_USE;
bool channel_equal(const struct channel_conf *a, const struct channel_conf *b);
/* OPT_MASK becomes what old has there; so does a secret that is not named,
 * as long as both are of one type and for one server. old NULL: a masked
 * secret is refused. */
enum err channel_keep_secrets(struct channel_conf *c,
    const struct channel_conf *old, struct errinfo *ei) MUST_USE;
json_t *channel_schema(void) MUST_USE;   /* of one item of channels: */

#endif

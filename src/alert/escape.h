/* escape.h: foreign text where a provider would read it as markup. Line feeds
 * stay; other control characters do not. */
#ifndef ALERT_ESCAPE_H
#define ALERT_ESCAPE_H

#include "base/buf.h"

void escape_html(struct buf *out, struct str s);
void escape_slack(struct buf *out, struct str s);     /* & < > and no more */
/* A backslash before what Markdown means something by. */
void escape_markdown(struct buf *out, struct str s);
/* The same where @all and the like cannot be switched off: an invisible
 * character parts the @ from what follows. */
void escape_mentions(struct buf *out, struct str s);
/* Where nothing can be escaped: <users/all> does not begin any more. */
void escape_angles(struct buf *out, struct str s);

#endif

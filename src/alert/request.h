/* request.h: the pieces that requests are made of. */
#ifndef ALERT_REQUEST_H
#define ALERT_REQUEST_H

#include "alert/message.h"

/* A header; line breaks and control characters in value become blanks. */
void request_header(struct alert_request *r, const char *name,
    const char *fmt, ...) FORMAT(3, 4);
/* Basic authentication. */
void request_login(struct alert_request *r, const char *user,
    const char *password);
/* One more text at the end of a list. */
void request_push(struct strings *list, const char *text);
/* POST of JSON to base, which may end with a slash, followed by path (which
 * may be ""). The body is the caller's to fill. */
void request_json(struct alert_request *r, const char *base,
    const char *path);
/* The same for a form, and one field of it. */
void request_form(struct alert_request *r, const char *base,
    const char *path);
void request_field(struct alert_request *r, const char *name,
    struct str value);
/* ,"name":"value"; the comma unless a brace was opened just now. */
void request_pair(struct buf *b, const char *name, struct str value);
/* ERR_LIMIT when something did not fit. */
enum err request_done(const struct alert_request *r, struct errinfo *ei)
    MUST_USE;
void request_base64(struct str s, struct buf *out);
/* Hexadecimal HMAC-SHA-256. */
#define REQUEST_HMAC 65
const char *request_hmac(const char *key, struct str text,
    char dst[REQUEST_HMAC]);
/* RFC 3339 in UTC; for machines. */
void request_time(struct buf *b, const char *name, int64_t us);
/* A URL of ours as a pair; nothing when we do not know our address. */
void request_link(struct buf *b, const char *name,
    const struct alert_message *m, const struct alert_part *p);

#endif

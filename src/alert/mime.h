/* mime.h: what a mail is written in (RFC 5322, 2045, 2047). Lines end with
 * CRLF; nothing that is put in can end a header. */
#ifndef ALERT_MIME_H
#define ALERT_MIME_H

#include <stdint.h>

#include "base/buf.h"

/* "Name: value"; what is not short printable ASCII as encoded words. */
void mime_header(struct buf *out, const char *name, struct str value);
/* "Name: a, b", one to a line. */
void mime_list(struct buf *out, const char *name, char *const *v, size_t n);
/* "Date: Sat, 21 Nov 2026 10:00:05 +0000". */
void mime_date(struct buf *out, int64_t unix_us);
/* Text with line feeds as quoted-printable; no line of it is a lone dot. */
void mime_quoted(struct buf *out, struct str text);

#endif

/* intake.h: what libmicrohttpd calls for each request: route, scope, limits,
 * body, handler, answer. On the server's threads. */
#ifndef HTTP_INTAKE_H
#define HTTP_INTAKE_H

#include <stddef.h>

#include <microhttpd.h>

/* cls is the struct door. */
enum MHD_Result intake_request(void *cls, struct MHD_Connection *conn,
    const char *url, const char *method, const char *version,
    const char *upload, size_t *upload_n, void **ctx);
void intake_completed(void *cls, struct MHD_Connection *conn, void **ctx,
    enum MHD_RequestTerminationCode why);

#endif

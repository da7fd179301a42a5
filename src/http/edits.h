/* edits.h: what changes configuration or reads it whole: monitors made,
 * changed, deleted, paused; apply, export, channels. Each is a unit for the
 * writer or a command for a shard, answered after the commit. */
#ifndef HTTP_EDITS_H
#define HTTP_EDITS_H

#include "http/req.h"

req_fn edits_create, edits_patch, edits_replace, edits_delete;
req_fn edits_pause, edits_resume;
req_fn edits_apply, edits_export, edits_channels;

/* Give u to the writer; q->after runs when it is durable or refused. The
 * request is parked already when it comes from a reader. */
struct config_unit;
enum flow edits_send(struct req *q, struct config_unit *u, bool parked);

#endif

/* unit_code.h: a unit as bytes, for the journal and the quarantine: its wire
 * form, never that of rows, so that what is kept today is stored by the code
 * of tomorrow. Pure.
 *
 *   version 1: 01, kind, then parts: tag (varint), length (varint), bytes.
 *
 * A later vedette adds parts with new tags; a part that is not known, or is
 * there twice, makes the unit undecodable and never half of one. */
#ifndef STORE_UNIT_CODE_H
#define STORE_UNIT_CODE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "model/unit.h"

#define UNIT_CODE_MAX (1u << 20)   /* bytes of one unit */

/* Is there a wire form of it? Configuration and tokens have none: who asks
 * for a change waits until it is committed, or is told to come again. */
bool unit_code_has(const struct unit *u);
/* Appends; whoever waits for the unit (its ack) is no part of it. False: it
 * is larger than UNIT_CODE_MAX, and nothing was appended. */
bool unit_code_put(const struct unit *u, struct buf *b) MUST_USE;
/* Caller frees *ret with unit_free. ERR_PARSE says what is wrong with it. */
enum err unit_code_get(struct str bytes, struct unit **ret,
    struct errinfo *ei) MUST_USE;
/* What lists show of it; 0 when it speaks of no monitor. */
uint32_t unit_code_monitor(const struct unit *u);

#endif

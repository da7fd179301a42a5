/* state_code.h: a monitor's state as one value of the state table. Pure. */
#ifndef STORE_STATE_CODE_H
#define STORE_STATE_CODE_H

#include "base/attr.h"
#include "base/buf.h"
#include "model/sample.h"

#define STATE_CODE_MAX (REASON_MAX + 320)

struct str state_code_put(const struct mon_state *st,
    unsigned char dst[STATE_CODE_MAX]);
/* False: damaged, contradictory, or of a newer form. */
bool state_code_get(struct str bytes, uint32_t monitor,
    struct mon_state *ret) MUST_USE;

#endif

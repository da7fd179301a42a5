/* val.h: one value bound to a statement. */
#ifndef STORE_VAL_H
#define STORE_VAL_H

#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"

enum val_kind { VAL_NULL, VAL_INT, VAL_TEXT, VAL_BYTES };
struct val {
	enum val_kind kind;
	int64_t i;
	struct str s;        /* borrowed until the call returns */
};
#define V_INT(x)   ((struct val){.kind = VAL_INT, .i = (int64_t)(x)})
#define V_TEXT(x)  ((struct val){.kind = VAL_TEXT, .s = str_of(x)})
#define V_STR(x)   ((struct val){.kind = VAL_TEXT, .s = (x)})
#define V_BYTES(x) ((struct val){.kind = VAL_BYTES, .s = (x)})
#define V_NULL     ((struct val){.kind = VAL_NULL})
#define VALS(...)  ((const struct val[]){__VA_ARGS__}), \
	COUNT(((const struct val[]){__VA_ARGS__}))

#endif

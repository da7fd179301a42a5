/* A unit's wire form: what is taken is written again as it was read, or, when
 * it was written in another order, as something that reads back the same. */
#include <stdlib.h>

#include "store/unit_code.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	BUF_AUTO(once, UNIT_CODE_MAX);
	BUF_AUTO(twice, UNIT_CODE_MAX);
	struct unit *u = NULL, *v = NULL;

	if (unit_code_get((struct str){(const char *)data, size}, &u, NULL) !=
	    ERR_OK)
		return 0;
	if (!unit_code_put(u, &once))
		abort();
	if (unit_code_get(buf_str(&once), &v, NULL) != ERR_OK)
		abort();
	if (!unit_code_put(v, &twice) ||
	    !str_eq(buf_str(&once), buf_str(&twice)))
		abort();
	unit_free(u);
	unit_free(v);
	return 0;
}

#include "store/backend.h"

enum err
backend_int(struct backend *b, enum stmt s, const struct val *v, size_t n,
    int64_t dflt, int64_t *ret, struct errinfo *ei)
{
	enum err e = b->ops->query(b, s, v, n, ei);

	if (e == ERR_OK)
		e = b->ops->next(b, s, ei);
	if (e == ERR_NOT_FOUND) {
		*ret = dflt;
		return ERR_OK;
	}
	if (e != ERR_OK)
		return e;
	*ret = b->ops->column_int(b, s, 0);
	b->ops->done(b, s);
	return ERR_OK;
}

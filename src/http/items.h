/* items.h: every monitor in the order of the status page, as little of each
 * as that needs: the ungrouped first, then each group with its members. */
#ifndef HTTP_ITEMS_H
#define HTTP_ITEMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "store/view.h"

struct item {
	uint32_t id, group;     /* of a member: its group's id; 0 */
	uint8_t status;
	bool is_group;
	char *path;             /* owned */
};
struct items {
	struct item *v;         /* owned */
	size_t n;
};

enum err items_read(struct view *v, struct items *ret) MUST_USE;
void items_free(struct items *i);

#endif

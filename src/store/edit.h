/* edit.h: configuration units: planned against what is stored, written in one
 * transaction, applied to the view, told to the shards. The writer's thread. */
#ifndef STORE_EDIT_H
#define STORE_EDIT_H

#include "store/inside.h"
#include "store/writer.h"

struct edit;
/* Never NULL: a plan that fails is an edit that refuses the unit. */
struct edit *edit_plan(struct store *s, struct unit *u) MUST_USE;
void edit_free(struct edit *e);   /* NULL is fine */
enum err edit_put(struct store *s, struct edit *e, struct slot *slot,
    struct errinfo *ei) MUST_USE;
/* Under the view's lock. */
void edit_apply(struct store *s, struct edit *e);
/* After it: commands to the shards. NULL, or nothing to tell: nothing. */
void edit_tell(struct store *s, struct edit *e);

#endif

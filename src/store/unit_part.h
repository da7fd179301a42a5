/* unit_part.h: the parts of a unit's wire form, for unit_code.c and
 * alert_code.c only. */
#ifndef STORE_UNIT_PART_H
#define STORE_UNIT_PART_H

#include "model/alert_unit.h"
#include "store/wire.h"

/* Stored: never renumber. */
enum part {
	PART_SAMPLE = 1, PART_OWN_TURN = 2, PART_OWN_STATE = 3,
	PART_GROUP_TURN = 4, PART_GROUP_STATE = 5, PART_ACTOR = 6,
	PART_EVIDENCE = 7, PART_EVENT = 8, PART_NUMBERS = 9,
	/* these may come more than once */
	PART_ROW = 10, PART_MARK = 11, PART_DELIVERY = 12, PART_HEALTH = 13,
	PART_COURIER = 14, PART_NMAX
};

void unit_code_part(struct buf *b, enum part tag, const void *p, size_t n);
void unit_code_text(struct wire_out *o, const char *text);
/* False: it does not fit, ends too early, or has a NUL in it. */
bool unit_code_get_text(struct wire_in *r, char *dst, size_t size);

/* -- alert_code.c ------------------------------------------------------- */
void alert_code_rows(struct buf *b, const struct outbox_row *v, size_t n);
void alert_code_put(struct buf *b, const struct alert_unit *u);
/* One part. *v grows by one. */
bool alert_code_get_row(struct wire_in *r, struct outbox_row **v, size_t *n);
bool alert_code_get(struct wire_in *r, uint64_t tag, struct alert_unit *u);

#endif

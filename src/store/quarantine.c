/* quarantine.c: the writer's side; see quarantine.h. */
#include "store/quarantine.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/quarantine_files.h"
#include "store/unit_code.h"
#include "world/world.h"

enum err
quarantine_open(struct store *s, struct errinfo *ei)
{
	int64_t n = 0;
	enum err e = backend_int(s->db, STMT_QUARANTINE_COUNT, NULL, 0, 0, &n,
	    ei);

	if (e != ERR_OK)
		return e;
	if (s->ward == NULL)
		s->ward = xcalloc(1, sizeof(*s->ward));
	s->ward->rows = (uint64_t)n;
	return quarantine_import(s, ei);
}

static void
sick_free(struct sick *k)
{
	xfree(k->bytes);
	*k = (struct sick){0};
}

void
quarantine_free(struct ward *w)
{
	if (w == NULL)
		return;
	for (size_t i = 0; i < w->n; i++)
		sick_free(&w->v[i]);
	unit_free(w->again.unit);
	xfree(w->again.ei);
	xfree(w);
}

uint64_t
store_quarantined(const struct store *s)
{
	return s->ward == NULL ? 0 : atomic_load(&s->ward->rows) +
	    atomic_load(&s->ward->files);
}

size_t
quarantine_room(const struct store *s)
{
	const struct ward *w = s->ward;
	uint64_t have = store_quarantined(s) + w->n;

	if (have >= QUARANTINE_MAX)
		return 0;
	return MIN((size_t)(QUARANTINE_MAX - have),
	    (size_t)QUARANTINE_OWED - w->n);
}

struct sick *
quarantine_add(struct store *s, struct str bytes, const char *reason)
{
	struct ward *w = s->ward;
	struct sick *k = &w->v[w->n++];

	assert(w->n <= QUARANTINE_OWED);
	*k = (struct sick){.at_us = clock_wall_us(), .kind = SICK_UNKNOWN,
	    .n = bytes.n, .bytes = xcalloc(MAX(bytes.n, (size_t)1), 1)};
	memcpy(k->bytes, bytes.p, bytes.n);
	if (bytes.n > 1 && bytes.p[0] == 1 &&
	    (unsigned char)bytes.p[1] < UNIT_NMAX)
		k->kind = (uint8_t)bytes.p[1];
	(void)text_copy(k->reason, sizeof(k->reason), str_of(reason));
	return k;
}

/* One entry in the log, however many they are. */
static void
announce(struct store *s, const char *reason)
{
	char text[250];

	for (size_t i = 0; i < s->nowed; i++)
		if (s->owed[i].kind == EVENT_QUARANTINE)
			return;
	(void)snprintf(text, sizeof(text), "a unit was put in quarantine:"
	    " %.200s", reason);
	batch_owe(s, EVENT_QUARANTINE, text);
}

enum err
quarantine_full(struct store *s, struct errinfo *ei)
{
	s->db->fault = (struct backend_fault){OP_WRITE, CLASS_FULL, true};
	s->fault = s->db->fault;
	return fail(ei, ERR_STORE, "the quarantine is full; \"vedette quarantine"
	    " list\" shows what is in it");
}

bool
quarantine_unit(struct store *s, const struct unit *u, const char *reason)
{
	BUF_AUTO(b, UNIT_CODE_MAX);
	struct sick *k;

	if (!unit_code_has(u) || quarantine_room(s) == 0 ||
	    !unit_code_put(u, &b))
		return false;
	k = quarantine_add(s, buf_str(&b), reason);
	k->monitor = unit_code_monitor(u);
	k->seq = u->journal_seq;
	announce(s, reason);
	return true;
}

void
quarantine_record(struct store *s, uint64_t seq, struct str bytes,
    const char *reason)
{
	struct sick *k;

	assert(quarantine_room(s) > 0);
	log_error("journal", "a record was put in quarantine",
	    KV_I("record", (int64_t)seq), KV("reason", reason));
	k = quarantine_add(s, bytes, reason);
	k->seq = seq;
	announce(s, reason);
}

bool
quarantine_owes(const struct store *s)
{
	return s->ward != NULL && s->ward->n > 0;
}

static enum err
put_row(struct store *s, const struct sick *k, struct errinfo *ei)
{
	if (k->retried != 0)
		return s->db->ops->run(s->db, STMT_QUARANTINE_TRIED,
		    VALS(V_INT(k->retried), V_TEXT(k->reason)), NULL, ei);
	return s->db->ops->run(s->db, STMT_QUARANTINE_PUT, VALS(
	    V_INT(k->at_us), V_INT(k->kind), V_INT(k->monitor),
	    V_TEXT(k->reason), k->seq == 0 ? V_NULL : V_INT(k->seq),
	    V_BYTES(((struct str){k->bytes, k->n}))), NULL, ei);
}

enum err
quarantine_put(struct store *s, struct errinfo *ei)
{
	struct ward *w = s->ward;
	enum err e = ERR_OK;

	if (w == NULL || w->n == 0)
		return ERR_OK;
	w->writing = true;
	for (; e == ERR_OK && w->put < w->n; w->put++)
		e = put_row(s, &w->v[w->put], ei);
	if (e == ERR_OK)
		w->writing = false;
	return e;
}

void
quarantine_reset(struct store *s)
{
	if (s->ward != NULL)
		s->ward->put = 0;
}

static void
forget(struct ward *w, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sick_free(&w->v[i]);
	memmove(w->v, w->v + n, (w->n - n) * sizeof(w->v[0]));
	w->n -= n;
	w->put = 0;
}

void
quarantine_done(struct store *s)
{
	struct ward *w = s->ward;

	if (w == NULL || w->put == 0)
		return;
	for (size_t i = 0; i < w->put; i++)
		if (w->v[i].retried == 0)
			atomic_fetch_add(&w->rows, 1);
	forget(w, w->put);
}

/* Was it the rows of the quarantine itself that failed? */
bool
quarantine_ails(const struct store *s)
{
	return s->ward != NULL && s->ward->writing;
}

enum err
quarantine_to_files(struct store *s, struct errinfo *ei)
{
	struct ward *w = s->ward;

	w->writing = false;
	while (w->n > 0) {
		if (w->v[0].retried == 0) {
			enum err e = quarantine_file(s, &w->v[0], ei);

			if (e != ERR_OK)
				return e;
			atomic_fetch_add(&w->files, 1);
		}
		forget(w, 1);
	}
	return ERR_OK;
}

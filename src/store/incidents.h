/* incidents.h: the writer's side of incidents, and the view's memory of them.
 * An automatic incident is what its monitor's state says (incident_of): it is
 * opened, goes on and is closed in the transaction that stores the state, so
 * that no crash comes between, and a replay changes nothing. */
#ifndef STORE_INCIDENTS_H
#define STORE_INCIDENTS_H

#include "store/incident.h"
#include "store/inside.h"
#include "store/readers.h"

/* -- the writer, within an attempt ---------------------------------------- */
/* The part's state is being stored: its incident with it. */
enum err incidents_state(struct store *s, struct entry *en,
    const struct result_part *p, struct errinfo *ei) MUST_USE;
/* The monitor goes, or is not checked any more: so does its trouble. */
enum err incidents_end(struct store *s, uint32_t monitor, int64_t at_us,
    struct errinfo *ei) MUST_USE;
/* A unit of a person. */
enum err incidents_put(struct store *s, struct slot *slot, struct errinfo *ei)
    MUST_USE;

/* -- after the commit, under the view's lock --------------------------------- */
/* What is shown of it: once for each unit, when it is durable. */
void incidents_show(struct store *s, struct entry *en,
    const struct mon_state *st);
/* It is in the database: it has a number now. */
void incidents_number(struct entry *en);
void incidents_apply(struct store *s, struct slot *slot);
/* It was archived: nothing of it is open. */
void incidents_forget(struct store *s, struct entry *en);

/* -- at open ------------------------------------------------------------------ */
/* What is open comes back into memory, after the states. */
enum err incidents_load(struct store *s, struct errinfo *ei) MUST_USE;
/* Rows become what states say: of a store from before there were incidents,
 * or brought back. In a transaction of its own, if anything is to do. */
enum err incidents_settle(struct store *s, struct errinfo *ei) MUST_USE;

/* -- incident_view.c: the memory ----------------------------------------------- */
struct incident_mem;
void incident_mem_free(struct incident_mem *m);   /* NULL is fine */
struct incident_mem *incident_mem_at(struct list *node);
/* One as it is stored, with its public updates, oldest first; en NULL: a
 * manual one. */
struct incident_mem *incident_mem_put(struct view *v, struct entry *en,
    const struct incident *i);
void incident_mem_update(struct incident_mem *m,
    const struct incident_update *u);
struct incident_mem *incident_mem_find(struct view *v, struct entry *en,
    uint64_t id);

/* -- rows, by whoever asks -------------------------------------------------------- */
void incident_row(struct backend *b, enum stmt st, struct incident *ret);
/* All that the statement answers; it has a limit among its values. The array
 * is the caller's to xfree. */
struct incident_list { struct incident *v; size_t n; };
enum err incident_rows(struct backend *b, enum stmt st, const struct val *v,
    size_t nv, struct incident_list *ret, struct errinfo *ei) MUST_USE;
void incident_note_row(struct backend *b, enum stmt st,
    struct incident_update *ret);   /* its text is owned */
enum err incident_get(struct backend *b, uint64_t id, struct incident *ret,
    struct errinfo *ei) MUST_USE;
enum err incident_updates_of(struct backend *b, uint64_t id, bool open_only,
    struct incident_update **ret, size_t *ret_n, struct errinfo *ei) MUST_USE;

#endif

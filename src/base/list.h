/* list.h: intrusive doubly linked list with a sentinel. */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next, *prev;   /* both NULL: a node that is in no list */
};

static inline void
list_init(struct list *head)
{
	head->next = head->prev = head;
}

static inline bool
list_empty(const struct list *head)
{
	return head->next == head;
}

static inline bool
list_linked(const struct list *n)
{
	return n->next != NULL;
}

static inline void
list_push(struct list *head, struct list *n)   /* at the end */
{
	n->prev = head->prev;
	n->next = head;
	head->prev->next = n;
	head->prev = n;
}

static inline void
list_del(struct list *n)   /* no-op on a node that is in no list */
{
	if (n->next == NULL)
		return;
	n->prev->next = n->next;
	n->next->prev = n->prev;
	n->next = n->prev = NULL;
}

static inline struct list *
list_pop(struct list *head)   /* from the front; NULL when empty */
{
	struct list *n = head->next;

	if (n == head)
		return NULL;
	list_del(n);
	return n;
}

/* n may be deleted from the list inside the body. */
#define LIST_EACH(n, head) \
	for (struct list *n = (head)->next, *n##_next = n->next; \
	    n != (head); n = n##_next, n##_next = n->next)

#endif

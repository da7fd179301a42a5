/* tokens.c: API tokens: their units, scopes and rows. */
#define OWNS_OFF
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "store/inside.h"
#include "world/world.h"

static const char *const scopes[] = {
	[SCOPE_NONE] = "none", [SCOPE_READ] = "read", [SCOPE_WRITE] = "write",
	[SCOPE_ADMIN] = "admin",
};

const char *
scope_name(enum scope s)
{
	return (unsigned)s < COUNT(scopes) ? scopes[s] : "?";
}

bool
scope_parse(struct str s, enum scope *ret)
{
	for (unsigned i = SCOPE_READ; i < COUNT(scopes); i++)
		if (str_is(s, scopes[i])) {
			*ret = (enum scope)i;
			return true;
		}
	return false;
}

struct token_unit *
token_unit_new(enum token_op op)
{
	struct token_unit *u = xcalloc(1, sizeof(*u));

	unit_awaited(&u->unit, UNIT_TOKEN, sizeof(*u));
	u->op = op;
	return u;
}

void
token_unit_free(struct token_unit *u)
{
	xfree(u);
}

static struct view_token_row *
find(struct store *s, const char *name)
{
	for (size_t i = 0; i < s->view->ntokens; i++)
		if (strcmp(s->view->tokens[i].name, name) == 0)
			return &s->view->tokens[i];
	return NULL;
}

static enum err
refuse(struct slot *slot, enum err e, const char *name, const char *what)
{
	slot->ei = xcalloc(1, sizeof(*slot->ei));
	slot->outcome = fail_at(slot->ei, e, "name", 0, "token \"%s\": %s",
	    name, what);
	return ERR_OK;
}

static void
row_of(const struct token_unit *u, const struct view_token_row *old,
    struct view_token_row *ret)
{
	if (u->op == TOKEN_REVOKE) {
		*ret = *old;
		ret->revoked_us = clock_wall_us();
		return;
	}
	*ret = (struct view_token_row){.scope = u->scope,
	    .created_us = clock_wall_us(), .expires_us = u->expires_us};
	snprintf(ret->name, sizeof(ret->name), "%s", u->name);
	memcpy(ret->hash, u->hash, sizeof(ret->hash));
}

enum err
tokens_put(struct store *s, struct slot *slot, struct errinfo *ei)
{
	struct token_unit *u = CONTAINER(slot->unit, struct token_unit, unit);
	struct view_token_row *old = find(s, u->name), t;
	struct event ev = {.kind = EVENT_ACCESS};
	bool live = old != NULL && old->revoked_us == 0;
	enum err e;

	if (u->op == TOKEN_CREATE && live)
		return refuse(slot, ERR_CONFLICT, u->name,
		    "there is one of this name already");
	if (u->op == TOKEN_REVOKE && !live)
		return refuse(slot, ERR_NOT_FOUND, u->name,
		    "there is none of this name");
	if (old == NULL && s->view->ntokens == TOKENS_MAX)
		return refuse(slot, ERR_LIMIT, u->name,
		    "there are too many tokens");
	row_of(u, old, &t);
	e = s->db->ops->run(s->db, STMT_TOKEN_PUT, VALS(V_TEXT(t.name),
	    V_BYTES(((struct str){(const char *)t.hash, sizeof(t.hash)})),
	    V_INT(t.scope), V_INT(t.created_us), V_INT(t.expires_us),
	    V_INT(t.revoked_us)), NULL, ei);
	if (e != ERR_OK)
		return e;
	slot->stored = true;
	snprintf(ev.actor, sizeof(ev.actor), "%s", u->actor);
	snprintf(ev.subject, sizeof(ev.subject), "%s", u->name);
	snprintf(ev.text, sizeof(ev.text), u->op == TOKEN_CREATE ?
	    "token created, scope %s" : "token revoked, scope %s",
	    scope_name(t.scope));
	return batch_event(s, &ev, ei);
}

void
tokens_apply(struct store *s, struct slot *slot)
{
	struct token_unit *u = CONTAINER(slot->unit, struct token_unit, unit);
	struct view_token_row t;

	row_of(u, find(s, u->name), &t);
	view_set_token(s->view, &t);
}

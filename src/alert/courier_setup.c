/* courier_setup.c: channels and the manner of alerts, ready for use. Made on
 * the thread that asks, used on the courier's, and gone with the last message
 * that was begun with it. */
#define OWNS_OFF
#include <stdio.h>
#include <string.h>

#include "alert/courier_impl.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "base/zone.h"
#include "conf/channel.h"
#include "store/view.h"

static struct desk_conf
manner(const struct alerts_conf *a)
{
	struct desk_conf d = desk_defaults;

	d.wait_us = a->group_wait_ns / NS_PER_US;
	d.wait_max_us = a->group_max_ns / NS_PER_US;
	d.late_us = d.wait_max_us + 60 * US_PER_S;
	return d;
}

static bool
among(const struct strings *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->v[i], name) == 0)
			return true;
	return false;
}

static void
channel_add(struct setup *s, const struct channel_conf *c,
    const struct alerts_conf *a)
{
	struct desk_channel_conf *d = &s->desks[s->n];
	struct errinfo ei = {0};

	(void)text_copy(s->names[s->n], CHANNEL_NAME_MAX, str_of(c->name));
	(void)text_copy(d->name, sizeof(d->name), str_of(c->name));
	d->self = a->self.n == 0 || among(&a->self, c->name);
	if (a->fallback != NULL && strcmp(a->fallback, c->name) != 0)
		(void)text_copy(d->fallback, sizeof(d->fallback),
		    str_of(a->fallback));
	if (alert_channel_new(c, &s->channels[s->n], &ei) != ERR_OK) {
		s->channels[s->n] = NULL;
		log_error("alert", "a channel cannot be used",
		    KV("channel", &c->name[0]), KV("error", &ei.text[0]));
	} else {
		d->grouped = alert_channel_grouped(s->channels[s->n]);
		/* Where nothing can be told together a cap would only delay;
		 * the provider says by itself when it is too much. */
		d->per_minute = d->grouped ? a->rate : 0;
	}
	s->n++;
}

struct setup *
setup_new(const struct settings *alerting, const char *zone,
    struct store *store)
{
	const struct alerts_conf *a = &alerting->alerts;
	struct setup *s = xcalloc(1, sizeof(*s));
	struct channel_conf *v = NULL;
	struct errinfo ei = {0};
	size_t n = view_channel_confs(store_view(store), &v);

	s->refs = 1;
	s->desk = manner(a);
	s->base_url = xstrdup(a->base_url != NULL ? a->base_url : "");
	s->desks = xcalloc(n + 1, sizeof(*s->desks));
	s->channels = xcalloc(n + 1, sizeof(struct alert_channel *));
	s->names = xcalloc(n + 1, sizeof(*s->names));
	s->exec_allow.v = xcalloc(a->exec_allow.n + 1, sizeof(char *));
	for (size_t i = 0; i < a->exec_allow.n; i++)
		s->exec_allow.v[s->exec_allow.n++] =
		    xstrdup(a->exec_allow.v[i]);
	if (zone != NULL && zone_load(zone, &s->zone, &ei) != ERR_OK)
		log_warn("alert", "messages show UTC", KV("error",
		    &ei.text[0]));
	for (size_t i = 0; i < n; i++) {
		channel_add(s, &v[i], a);
		channel_clear(&v[i]);
	}
	xfree(v);
	return s;
}

void
setup_unref(struct setup *s)
{
	if (s == NULL || --s->refs > 0)
		return;
	for (size_t i = 0; i < s->n; i++)
		alert_channel_free(s->channels[i]);
	for (size_t i = 0; i < s->exec_allow.n; i++)
		xfree(s->exec_allow.v[i]);
	xfree(s->exec_allow.v);
	zone_free(s->zone);
	xfree(s->desks);
	xfree(s->channels);
	xfree(s->names);
	xfree(s->base_url);
	xfree(s);
}

struct alert_channel *
setup_channel(const struct setup *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->names[i], name) == 0)
			return s->channels[i];
	return NULL;
}

/* No document crashes the parser, and one that parses, written as an export
 * and read again, plans to nothing to do. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/channel.h"
#include "conf/conf.h"
#include "conf/plan.h"
#include "conf/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct web_conf {
	char *url, *password;
	struct pairs headers;
	struct ranges status;
	bool insecure;
	double loss;
};

static const struct opt expect_opts[] = {
	RANGES("status", web_conf, status, .dflt = "200-299", .min = 100,
	    .max = 599),
	OPT_END
};
static const struct opt web_opts[] = {
	STRING("url", web_conf, url, .flags = OPT_REQUIRED | OPT_TARGET),
	SECRET("password", web_conf, password),
	PAIRS("headers", web_conf, headers, .flags = OPT_SECRETS),
	TABLE("expect", expect_opts),
	FLAG("insecure", web_conf, insecure),
	RATIO("loss", web_conf, loss, .dflt = "50%"),
	OPT_END
};
static const struct monitor_kind web = {.name = "http",
	.drive = DRIVE_ACTIVE, .opts = web_opts,
	.conf_size = sizeof(struct web_conf)};
static const struct monitor_kind push = {.name = "push", .drive = DRIVE_PUSH};
static const struct monitor_kind group = {.name = "group",
	.drive = DRIVE_GROUP};
static const struct monitor_kind *const kinds[] = {&web, &push, &group, NULL};

static void
require(bool ok)
{
	if (!ok)
		abort();
}

static json_t *
export(const struct document *d)
{
	json_t *doc = json_object(), *list = json_array(), *members = NULL;
	json_t *channels = json_array(), *one;

	for (size_t i = 0; i < d->nchannels; i++)
		(void)json_array_append_new(channels,
		    channel_json(&d->channels[i], OPT_SECRETS_PLAIN));
	for (size_t i = 0; i < d->nmonitors; i++) {
		one = monitor_conf_json(d->monitors[i], OPT_SECRETS_PLAIN);
		(void)json_array_append_new(strchr(d->monitors[i]->path, '/') !=
		    NULL ? members : list, one);
		if (d->monitors[i]->kind != &group)
			continue;
		members = json_array();
		(void)json_object_set_new(one, "monitors", members);
	}
	(void)json_object_set_new(doc, "channels", channels);
	(void)json_object_set_new(doc, "monitors", list);
	return doc;
}

static bool
has_masks(const struct document *d)
{
	for (size_t i = 0; i < d->nmonitors; i++)
		if (monitor_conf_unmasked(d->monitors[i], NULL) != ERR_OK)
			return true;
	for (size_t i = 0; i < d->nchannels; i++)
		if (strstr(d->channels[i].text, OPT_MASK) != NULL)
			return true;
	return false;
}

/* As the writer would have stored it. */
static void
number(struct document *d)
{
	uint32_t in = 0;

	for (size_t i = 0; i < d->nmonitors; i++) {
		struct monitor_conf *c = d->monitors[i];

		c->id = (uint32_t)i + 1;
		if (c->kind == &group)
			in = c->id;
		c->group = strchr(c->path, '/') != NULL ? in : 0;
		c->origin = ORIGIN_APPLY;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct document *d = NULL, *back = NULL;
	struct errinfo ei = {0};
	struct plan *p = NULL;
	char *text;
	json_t *doc;
	const struct plan_opts o = {.origin = ORIGIN_APPLY, .prune = true};
	BUF_AUTO(yaml, TREE_BYTES_MAX);

	if (document_parse((struct str){(const char *)data, size}, "f", kinds,
	    NULL, &d, &ei) != ERR_OK) {
		require(ei.text[0] != '\0');
		require(strcmp(ei.file, "f") == 0);
		return 0;
	}
	if (!has_masks(d)) {
		doc = export(d);
		tree_yaml_write(doc, &yaml);
		json_decref(doc);
		text = buf_take(&yaml);
		require(document_parse(str_of(text), "g", kinds, NULL, &back,
		    &ei) == ERR_OK);
		xfree(text);
		number(d);
		require(plan_make(&(struct stored){d->monitors, d->nmonitors,
		    d->channels, d->nchannels}, back, &o, &p, &ei) == ERR_OK);
		require(p->n == 0);
		plan_free(p);
		document_free(back);
	}
	document_free(d);
	return 0;
}

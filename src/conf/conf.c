/* conf.c: the file described by the rows that read it: JSON Schema, the
 * reference page and the manual page. */
#include "conf/conf.h"

#include <stdio.h>

#include "conf/channel.h"

static const char *
conf_drive_text(enum drive d)
{
	switch (d) {
	case DRIVE_ACTIVE: return "checked by vedette";
	case DRIVE_PUSH:   return "heartbeats that come in";
	case DRIVE_GROUP:  return "the worst of its members";
	}
	return "";
}

static const struct opt *
conf_common(const struct monitor_kind *k)
{
	switch (k->drive) {
	case DRIVE_ACTIVE: return monitor_opts;
	case DRIVE_PUSH:   return monitor_push_opts;
	case DRIVE_GROUP:  return monitor_group_opts;
	}
	return NULL;
}

static void
schema_need(json_t *need, const struct opt *rows)
{
	for (const struct opt *o = rows; o != NULL && o->name != NULL; o++)
		if ((o->flags & OPT_REQUIRED) != 0)
			(void)json_array_append_new(need,
			    json_string(o->name));
}

/* members: a schema for the list of a group, taken; NULL: none. */
static json_t *
schema_kind(const struct monitor_kind *k, json_t *members)
{
	json_t *props = opt_schema(conf_common(k)), *own = opt_schema(k->opts);
	json_t *need = json_pack("[s]", "type");

	(void)json_object_update(props, own);
	json_decref(own);
	(void)json_object_set_new(props, "type",
	    json_pack("{s:s}", "const", k->name));
	if (members != NULL)
		(void)json_object_set_new(props, "monitors", members);
	schema_need(need, conf_common(k));
	schema_need(need, k->opts);
	return json_pack("{s:o, s:o, s:b}", "properties", props,
	    "required", need, "additionalProperties", 0);
}

static json_t *
schema_list(const char *ref)
{
	return json_pack("{s:[s,s], s:{s:s}}", "type", "array", "null",
	    "items", "$ref", ref);
}

/* One if/then per type, so that a message is about the type that was meant
 * and not about all of them. */
static json_t *
schema_monitor(const struct monitor_kind *const *kinds, bool member)
{
	json_t *names = json_array(), *all = json_array(), *members;
	const struct monitor_kind *k;

	for (size_t i = 0; kinds[i] != NULL; i++) {
		k = kinds[i];
		if (member && k->drive == DRIVE_GROUP)
			continue;
		(void)json_array_append_new(names, json_string(k->name));
		members = k->drive == DRIVE_GROUP ?
		    schema_list("#/$defs/member") : NULL;
		(void)json_array_append_new(all, json_pack(
		    "{s:{s:{s:{s:s}}, s:[s]}, s:o}", "if", "properties",
		    "type", "const", k->name, "required", "type",
		    "then", schema_kind(k, members)));
	}
	return json_pack("{s:s, s:[s,s], s:{s:{s:o, s:s}}, s:o}",
	    "type", "object", "required", "name", "type", "properties",
	    "type", "enum", names, "description", "What kind of check.",
	    "allOf", all);
}

json_t *
conf_schema(const struct monitor_kind *const *kinds)
{
	json_t *props = opt_schema(settings_opts);

	(void)json_object_set_new(props, "channels",
	    schema_list("#/$defs/channel"));
	(void)json_object_set_new(props, "monitors",
	    schema_list("#/$defs/monitor"));
	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:b, s:{s:o, s:o, s:o}}",
	    "$schema", "https://json-schema.org/draft/2020-12/schema",
	    "title", "vedette.yaml",
	    "description", "Configuration of the vedette monitor daemon.",
	    "type", "object", "properties", props,
	    "additionalProperties", 0, "$defs",
	    "channel", channel_schema(),
	    "monitor", schema_monitor(kinds, false),
	    "member", schema_monitor(kinds, true));
}

static void
reference_table(const struct opt *rows, const char *prefix, struct buf *out)
{
	buf_adds(out, "| key | default | allowed | change takes effect | |\n"
	    "|---|---|---|---|---|\n");
	opt_reference(rows, prefix, out);
	buf_addc(out, '\n');
}

static const char reference_head[] =
    "# Options\n\n"
    "Everything that `vedette.yaml` may say. This page is made from the\n"
    "tables that also read the file (`vedette reference`); the same tables\n"
    "make the JSON Schema (`vedette schema`).\n\n"
    "Durations are numbers with a unit, `500ms 30s 5m 1h30m 1d 1y`; a bare\n"
    "number is seconds. Sizes are bytes or `64KiB 4MiB 1GiB`. Unknown keys,\n"
    "values out of range and keys that are there twice are errors. Aliases\n"
    "(`*name`) are expanded; tags and merge keys (`<<`) are not supported.\n"
    "The file may be JSON too.\n\n";

static const char settings_head[] =
    "## Settings\n\n"
    "A flag comes before the environment, that before the file, that before\n"
    "the default. In the environment `store.retention.samples` is\n"
    "`VEDETTE_STORE_RETENTION_SAMPLES`; lists are written with commas.\n\n";

static const char monitors_head[] =
    "## Monitors\n\n"
    "A list under `monitors:`. A monitor is known by its path, `Name` or\n"
    "`Group/Name`: another name without `was` is another monitor. All of\n"
    "this takes effect live. A secret that is masked (`********`) or left\n"
    "out stays as it is, as long as the monitor looks at the same target;\n"
    "`\"\"` removes it.\n\n";

static const char channels_head[] =
    "## Channels\n\n"
    "A list under `channels:`, each with `name` and `type`, and what the\n"
    "type needs. Monitors name them in `notify`.\n\n";

void
conf_reference(const struct monitor_kind *const *kinds, struct buf *out)
{
	char prefix[40];

	buf_adds(out, reference_head);
	buf_adds(out, settings_head);
	for (const struct opt *o = settings_opts; o->name != NULL; o++) {
		buf_addf(out, "### %s\n\n%s\n\n", o->name, o->help);
		(void)snprintf(prefix, sizeof(prefix), "%s%s", o->name,
		    o->type == OPT_LIST ? "[]." : ".");
		reference_table(o->sub, prefix, out);
	}
	buf_adds(out, monitors_head);
	buf_adds(out, "### Every monitor that is checked\n\n");
	reference_table(monitor_opts, "", out);
	buf_adds(out, "### type: push, in place of these\n\n");
	reference_table(monitor_push_opts, "", out);
	buf_adds(out, "### type: group, in place of these\n\n"
	    "Its members are a list under `monitors:`; groups nest one "
	    "deep.\n\n");
	reference_table(monitor_group_opts, "", out);
	for (size_t i = 0; kinds[i] != NULL; i++) {
		if (kinds[i]->opts == NULL || kinds[i]->opts->name == NULL)
			continue;
		buf_addf(out, "### type: %s\n\n%s\n\n", kinds[i]->name,
		    conf_drive_text(kinds[i]->drive));
		reference_table(kinds[i]->opts, "", out);
	}
	buf_adds(out, channels_head);
	for (size_t i = 0; channel_types[i].name != NULL; i++) {
		buf_addf(out, "### channel type: %s\n\n",
		    channel_types[i].name);
		reference_table(channel_types[i].opts, "", out);
	}
}

void
conf_man(const struct monitor_kind *const *kinds, struct buf *out)
{
	char prefix[40];

	buf_adds(out, ".SH SETTINGS\n");
	for (const struct opt *o = settings_opts; o->name != NULL; o++) {
		(void)snprintf(prefix, sizeof(prefix), "%s%s", o->name,
		    o->type == OPT_LIST ? "[]." : ".");
		buf_addf(out, ".SS %s\n%s\n", o->name, o->help);
		opt_man(o->sub, prefix, out);
	}
	buf_adds(out, ".SH MONITORS\nA list under\n.BR monitors .\n"
	    ".SS Every monitor that is checked\n");
	opt_man(monitor_opts, "", out);
	buf_adds(out, ".SS \"type: push, in place of these\"\n");
	opt_man(monitor_push_opts, "", out);
	buf_adds(out, ".SS \"type: group, in place of these\"\n");
	opt_man(monitor_group_opts, "", out);
	for (size_t i = 0; kinds[i] != NULL; i++) {
		if (kinds[i]->opts == NULL || kinds[i]->opts->name == NULL)
			continue;
		buf_addf(out, ".SS \"type: %s\"\n%s\n", kinds[i]->name,
		    conf_drive_text(kinds[i]->drive));
		opt_man(kinds[i]->opts, "", out);
	}
	buf_adds(out, ".SH CHANNELS\nA list under\n.BR channels .\n");
	for (size_t i = 0; channel_types[i].name != NULL; i++) {
		buf_addf(out, ".SS \"channel type: %s\"\n",
		    channel_types[i].name);
		opt_man(channel_types[i].opts, "", out);
	}
}

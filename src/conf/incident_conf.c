#include "conf/incident_conf.h"

#include "base/attr.h"
#include "conf/tree_build.h"
#include "model/incident.h"

#define ROW_TITLE(...) STRING("title", incident_conf, title, .min = 1, \
	.max = INCIDENT_TITLE_MAX, .help = "What people read first.", \
	__VA_ARGS__)
#define ROW_CAUSE STRING("cause", incident_conf, cause, \
	.max = INCIDENT_CAUSE_MAX, .help = "What was found to be behind it.")
#define ROW_STATE CHOICE("state", incident_conf, state, \
	.dflt = "investigating", .choices = incident_state_names, \
	.help = "How far it is.")
#define ROW_SEVERITY CHOICE("severity", incident_conf, severity, \
	.dflt = "info", .choices = severity_names, .help = "How bad it is.")
#define ROW_MONITORS STRINGS("monitors", incident_conf, monitors, \
	.max = INCIDENT_MONITORS_MAX, .help = "Paths of those it affects.")
#define ROW_PUBLIC FLAG("public", incident_conf, open, .dflt = "true", \
	.help = "For the status page; else a note for those who may read the" \
	    " API.")

static const struct opt rows_new[] = {
	ROW_TITLE(.flags = OPT_REQUIRED),
	STRING("text", incident_conf, text, .max = INCIDENT_TEXT_MAX,
	    .help = "The first update."),
	ROW_CAUSE, ROW_STATE, ROW_SEVERITY, ROW_MONITORS, ROW_PUBLIC,
	OPT_END
};
static const struct opt rows_change[] = {
	ROW_TITLE(.flags = 0), ROW_CAUSE, ROW_STATE, ROW_SEVERITY,
	ROW_MONITORS,
	OPT_END
};
static const struct opt rows_update[] = {
	STRING("text", incident_conf, text, .flags = OPT_REQUIRED, .min = 1,
	    .max = INCIDENT_TEXT_MAX, .help = "What there is to say."),
	ROW_STATE, ROW_PUBLIC,
	OPT_END
};
static const struct opt *const rows[] = {
	[INCIDENT_BODY_NEW] = rows_new,
	[INCIDENT_BODY_CHANGE] = rows_change,
	[INCIDENT_BODY_UPDATE] = rows_update,
};

void
incident_conf_clear(struct incident_conf *c)
{
	/* The rows of a new one own all that there can be. */
	opt_free(rows_new, c);
	*c = (struct incident_conf){0};
}

enum err
incident_conf_read(const json_t *v, enum incident_body kind,
    struct incident_conf *ret, struct errinfo *ei)
{
	struct incident_conf c = {0};
	const struct opt_set set = {rows[kind], &c};
	struct tree *t CLEANUP(tree_freep) = NULL;
	enum err e = tree_from_json_value(v, &t, ei);

	if (e == ERR_OK)
		e = opt_read(tree_root(t), &set, 1, NULL, ei);
	if (e != ERR_OK) {
		incident_conf_clear(&c);
		return e;
	}
	c.has_title = json_object_get(v, "title") != NULL;
	c.has_cause = json_object_get(v, "cause") != NULL;
	c.has_state = json_object_get(v, "state") != NULL;
	c.has_severity = json_object_get(v, "severity") != NULL;
	c.has_monitors = json_object_get(v, "monitors") != NULL;
	*ret = c;
	return ERR_OK;
}

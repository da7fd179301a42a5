/* incident_conf.h: what a person says of an incident: a body of the API, bound
 * by option rows. Which rows are allowed depends on what is asked for. */
#ifndef CONF_INCIDENT_CONF_H
#define CONF_INCIDENT_CONF_H

#include <stdbool.h>

#include <jansson.h>

#include "base/err.h"
#include "conf/opt.h"

struct incident_conf {
	char *title, *cause, *text;   /* owned; NULL: not given */
	struct strings monitors;      /* paths; owned */
	uint32_t state, severity;     /* as in the enums */
	bool open;                    /* the text is for everybody */
	/* What was given at all. */
	bool has_title, has_cause, has_state, has_severity, has_monitors;
};

enum incident_body {
	INCIDENT_BODY_NEW,      /* title; text, cause, state, severity,
				 * monitors, public */
	INCIDENT_BODY_CHANGE,   /* title, cause, state, severity, monitors */
	INCIDENT_BODY_UPDATE    /* text; state, public */
};
/* The field of a failure is the key. Cleared by incident_conf_clear. */
enum err incident_conf_read(const json_t *v, enum incident_body kind,
    struct incident_conf *ret, struct errinfo *ei) MUST_USE;
void incident_conf_clear(struct incident_conf *c);

#endif

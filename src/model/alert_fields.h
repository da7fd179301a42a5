/* alert_fields.h: what a template may ask of a message: the names are what
 * people write in {{…}}, so none ever changes its meaning. */
#ifndef MODEL_ALERT_FIELDS_H
#define MODEL_ALERT_FIELDS_H

enum alert_field {
	/* of the message */
	FIELD_TITLE, FIELD_TEXT, FIELD_COUNT, FIELD_MANY, FIELD_PROBLEMS,
	FIELD_RECOVERIES, FIELD_CHANNEL, FIELD_HOST, FIELD_NOW, FIELD_HOME,
	/* of one event: within each its own, outside the first one's */
	FIELD_EVENT, FIELD_STATE, FIELD_NAME, FIELD_SHORT, FIELD_GROUP,
	FIELD_ID, FIELD_TYPE, FIELD_TARGET, FIELD_TAGS, FIELD_SEVERITY,
	FIELD_STATUS, FIELD_WAS, FIELD_WHY, FIELD_REASON, FIELD_SINCE,
	FIELD_AT, FIELD_UNTIL, FIELD_DURATION, FIELD_LATENCY, FIELD_URL,
	FIELD_ACK_URL, FIELD_INCIDENT, FIELD_PROBLEM, FIELD_LATE,
	FIELD_COLLAPSED, FIELD_NMAX
};
extern const char *const alert_field_names[FIELD_NMAX + 1];   /* NULL last */
extern const char *const alert_field_help[FIELD_NMAX];

#endif

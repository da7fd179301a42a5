/* incident.h: one trouble, from its beginning to its end, as plain data: of a
 * monitor, opened and closed with what it is (automatic), or one that a person
 * writes of (manual), which informs and suppresses nothing. Which incident a
 * monitor has is read from its state alone, so that the rows say the same
 * after a replay, a restart or an upgrade. */
#ifndef MODEL_INCIDENT_H
#define MODEL_INCIDENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "model/alert.h"
#include "model/sample.h"

#define INCIDENT_TITLE_MAX    160    /* bytes */
#define INCIDENT_CAUSE_MAX    1000
#define INCIDENT_TEXT_MAX     4000   /* of one update */
#define INCIDENT_UPDATES_MAX  500    /* of one incident */
#define INCIDENT_MONITORS_MAX 50     /* that a manual one affects */
#define INCIDENT_OPEN_MAX     100    /* manual ones, at a time */
#define INCIDENT_MANUAL_MAX   10000  /* manual ones that are kept */

/* Stored: never renumber. */
enum incident_state {
	INCIDENT_INVESTIGATING = 0, INCIDENT_IDENTIFIED = 1,
	INCIDENT_MONITORING = 2, INCIDENT_RESOLVED = 3, INCIDENT_STATE_NMAX
};
extern const char *const incident_state_names[INCIDENT_STATE_NMAX + 1];

struct incident {
	uint64_t id;             /* rising, never given again */
	uint64_t version;        /* rises with every change */
	uint32_t monitor;        /* 0: manual */
	int64_t incident_us;     /* with monitor: as in struct alerting */
	int64_t opened_us;
	int64_t closed_us;       /* 0: open */
	int64_t changed_us;
	uint8_t state;           /* RESOLVED when closed, and only then */
	uint8_t severity;        /* enum severity, the worst there was */
	uint8_t worst;           /* enum status, the worst; manual: UP */
	uint8_t why;             /* of the opening */
	uint32_t nmonitors;
	uint32_t monitors[INCIDENT_MONITORS_MAX];   /* of a manual one */
	char name[ALERT_NAME_MAX];    /* the monitor's path then */
	char reason[REASON_MAX];      /* of the opening */
	char title[INCIDENT_TITLE_MAX + 1];   /* "": incident_title says */
	char cause[INCIDENT_CAUSE_MAX + 1];   /* what people found out */
	char by[64];                  /* who wrote a manual one */
};

/* One entry that a person made; oldest first where there are several. */
struct incident_update {
	uint64_t id;             /* rising over all incidents */
	uint64_t incident;
	int64_t at_us;
	uint8_t state;           /* from then on */
	bool changed;            /* this entry changed the state */
	bool open;               /* for everybody to read; else a note */
	char by[64];
	char *text;              /* owned; "" when it only changes the state */
};
void incident_updates_free(struct incident_update *v, size_t n);

/* Its title: what a person wrote, or its monitor and the worst it was. */
#define INCIDENT_TITLE_TEXT (ALERT_NAME_MAX + 16)
const char *incident_title(const struct incident *i, char *dst);

/* The incident that a monitor in this state has open (its incident_us), or 0.
 * was_us: the one that was open before, or 0. What is known of it is what
 * people were told (alerting); where nobody keeps that, the status decides. */
int64_t incident_of(const struct mon_state *st, int64_t was_us);

/* How bad it is in this state: severity and worst of *ret, the rest zero. */
void incident_grade(const struct mon_state *st, struct incident *ret);

/* "3,17" and back; what is no number ends it. */
void incident_monitors_text(const struct incident *i, struct buf *out);
void incident_monitors_parse(struct str text, struct incident *ret);

#endif

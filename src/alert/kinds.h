/* kinds.h: what the types of channels are made of; for src/alert alone. */
#ifndef ALERT_KINDS_H
#define ALERT_KINDS_H

#include "alert/kind.h"
#include "base/template.h"
#include "base/text.h"

/* Events first … first + n of a message, in one request. */
struct alert_part {
	size_t first, n;
	uint32_t copy;   /* recipient; or step: 0 begins, 1 ends, or raises */
};

typedef enum err alert_build_fn(const struct alert_message *m,
    const struct alert_part *p, struct alert_request *ret,
    struct errinfo *ei);

struct alert_kind_row {
	const char *name;   /* as in conf/channel_opts.c */
	bool grouped;
	/* How much text one request takes, and in what. With joined the title
	 * is part of that text. 0: no limit but our own. */
	size_t text_max;
	enum text_measure measure;
	bool joined;
	bool plain_counts;  /* the provider counts before our escapes */
	/* How foreign text is written there; NULL: as it is. */
	void (*escape)(struct buf *out, struct str s);
	/* Size of the request that tells of this part, when it is not that of
	 * its text; compared with text_max. */
	size_t (*size)(const struct alert_message *m,
	    const struct alert_part *p);
	/* What it keeps is not made worse by telling again: a CHANGE takes a
	 * second request (copy 1). */
	bool raises;
	/* Requests per part (recipients); NULL: one. */
	size_t (*copies)(const struct alert_channel *c);
	alert_build_fn *build;
	/* After the common judgement, which it may correct; NULL: that. */
	void (*judge)(const struct alert_message *m,
	    const struct alert_part *p, const struct alert_answer *a,
	    struct alert_outcome *ret);
};
extern const struct alert_kind_row alert_webhook, alert_discord, alert_slack,
    alert_teams, alert_mattermost, alert_googlechat, alert_telegram,
    alert_ntfy, alert_gotify, alert_pushover, alert_pagerduty,
    alert_opsgenie, alert_matrix, alert_twilio, alert_alertmanager,
    alert_email, alert_exec;
extern const struct alert_kind_row *const alert_kinds[];   /* ends with NULL */

struct alert_channel {
	char name[CHANNEL_NAME_MAX];
	char type[24];
	const struct alert_kind_row *kind;
	struct channel_own own;
	struct template *title, *body;   /* NULL: the default */
};

#endif

/* message.h: what an alert says, in words: titles, texts, values of fields.
 * Pure; every provider's bytes are made from these. */
#ifndef ALERT_MESSAGE_H
#define ALERT_MESSAGE_H

#include "alert/kinds.h"
#include "model/alert_fields.h"

/* Bad news: something is, or may become, broken. */
bool message_problem(const struct alert_event *e);
/* Good news: something that was told of is over. */
bool message_recovery(const struct alert_event *e);
const char *message_state(const struct alert_item *it);   /* "DOWN" */
/* Of the worst of a part. */
enum message_mood { MOOD_GOOD, MOOD_INFO, MOOD_WARNING, MOOD_BAD };
enum message_mood message_mood(const struct alert_message *m,
    const struct alert_part *p);
enum severity message_severity(const struct alert_message *m,
    const struct alert_part *p);

/* "2026-11-21 10:00:05 UTC", in the place's zone. */
void message_time(const struct alert_message *m, int64_t us, struct buf *out);
/* The key under which a provider keeps the incident: the same for its open,
 * its changes and its resolve; no other event has it. */
#define MESSAGE_KEY_MAX 192
void message_key(const struct alert_message *m, const struct alert_event *e,
    struct buf *out);
/* 32 hexadecimal digits, the same at every attempt of this request. */
#define MESSAGE_ONCE 33
const char *message_once(const struct alert_message *m,
    const struct alert_part *p, char dst[MESSAGE_ONCE]);
/* Of the monitor's page, or of ours; "" when we do not know our address. */
void message_url(const struct alert_message *m, const struct alert_part *p,
    struct buf *out);

/* Title and text as the channel's templates, or we, would have them; values
 * go through escape (NULL: none). One line; several. */
typedef void message_escape(struct buf *out, struct str s);
void message_title(const struct alert_message *m, const struct alert_part *p,
    message_escape *escape, struct buf *out);
void message_text(const struct alert_message *m, const struct alert_part *p,
    message_escape *escape, struct buf *out);
/* What there is when the channel has no template of its own. */
void message_default_title(const struct alert_message *m,
    const struct alert_part *p, message_escape *escape, struct buf *out);
void message_default_text(const struct alert_message *m,
    const struct alert_part *p, message_escape *escape, struct buf *out);
/* Any template over this part. */
void message_fill(const struct alert_message *m, const struct alert_part *p,
    const struct template *t, message_escape *escape, struct buf *out);
/* Title, line feed, text: what channels without titles get. */
void message_joined(const struct alert_message *m, const struct alert_part *p,
    message_escape *escape, struct buf *out);
/* Text, or with the kind's joined title and text, within its text_max: what
 * does not fit is cut off (and then its template's own markup with it). */
void message_fit(const struct alert_message *m, const struct alert_part *p,
    struct buf *out);
/* One line about one event. */
void message_line(const struct alert_message *m, const struct alert_item *it,
    message_escape *escape, struct buf *out);
/* A value as the sink wants it; links stay what they are. */
void message_value(struct buf *out, message_escape *escape, struct str s);
/* How long the incident has lasted, or did; -1: it is none. */
int64_t message_lasted_us(const struct alert_message *m,
    const struct alert_event *e);
/* The whole part for machines, version 1: docs/channels.md has the fields. */
void message_json(const struct alert_message *m, const struct alert_part *p,
    struct buf *out);
/* One field; i: TEMPLATE_WHOLE for the message's. */
void message_field(const struct alert_message *m, const struct alert_part *p,
    enum alert_field f, size_t i, struct buf *out);

#endif

/* alerts.h: what people do about alerts: acknowledge and snooze an incident,
 * by the API or by the signed link in a message; channels with their health,
 * their deliveries, and a test. */
#ifndef HTTP_ALERTS_H
#define HTTP_ALERTS_H

#include "http/req.h"

enum flow alerts_channels(struct req *q);
enum flow alerts_deliveries(struct req *q);   /* on a reader's thread */
enum flow alerts_test(struct req *q);
enum flow alerts_ack(struct req *q);
enum flow alerts_unack(struct req *q);
enum flow alerts_snooze(struct req *q);
enum flow alerts_unsnooze(struct req *q);
/* A link is looked at by mail scanners and previews: GET only asks, POST
 * acknowledges. */
enum flow alerts_link_ask(struct req *q);
enum flow alerts_link_act(struct req *q);

#endif

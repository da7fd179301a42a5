/* What is sent, byte by byte: test_alert_bytes.c says how. */
#ifndef ALERT_GOLDEN_CHAT_H
#define ALERT_GOLDEN_CHAT_H

#define C_DISCORD \
	"{\"name\":\"c\",\"type\":\"discord\",\"url\":\"https://d.example/api/webhooks/1/tok" \
	"\"}"
#define C_SLACK \
	"{\"name\":\"c\",\"type\":\"slack\",\"url\":\"https://hooks.example/s\",\"channel\":" \
	"\"#ops\"}"
#define C_TEAMS \
	"{\"name\":\"c\",\"type\":\"teams\",\"url\":\"https://t.example/w\"}"
#define C_MATTERMOST \
	"{\"name\":\"c\",\"type\":\"mattermost\",\"url\":\"https://m.example/hooks/x\",\"chan" \
	"nel\":\"ops\"}"
#define C_GOOGLECHAT \
	"{\"name\":\"c\",\"type\":\"googlechat\",\"url\":\"https://g.example/v1?key=k\"}"
#define C_TELEGRAM \
	"{\"name\":\"c\",\"type\":\"telegram\",\"token\":\"12:Ab-c\",\"chat_id\":\"-100\"}"
#define C_MATRIX \
	"{\"name\":\"c\",\"type\":\"matrix\",\"url\":\"https://x.example\",\"token\":\"syt\"," \
	"\"room\":\"!a:b.c\"}"

static const struct golden goldens_chat[] = {
	{C_DISCORD, "open",
	    "POST https://d.example/api/webhooks/1/tok\n"
	    "Content-Type: application/json\n"
	    "\n"
	    "{\"embeds\":[{\"title\":\"DOWN: Shop/Web\",\"description\":\"Shop/Web is down since "
	    "2026-11-21 10:00:00 UTC.\\nReason: refused by 192.0.2.1:443\\nTarget: https://a.exam"
	    "ple/\\nSeverity: critical\\nTags: prod,eu\\nhttps://s.example/#m7\\nAcknowledge: htt"
	    "ps://s.example/ack/T0kEn\",\"color\":14687834,\"url\":\"https://s.example/#m7\",\"ti"
	    "mestamp\":\"2026-11-21T10:00:00Z\"}],\"allowed_mentions\":{\"parse\":[]}}"},
	{C_DISCORD, "resolve",
	    "POST https://d.example/api/webhooks/1/tok\n"
	    "Content-Type: application/json\n"
	    "\n"
	    "{\"embeds\":[{\"title\":\"UP: Shop/Web after 1m 5s down\",\"description\":\"Shop/Web"
	    " is up again. It was down since 2026-11-21 09:58:55 UTC, for 1m 5s.\\nTarget: https:"
	    "//a.example/\\nTags: prod,eu\\nhttps://s.example/#m7\",\"color\":3061373,\"url\":\"h"
	    "ttps://s.example/#m7\",\"timestamp\":\"2026-11-21T10:00:00Z\"}],\"allowed_mentions\""
	    ":{\"parse\":[]}}"},
	{C_DISCORD, "group",
	    "POST https://d.example/api/webhooks/1/tok\n"
	    "Content-Type: application/json\n"
	    "\n"
	    "{\"embeds\":[{\"title\":\"3 DOWN: Shop/Web, Shop/API, DNS\",\"description\":\"DOWN: "
	    "Shop/Web, since 2026-11-21 10:00:00 UTC: refused by 192.0.2.1:443\\nDOWN: Shop/API, "
	    "since 2026-11-21 10:00:00 UTC: refused by 192.0.2.1:443\\nDOWN: DNS, since 2026-11-2"
	    "1 10:00:00 UTC: refused by 192.0.2.1:443\\nhttps://s.example/\",\"color\":14687834,"
	    "\"url\":\"https://s.example/\",\"timestamp\":\"2026-11-21T10:00:00Z\"}],\"allowed_me"
	    "ntions\":{\"parse\":[]}}"},
	{C_DISCORD, "certificate",
	    "POST https://d.example/api/webhooks/1/tok\n"
	    "Content-Type: application/json\n"
	    "\n"
	    "{\"embeds\":[{\"title\":\"CERTIFICATE: Shop/Web ends in 7d\",\"description\":\"The c"
	    "ertificate of Shop/Web ends at 2026-11-28 10:00:00 UTC.\\nReason: the certificate ex"
	    "pires soon\\nTarget: https://a.example/\\nSeverity: warning\\nTags: prod,eu\\nhttps:"
	    "//s.example/#m7\",\"color\":15512110,\"url\":\"https://s.example/#m7\",\"timestamp\""
	    ":\"2026-11-21T10:00:00Z\"}],\"allowed_mentions\":{\"parse\":[]}}"},
	{C_DISCORD, "test",
	    "POST https://d.example/api/webhooks/1/tok\n"
	    "Content-Type: application/json\n"
	    "\n"
	    "{\"embeds\":[{\"title\":\"TEST: channel c\",\"description\":\"This is a test of chan"
	    "nel c. Nothing is wrong.\\nhttps://s.example/\",\"color\":3900150,\"url\":\"https://"
	    "s.example/\",\"timestamp\":\"2026-11-21T10:00:00Z\"}],\"allowed_mentions\":{\"parse"
	    "\":[]}}"},
	{C_SLACK, "open",
	    "POST https://hooks.example/s\n"
	    "Content-Type: application/json\n"
	    "\n"
	    "{\"channel\":\"#ops\",\"text\":\"DOWN: Shop/Web\\nShop/Web is down since 2026-11-21 "
	    "10:00:00 UTC.\\nReason: refused by 192.0.2.1:443\\nTarget: https://a.example/\\nSeve"
	    "rity: critical\\nTags: prod,eu\\nhttps://s.example/#m7\\nAcknowledge: https://s.exam"
	    "ple/ack/T0kEn\",\"mrkdwn\":false}"},
	{C_SLACK, "resolve",
	    "POST https://hooks.example/s\n"
	    "Content-Type: application/json\n"
	    "\n"
	    "{\"channel\":\"#ops\",\"text\":\"UP: Shop/Web after 1m 5s down\\nShop/Web is up agai"
	    "n. It was down since 2026-11-21 09:58:55 UTC, for 1m 5s.\\nTarget: https://a.example"
	    "/\\nTags: prod,eu\\nhttps://s.example/#m7\",\"mrkdwn\":false}"},
	{C_SLACK, "group",
	    "POST https://hooks.example/s\n"
	    "Content-Type: application/json\n"
	    "\n"
	    "{\"channel\":\"#ops\",\"text\":\"3 DOWN: Shop/Web, Shop/API, DNS\\nDOWN: Shop/Web, s"
	    "ince 2026-11-21 10:00:00 UTC: refused by 192.0.2.1:443\\nDOWN: Shop/API, since 2026-"
	    "11-21 10:00:00 UTC: refused by 192.0.2.1:443\\nDOWN: DNS, since 2026-11-21 10:00:00 "
	    "UTC: refused by 192.0.2.1:443\\nhttps://s.example/\",\"mrkdwn\":false}"},
	{C_SLACK, "certificate",
	    "POST https://hooks.example/s\n"
	    "Content-Type: application/json\n"
	    "\n"
	    "{\"channel\":\"#ops\",\"text\":\"CERTIFICATE: Shop/Web ends in 7d\\nThe certificate "
	    "of Shop/Web ends at 2026-11-28 10:00:00 UTC.\\nReason: the certificate expires soon"
	    "\\nTarget: https://a.example/\\nSeverity: warning\\nTags: prod,eu\\nhttps://s.exampl"
	    "e/#m7\",\"mrkdwn\":false}"},
	{C_SLACK, "test",
	    "POST https://hooks.example/s\n"
	    "Content-Type: application/json\n"
	    "\n"
	    "{\"channel\":\"#ops\",\"text\":\"TEST: channel c\\nThis is a test of channel c. Noth"
	    "ing is wrong.\\nhttps://s.example/\",\"mrkdwn\":false}"},
	{C_SLACK, "collapsed",
	    "POST https://hooks.example/s\n"
	    "Content-Type: application/json\n"
	    "\n"
	    "{\"channel\":\"#ops\",\"text\":\"WAS DOWN: Shop/Web for 1m 5s, is up\\nShop/Web is u"
	    "p again. It was down since 2026-11-21 09:58:55 UTC, for 1m 5s. Its beginning could n"
	    "ot be told in time.\\nTarget: https://a.example/\\nTags: prod,eu\\nSent late: this h"
	    "appened at 2026-11-21 10:00:00 UTC, 0 s ago.\\nhttps://s.example/#m7\",\"mrkdwn\":fa"
	    "lse}"},
	{C_TEAMS, "open",
	    "POST https://t.example/w\n"
	    "Content-Type: application/json\n"
	    "\n"
	    "{\"type\":\"message\",\"attachments\":[{\"contentType\":\"application/vnd.microsoft."
	    "card.adaptive\",\"contentUrl\":null,\"content\":{\"$schema\":\"http://adaptivecards."
	    "io/schemas/adaptive-card.json\",\"type\":\"AdaptiveCard\",\"version\":\"1.4\",\"body"
	    "\":[{\"type\":\"RichTextBlock\",\"inlines\":[{\"type\":\"TextRun\",\"text\":\"DOWN: "
	    "Shop/Web\",\"weight\":\"Bolder\",\"color\":\"Attention\"}]},{\"type\":\"RichTextBloc"
	    "k\",\"inlines\":[{\"type\":\"TextRun\",\"text\":\"Shop/Web is down since 2026-11-21 "
	    "10:00:00 UTC.\"}]},{\"type\":\"RichTextBlock\",\"inlines\":[{\"type\":\"TextRun\",\""
	    "text\":\"Reason: refused by 192.0.2.1:443\"}]},{\"type\":\"RichTextBlock\",\"inlines"
	    "\":[{\"type\":\"TextRun\",\"text\":\"Target: https://a.example/\"}]},{\"type\":\"Ric"
	    "hTextBlock\",\"inlines\":[{\"type\":\"TextRun\",\"text\":\"Severity: critical\"}]},{"
	    "\"type\":\"RichTextBlock\",\"inlines\":[{\"type\":\"TextRun\",\"text\":\"Tags: prod,"
	    "eu\"}]},{\"type\":\"RichTextBlock\",\"inlines\":[{\"type\":\"TextRun\",\"text\":\"ht"
	    "tps://s.example/#m7\"}]},{\"type\":\"RichTextBlock\",\"inlines\":[{\"type\":\"TextRu"
	    "n\",\"text\":\"Acknowledge: https://s.example/ack/T0kEn\"}]}],\"actions\":[{\"type\""
	    ":\"Action.OpenUrl\",\"title\":\"Open\",\"url\":\"https://s.example/#m7\"}]}}]}"},
	{C_TEAMS, "resolve",
	    "POST https://t.example/w\n"
	    "Content-Type: application/json\n"
	    "\n"
	    "{\"type\":\"message\",\"attachments\":[{\"contentType\":\"application/vnd.microsoft."
	    "card.adaptive\",\"contentUrl\":null,\"content\":{\"$schema\":\"http://adaptivecards."
	    "io/schemas/adaptive-card.json\",\"type\":\"AdaptiveCard\",\"version\":\"1.4\",\"body"
	    "\":[{\"type\":\"RichTextBlock\",\"inlines\":[{\"type\":\"TextRun\",\"text\":\"UP: Sh"
	    "op/Web after 1m 5s down\",\"weight\":\"Bolder\",\"color\":\"Good\"}]},{\"type\":\"Ri"
	    "chTextBlock\",\"inlines\":[{\"type\":\"TextRun\",\"text\":\"Shop/Web is up again. It"
	    " was down since 2026-11-21 09:58:55 UTC, for 1m 5s.\"}]},{\"type\":\"RichTextBlock\""
	    ",\"inlines\":[{\"type\":\"TextRun\",\"text\":\"Target: https://a.example/\"}]},{\"ty"
	    "pe\":\"RichTextBlock\",\"inlines\":[{\"type\":\"TextRun\",\"text\":\"Tags: prod,eu\""
	    "}]},{\"type\":\"RichTextBlock\",\"inlines\":[{\"type\":\"TextRun\",\"text\":\"https:"
	    "//s.example/#m7\"}]}],\"actions\":[{\"type\":\"Action.OpenUrl\",\"title\":\"Open\","
	    "\"url\":\"https://s.example/#m7\"}]}}]}"},
	{C_TEAMS, "group",
	    "POST https://t.example/w\n"
	    "Content-Type: application/json\n"
	    "\n"
	    "{\"type\":\"message\",\"attachments\":[{\"contentType\":\"application/vnd.microsoft."
	    "card.adaptive\",\"contentUrl\":null,\"content\":{\"$schema\":\"http://adaptivecards."
	    "io/schemas/adaptive-card.json\",\"type\":\"AdaptiveCard\",\"version\":\"1.4\",\"body"
	    "\":[{\"type\":\"RichTextBlock\",\"inlines\":[{\"type\":\"TextRun\",\"text\":\"3 DOWN"
	    ": Shop/Web, Shop/API, DNS\",\"weight\":\"Bolder\",\"color\":\"Attention\"}]},{\"type"
	    "\":\"RichTextBlock\",\"inlines\":[{\"type\":\"TextRun\",\"text\":\"DOWN: Shop/Web, s"
	    "ince 2026-11-21 10:00:00 UTC: refused by 192.0.2.1:443\"}]},{\"type\":\"RichTextBloc"
	    "k\",\"inlines\":[{\"type\":\"TextRun\",\"text\":\"DOWN: Shop/API, since 2026-11-21 1"
	    "0:00:00 UTC: refused by 192.0.2.1:443\"}]},{\"type\":\"RichTextBlock\",\"inlines\":["
	    "{\"type\":\"TextRun\",\"text\":\"DOWN: DNS, since 2026-11-21 10:00:00 UTC: refused b"
	    "y 192.0.2.1:443\"}]},{\"type\":\"RichTextBlock\",\"inlines\":[{\"type\":\"TextRun\","
	    "\"text\":\"https://s.example/\"}]}],\"actions\":[{\"type\":\"Action.OpenUrl\",\"titl"
	    "e\":\"Open\",\"url\":\"https://s.example/\"}]}}]}"},
	{C_TEAMS, "certificate",
	    "POST https://t.example/w\n"
	    "Content-Type: application/json\n"
	    "\n"
	    "{\"type\":\"message\",\"attachments\":[{\"contentType\":\"application/vnd.microsoft."
	    "card.adaptive\",\"contentUrl\":null,\"content\":{\"$schema\":\"http://adaptivecards."
	    "io/schemas/adaptive-card.json\",\"type\":\"AdaptiveCard\",\"version\":\"1.4\",\"body"
	    "\":[{\"type\":\"RichTextBlock\",\"inlines\":[{\"type\":\"TextRun\",\"text\":\"CERTIF"
	    "ICATE: Shop/Web ends in 7d\",\"weight\":\"Bolder\",\"color\":\"Warning\"}]},{\"type"
	    "\":\"RichTextBlock\",\"inlines\":[{\"type\":\"TextRun\",\"text\":\"The certificate o"
	    "f Shop/Web ends at 2026-11-28 10:00:00 UTC.\"}]},{\"type\":\"RichTextBlock\",\"inlin"
	    "es\":[{\"type\":\"TextRun\",\"text\":\"Reason: the certificate expires soon\"}]},{\""
	    "type\":\"RichTextBlock\",\"inlines\":[{\"type\":\"TextRun\",\"text\":\"Target: https"
	    "://a.example/\"}]},{\"type\":\"RichTextBlock\",\"inlines\":[{\"type\":\"TextRun\",\""
	    "text\":\"Severity: warning\"}]},{\"type\":\"RichTextBlock\",\"inlines\":[{\"type\":"
	    "\"TextRun\",\"text\":\"Tags: prod,eu\"}]},{\"type\":\"RichTextBlock\",\"inlines\":[{"
	    "\"type\":\"TextRun\",\"text\":\"https://s.example/#m7\"}]}],\"actions\":[{\"type\":"
	    "\"Action.OpenUrl\",\"title\":\"Open\",\"url\":\"https://s.example/#m7\"}]}}]}"},
	{C_TEAMS, "test",
	    "POST https://t.example/w\n"
	    "Content-Type: application/json\n"
	    "\n"
	    "{\"type\":\"message\",\"attachments\":[{\"contentType\":\"application/vnd.microsoft."
	    "card.adaptive\",\"contentUrl\":null,\"content\":{\"$schema\":\"http://adaptivecards."
	    "io/schemas/adaptive-card.json\",\"type\":\"AdaptiveCard\",\"version\":\"1.4\",\"body"
	    "\":[{\"type\":\"RichTextBlock\",\"inlines\":[{\"type\":\"TextRun\",\"text\":\"TEST: "
	    "channel c\",\"weight\":\"Bolder\",\"color\":\"Accent\"}]},{\"type\":\"RichTextBlock"
	    "\",\"inlines\":[{\"type\":\"TextRun\",\"text\":\"This is a test of channel c. Nothin"
	    "g is wrong.\"}]},{\"type\":\"RichTextBlock\",\"inlines\":[{\"type\":\"TextRun\",\"te"
	    "xt\":\"https://s.example/\"}]}],\"actions\":[{\"type\":\"Action.OpenUrl\",\"title\":"
	    "\"Open\",\"url\":\"https://s.example/\"}]}}]}"},
	{C_MATTERMOST, "open",
	    "POST https://m.example/hooks/x\n"
	    "Content-Type: application/json\n"
	    "\n"
	    "{\"channel\":\"ops\",\"username\":\"vedette\",\"text\":\"DOWN: Shop/Web\\nShop/Web i"
	    "s down since 2026-11-21 10:00:00 UTC.\\nReason: refused by 192.0.2.1:443\\nTarget: h"
	    "ttps://a.example/\\nSeverity: critical\\nTags: prod,eu\\nhttps://s.example/#m7\\nAck"
	    "nowledge: https://s.example/ack/T0kEn\"}"},
	{C_MATTERMOST, "resolve",
	    "POST https://m.example/hooks/x\n"
	    "Content-Type: application/json\n"
	    "\n"
	    "{\"channel\":\"ops\",\"username\":\"vedette\",\"text\":\"UP: Shop/Web after 1m 5s do"
	    "wn\\nShop/Web is up again. It was down since 2026-11-21 09:58:55 UTC, for 1m 5s.\\nT"
	    "arget: https://a.example/\\nTags: prod,eu\\nhttps://s.example/#m7\"}"},
	{C_MATTERMOST, "group",
	    "POST https://m.example/hooks/x\n"
	    "Content-Type: application/json\n"
	    "\n"
	    "{\"channel\":\"ops\",\"username\":\"vedette\",\"text\":\"3 DOWN: Shop/Web, Shop/API,"
	    " DNS\\nDOWN: Shop/Web, since 2026-11-21 10:00:00 UTC: refused by 192.0.2.1:443\\nDOW"
	    "N: Shop/API, since 2026-11-21 10:00:00 UTC: refused by 192.0.2.1:443\\nDOWN: DNS, si"
	    "nce 2026-11-21 10:00:00 UTC: refused by 192.0.2.1:443\\nhttps://s.example/\"}"},
	{C_MATTERMOST, "certificate",
	    "POST https://m.example/hooks/x\n"
	    "Content-Type: application/json\n"
	    "\n"
	    "{\"channel\":\"ops\",\"username\":\"vedette\",\"text\":\"CERTIFICATE: Shop/Web ends "
	    "in 7d\\nThe certificate of Shop/Web ends at 2026-11-28 10:00:00 UTC.\\nReason: the c"
	    "ertificate expires soon\\nTarget: https://a.example/\\nSeverity: warning\\nTags: pro"
	    "d,eu\\nhttps://s.example/#m7\"}"},
	{C_MATTERMOST, "test",
	    "POST https://m.example/hooks/x\n"
	    "Content-Type: application/json\n"
	    "\n"
	    "{\"channel\":\"ops\",\"username\":\"vedette\",\"text\":\"TEST: channel c\\nThis is a"
	    " test of channel c. Nothing is wrong.\\nhttps://s.example/\"}"},
	{C_GOOGLECHAT, "open",
	    "POST https://g.example/v1?key=k\n"
	    "Content-Type: application/json\n"
	    "\n"
	    "{\"text\":\"DOWN: Shop/Web\\nShop/Web is down since 2026-11-21 10:00:00 UTC.\\nReaso"
	    "n: refused by 192.0.2.1:443\\nTarget: https://a.example/\\nSeverity: critical\\nTags"
	    ": prod,eu\\nhttps://s.example/#m7\\nAcknowledge: https://s.example/ack/T0kEn\"}"},
	{C_GOOGLECHAT, "resolve",
	    "POST https://g.example/v1?key=k\n"
	    "Content-Type: application/json\n"
	    "\n"
	    "{\"text\":\"UP: Shop/Web after 1m 5s down\\nShop/Web is up again. It was down since "
	    "2026-11-21 09:58:55 UTC, for 1m 5s.\\nTarget: https://a.example/\\nTags: prod,eu\\nh"
	    "ttps://s.example/#m7\"}"},
	{C_GOOGLECHAT, "group",
	    "POST https://g.example/v1?key=k\n"
	    "Content-Type: application/json\n"
	    "\n"
	    "{\"text\":\"3 DOWN: Shop/Web, Shop/API, DNS\\nDOWN: Shop/Web, since 2026-11-21 10:00"
	    ":00 UTC: refused by 192.0.2.1:443\\nDOWN: Shop/API, since 2026-11-21 10:00:00 UTC: r"
	    "efused by 192.0.2.1:443\\nDOWN: DNS, since 2026-11-21 10:00:00 UTC: refused by 192.0"
	    ".2.1:443\\nhttps://s.example/\"}"},
	{C_GOOGLECHAT, "certificate",
	    "POST https://g.example/v1?key=k\n"
	    "Content-Type: application/json\n"
	    "\n"
	    "{\"text\":\"CERTIFICATE: Shop/Web ends in 7d\\nThe certificate of Shop/Web ends at 2"
	    "026-11-28 10:00:00 UTC.\\nReason: the certificate expires soon\\nTarget: https://a.e"
	    "xample/\\nSeverity: warning\\nTags: prod,eu\\nhttps://s.example/#m7\"}"},
	{C_GOOGLECHAT, "test",
	    "POST https://g.example/v1?key=k\n"
	    "Content-Type: application/json\n"
	    "\n"
	    "{\"text\":\"TEST: channel c\\nThis is a test of channel c. Nothing is wrong.\\nhttps"
	    "://s.example/\"}"},
	{C_TELEGRAM, "open",
	    "POST https://api.telegram.org/bot12:Ab-c/sendMessage\n"
	    "Content-Type: application/json\n"
	    "\n"
	    "{\"chat_id\":\"-100\",\"text\":\"DOWN: Shop/Web\\nShop/Web is down since 2026-11-21 "
	    "10:00:00 UTC.\\nReason: refused by 192.0.2.1:443\\nTarget: https://a.example/\\nSeve"
	    "rity: critical\\nTags: prod,eu\\nhttps://s.example/#m7\\nAcknowledge: https://s.exam"
	    "ple/ack/T0kEn\",\"parse_mode\":\"HTML\",\"link_preview_options\":{\"is_disabled\":tr"
	    "ue}}"},
	{C_TELEGRAM, "resolve",
	    "POST https://api.telegram.org/bot12:Ab-c/sendMessage\n"
	    "Content-Type: application/json\n"
	    "\n"
	    "{\"chat_id\":\"-100\",\"text\":\"UP: Shop/Web after 1m 5s down\\nShop/Web is up agai"
	    "n. It was down since 2026-11-21 09:58:55 UTC, for 1m 5s.\\nTarget: https://a.example"
	    "/\\nTags: prod,eu\\nhttps://s.example/#m7\",\"parse_mode\":\"HTML\",\"link_preview_o"
	    "ptions\":{\"is_disabled\":true}}"},
	{C_TELEGRAM, "group",
	    "POST https://api.telegram.org/bot12:Ab-c/sendMessage\n"
	    "Content-Type: application/json\n"
	    "\n"
	    "{\"chat_id\":\"-100\",\"text\":\"3 DOWN: Shop/Web, Shop/API, DNS\\nDOWN: Shop/Web, s"
	    "ince 2026-11-21 10:00:00 UTC: refused by 192.0.2.1:443\\nDOWN: Shop/API, since 2026-"
	    "11-21 10:00:00 UTC: refused by 192.0.2.1:443\\nDOWN: DNS, since 2026-11-21 10:00:00 "
	    "UTC: refused by 192.0.2.1:443\\nhttps://s.example/\",\"parse_mode\":\"HTML\",\"link_"
	    "preview_options\":{\"is_disabled\":true}}"},
	{C_TELEGRAM, "certificate",
	    "POST https://api.telegram.org/bot12:Ab-c/sendMessage\n"
	    "Content-Type: application/json\n"
	    "\n"
	    "{\"chat_id\":\"-100\",\"text\":\"CERTIFICATE: Shop/Web ends in 7d\\nThe certificate "
	    "of Shop/Web ends at 2026-11-28 10:00:00 UTC.\\nReason: the certificate expires soon"
	    "\\nTarget: https://a.example/\\nSeverity: warning\\nTags: prod,eu\\nhttps://s.exampl"
	    "e/#m7\",\"parse_mode\":\"HTML\",\"link_preview_options\":{\"is_disabled\":true}}"},
	{C_TELEGRAM, "test",
	    "POST https://api.telegram.org/bot12:Ab-c/sendMessage\n"
	    "Content-Type: application/json\n"
	    "\n"
	    "{\"chat_id\":\"-100\",\"text\":\"TEST: channel c\\nThis is a test of channel c. Noth"
	    "ing is wrong.\\nhttps://s.example/\",\"parse_mode\":\"HTML\",\"link_preview_options"
	    "\":{\"is_disabled\":true}}"},
	{C_MATRIX, "open",
	    "PUT https://x.example/_matrix/client/v3/rooms/%21a%3Ab.c/send/m.room.message/5c19359"
	    "315b069877d476e03ef14db55\n"
	    "Content-Type: application/json\n"
	    "Authorization: Bearer syt\n"
	    "\n"
	    "{\"msgtype\":\"m.text\",\"body\":\"DOWN: Shop/Web\\nShop/Web is down since 2026-11-2"
	    "1 10:00:00 UTC.\\nReason: refused by 192.0.2.1:443\\nTarget: https://a.example/\\nSe"
	    "verity: critical\\nTags: prod,eu\\nhttps://s.example/#m7\\nAcknowledge: https://s.ex"
	    "ample/ack/T0kEn\",\"m.mentions\":{}}"},
	{C_MATRIX, "resolve",
	    "PUT https://x.example/_matrix/client/v3/rooms/%21a%3Ab.c/send/m.room.message/3bfa01b"
	    "8a4b7838c3ed21790906808e6\n"
	    "Content-Type: application/json\n"
	    "Authorization: Bearer syt\n"
	    "\n"
	    "{\"msgtype\":\"m.text\",\"body\":\"UP: Shop/Web after 1m 5s down\\nShop/Web is up ag"
	    "ain. It was down since 2026-11-21 09:58:55 UTC, for 1m 5s.\\nTarget: https://a.examp"
	    "le/\\nTags: prod,eu\\nhttps://s.example/#m7\",\"m.mentions\":{}}"},
	{C_MATRIX, "group",
	    "PUT https://x.example/_matrix/client/v3/rooms/%21a%3Ab.c/send/m.room.message/287c5fe"
	    "cfbc908003b31ef027e2ae4bf\n"
	    "Content-Type: application/json\n"
	    "Authorization: Bearer syt\n"
	    "\n"
	    "{\"msgtype\":\"m.text\",\"body\":\"3 DOWN: Shop/Web, Shop/API, DNS\\nDOWN: Shop/Web,"
	    " since 2026-11-21 10:00:00 UTC: refused by 192.0.2.1:443\\nDOWN: Shop/API, since 202"
	    "6-11-21 10:00:00 UTC: refused by 192.0.2.1:443\\nDOWN: DNS, since 2026-11-21 10:00:0"
	    "0 UTC: refused by 192.0.2.1:443\\nhttps://s.example/\",\"m.mentions\":{}}"},
	{C_MATRIX, "certificate",
	    "PUT https://x.example/_matrix/client/v3/rooms/%21a%3Ab.c/send/m.room.message/9ac063c"
	    "cc507da979f5adb16935bc867\n"
	    "Content-Type: application/json\n"
	    "Authorization: Bearer syt\n"
	    "\n"
	    "{\"msgtype\":\"m.text\",\"body\":\"CERTIFICATE: Shop/Web ends in 7d\\nThe certificat"
	    "e of Shop/Web ends at 2026-11-28 10:00:00 UTC.\\nReason: the certificate expires soo"
	    "n\\nTarget: https://a.example/\\nSeverity: warning\\nTags: prod,eu\\nhttps://s.examp"
	    "le/#m7\",\"m.mentions\":{}}"},
	{C_MATRIX, "test",
	    "PUT https://x.example/_matrix/client/v3/rooms/%21a%3Ab.c/send/m.room.message/09e1528"
	    "4d112f1bfdf58c0d794ac8abd\n"
	    "Content-Type: application/json\n"
	    "Authorization: Bearer syt\n"
	    "\n"
	    "{\"msgtype\":\"m.text\",\"body\":\"TEST: channel c\\nThis is a test of channel c. No"
	    "thing is wrong.\\nhttps://s.example/\",\"m.mentions\":{}}"},
};

#endif

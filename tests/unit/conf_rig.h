/* conf_rig.h: small types to test the configuration with, and short ways to
 * parse. Include after cmocka's needs and before the tests. */
#ifndef TESTS_CONF_RIG_H
#define TESTS_CONF_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/mem.h"
#include "conf/channel.h"
#include "conf/conf.h"
#include "conf/plan.h"
#include "conf/yaml.h"

#include <cmocka.h>   /* last: it has a macro called fail */

struct web_conf {
	char *url, *bearer, *password, *user;
	struct pairs headers;
	struct ranges status;
	struct strings contains;
	uint32_t ip;
	bool insecure;
	double loss;
	uint64_t body_max;
};

static const char *const rig_ips[] = {"any", "4", "6", NULL};

static const char *
rig_url_check(struct str s)
{
	return str_starts(s, STR("http")) ? NULL :
	    "an absolute http:// or https:// URL";
}

static const struct opt rig_auth_opts[] = {
	STRING("user", web_conf, user, .max = 64, .help = "User."),
	SECRET("password", web_conf, password, .max = 64, .help = "Secret."),
	OPT_END
};

static const struct opt rig_expect_opts[] = {
	RANGES("status", web_conf, status, .dflt = "200-299", .min = 100,
	    .max = 599, .help = "Good statuses."),
	STRINGS("contains", web_conf, contains, .max = 4, .help = "Words."),
	OPT_END
};

static const struct opt rig_web_opts[] = {
	STRING("url", web_conf, url, .flags = OPT_REQUIRED | OPT_TARGET,
	    .max = 200, .check = rig_url_check, .help = "What to fetch."),
	SECRET("bearer", web_conf, bearer, .max = 64, .help = "Token."),
	PAIRS("headers", web_conf, headers, .flags = OPT_SECRETS, .max = 8,
	    .help = "Headers."),
	TABLE("auth", rig_auth_opts, .help = "Login."),
	TABLE("expect", rig_expect_opts, .help = "What is good."),
	CHOICE("ip", web_conf, ip, .dflt = "any", .flags = OPT_TARGET,
	    .choices = rig_ips, .help = "IP version."),
	FLAG("insecure", web_conf, insecure, .help = "Any certificate."),
	RATIO("loss", web_conf, loss, .dflt = "50%", .help = "Loss."),
	SIZE("body_max", web_conf, body_max, .dflt = "64KiB", .min = 1024,
	    .max = 1 << 20, .help = "Read at most."),
	OPT_END
};

static UNUSED enum err
rig_web_finish(void *conf, struct errinfo *ei)
{
	struct web_conf *w = conf;

	if (w->bearer != NULL && w->user != NULL)
		return fail_at(ei, ERR_INVALID, "bearer", 0,
		    "bearer and user exclude each other");
	return ERR_OK;
}

static UNUSED void
rig_web_target(const void *conf, struct buf *out)
{
	buf_adds(out, ((const struct web_conf *)conf)->url);
}

static const struct monitor_kind rig_web = {
	.name = "web", .drive = DRIVE_ACTIVE, .opts = rig_web_opts,
	.conf_size = sizeof(struct web_conf), .finish = rig_web_finish,
	.target = rig_web_target,
};
static const struct monitor_kind rig_push = {
	.name = "push", .drive = DRIVE_PUSH,
};
static const struct monitor_kind rig_group = {
	.name = "group", .drive = DRIVE_GROUP,
};
static const struct monitor_kind *const rig_kinds[] = {
	&rig_web, &rig_push, &rig_group, NULL
};

static UNUSED struct document *
rig_document(const char *yaml)
{
	struct document *d = NULL;
	struct errinfo ei = {0};
	char text[1024];
	enum err e = document_parse(str_of(yaml), "t.yaml", rig_kinds, NULL,
	    &d, &ei);

	if (e != ERR_OK)
		fail_msg("%s", errinfo_text(&ei, text, sizeof(text)));
	return d;
}

/* The document is refused with exactly these words. */
static UNUSED void
rig_refused(const char *yaml, const char *want)
{
	struct document *d = NULL;
	struct errinfo ei = {0};
	char text[1024];
	enum err e = document_parse(str_of(yaml), "t.yaml", rig_kinds, NULL,
	    &d, &ei);

	assert_int_not_equal(e, ERR_OK);
	assert_null(d);
	assert_string_equal(errinfo_text(&ei, text, sizeof(text)), want);
}

#endif

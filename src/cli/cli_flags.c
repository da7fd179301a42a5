/* cli_flags.c: one row per flag: the source of parser, help and manual. */
#include "cli/cli_flags.h"

#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/time.h"
#include "world/world.h"

#define TIMEOUT_MIN_NS (10 * NS_PER_MS)
#define TIMEOUT_MAX_NS (3600 * NS_PER_S)
#define LIMIT_MAX      1000000

const struct cli_flag_row cli_flags_rows[] = {
	{FLAG_CONFIG, "config", 'c', "FILE",
	    "the configuration file (VEDETTE_CONFIG; default ./vedette.yaml, "
	    "then /etc/vedette/vedette.yaml)"},
	{FLAG_DATA, "data", 0, "DIR",
	    "the daemon's data directory (VEDETTE_SERVER_DATA; default "
	    "server.data of the file)"},
	{FLAG_URL, "url", 0, "URL",
	    "talk to this daemon over TCP instead (VEDETTE_URL)"},
	{FLAG_TOKEN, "token", 0, "SECRET",
	    "the API token for --url (VEDETTE_TOKEN)"},
	{FLAG_TIMEOUT, "timeout", 0, "DURATION",
	    "give up after this long (default 5s; of store maintain, check and "
	    "backup: as long as it takes)"},
	{FLAG_FILE, "file", 'f', "FILE", "the configuration to use"},
	{FLAG_OUT, "output", 'o', "FILE", "write there instead of to stdout"},
	{FLAG_PRUNE, "prune", 0, NULL,
	    "delete what the file no longer names"},
	{FLAG_CASCADE, "cascade", 0, NULL,
	    "let a deleted group take its members with it"},
	{FLAG_SECRETS, "secrets", 0, NULL,
	    "with passwords and push tokens in plain text"},
	{FLAG_AT, "at", 0, "TIME",
	    "RFC 3339, a date, Unix seconds, or an age such as 2h"},
	{FLAG_FOLLOW, "follow", 0, NULL, "stay and print what happens"},
	{FLAG_LIMIT, "limit", 0, "N", "at most this many"},
	{FLAG_SCOPE, "scope", 0, "SCOPE", "read, write or admin"},
	{FLAG_EXPIRES, "expires", 0, "DURATION",
	    "invalid after this long (default: never)"},
	{FLAG_EVENT, "event", 0, "EVENT",
	    "down, up, degraded, late, change, certificate, group, flapping, "
	    "reminder, store or test"},
	{FLAG_FOR, "for", 0, "DURATION", "for this long, such as 1h"},
	{FLAG_NOTE, "note", 0, "TEXT", "a word on it, for others"},
	{FLAG_MAN, "man", 0, NULL, "as a manual page"},
	{FLAG_LIBS, "libs", 0, NULL, "with the versions of the libraries"},
	{FLAG_JSON, "json", 0, NULL, "print the API's JSON"},
	{FLAG_YES, "yes", 'y', NULL, "do not ask"},
	{FLAG_FORCE, "force", 0, NULL,
	    "replace the file that is there; of health: look now"},
	{FLAG_QUICK, "quick", 0, NULL, "only the pages of the database"},
	{0, NULL, 0, NULL, NULL},
};
_Static_assert(COUNT(cli_flags_rows) == CLI_NFLAGS + 1, "one row per flag");

static bool
bad_value(const struct cli_command *c, const char *flag, const char *text,
    const char *allowed)
{
	(void)fprintf(stderr, "vedette %s: --%s: \"%s\" is not allowed; "
	    "allowed: %s\n", c->name, flag, text, allowed);
	return false;
}

/* "2h" is that long before now. */
static bool
ago_parse(const char *text, char *at)
{
	int64_t ns;

	if (!time_parse_duration(str_of(text), &ns) || ns < 0 ||
	    ns / NS_PER_US > clock_wall_us())
		return false;
	(void)time_format_utc(clock_wall_us() - ns / NS_PER_US, at);
	return true;
}

/* A bare number is a date in Unix seconds, not an age. */
static bool
at_parse(const struct cli_command *c, const char *text, struct cli_args *a)
{
	int64_t us;

	if (time_parse_utc(str_of(text), &us)) {
		(void)time_format_utc(us, a->at);
		return true;
	}
	if (ago_parse(text, a->at))
		return true;
	return bad_value(c, "at", text, "2026-01-31T12:00:00Z, a date, Unix "
	    "seconds, or an age such as 2h");
}

static bool
flag_text(const struct cli_command *c, enum cli_flag id, const char *text,
    struct cli_args *a)
{
	uint64_t n;

	switch (id) {
	case FLAG_CONFIG: a->config = text; break;
	case FLAG_DATA: a->data = text; break;
	case FLAG_URL: a->url = text; break;
	case FLAG_TOKEN: a->token = text; break;
	case FLAG_FILE: a->file = text; break;
	case FLAG_OUT: a->out = text; break;
	case FLAG_SCOPE:
		if (strcmp(text, "read") != 0 && strcmp(text, "write") != 0 &&
		    strcmp(text, "admin") != 0)
			return bad_value(c, "scope", text,
			    "read, write, admin");
		a->scope = text;
		break;
	case FLAG_EVENT: a->event = text; break;
	case FLAG_NOTE: a->note = text; break;
	case FLAG_FOR:
		if (!time_parse_duration(str_of(text), &a->for_ns) ||
		    a->for_ns < NS_PER_S || a->for_ns > 30 * DAY_NS)
			return bad_value(c, "for", text,
			    "a duration from 1s to 30d, such as 1h");
		break;
	case FLAG_AT: return at_parse(c, text, a);
	case FLAG_TIMEOUT:
		if (!time_parse_duration(str_of(text), &a->timeout_ns) ||
		    a->timeout_ns < TIMEOUT_MIN_NS ||
		    a->timeout_ns > TIMEOUT_MAX_NS)
			return bad_value(c, "timeout", text,
			    "a duration from 10ms to 1h");
		break;
	case FLAG_EXPIRES:
		if (!time_parse_duration(str_of(text), &a->expires_ns) ||
		    a->expires_ns < NS_PER_S)
			return bad_value(c, "expires", text,
			    "a duration from 1s, such as 90d");
		break;
	case FLAG_LIMIT:
		if (!str_u64(str_of(text), LIMIT_MAX, &n) || n == 0)
			return bad_value(c, "limit", text,
			    "a number from 1 to 1000000");
		a->limit = (unsigned)n;
		break;
	case FLAG_JSON: case FLAG_YES: case FLAG_PRUNE: case FLAG_CASCADE:
	case FLAG_SECRETS: case FLAG_FOLLOW: case FLAG_MAN: case FLAG_LIBS:
	case FLAG_FORCE: case FLAG_QUICK:
		break;
	}
	return true;
}

static void
switch_set(enum cli_flag id, struct cli_args *a)
{
	a->json |= id == FLAG_JSON;
	a->yes |= id == FLAG_YES;
	a->prune |= id == FLAG_PRUNE;
	a->cascade |= id == FLAG_CASCADE;
	a->secrets |= id == FLAG_SECRETS;
	a->follow |= id == FLAG_FOLLOW;
	a->man |= id == FLAG_MAN;
	a->libs |= id == FLAG_LIBS;
	a->force |= id == FLAG_FORCE;
	a->quick |= id == FLAG_QUICK;
}

bool
cli_flags_set(const struct cli_command *c, const struct cli_flag_row *r,
    const char *text, struct cli_args *a)
{
	a->given |= r->id;
	switch_set(r->id, a);
	return r->arg == NULL || flag_text(c, r->id, text, a);
}

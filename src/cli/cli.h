/* cli.h: the part of the command line that is a client: of a running daemon
 * over its control socket (or TCP), or of nobody (check-config, schema).
 * Knows no store, no scheduler and no check: the types of monitors are handed
 * in. The table of commands is in main.c; a row names its flags here. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "conf/monitor.h"

#define CLI_ARGS_MAX 64

/* Exit codes of every command. */
enum {
	CLI_DONE = 0,
	CLI_FAILED = 1,
	CLI_USAGE = 2,     /* usage or invalid input */
	CLI_CHANGES = 3    /* plan: there is something to do */
};

/* What a command may be given; its row has the set. */
enum cli_flag {
	FLAG_CONFIG = 1 << 0,    /* -c, --config FILE */
	FLAG_DATA = 1 << 1,      /* --data DIR */
	FLAG_TIMEOUT = 1 << 2,   /* --timeout DURATION */
	FLAG_URL = 1 << 3,       /* --url URL */
	FLAG_TOKEN = 1 << 4,     /* --token SECRET */
	FLAG_JSON = 1 << 5,
	FLAG_YES = 1 << 6,       /* -y, --yes */
	FLAG_FILE = 1 << 7,      /* -f, --file FILE */
	FLAG_OUT = 1 << 8,       /* -o, --output FILE */
	FLAG_PRUNE = 1 << 9,
	FLAG_CASCADE = 1 << 10,
	FLAG_SECRETS = 1 << 11,
	FLAG_AT = 1 << 12,       /* --at TIME */
	FLAG_FOLLOW = 1 << 13,
	FLAG_LIMIT = 1 << 14,    /* --limit N */
	FLAG_SCOPE = 1 << 15,    /* --scope read|write|admin */
	FLAG_EXPIRES = 1 << 16,  /* --expires DURATION */
	FLAG_MAN = 1 << 17,
	FLAG_LIBS = 1 << 18,
	FLAG_FORCE = 1 << 19,
	FLAG_QUICK = 1 << 20,
	FLAG_EVENT = 1 << 21,    /* --event NAME */
	FLAG_FOR = 1 << 22,      /* --for DURATION */
	FLAG_NOTE = 1 << 23      /* --note TEXT */
};
#define FLAGS_CLIENT \
	(FLAG_CONFIG | FLAG_DATA | FLAG_TIMEOUT | FLAG_URL | FLAG_TOKEN)

/* The command line of one command, parsed; texts are borrowed from argv. */
struct cli_args {
	unsigned given;               /* enum cli_flag: which were there */
	const char *config, *data, *url, *token, *file, *out;
	const char *scope, *event, *note;
	char at[40];                  /* RFC 3339; "" not given */
	int64_t timeout_ns;           /* default 5 s */
	int64_t expires_ns;           /* 0: never */
	int64_t for_ns;               /* 0: not given */
	unsigned limit;               /* 0: not given */
	bool json, yes, prune, cascade, secrets, follow, man, libs;
	bool force, quick;
	bool helped;                  /* --help was printed: exit 0 */
	const char *arg[CLI_ARGS_MAX];
	int nargs;
};

struct cli_env {
	const struct monitor_kind *const *kinds;
	const char *version;
};

/* One row of the table of commands. Exactly one of run and raw is set; raw
 * commands read their own flags. */
struct cli_command {
	const char *name;
	const char *args;    /* "NAME [--at TIME]" for usage */
	const char *brief;   /* one line */
	const char *help;    /* the rest of "vedette help NAME"; may be "" */
	unsigned flags;
	int args_min, args_max;
	bool hidden;
	int (*run)(const struct cli_env *env, const struct cli_args *a);
	int (*raw)(int argc, char **argv);
};

/* argv[0] is the command's name. False: a message was printed, exit 2, or
 * with helped set the help was, exit 0. */
bool cli_args_parse(const struct cli_command *c, int argc, char **argv,
    struct cli_args *ret) MUST_USE;
/* Move flags given before the command behind it, so that they may stand
 * anywhere: "vedette --data X status" is "vedette status --data X". argv
 * without the program's name; out has room for argc + 1. */
int cli_args_rotate(int argc, char **argv, char **out);

/* rows end with a NULL name. cli_help_usage goes to stderr and returns 2. */
void cli_help_all(const struct cli_command *rows, const char *version);
void cli_help_one(const struct cli_command *c);
int cli_help_usage(const struct cli_command *c);
int cli_help_unknown(const struct cli_command *rows, const char *name);
/* "-c FILE" lines of these flags, for help and the manual. */
void cli_help_flags(unsigned flags);

int cli_config_check(const struct cli_env *env, const struct cli_args *a);
int cli_config_schema(const struct cli_env *env, const struct cli_args *a);
int cli_config_reference(const struct cli_env *env, const struct cli_args *a);
int cli_apply_plan(const struct cli_env *env, const struct cli_args *a);
int cli_apply_run(const struct cli_env *env, const struct cli_args *a);
int cli_apply_export(const struct cli_env *env, const struct cli_args *a);
int cli_status_run(const struct cli_env *env, const struct cli_args *a);
int cli_explain_run(const struct cli_env *env, const struct cli_args *a);
int cli_control_pause(const struct cli_env *env, const struct cli_args *a);
int cli_control_resume(const struct cli_env *env, const struct cli_args *a);
int cli_events_run(const struct cli_env *env, const struct cli_args *a);
int cli_alerts_ack(const struct cli_env *env, const struct cli_args *a);
int cli_alerts_unack(const struct cli_env *env, const struct cli_args *a);
int cli_alerts_snooze(const struct cli_env *env, const struct cli_args *a);
int cli_alerts_channel(const struct cli_env *env, const struct cli_args *a);
int cli_quarantine_run(const struct cli_env *env, const struct cli_args *a);
int cli_maintenance_run(const struct cli_env *env, const struct cli_args *a);
int cli_incident_run(const struct cli_env *env, const struct cli_args *a);
int cli_token_run(const struct cli_env *env, const struct cli_args *a);
/* What of "store" a daemon answers; FILE is absolute. */
int cli_store_run(const struct cli_env *env, const struct cli_args *a,
    const char *file);

#endif

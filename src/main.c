/* main.c: the table of commands: one row each, and the only place where a
 * command is named. Usage, "vedette help" and the manual come from it. An
 * unknown word starts nothing. */
#include "main.h"

#include <stdio.h>
#include <string.h>

#include "check/check.h"
#include "cli/cli.h"

#define ARGV_MAX 512

static int help_main(int argc, char **argv);

/* A preview is made here, without the daemon if need be. */
static int
channel_run(const struct cli_env *env, const struct cli_args *a)
{
	return strcmp(a->arg[0], "preview") == 0 ? preview_run(env, a) :
	    cli_alerts_channel(env, a);
}

static const struct cli_command commands[] = {
	{.name = "serve", .args = "[-c FILE] [--data DIR]",
	 .brief = "apply the file and run the daemon",
	 .help = "Runs in the foreground until SIGTERM or SIGINT. SIGHUP "
	     "applies the file\nagain. What the file owned and no longer "
	     "names is archived: not checked,\nhidden, its history kept.",
	 .raw = serve_main},
	{.name = "probe", .args = "TYPE TARGET [KEY=VALUE…]",
	 .brief = "run one check now and print every phase; needs no daemon",
	 .help = "vedette probe http https://example.org/ timeout=5s\n"
	     "vedette probe tcp db.internal:5432\n"
	     "vedette probe ping ::1 packets=5\n"
	     "vedette probe dns example.org record=MX",
	 .raw = probe_main},
	{.name = "check-config", .args = "FILE",
	 .brief = "say whether a configuration file is valid",
	 .help = "Mistakes are printed as FILE:LINE: key: what is wrong; what "
	     "is allowed.\nNeeds no daemon and changes nothing.",
	 .args_min = 1, .args_max = 1, .run = cli_config_check},
	{.name = "schema", .args = "",
	 .brief = "print the JSON Schema of the configuration file",
	 .help = "For editors and for checking before a commit.",
	 .run = cli_config_schema},
	{.name = "reference", .args = "[--man]", .hidden = true,
	 .brief = "print the reference of every option",
	 .help = "", .flags = FLAG_MAN, .run = cli_config_reference},
	{.name = "plan", .args = "-f FILE [--prune] [--cascade] [--json]",
	 .brief = "show what apply would change, and who would lose alerts",
	 .help = "Exit code 0: nothing to do; 3: there are changes. Without "
	     "-c and --data the\ndaemon is looked for where FILE itself says "
	     "(server.data).",
	 .flags = FLAGS_CLIENT | FLAG_FILE | FLAG_PRUNE | FLAG_CASCADE |
	     FLAG_JSON, .run = cli_apply_plan},
	{.name = "apply",
	 .args = "-f FILE [--prune [--yes]] [--cascade] [--json]",
	 .brief = "make the running daemon watch what the file says",
	 .help = "All or nothing. Returns when it is durable. --prune also "
	     "deletes what the\nfile no longer names, with its history: it "
	     "lists that and asks; without a\nterminal it needs --yes.",
	 .flags = FLAGS_CLIENT | FLAG_FILE | FLAG_PRUNE | FLAG_CASCADE |
	     FLAG_JSON | FLAG_YES, .run = cli_apply_run},
	{.name = "export", .args = "[-o FILE] [--secrets]",
	 .brief = "print the stored configuration as a file for apply",
	 .help = "Without --secrets passwords and push tokens are masked; "
	     "applying a masked\nfile leaves the secrets of existing monitors "
	     "as they are.",
	 .flags = FLAGS_CLIENT | FLAG_OUT | FLAG_SECRETS,
	 .run = cli_apply_export},
	{.name = "status", .args = "[NAME] [--json]",
	 .brief = "how everything is, or one monitor in detail",
	 .help = "NAME is Group/Name, or a name that only one monitor has. "
	     "Without a terminal\none line a monitor, tab-separated: path, "
	     "status, latency, uptime over 90\ndays, since, reason. NO_COLOR "
	     "is honoured. Exit code 0 when vedette answered.",
	 .flags = FLAGS_CLIENT | FLAG_JSON, .args_max = 1,
	 .run = cli_status_run},
	{.name = "explain", .args = "NAME [--at TIME] [--json]",
	 .brief = "why a monitor is what it is, or was at a time",
	 .help = "Prints the transition in force, the rule, the votes, the "
	     "samples and what was\nkept as evidence of the first failure.",
	 .flags = FLAGS_CLIENT | FLAG_JSON | FLAG_AT, .args_min = 1,
	 .args_max = 1, .run = cli_explain_run},
	{.name = "pause", .args = "NAME [--json]",
	 .brief = "stop checking a monitor until it is resumed",
	 .help = "Time while paused counts neither as up nor as down.",
	 .flags = FLAGS_CLIENT | FLAG_JSON, .args_min = 1, .args_max = 1,
	 .run = cli_control_pause},
	{.name = "resume", .args = "NAME [--json]",
	 .brief = "check a paused monitor again", .help = "",
	 .flags = FLAGS_CLIENT | FLAG_JSON, .args_min = 1, .args_max = 1,
	 .run = cli_control_resume},
	{.name = "events", .args = "[--follow] [--limit N] [--json]",
	 .brief = "who did what, when: verdicts, configuration, faults",
	 .help = "Oldest first. --follow stays, and goes on where it was when "
	     "the connection\nwas lost. With --json and --follow: one object "
	     "a line.",
	 .flags = FLAGS_CLIENT | FLAG_JSON | FLAG_FOLLOW | FLAG_LIMIT,
	 .run = cli_events_run},
	{.name = "token", .args = "create NAME --scope read|write|admin "
	     "[--expires 90d] | list | revoke NAME",
	 .brief = "tokens for the API over TCP",
	 .help = "The token goes to stdout, once; only its hash is stored. "
	     "Scopes nest: admin\ncan write, write can read.",
	 .flags = FLAGS_CLIENT | FLAG_JSON | FLAG_SCOPE | FLAG_EXPIRES,
	 .args_min = 1, .args_max = 2, .run = cli_token_run},
	{.name = "store", .args = "stats | health [--force] | maintain | "
	     "check [--quick] |\n    backup FILE [--force] | restore FILE [--yes]",
	 .brief = "look at, check, save and bring back the store",
	 .help = "stats: counters. health: rules with value and limits; exit "
	     "code 1 when unhealthy.\nmaintain: now what is else done once a "
	     "day (store.maintain_at). check: the database and what "
	     "must be true of it; exit code 1 when something is "
	     "found. backup: one file, verified, while the daemon\nruns or "
	     "not. restore: only while it does not run; the old store is "
	     "kept beside the\nnew one. Without a terminal restore needs "
	     "--yes.",
	 .flags = FLAGS_CLIENT | FLAG_JSON | FLAG_FORCE | FLAG_QUICK |
	     FLAG_YES, .args_min = 1, .args_max = 2, .run = store_main},
	{.name = "quarantine", .args = "list | show ID | retry ID|all | "
	     "drop ID|all [--yes]",
	 .brief = "units that could not be stored, and what became of them",
	 .help = "Nothing in there goes by itself. show prints all that one "
	     "says. retry stores it if the\nstore takes it now. drop is for "
	     "good; without a terminal it needs --yes.",
	 .flags = FLAGS_CLIENT | FLAG_JSON | FLAG_YES, .args_min = 1,
	 .args_max = 2, .run = cli_quarantine_run},
	{.name = "ack", .args = "NAME [--note TEXT]",
	 .brief = "acknowledge a monitor's open incident",
	 .help = "Reminders and escalation stop; its end is told all the same.",
	 .flags = FLAGS_CLIENT | FLAG_NOTE, .args_min = 1, .args_max = 1,
	 .run = cli_alerts_ack},
	{.name = "unack", .args = "NAME",
	 .brief = "take the acknowledgement back", .help = "",
	 .flags = FLAGS_CLIENT, .args_min = 1, .args_max = 1,
	 .run = cli_alerts_unack},
	{.name = "snooze", .args = "NAME [--for DURATION] [--note TEXT]",
	 .brief = "tell nothing more of an open incident for a while",
	 .help = "Its end is told all the same. Without --for a snooze ends.",
	 .flags = FLAGS_CLIENT | FLAG_NOTE | FLAG_FOR, .args_min = 1,
	 .args_max = 1, .run = cli_alerts_snooze},
	{.name = "channel", .args = "list | test NAME | deliveries NAME |\n"
	     "    preview NAME [--event EVENT] [-f FILE] [--at TIME]",
	 .brief = "how channels do, a test, what one would be sent",
	 .help = "list: state, pending alerts, last error. test: sends one "
	     "message and waits for its\nend. deliveries: the last attempts. "
	     "preview: prints title, text and the request as\nit would be "
	     "sent, secrets masked, and sends nothing; with -f the channel is "
	     "that of\na file, and no daemon is needed; --at is when the "
	     "message is made.",
	 .flags = FLAGS_CLIENT | FLAG_FILE | FLAG_EVENT | FLAG_AT |
	     FLAG_JSON | FLAG_LIMIT,
	 .args_min = 1, .args_max = 2, .run = channel_run},
	{.name = "maintenance", .args = "list | add NAME [--for DURATION] "
	     "[KEY=VALUE ...] |\n    end NAME | remove NAME",
	 .brief = "when alerts are held back: see, plan, end",
	 .help = "add takes the keys of the file's maintenance list "
	     "(monitors, groups, tags, start, end,\ncron, duration, days, "
	     "from, to, zone, flexible, description), lists with commas; "
	     "without\nstart, cron and days it begins now, and ends after "
	     "--for, or when it is ended. end: the\nrun in force ends now. "
	     "remove: for good.",
	 .flags = FLAGS_CLIENT | FLAG_JSON | FLAG_FOR, .args_min = 1,
	 .args_max = 20, .run = cli_maintenance_run},
	{.name = "incident", .args = "list [open|closed] [--limit N] | show ID |\n"
	     "    create TITLE [KEY=VALUE ...] | update ID TEXT [state=STATE] |\n"
	     "    note ID TEXT | set ID KEY=VALUE ... | delete ID",
	 .brief = "what went wrong: see it, write of it for everybody",
	 .help = "Outages open and close incidents by themselves. show: all "
	     "that happened to one, in order.\ncreate: one by hand, which "
	     "informs and suppresses nothing (text, cause, state, severity,\n"
	     "monitors, public). update: a word for the status page; note: "
	     "one for colleagues. set: title,\ncause, state (investigating, "
	     "identified, monitoring, resolved; an outage's is resolved when "
	     "it\nis over), severity, monitors. delete: one made by hand.",
	 .flags = FLAGS_CLIENT | FLAG_JSON | FLAG_LIMIT, .args_min = 1,
	 .args_max = 20, .run = cli_incident_run},
	{.name = "version", .args = "[--libs]",
	 .brief = "print the version, with --libs those of the libraries",
	 .help = "", .raw = version_main},
	{.name = "help", .args = "[COMMAND]",
	 .brief = "this list, or more about one command", .help = "",
	 .raw = help_main},
	{.name = NULL},
};

static const struct cli_command *
command_find(const char *name)
{
	for (const struct cli_command *c = commands; c->name != NULL; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

static int
help_main(int argc, char **argv)
{
	const struct cli_command *c;

	if (argc < 2) {
		cli_help_all(commands, VEDETTE_VERSION);
		return CLI_DONE;
	}
	c = command_find(argv[1]);
	if (c == NULL)
		return cli_help_unknown(commands, argv[1]);
	cli_help_one(c);
	return CLI_DONE;
}

static int
command_run(const struct cli_command *c, int argc, char **argv)
{
	const struct cli_env env = {.kinds = check_monitor_kinds,
		.version = VEDETTE_VERSION};
	struct cli_args args;

	if (c->raw != NULL)
		return c->raw(argc, argv);
	if (!cli_args_parse(c, argc, argv, &args))
		return args.helped ? CLI_DONE : CLI_USAGE;
	return c->run(&env, &args);
}

int
main(int argc, char **argv)
{
	const struct cli_command *c;
	char *args[ARGV_MAX + 1];
	int n, rc;

	if (argc < 2) {
		cli_help_all(commands, VEDETTE_VERSION);
		return CLI_USAGE;
	}
	if (argc > ARGV_MAX) {
		(void)fprintf(stderr, "vedette: too many arguments\n");
		return CLI_USAGE;
	}
	if (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0)
		return help_main(1, argv);
	if (strcmp(argv[1], "-V") == 0 || strcmp(argv[1], "--version") == 0)
		return version_main(1, argv);
	n = cli_args_rotate(argc - 1, argv + 1, args);
	c = command_find(args[0]);
	if (c == NULL)
		return cli_help_unknown(commands, args[0]);
	rc = command_run(c, n, args);
	if (fflush(stdout) != 0 && rc == CLI_DONE) {
		(void)fprintf(stderr, "vedette: cannot write the output\n");
		rc = CLI_FAILED;
	}
	return rc;
}

/* store_cmd.c: the command "store". A running daemon is asked; when none runs,
 * which the lock file tells, check, backup and restore work on its files
 * themselves, under that lock. */
#include "main.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "check/check.h"
#include "cli/cli.h"
#include "cli/cli_errand.h"
#include "cli/cli_json.h"
#include "cli/cli_term.h"
#include "place.h"
#include "store/backup.h"
#include "store/birth.h"
#include "store/errand.h"
#include "store/filesys.h"
#include "store/lockfile.h"
#include "store/restore.h"
#include "world/world.h"

struct job {
	const struct cli_args *a;
	struct place at;
	struct settings settings;
	char file[DISK_PATH_MAX];   /* absolute; "" none */
	int lock;                   /* -1: a daemon has it */
	int64_t until_ns;           /* monotonic; 0: as long as it takes */
	bool running;
};

static void
job_end(struct job *j)
{
	lockfile_drop(j->lock);
	settings_free(&j->settings);
}

/* Progress of long work, on a terminal; and its end when a --timeout that was
 * given is over. */
static enum err
turn(void *arg, uint64_t done, uint64_t total, struct errinfo *ei)
{
	static int64_t shown_ns;
	const struct job *j = arg;
	int64_t now_ns = clock_mono_ns();

	if (j->until_ns != 0 && now_ns >= j->until_ns)
		return fail(ei, ERR_TIMEOUT, "it takes longer than --timeout;"
		    " nothing was changed");
	if (!isatty(STDERR_FILENO) || total == 0 ||
	    now_ns - shown_ns < INT64_C(100000000))
		return ERR_OK;
	shown_ns = now_ns;
	(void)fprintf(stderr, "\r%3d %%\033[K", (int)(done * 100 / total));
	return ERR_OK;
}

static void
turn_end(void)
{
	if (isatty(STDERR_FILENO))
		(void)fprintf(stderr, "\r\033[K");
}

static int
say(enum err e, const struct errinfo *ei)
{
	(void)cli_term_failed("store", e, ei);
	return CLI_FAILED;   /* a damaged file is no wrong usage */
}

/* -- of the files ------------------------------------------------------- */

static int
report(const char *what, const struct audit_report *r, bool json)
{
	json_t *v CLEANUP(cli_json_freep) = audit_json(r);

	return cli_errand_report(what, v, json);
}

static int
offline_check(struct job *j)
{
	const struct backend_turn t = {turn, j};
	struct backend_conf c = {.path = j->at.store, .reader = true};
	struct audit_report *r CLEANUP(xfreep) = xcalloc(1, sizeof(*r));
	struct backend *b = NULL;
	struct errinfo ei = {0};
	enum err e = birth_there(j->at.store, &ei);

	if (e == ERR_OK)
		e = sqlite_ops.open(&c, &b, &ei);
	if (e == ERR_OK)
		b->deadline_ns = j->until_ns;   /* within one long statement */
	if (e == ERR_OK)
		e = audit_run(b, j->a->quick ? AUDIT_QUICK : AUDIT_ALL, &t, r,
		    &ei);
	if (b != NULL)
		b->ops->close(b);
	turn_end();
	return e == ERR_OK ? report(j->at.store, r, j->a->json) : say(e, &ei);
}

static void
segment_seen(void *arg, const char *name)
{
	size_t n = strlen(name);

	if (n > 4 && strcmp(name + n - 4, ".seg") == 0)
		*(bool *)arg = true;
}

/* What was acknowledged may still be there and not in the database; only the
 * daemon reads it back. */
static enum err
journal_empty(const struct job *j, struct errinfo *ei)
{
	char part[DISK_PATH_MAX], last[DISK_PATH_MAX] = "";
	bool seen = false;

	for (unsigned i = 0; restore_part(j->at.store, i, part); i++)
		memcpy(last, part, sizeof(last));
	(void)filesys_real.list(last, segment_seen, &seen);
	return seen ? fail(ei, ERR_CONFLICT, "the journal %s may hold what the"
	    " database has not taken yet, and a backup would be without it;"
	    " start vedette, which reads it back, and back up then", last) :
	    ERR_OK;
}

static int
offline_backup(struct job *j)
{
	struct backup_ask ask = {.from = {.path = j->at.store,
	    .reader = true}, .file = j->file, .force = j->a->force,
	    .turn = {turn, j}};
	struct audit_report *r CLEANUP(xfreep) = xcalloc(1, sizeof(*r));
	struct errinfo ei = {0};
	enum err e = birth_there(j->at.store, &ei);

	if (e == ERR_OK)
		e = journal_empty(j, &ei);
	if (e == ERR_OK)
		e = backup_make(&ask, r, &ei);
	turn_end();
	if (e == ERR_OK)
		return report(j->file, r, j->a->json);
	if (r->total > 0)
		(void)report(j->at.store, r, j->a->json);
	return say(e, &ei);
}

/* What goes aside, and yes or no. */
static bool
restore_agreed(const struct job *j)
{
	char part[DISK_PATH_MAX];
	bool any = false;

	for (unsigned i = 0; restore_part(j->at.store, i, part); i++) {
		if (!disk_there(part))
			continue;
		if (!any)
			(void)printf("These are moved aside:\n");
		any = true;
		(void)printf("  %s\n", part);
	}
	return !any || j->a->yes ||
	    cli_term_ask("Put the backup in their place?");
}

static int
offline_restore(struct job *j)
{
	struct restore *r CLEANUP(xfreep) = xcalloc(1, sizeof(*r));
	struct errinfo ei = {0};
	enum settled settled;
	enum err e;

	if (!j->a->yes && (!cli_term_tty() || !isatty(STDIN_FILENO))) {
		(void)fprintf(stderr, "vedette store: restore puts another "
		    "store in the place of this one, and nobody can be asked "
		    "here; give --yes\n");
		return CLI_USAGE;
	}
	*r = (struct restore){.store = j->at.store, .file = j->file,
	    .now_us = clock_wall_us(), .turn = {turn, j}};
	e = restore_settle(j->at.store, &settled, &ei);
	if (e == ERR_OK)
		e = restore_stage(r, &ei);
	turn_end();
	if (e == ERR_OK && !restore_agreed(j)) {
		(void)restore_settle(j->at.store, &settled, NULL);
		(void)printf("nothing was changed\n");
		return CLI_FAILED;
	}
	if (e == ERR_OK)
		e = restore_swap(r, &ei);
	if (e != ERR_OK)
		return say(e, &ei);
	(void)report(j->file, &r->report, j->a->json);
	if (!j->a->json && r->aside[0] != '\0')
		(void)printf("Restored. The old store is kept as %s\n",
		    r->aside);
	else if (!j->a->json)
		(void)printf("Restored.\n");
	return CLI_DONE;
}

/* -- which -------------------------------------------------------------- */

static const struct verb {
	const char *name;
	int (*offline)(struct job *j);   /* NULL: only a daemon can tell */
	bool file, only_offline;
	unsigned flags;                  /* of those of all verbs */
} verbs[] = {
	{"stats", NULL},
	{"health", NULL, .flags = FLAG_FORCE},
	{"maintain", NULL},
	{"check", offline_check, .flags = FLAG_QUICK},
	{"backup", offline_backup, .file = true, .flags = FLAG_FORCE},
	{"restore", offline_restore, .file = true, .only_offline = true,
	    .flags = FLAG_YES},
};

static const struct verb *
verb_find(const struct cli_args *a)
{
	static const struct {
		unsigned flag;
		const char *name;
	} some[] = {{FLAG_QUICK, "quick"}, {FLAG_FORCE, "force"},
		{FLAG_YES, "yes"}};
	const struct verb *v = verbs;

	while (v < verbs + COUNT(verbs) && strcmp(v->name, a->arg[0]) != 0)
		v++;
	if (v == verbs + COUNT(verbs)) {
		(void)fprintf(stderr, "vedette store: \"%.40s\" is not "
		    "allowed; allowed: stats, health, maintain, "
		    "check, backup, restore\n",
		    a->arg[0]);
		return NULL;
	}
	if (a->nargs != 1 + v->file) {
		(void)fprintf(stderr, "vedette store: %s takes %s\n", v->name,
		    v->file ? "one FILE" : "no argument");
		return NULL;
	}
	for (size_t i = 0; i < COUNT(some); i++)
		if ((a->given & some[i].flag) != 0 &&
		    (v->flags & some[i].flag) == 0) {
			(void)fprintf(stderr, "vedette store: --%s is not "
			    "for %s\n", some[i].name, v->name);
			return NULL;
		}
	return v;
}

/* FILE as the daemon sees it, whose working directory is another. */
static enum err
file_find(const char *file, char dst[DISK_PATH_MAX], struct errinfo *ei)
{
	char cwd[PATH_MAX] = "";
	int n;

	if (file[0] != '/' && getcwd(cwd, sizeof(cwd)) == NULL)
		return fail(ei, ERR_SYS, "no working directory: %s",
		    strerror(errno));
	n = snprintf(dst, DISK_PATH_MAX, "%s%s%s", cwd, file[0] != '/' ? "/" :
	    "", file);
	if (n < 0 || n >= DISK_PATH_MAX)
		return fail(ei, ERR_LIMIT, "the path %.200s is too long",
		    file);
	return ERR_OK;
}

static enum err
job_begin(struct job *j, struct errinfo *ei)
{
	const struct place_ask ask = {.config = j->a->config,
	    .data = j->a->data, .kinds = check_monitor_kinds};
	struct document *doc = NULL;
	char lock[sizeof(j->at.store) + 8];
	enum err e = place_settings(&ask, &j->at, &j->settings, &doc, ei);

	document_free(doc);
	if (e == ERR_OK)
		e = place_find(&ask, &j->settings, &j->at, ei);
	if (e != ERR_OK)
		return e;
	(void)snprintf(lock, sizeof(lock), "%s.lock", j->at.store);
	e = lockfile_take(lock, &j->lock, ei);
	disk_give(lock);
	j->running = e == ERR_CONFLICT;
	return j->running ? ERR_OK : e;
}

int
store_main(const struct cli_env *env, const struct cli_args *a)
{
	const struct verb *v = verb_find(a);
	struct job j CLEANUP(job_end) = {.a = a, .lock = -1};
	struct errinfo ei = {0};
	enum err e = ERR_OK;

	if (v == NULL)
		return CLI_USAGE;
	if ((a->given & FLAG_TIMEOUT) != 0)
		j.until_ns = clock_mono_ns() + a->timeout_ns;
	log_setup(STDERR_FILENO, clock_wall_us, clock_mono_ns);
	if (v->file)
		e = file_find(a->arg[1], j.file, &ei);
	if (e != ERR_OK)
		return say(e, &ei);
	if (v->offline == NULL || (a->url != NULL && !v->only_offline))
		return cli_store_run(env, a, j.file);
	e = job_begin(&j, &ei);
	if (e != ERR_OK)
		return cli_term_failed("store", e, &ei);
	if (!j.running)
		return v->offline(&j);
	if (!v->only_offline)
		return cli_store_run(env, a, j.file);
	ei = (struct errinfo){0};
	(void)fail(&ei, ERR_CONFLICT, "a daemon runs on %s: stop it first, "
	    "then restore", j.at.data);
	return say(ERR_CONFLICT, &ei);
}

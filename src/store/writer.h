/* writer.h: units that only the writer understands, beside results and
 * events (model/unit.h). Configuration is planned and applied on the writer's
 * thread, so that two edits never interleave. */
#ifndef STORE_WRITER_H
#define STORE_WRITER_H

#include "conf/plan.h"
#include "model/unit.h"

enum config_op {
	CONFIG_APPLY,       /* doc, opts, dry_run → plan */
	CONFIG_CREATE,      /* one monitor: conf; path of its group in group */
	CONFIG_PATCH,       /* monitor, patch (JSON merge patch, RFC 7396) */
	CONFIG_REPLACE,     /* monitor, patch is the whole body (PUT) */
	CONFIG_DELETE,      /* monitor; cascade in opts */
	/* maintenance windows; window is the name but for CREATE */
	CONFIG_WINDOW_CREATE,   /* body */
	CONFIG_WINDOW_PATCH,    /* body (RFC 7396) */
	CONFIG_WINDOW_END,      /* the run in force ends now */
	CONFIG_WINDOW_DELETE
};

/* The sender owns it until it is put; afterwards the ack's owner gets it back:
 * ack->done runs with the results filled in, and the unit's memory is the
 * waiter's (config_unit_free). unit.free is a no-op for it. */
struct config_unit {
	struct unit unit;
	enum config_op op;
	struct document *doc;          /* owned */
	struct plan_opts opts;
	bool dry_run;
	char actor[64];
	uint32_t monitor;              /* PATCH, REPLACE, DELETE */
	uint64_t if_version;           /* If-Match; 0: whatever it is */
	json_t *body;                  /* CREATE, PATCH, REPLACE; owned */
	char window[MONITOR_NAME_MAX + 1];
	/* results; window of CREATE is one, too */
	json_t *plan;                  /* APPLY: plan_json; owned */
	uint32_t ret_monitor;          /* CREATE, PATCH, REPLACE: its id */
	/* The writer's: who hears that incidents ended with their monitors. */
	struct outbox_row *rows;       /* owned */
	size_t nrows;
};
static inline const struct config_unit *
config_unit_of(const struct unit *u)
{
	_Static_assert(offsetof(struct config_unit, unit) == 0, "first");
	return (const struct config_unit *)(const void *)u;
}
struct config_unit *config_unit_new(enum config_op op) MUST_USE;
void config_unit_free(struct config_unit *u);

enum token_op { TOKEN_CREATE, TOKEN_REVOKE };
/* Scopes nest: admin can write, write can read. */
enum scope { SCOPE_NONE, SCOPE_READ, SCOPE_WRITE, SCOPE_ADMIN };
const char *scope_name(enum scope s);
bool scope_parse(struct str s, enum scope *ret) MUST_USE;
/* Owned like a config_unit. The secret is made and hashed (SHA-256) by the
 * sender; only the hash is stored. */
struct token_unit {
	struct unit unit;
	enum token_op op;
	char name[64], actor[64];
	enum scope scope;
	unsigned char hash[32];
	int64_t expires_us;            /* 0: never */
};
struct token_unit *token_unit_new(enum token_op op) MUST_USE;
void token_unit_free(struct token_unit *u);

enum quarantine_op { QUARANTINE_RETRY, QUARANTINE_DROP };
/* One unit of the quarantine is tried again or goes for good. Owned like a
 * token_unit. */
struct quarantine_unit {
	struct unit unit;
	enum quarantine_op op;
	int64_t id;
	char actor[64];
};
struct quarantine_unit *quarantine_unit_new(enum quarantine_op op) MUST_USE;
void quarantine_unit_free(struct quarantine_unit *u);

#endif

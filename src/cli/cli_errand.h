/* cli_errand.h: an errand on the store, begun and waited for, and what an
 * audit found, as people read it. */
#ifndef CLI_CLI_ERRAND_H
#define CLI_CLI_ERRAND_H

#include <jansson.h>

#include "cli/cli.h"
#include "cli/cli_client.h"

/* Begin it with r and show how it goes until it ends. *ret is the errand as
 * the API has it; caller json_decrefs. ERR_TIMEOUT: it takes longer than a
 * --timeout that was given, and goes on without us; without one it is waited
 * for as long as it takes, each call for as long as any. */
enum err cli_errand_wait(struct client *c, const struct request *r,
    const struct cli_args *a, json_t **ret, struct errinfo *ei) MUST_USE;
/* Print a report (API's form) on what; the exit code. */
int cli_errand_report(const char *what, const json_t *report, bool json);

#endif

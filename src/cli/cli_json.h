/* cli_json.h: reading the API's answers without asking at every step whether
 * the daemon sent what it should: absent is "", 0 or -1. */
#ifndef CLI_CLI_JSON_H
#define CLI_CLI_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/buf.h"

void cli_json_freep(json_t **v);
const char *cli_json_text(const json_t *o, const char *key);   /* never NULL */
int64_t cli_json_int(const json_t *o, const char *key, int64_t absent);
bool cli_json_flag(const json_t *o, const char *key);

/* What stood behind KEY= on a command line, as a member of o: a list of words
 * with commas between; or true, false, and anything else as text. What it may
 * be the daemon knows. */
void cli_json_set_list(json_t *o, const char *key, struct str value);
void cli_json_set_word(json_t *o, const char *key, struct str value);

#endif

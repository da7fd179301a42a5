/* cli_json.h: reading the API's answers without asking at every step whether
 * the daemon sent what it should: absent is "", 0 or -1. */
#ifndef CLI_CLI_JSON_H
#define CLI_CLI_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

void cli_json_freep(json_t **v);
const char *cli_json_text(const json_t *o, const char *key);   /* never NULL */
int64_t cli_json_int(const json_t *o, const char *key, int64_t absent);
bool cli_json_flag(const json_t *o, const char *key);

#endif

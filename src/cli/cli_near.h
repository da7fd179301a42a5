/* cli_near.h: how far two words are apart, for "did you mean". Pure. */
#ifndef CLI_CLI_NEAR_H
#define CLI_CLI_NEAR_H

#include <stdbool.h>

#define CLI_NEAR_MAX 64   /* only so many bytes of each word are compared */

/* Insertions, deletions, replacements and swaps of neighbours; ASCII case
 * counts nothing. */
unsigned cli_near_distance(const char *a, const char *b);
/* Close enough to be a slip of the fingers: or one contains the other. */
bool cli_near_close(const char *want, const char *have);

#endif

/* probe_show.h: what a check found, for a person or as JSON, on stdout. */
#ifndef PROBE_SHOW_H
#define PROBE_SHOW_H

#include <stdbool.h>

struct check;
void probe_show(const struct check *c, bool json);

#endif

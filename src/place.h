/* place.h: where a daemon's configuration, data and store are: as "serve" has
 * them, and as the store's own commands find them when no daemon runs. Flag,
 * then environment, then the file, then the default. */
#ifndef PLACE_H
#define PLACE_H

#include <limits.h>
#include <stdbool.h>

#include "conf/conf.h"

struct place {
	char config[PATH_MAX];    /* "" none */
	char data[PATH_MAX];
	char control[PATH_MAX];   /* the socket */
	char store[512];          /* absolute, of the SQLite file */
};

struct place_ask {
	const char *config, *data;   /* flags; NULL not given */
	bool make;                   /* the data directory, when it is not there */
	const struct monitor_kind *const *kinds;
};

/* Reads the file and the environment; fills in ret->config. The caller frees
 * settings and document, also after an error. */
enum err place_settings(const struct place_ask *ask, struct place *ret,
    struct settings *st, struct document **doc, struct errinfo *ei) MUST_USE;
/* The rest of ret, from settings. ERR_SYS: the directory is not there, or is
 * not ours to write in. */
enum err place_find(const struct place_ask *ask, const struct settings *st,
    struct place *ret, struct errinfo *ei) MUST_USE;

#endif

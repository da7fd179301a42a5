/* place.c: see place.h. */
#include "place.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* dst = the directory of file, joined with rel unless rel is absolute. */
static enum err
path_join(char *dst, size_t size, const char *file, const char *rel,
    struct errinfo *ei)
{
	const char *slash = file != NULL ? strrchr(file, '/') : NULL;
	int n;

	if (rel[0] == '/' || slash == NULL)
		n = snprintf(dst, size, "%s", rel);
	else
		n = snprintf(dst, size, "%.*s/%s", (int)(slash - file), file,
		    rel);
	if (n < 0 || (size_t)n >= size)
		return fail(ei, ERR_LIMIT, "the path %s is too long", rel);
	return ERR_OK;
}

static enum err
dir_make(const char *path, struct errinfo *ei)
{
	char part[PATH_MAX];
	size_t n = strlen(path);
	struct stat st;

	assert(n < sizeof(part));
	for (size_t i = 1; i <= n; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, 0700) != 0 && errno != EEXIST)
			return fail(ei, ERR_SYS,
			    "cannot make the data directory %s: %s; create it "
			    "or choose another with server.data or --data",
			    part, strerror(errno));
	}
	if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
		return fail(ei, ERR_SYS, "the data directory %s is a file; "
		    "choose another with server.data or --data", path);
	if (access(path, R_OK | W_OK | X_OK) != 0)
		return fail(ei, ERR_SYS,
		    "cannot write in the data directory %s: %s; make it "
		    "writable for uid %u or choose another with server.data "
		    "or --data",
		    path, strerror(errno), (unsigned)geteuid());
	return ERR_OK;
}

/* store.url into an absolute file name. */
static enum err
store_path(const struct settings *st, struct place *at, struct errinfo *ei)
{
	const char *url = st->store.url;
	char data[PATH_MAX];
	bool absolute;

	if (strncmp(url, "sqlite:", 7) != 0)
		return fail_at(ei, ERR_INVALID, "store.url", 0,
		    "\"%s\" is not a store this version knows; allowed: "
		    "sqlite:FILE",
		    url);
	if (strcmp(url, "sqlite::memory:") == 0)
		return fail_at(ei, ERR_INVALID, "store.url", 0,
		    "a store in memory loses everything at exit, so serve "
		    "refuses it; allowed: sqlite:FILE");
	if (realpath(at->data, data) == NULL)
		return fail(ei, ERR_SYS, "%s: %s", at->data, strerror(errno));
	absolute = url[7] == '/';
	if (snprintf(at->store, sizeof(at->store), "%s%s%s",
		absolute ? "" : data, absolute ? "" : "/", url + 7) >=
	    (int)sizeof(at->store))
		return fail_at(ei, ERR_LIMIT, "store.url", 0,
		    "the path of the store is longer than %zu bytes",
		    sizeof(at->store) - 1);
	return ERR_OK;
}

static const char *
config_find(const char *flag)
{
	static const char *const places[] = {"vedette.yaml",
		"/etc/vedette/vedette.yaml"};
	const char *env = getenv("VEDETTE_CONFIG");

	if (flag != NULL)
		return flag;
	if (env != NULL && env[0] != '\0')
		return env;
	for (size_t i = 0; i < COUNT(places); i++)
		if (is_file(places[i]))
			return places[i];
	return NULL;
}

enum err
place_settings(const struct place_ask *ask, struct place *ret,
    struct settings *st, struct document **doc, struct errinfo *ei)
{
	const char *config = config_find(ask->config);
	enum err e;

	ret->config[0] = '\0';
	if (config != NULL) {
		(void)snprintf(ret->config, sizeof(ret->config), "%s", config);
		e = document_load(config, ask->kinds, doc, ei);
	} else {
		e = document_parse(STR(""), "(defaults)", ask->kinds, NULL,
		    doc, ei);
	}
	if (e != ERR_OK)
		return e;
	*st = (*doc)->settings;
	memset(&(*doc)->settings, 0, sizeof((*doc)->settings));
	return settings_env(st, environ, ei);
}

enum err
place_find(const struct place_ask *ask, const struct settings *st,
    struct place *ret, struct errinfo *ei)
{
	const char *data = ask->data != NULL ? ask->data : st->server.data;
	enum err e = path_join(ret->data, sizeof(ret->data),
	    ask->data != NULL || ret->config[0] == '\0' ? NULL : ret->config,
	    data, ei);

	if (e == ERR_OK && ask->make)
		e = dir_make(ret->data, ei);
	if (e == ERR_OK)
		e = store_path(st, ret, ei);
	if (e == ERR_OK && snprintf(ret->control, sizeof(ret->control),
	    "%s/control.sock", ret->data) >= (int)sizeof(ret->control))
		e = fail(ei, ERR_LIMIT, "the path of the control socket is "
		    "too long");
	return e;
}

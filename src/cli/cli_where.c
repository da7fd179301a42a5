/* cli_where.c: finding the daemon. The file is read lightly, for one key: a
 * mistake elsewhere in it must not keep people from asking the daemon. */
#include "cli/cli_where.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "conf/tree.h"

#define DATA_DEFAULT "./var"

static void
file_closep(FILE **f)
{
	if (*f != NULL && *f != stdin)
		(void)fclose(*f);
}

enum err
cli_where_read(const char *path, size_t max, char **ret, size_t *ret_n,
    struct errinfo *ei)
{
	FILE *f CLEANUP(file_closep) = NULL;
	char chunk[16384];
	struct stat st;
	size_t n;
	BUF_AUTO(b, max);

	f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	if (f == NULL || (fstat(fileno(f), &st) == 0 && S_ISDIR(st.st_mode)))
		return fail(ei, ERR_SYS, "%s: cannot read it: %s", path,
		    f == NULL ? strerror(errno) : strerror(EISDIR));
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_add(&b, (struct str){chunk, n});
	if (ferror(f))
		return fail(ei, ERR_SYS, "%s: cannot read it: %s", path,
		    strerror(errno));
	if (!buf_ok(&b))
		return fail(ei, ERR_LIMIT, "%s: larger than allowed; at most "
		    "%zu MiB", path, max >> 20);
	*ret_n = b.n;
	*ret = buf_take(&b);
	return ERR_OK;
}

static const char *
env_text(const char *name)
{
	const char *v = getenv(name);

	return v != NULL && v[0] != '\0' ? v : NULL;
}

static bool
is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* dst = rel, seen from the directory of file unless it is absolute. */
static enum err
path_join(char dst[PATH_MAX], const char *file, struct str rel,
    struct errinfo *ei)
{
	const char *slash = file != NULL ? strrchr(file, '/') : NULL;
	int dir = slash != NULL ? (int)(slash - file) + 1 : 0;
	int n;

	if (rel.n > 0 && rel.p[0] == '/')
		dir = 0;
	if (rel.n >= PATH_MAX)
		return fail(ei, ERR_LIMIT, "the path of the data directory is "
		    "too long");
	n = snprintf(dst, PATH_MAX, "%.*s%.*s", dir, file, (int)rel.n, rel.p);
	if (n < 0 || n >= PATH_MAX)
		return fail(ei, ERR_LIMIT, "the path of the data directory is "
		    "too long");
	return ERR_OK;
}

/* server.data of a file into dst; *found is false when it has none. */
static enum err
data_of_file(const char *file, char dst[PATH_MAX], bool *found,
    struct errinfo *ei)
{
	struct tree *t CLEANUP(tree_freep) = NULL;
	char *text CLEANUP(xfreep) = NULL;
	const struct node *n;
	size_t size;
	enum err e;

	*found = false;
	e = cli_where_read(file, TREE_BYTES_MAX, &text, &size, ei);
	if (e == ERR_OK)
		e = tree_from_yaml((struct str){text, size}, file, &t, ei);
	if (e != ERR_OK)
		return e;
	n = node_get(node_get(tree_root(t), "server"), "data");
	if (n == NULL || n->kind != NODE_SCALAR || n->text.n == 0)
		return ERR_OK;
	*found = true;
	return path_join(dst, file, n->text, ei);
}

static const char *
config_find(const struct cli_args *a)
{
	static const char *const places[] = {"vedette.yaml",
		"/etc/vedette/vedette.yaml"};

	if (a->config != NULL)
		return a->config;
	if (env_text("VEDETTE_CONFIG") != NULL)
		return env_text("VEDETTE_CONFIG");
	for (size_t i = 0; i < COUNT(places); i++)
		if (is_file(places[i]))
			return places[i];
	return NULL;
}

static enum err
data_find(const struct cli_args *a, const char *own_file,
    char dst[PATH_MAX], struct errinfo *ei)
{
	const char *env = env_text("VEDETTE_SERVER_DATA");
	const char *config;
	bool found = false;
	enum err e;

	if (a->data != NULL)
		return path_join(dst, NULL, str_of(a->data), ei);
	config = config_find(a);
	if (env != NULL)   /* as for serve: it stands in for the file's value */
		return path_join(dst, config, str_of(env), ei);
	if (own_file != NULL && a->config == NULL &&
	    strcmp(own_file, "-") != 0) {
		e = data_of_file(own_file, dst, &found, ei);
		if (e != ERR_OK || found)
			return e;
	}
	if (config != NULL) {
		e = data_of_file(config, dst, &found, ei);
		if (e != ERR_OK || found)
			return e;
	}
	return path_join(dst, config, STR(DATA_DEFAULT), ei);
}

static enum err
url_take(struct cli_where *w, const char *url, struct errinfo *ei)
{
	size_t n = strlen(url);

	while (n > 0 && url[n - 1] == '/')
		n--;
	if (n >= sizeof(w->base) || (strncmp(url, "http://", 7) != 0 &&
	    strncmp(url, "https://", 8) != 0))
		return fail(ei, ERR_INVALID, "--url: \"%.200s\" is not "
		    "allowed; allowed: http://HOST:PORT or https://HOST:PORT",
		    url);
	(void)snprintf(w->base, sizeof(w->base), "%.*s", (int)n, url);
	return ERR_OK;
}

enum err
cli_where_find(const struct cli_args *a, const char *own_file,
    struct cli_where *ret, struct errinfo *ei)
{
	const char *url = a->url, *token = a->token;
	struct cli_where w = {.base = "http://localhost"};
	enum err e;

	if (url == NULL && a->data == NULL && a->config == NULL)
		url = env_text("VEDETTE_URL");
	if (token == NULL && url != NULL)
		token = env_text("VEDETTE_TOKEN");
	if (token != NULL && (strlen(token) >= sizeof(w.token) ||
	    strpbrk(token, "\r\n") != NULL))
		return fail(ei, ERR_INVALID, "--token: this is not a token of "
		    "vedette");
	(void)snprintf(w.token, sizeof(w.token), "%s",
	    token != NULL ? token : "");
	if (url != NULL) {
		e = url_take(&w, url, ei);
		if (e == ERR_OK)
			*ret = w;
		return e;
	}
	e = data_find(a, own_file, w.data, ei);
	if (e != ERR_OK)
		return e;
	if (snprintf(w.socket, sizeof(w.socket), "%s/control.sock", w.data) >
	    CLI_SOCKET_MAX)
		return fail(ei, ERR_LIMIT, "%.200s/control.sock: a socket's "
		    "path may have at most %d bytes; use a shorter data "
		    "directory, or a relative path to it", w.data,
		    CLI_SOCKET_MAX);
	*ret = w;
	return ERR_OK;
}

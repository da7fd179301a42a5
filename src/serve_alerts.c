/* serve_alerts.c: see serve_alerts.h. */
#include "serve_alerts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "world/world.h"

static enum err
key_made(const char *path, unsigned char key[LINK_KEY], struct errinfo *ei)
{
	char part[PATH_MAX];
	bool ok;
	int fd;

	if (snprintf(part, sizeof(part), "%s.new", path) >= (int)sizeof(part))
		return fail(ei, ERR_LIMIT, "the path %s is too long", path);
	(void)unlink(part);   /* of a start that was killed here */
	random_bytes(key, LINK_KEY);
	fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ok = fd >= 0 && write(fd, key, LINK_KEY) == LINK_KEY &&
	    fsync(fd) == 0;
	if (fd >= 0)
		ok = close(fd) == 0 && ok;
	if (ok && rename(part, path) == 0)
		return ERR_OK;
	return fail(ei, ERR_SYS, "cannot write %s: %s", path,
	    strerror(errno));
}

enum err
core_link_key(struct core *co, struct errinfo *ei)
{
	char path[PATH_MAX];
	struct stat st;
	ssize_t n;
	int fd;

	if (snprintf(path, sizeof(path), "%s/link.key", co->at.data) >=
	    (int)sizeof(path))
		return fail(ei, ERR_LIMIT, "the path of the data directory is"
		    " too long");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return key_made(path, co->link_key, ei);
	if (fd < 0 || fstat(fd, &st) != 0) {
		if (fd >= 0)
			(void)close(fd);
		return fail(ei, ERR_SYS, "cannot read %s: %s", path,
		    strerror(errno));
	}
	n = read(fd, co->link_key, LINK_KEY);
	(void)close(fd);
	if ((st.st_mode & 077) != 0)
		return fail(ei, ERR_INVALID, "%s is open to others (mode %03o);"
		    " allowed: 600", path, (unsigned)st.st_mode & 0777);
	if (n != LINK_KEY || st.st_size != LINK_KEY)
		return fail(ei, ERR_INVALID, "%s is not a key of %d bytes;"
		    " remove it and one is made (links in messages already"
		    " sent end then)", path, LINK_KEY);
	return ERR_OK;
}

void
core_courier_new(struct core *co)
{
	co->courier = courier_new();
}

enum err
core_courier(struct core *co, struct errinfo *ei)
{
	struct courier_conf cc = {.store = co->store,
	    .settings = &co->settings};

	char what[200];
	enum err e;

	memcpy(cc.link_key, co->link_key, sizeof(cc.link_key));
	e = courier_start(co->courier, &cc, ei);
	if (e != ERR_STORE)
		return e;
	(void)snprintf(what, sizeof(what), "%.199s", ei->text);
	return fail(ei, ERR_STORE, "what is to be told cannot be read: %s;"
	    " \"vedette store check\" says what is damaged, \"vedette store"
	    " restore FILE\" puts a backup in its place and keeps the old one",
	    what);
}

json_t *
core_channels(void *arg)
{
	struct core *co = arg;

	return courier_channels(co->courier);
}

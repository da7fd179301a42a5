#include "store/quarantine_files.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "store/crc32c.h"
#include "store/filesys.h"
#include "store/unit_code.h"
#include "store/wire.h"
#include "world/world.h"

#define HEAD_MAX   (QUARANTINE_REASON + 64)
#define FILE_MAX   (UNIT_CODE_MAX * 2 + HEAD_MAX)
#define FILES_MAX  1000   /* read at one start; the rest at the next */

static const struct filesys *
fs_of(const struct store *s)
{
	return s->conf.journal.fs != NULL ? s->conf.journal.fs :
	    &filesys_real;
}

static void
dir_of(const struct store *s, char dst[544])
{
	char *slash;

	snprintf(dst, 544, "%s", s->conf.path);
	slash = strrchr(dst, '/');
	assert(slash != NULL);
	snprintf(slash, 544 - (size_t)(slash - dst), "/journal");
}

static void
encode(const struct sick *k, struct buf *b)
{
	unsigned char head[HEAD_MAX], sum[4];
	struct wire_out o = {head, 0, sizeof(head), false};
	struct wire_out c = {sum, 0, sizeof(sum), false};
	size_t n = strlen(k->reason);

	wire_int(&o, k->at_us);
	wire_byte(&o, k->kind);
	wire_uint(&o, k->monitor);
	wire_uint(&o, k->seq);
	wire_uint(&o, n);
	wire_bytes(&o, k->reason, n);
	assert(!o.full);
	buf_add(b, (struct str){(const char *)head, o.n});
	buf_add(b, (struct str){k->bytes, k->n});
	wire_fixed(&c, crc32c(b->p, b->n), 4);
	buf_add(b, (struct str){(const char *)sum, 4});
}

static bool
decode(struct str bytes, struct sick *k)
{
	struct wire_in in = {(const unsigned char *)bytes.p, bytes.n, false};
	struct wire_in sum;
	uint64_t n;

	if (bytes.n < 8)
		return false;
	sum = (struct wire_in){in.p + bytes.n - 4, 4, false};
	in.n -= 4;
	if (wire_get_fixed(&sum, 4) != crc32c(bytes.p, bytes.n - 4))
		return false;
	k->at_us = wire_get_int(&in);
	k->kind = (uint8_t)wire_get_byte(&in);
	k->monitor = (uint32_t)wire_get_uint(&in);
	k->seq = wire_get_uint(&in);
	n = wire_get_uint(&in);
	if (in.bad || n >= sizeof(k->reason) || n > in.n)
		return false;
	memcpy(k->reason, wire_get_bytes(&in, (size_t)n), (size_t)n);
	k->n = in.n;
	k->bytes = xcalloc(MAX(k->n, (size_t)1), 1);
	memcpy(k->bytes, in.p, in.n);
	return true;
}

enum err
quarantine_file(struct store *s, const struct sick *k, struct errinfo *ei)
{
	const struct filesys *fs = fs_of(s);
	char dir[544], path[600];
	BUF_AUTO(b, FILE_MAX);
	int fd;
	bool ok;

	dir_of(s, dir);
	snprintf(path, sizeof(path), "%s/%016" PRIx64 ".unit", dir,
	    (uint64_t)k->at_us + atomic_load(&s->ward->files));
	encode(k, &b);
	ok = buf_ok(&b) && fs->make_dir(dir) == 0;
	fd = ok ? fs->open(path, true) : -1;
	ok = fd >= 0 && fs->write(fd, b.p, b.n, 0) == 0 &&
	    fs->sync(fd) == 0 && fs->sync_dir(dir) == 0;
	if (fd >= 0)
		(void)fs->close(fd);
	if (ok) {
		log_error("store", "a unit in quarantine became a file",
		    KV("file", &path[0]), KV("reason", &k->reason[0]));
		return ERR_OK;
	}
	s->db->fault = (struct backend_fault){OP_WRITE, CLASS_IO, true};
	s->fault = s->db->fault;
	return fail(ei, ERR_STORE, "cannot write %s: %s", path,
	    strerror(errno));
}

struct names {
	char v[FILES_MAX][24];
	size_t n;
};

static void
take_name(void *arg, const char *name)
{
	struct names *f = arg;
	size_t n = strlen(name);

	if (n == 21 && strcmp(name + 16, ".unit") == 0 && f->n < FILES_MAX)
		memcpy(f->v[f->n++], name, n + 1);
}

/* One file becomes a row, or stays as it is and is counted. */
static enum err
import(struct store *s, const char *path, struct errinfo *ei)
{
	const struct filesys *fs = fs_of(s);
	struct sick k = {0};
	char *p CLEANUP(xfreep) = NULL;
	int fd = fs->open(path, false);
	int64_t n = fd < 0 ? -1 : fs->size(fd);
	enum err e;

	if (n >= 0 && n <= (int64_t)FILE_MAX) {
		p = xcalloc((size_t)n + 1, 1);
		n = fs->read(fd, p, (size_t)n, 0);
	}
	if (fd >= 0)
		(void)fs->close(fd);
	if (p == NULL || n < 0 || !decode((struct str){p, (size_t)n}, &k)) {
		log_error("store", "a file of the quarantine is damaged",
		    KV("file", path));
		atomic_fetch_add(&s->ward->files, 1);
		return ERR_OK;
	}
	e = s->db->ops->run(s->db, STMT_QUARANTINE_PUT, VALS(V_INT(k.at_us),
	    V_INT(k.kind), V_INT(k.monitor), V_TEXT(k.reason),
	    k.seq == 0 ? V_NULL : V_INT(k.seq),
	    V_BYTES(((struct str){k.bytes, k.n}))), NULL, ei);
	xfree(k.bytes);
	if (e == ERR_OK) {
		atomic_fetch_add(&s->ward->rows, 1);
		(void)fs->remove(path);
		return ERR_OK;
	}
	if (s->db->fault.transient)
		return e;
	atomic_fetch_add(&s->ward->files, 1);
	return ERR_OK;
}

enum err
quarantine_import(struct store *s, struct errinfo *ei)
{
	struct names *f;
	char dir[544], path[600];
	enum err e = ERR_OK;

	if (s->rescue == NULL)
		return ERR_OK;
	f = xcalloc(1, sizeof(*f));
	dir_of(s, dir);
	atomic_store(&s->ward->files, 0);
	if (fs_of(s)->list(dir, take_name, f) != 0)
		e = fail(ei, ERR_SYS, "cannot read %s: %s", dir,
		    strerror(errno));
	for (size_t i = 0; e == ERR_OK && i < f->n; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, f->v[i]);
		e = import(s, path, ei);
	}
	xfree(f);
	return e;
}

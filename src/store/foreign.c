/* foreign.c: see foreign.h. A lock of the WAL is one byte of the -shm file
 * (sqlite.org/walformat.html, "WAL Locks"): write, checkpoint, recover, then
 * five marks of readers, from byte 120 on; byte 128 is had by whoever has the
 * database open and says nothing. */
#include "store/foreign.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/text.h"

#define LOCK_WRITE      120
#define LOCK_CHECKPOINT 121
#define LOCK_READ       123
#define LOCK_LAST       127
#define LINES_MAX       100000

/* The next word; the rest in *s. */
static struct str
word(struct str *s)
{
	struct str w;

	while (s->n > 0 && (s->p[0] == ' ' || s->p[0] == '\t'))
		*s = (struct str){s->p + 1, s->n - 1};
	*s = str_cut(*s, ' ', &w);
	return w;
}

static bool
hex(struct str s, uint64_t *ret)
{
	uint64_t v = 0;

	if (s.n == 0 || s.n > 8)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		const char *digits = "0123456789abcdef";
		const char *at = memchr(digits, s.p[i] | 0x20, 16);

		if (at == NULL)
			return false;
		v = v * 16 + (uint64_t)(at - digits);
	}
	*ret = v;
	return true;
}

static bool
bytes(struct str from, struct str to, uint64_t *lo, uint64_t *hi)
{
	if (!str_u64(from, INT64_MAX, lo))
		return false;
	if (str_is(to, "EOF"))
		*hi = INT64_MAX;
	else if (!str_u64(to, INT64_MAX, hi))
		return false;
	return *lo <= LOCK_LAST && *hi >= LOCK_WRITE && *lo >= LOCK_WRITE;
}

static bool
in_file(struct str where, const struct foreign_file *file, bool *ret_same)
{
	struct str a, b, inode;
	uint64_t major, minor, n;

	inode = str_cut(str_cut(where, ':', &a), ':', &b);
	if (!hex(a, &major) || !hex(b, &minor) ||
	    !str_u64(inode, UINT64_MAX, &n) || n != file->inode)
		return false;
	*ret_same = major == file->major && minor == file->minor;
	return true;
}

bool
foreign_line(struct str line, const struct foreign_file *file,
    struct foreign *ret)
{
	struct foreign f = {0};
	uint64_t pid = 0, lo, hi;
	struct str how, who, where;

	(void)word(&line);                       /* its number */
	how = word(&line);                       /* POSIX; "->" waits */
	if (!str_is(how, "POSIX") && !str_is(how, "OFDLCK"))
		return false;
	(void)word(&line);                       /* ADVISORY */
	(void)word(&line);                       /* READ or WRITE */
	who = word(&line);
	where = word(&line);
	if (!in_file(where, file, &f.same_device))
		return false;
	where = word(&line);
	if (!bytes(where, word(&line), &lo, &hi))
		return false;
	f.pid = str_u64(who, INT32_MAX, &pid) ? (int64_t)pid : 0;
	f.kind = lo == LOCK_WRITE ? FOREIGN_WRITER : lo < LOCK_READ ?
	    FOREIGN_CHECKPOINTER : FOREIGN_READER;
	*ret = f;
	return true;
}

void
foreign_command(int64_t pid, char dst[FOREIGN_NAME])
{
	char path[64], line[64] = "";
	struct str name;
	FILE *in;

	dst[0] = '\0';
	if (pid <= 0)
		return;
	snprintf(path, sizeof(path), "/proc/%lld/comm", (long long)pid);
	in = fopen(path, "re");
	if (in == NULL)
		return;
	if (fgets(line, sizeof(line), in) != NULL) {
		(void)str_cut(str_of(line), '\n', &name);
		(void)text_copy(dst, FOREIGN_NAME, name);
	}
	fclose(in);
}

static bool
known(const struct foreign *v, unsigned n, const struct foreign *f)
{
	for (unsigned i = 0; i < n; i++)
		if (v[i].pid == f->pid && v[i].kind == f->kind)
			return true;
	return false;
}

/* Under an overlay the kernel names the device below: then the inode must do,
 * but not when a lock on our very device is there. */
static unsigned
choose(struct foreign *v, unsigned n)
{
	unsigned kept = 0;
	bool same = false;

	for (unsigned i = 0; i < n; i++)
		same = same || v[i].same_device;
	for (unsigned i = 0; i < n; i++)
		if (v[i].same_device == same)
			v[kept++] = v[i];
	return kept;
}

unsigned
foreign_find(const char *path, struct foreign v[FOREIGN_MAX])
{
	struct foreign_file file;
	char name[600], line[256];
	struct foreign f;
	struct stat st;
	unsigned n = 0;
	FILE *in;

	snprintf(name, sizeof(name), "%s-shm", path);
	if (stat(name, &st) != 0)
		return 0;
	file = (struct foreign_file){.major = major(st.st_dev),
	    .minor = minor(st.st_dev), .inode = st.st_ino};
	in = fopen("/proc/locks", "re");
	if (in == NULL)
		return 0;
	for (int i = 0; i < LINES_MAX && n < FOREIGN_MAX &&
	    fgets(line, sizeof(line), in) != NULL; i++) {
		struct str s;

		(void)str_cut(str_of(line), '\n', &s);
		if (foreign_line(s, &file, &f) && f.pid != getpid() &&
		    !known(v, n, &f))
			v[n++] = f;
	}
	fclose(in);
	n = choose(v, n);
	for (unsigned i = 0; i < n; i++)
		foreign_command(v[i].pid, v[i].name);
	return n;
}

void
foreign_text(const struct foreign *v, unsigned n, char dst[FOREIGN_TEXT])
{
	static const char *const does[] = {
		[FOREIGN_READER] = "reads", [FOREIGN_WRITER] = "writes",
		[FOREIGN_CHECKPOINTER] = "checkpoints",
	};
	BUF_AUTO(b, FOREIGN_TEXT);

	dst[0] = '\0';
	for (unsigned i = 0; i < n; i++) {
		buf_adds(&b, i > 0 ? ", " : "");
		buf_adds(&b, v[i].name[0] != '\0' ? v[i].name : "a process");
		if (v[i].pid > 0)
			buf_addf(&b, " (pid %lld) ", (long long)v[i].pid);
		else
			buf_add(&b, STR(" of another container "));
		buf_adds(&b, does[v[i].kind]);
		if (!buf_ok(&b))
			break;
		(void)text_copy(dst, FOREIGN_TEXT, buf_str(&b));
	}
}

/* send_exec.c: a program of the user's as a channel; see send.h. It has a
 * process group of its own, which is killed at the deadline; an environment
 * of nothing but what the request says; its input from the request; 4 KiB of
 * its output are kept, for the error. No shell. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alert/send_impl.h"
#include "base/mem.h"

static void
close_watch(struct send *s, struct watch *w)
{
	int fd = w->fd;

	if (!w->on)
		return;
	watch_drop(s->net, w);
	(void)close(fd);
}

/* What it still says before its end; 4 KiB of it. */
static bool
drain(struct send *s)
{
	char chunk[1024];
	ssize_t n;

	while ((n = read(s->out.fd, chunk, sizeof(chunk))) > 0)
		buf_add(&s->body, (struct str){chunk, MIN((size_t)n,
		    s->body.max - s->body.n)});
	return n < 0 && errno == EAGAIN;
}

static void
on_out(struct watch *w, uint32_t events)
{
	struct send *s = CONTAINER(w, struct send, out);

	(void)events;
	if (!drain(s))
		close_watch(s, w);
}

static void
on_in(struct watch *w, uint32_t events)
{
	struct send *s = CONTAINER(w, struct send, in);
	const struct buf *b = &s->req->body;
	ssize_t n;

	(void)events;
	while (s->sent < b->n) {
		n = write(w->fd, b->p + s->sent, b->n - s->sent);
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0)
			break;   /* it does not want it all */
		s->sent += (size_t)n;
	}
	close_watch(s, w);
}

static void
on_child(struct watch *w, uint32_t events)
{
	struct send *s = CONTAINER(w, struct send, child);
	siginfo_t info = {0};
	int rc;

	(void)events;
	do
		rc = waitid(P_PIDFD, (id_t)w->fd, &info, WEXITED | WNOHANG);
	while (rc < 0 && errno == EINTR);
	if (rc == 0 && info.si_pid == 0)
		return;
	if (s->out.on)
		(void)drain(s);
	/* Whatever it left behind in its group goes with it. */
	(void)kill(-s->pid, SIGKILL);
	s->pid = 0;
	if (info.si_code == CLD_EXITED)
		send_answered(s, (uint32_t)info.si_status);
	else
		send_over(s, true, "the program was killed by signal %d",
		    info.si_status);
}

static bool
pipe_new(int fd[2])
{
	if (pipe2(fd, O_CLOEXEC) == 0)
		return true;
	fd[0] = fd[1] = -1;
	return false;
}

static void
pipe_close(int fd[2])
{
	for (int i = 0; i < 2; i++)
		if (fd[i] >= 0)
			(void)close(fd[i]);
}

/* 0, or an errno. in[0] and out[1] become the child's. */
static int
spawn(struct send *s, int in[2], int out[2])
{
	const struct strings *argv = &s->req->argv, *env = &s->req->env;
	char **a = xcalloc(argv->n + 1, sizeof(*a));
	char **e = xcalloc(env->n + 1, sizeof(*e));
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t at;
	sigset_t none, all;
	int rc;

	for (size_t i = 0; i < argv->n; i++)
		a[i] = argv->v[i];
	for (size_t i = 0; i < env->n; i++)
		e[i] = env->v[i];
	(void)posix_spawn_file_actions_init(&fa);
	(void)posix_spawn_file_actions_adddup2(&fa, in[0], 0);
	(void)posix_spawn_file_actions_adddup2(&fa, out[1], 1);
	(void)posix_spawn_file_actions_adddup2(&fa, out[1], 2);
	(void)posix_spawn_file_actions_addchdir_np(&fa, "/");
	/* Nothing of ours is inherited, marked or not. */
	(void)posix_spawn_file_actions_addclosefrom_np(&fa, 3);
	(void)posix_spawnattr_init(&at);
	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	(void)posix_spawnattr_setsigmask(&at, &none);
	(void)posix_spawnattr_setsigdefault(&at, &all);
	(void)posix_spawnattr_setpgroup(&at, 0);
	(void)posix_spawnattr_setflags(&at, POSIX_SPAWN_SETPGROUP |
	    POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	rc = posix_spawn(&s->pid, a[0], &fa, &at, a, e);
	(void)posix_spawnattr_destroy(&at);
	(void)posix_spawn_file_actions_destroy(&fa);
	xfree(a);
	xfree(e);
	if (rc != 0)
		s->pid = 0;
	return rc;
}

void
send_exec_begin(struct send *s)
{
	int in[2] = {-1, -1}, out[2] = {-1, -1}, fd = -1, rc;

	if (s->req->argv.n == 0 || !pipe_new(in) || !pipe_new(out)) {
		pipe_close(in);
		pipe_close(out);
		send_over(s, false, "the program cannot be started: %s",
		    strerror(errno));
		return;
	}
	rc = spawn(s, in, out);
	(void)close(in[0]);
	(void)close(out[1]);
	if (rc == 0)
		fd = pidfd_open(s->pid, 0);
	if (fd < 0) {
		rc = rc != 0 ? rc : errno;
		(void)close(in[1]);
		(void)close(out[0]);
		send_over(s, false, "%.80s cannot be started: %s",
		    s->req->argv.v[0], strerror(rc));
		return;
	}
	(void)fcntl(in[1], F_SETFL, O_NONBLOCK);
	(void)fcntl(out[0], F_SETFL, O_NONBLOCK);
	rc = watch_set(s->net, &s->child, fd, EPOLLIN, on_child);
	if (rc == 0)
		rc = watch_set(s->net, &s->out, out[0], EPOLLIN, on_out);
	else
		(void)close(out[0]);
	if (rc == 0)
		rc = watch_set(s->net, &s->in, in[1], EPOLLOUT, on_in);
	else
		(void)close(in[1]);
	s->said = true;
	if (rc != 0)
		send_over(s, true, "the program cannot be watched: %s",
		    strerror(rc));
}

void
send_exec_stop(struct send *s)
{
	if (s->pid != 0) {
		siginfo_t info;

		(void)kill(-s->pid, SIGKILL);
		(void)kill(s->pid, SIGKILL);
		while (waitid(P_PID, (id_t)s->pid, &info, WEXITED) < 0 &&
		    errno == EINTR)
			;
		s->pid = 0;
	}
	close_watch(s, &s->child);
	close_watch(s, &s->in);
	close_watch(s, &s->out);
}

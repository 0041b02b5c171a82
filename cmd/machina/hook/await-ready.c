/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a QEMU that answers to a guest that is ready, without a moment in which it could be killed.
 */
#include "hook/await-ready.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/output.h"
#include "hook/await-guard.h"
#include "host/os/clock.h"
#include "util/mem.h"

/*
 * Two processes. The one that systemd started watches; the other one waits for the guest and may
 * hang, or be killed: then there is another one. If the watcher is killed, the other one shuts the
 * guest down, since systemd takes that end for a failed start and gives QEMU until TimeoutStopSec=.
 */
struct watch {
	const struct await_ready *request;
	int signalfd;
	int qemufd;   /* pidfd */
	pid_t worker; /* 0: there is none */
	int workerfd;
	int reasonfd; /* from the worker: why the guest is not ready */
};

/* What becomes of this process when the guest is to be shut down. The words have to be ready: a
 * signal handler uses them. */
static struct strv shutdown_words;

static void prepare_words(const struct plan *plan, int host_end)
{
	strv_push(&shutdown_words, PROGRAM_NAME);
	strv_push(&shutdown_words, "shutdown");
	strv_push(&shutdown_words, "--system");
	strv_push(&shutdown_words, "--timeout");
	strv_pushf(&shutdown_words, "%ds", plan_shutdown_sec(plan));
	if (host_end != VM_HOST_SHUTDOWN) {
		strv_push(&shutdown_words, "--host-end");
		strv_push(&shutdown_words, vm_host_end_names[host_end]);
	}
	strv_push(&shutdown_words, plan->machine);
}

static void stop_signals(sigset_t *ret)
{
	sigemptyset(ret);
	sigaddset(ret, SIGTERM);
	sigaddset(ret, SIGURG);
}

/* From here on stops don't reach this process any more. Only calls that a signal handler may make.
 */
static void become_shutdown(void)
{
	sigset_t stops;
	signal(SIGTERM, SIG_IGN);
	signal(SIGURG, SIG_IGN);
	stop_signals(&stops);
	sigprocmask(SIG_UNBLOCK, &stops, NULL);
	execv("/proc/self/exe", shutdown_words.items);
	_exit(EXIT_FAILURE);
}

static void on_orphaned(int signal)
{
	(void)signal;
	become_shutdown();
}

int await_ready_begin(struct error *err)
{
	sigset_t stops;
	stop_signals(&stops);
	if (sigprocmask(SIG_BLOCK, &stops, NULL) < 0)
		return error_errno(err, "cannot block signals");
	return 0;
}

/* A stop that was taken off the list of signals before the watch has begun. */
static bool was_told;

bool await_ready_is_told(void)
{
	static const struct timespec now = {};
	sigset_t stops;
	stop_signals(&stops);
	was_told = was_told || sigtimedwait(&stops, NULL, &now) > 0;
	return was_told;
}

void await_ready_ask(const char *machine, pid_t main_pid)
{
	CLEANUP(closep) int qemufd = pidfd_open(main_pid, 0);
	if (await_guard_look(machine, qemufd) == PHASE_KILLED)
		was_told = true;
}

static void work(const struct watch *w, pid_t watcher, int reasonfd)
{
	const struct sigaction orphaned = { .sa_handler = on_orphaned, .sa_flags = SA_NODEFER };
	sigset_t stops;
	struct error err = {};
	sigaction(SIGTERM, &orphaned, NULL);
	stop_signals(&stops);
	sigprocmask(SIG_UNBLOCK, &stops, NULL);
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != watcher)
		become_shutdown();
	/* Its systemd told so to the QEMU before this one. */
	if (w->request->is_resumed && w->request->ready->when == VM_READY_NOTIFY)
		_exit(STATUS_DONE);
	if (ready_wait(w->request->ready, w->request->plan, NULL, w->request->deadline_usec,
			    &err) == 0)
		_exit(STATUS_DONE);
	(void)!write(reasonfd, err.text, strlen(err.text));
	_exit(STATUS_FAILURE);
}

static int start_worker(struct watch *w, struct error *err)
{
	pid_t watcher = getpid();
	int fds[2];
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return error_errno(err, "cannot make a pipe");
	CLEANUP(closep) int reasonfd = fds[1];
	closep(&w->reasonfd);
	w->reasonfd = fds[0];
	fflush(stdout);
	fflush(stderr);
	w->worker = fork();
	if (w->worker < 0) {
		w->worker = 0;
		return error_errno(err, "cannot make a process");
	}
	if (w->worker == 0)
		work(w, watcher, reasonfd);
	w->workerfd = pidfd_open(w->worker, 0);
	return w->workerfd < 0 ? error_errno(err, "cannot watch process %d", w->worker) : 0;
}

/* Returns its wait status. */
static int reap_worker(struct watch *w)
{
	int status = 0;
	while (w->worker && waitpid(w->worker, &status, 0) < 0 && errno == EINTR)
		;
	w->worker = 0;
	closep(&w->workerfd);
	return status;
}

static void end_worker(struct watch *w)
{
	if (w->worker)
		kill(w->worker, SIGKILL);
	reap_worker(w);
}

static bool qemu_has_ended(const struct watch *w)
{
	struct pollfd end = { .fd = w->qemufd, .events = POLLIN };
	return poll(&end, 1, 0) > 0;
}

/* Again, if it is killed: as long as there is a guest. */
static void shut_down(const struct watch *w)
{
	int status;
	do {
		pid_t pid = fork();
		/* Where there can be no other one, it is this process that does it. */
		if (pid <= 0)
			become_shutdown();
		status = 0;
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	} while (WIFSIGNALED(status) && !qemu_has_ended(w));
}

/* What the worker's end means: 1: ready; 0: it has to be done again; or an error. */
static int judge(struct watch *w, struct error *err)
{
	int status = reap_worker(w);
	if (WIFEXITED(status) && WEXITSTATUS(status) == STATUS_DONE)
		return 1;
	if (!WIFEXITED(status))
		return 0;
	struct error why = {};
	ssize_t n = read(w->reasonfd, why.text, sizeof(why.text) - 1);
	return error_set(err, ETIMEDOUT, "the guest is not ready in time: %s",
			n > 0 ? why.text : "nobody knows why");
}

/* Returns 0 when the guest is ready. */
static int watch(struct watch *w, struct error *err)
{
	/* The worker ends in time by itself, unless it hangs. */
	uint64_t end = clock_add_usec(w->request->deadline_usec, USEC_PER_SEC);
	for (int r = 0; r == 0;) {
		if (!w->worker)
			r = start_worker(w, err);
		if (r < 0)
			return r;
		struct pollfd fds[] = {
			{ .fd = w->signalfd, .events = POLLIN },
			{ .fd = w->qemufd, .events = POLLIN },
			{ .fd = w->workerfd, .events = POLLIN },
		};
		int n = clock_poll(fds, ARRAY_SIZE(fds), end);
		if (n < 0 && errno != EINTR)
			return error_errno(err, "cannot wait");
		if (n > 0 && fds[0].revents) {
			end_worker(w);
			become_shutdown();
		}
		if (n > 0 && fds[1].revents)
			return error_set(err, ESRCH, "QEMU has ended before the guest was ready");
		if (n > 0 && fds[2].revents)
			r = judge(w, err);
		/* Who is killed time and again must not take a processor for that. */
		if (r == 0 && !w->worker)
			clock_poll(NULL, 0, clock_deadline_usec(100 * USEC_PER_MSEC));
		if (r == 0 && clock_now_usec() >= end)
			r = error_set(err, ETIMEDOUT, "the guest is not ready in time");
		if (r > 0)
			return 0;
		if (r < 0)
			return r;
	}
	return 0;
}

static void watch_done(struct watch *w)
{
	end_worker(w);
	closep(&w->signalfd);
	closep(&w->qemufd);
	closep(&w->reasonfd);
	strv_done(&shutdown_words);
}

int await_ready(const struct await_ready *request, struct error *err)
{
	CLEANUP(watch_done)
	struct watch w = {
		.request = request, .workerfd = -1, .qemufd = -1, .signalfd = -1, .reasonfd = -1
	};
	sigset_t stops;
	stop_signals(&stops);
	prepare_words(request->plan, request->host_end);
	w.signalfd = signalfd(-1, &stops, SFD_CLOEXEC | SFD_NONBLOCK);
	w.qemufd = pidfd_open(request->main_pid, 0);
	if (w.signalfd < 0 || w.qemufd < 0) {
		error_errno(err, "cannot watch over QEMU (pid %d)", request->main_pid);
		shut_down(&w);
		return -err->code;
	}
	if (was_told)
		become_shutdown();
	int r = watch(&w, err);
	if (r < 0 && qemu_has_ended(&w))
		return r;
	end_worker(&w);
	if (r == -ETIMEDOUT && request->is_resumed) {
		complain("machine '%s': %s; it was resumed, and goes on", request->plan->machine,
				err->text);
		r = 0;
	}
	if (r == 0) {
		await_guard_leave(request->plan->machine, w.qemufd, become_shutdown);
		return 0;
	}
	complain("machine '%s': %s; shutting it down", request->plan->machine, err->text);
	shut_down(&w);
	return r;
}

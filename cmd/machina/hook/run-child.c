/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU and swtpm as children. */
#include "hook/run-child.h"

#include <grp.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "host/os/clock.h"
#include "host/os/confine.h"
#include "host/os/process.h"
#include "model/vm.h"

#define END_USEC (8 * USEC_PER_SEC)

struct child_data {
	const struct child_request *request;
	gid_t kvm;
	bool has_kvm;
};

static int set_limit(__rlimit_resource_t which, rlim_t value, struct error *err)
{
	const struct rlimit limit = { value, value };
	return setrlimit(which, &limit) < 0 ? error_errno(err, "cannot set a resource limit") : 0;
}

/*
 * Signals of the terminal are for us: the guest is to be asked before QEMU ends. So are those that
 * systemd sends to all that a user who logs out has left.
 */
static int prepare_child(const void *data, struct error *err)
{
	const struct child_data *child = data;
	const struct child_request *request = child->request;
	sigset_t ours;
	sigemptyset(&ours);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &ours, NULL) < 0)
		return error_errno(err, "cannot block signals");
	/* A script's shell has what it puts into the background ignore it, and so would swtpm. */
	signal(CHILD_END_SIGNAL, SIG_DFL);
	if (setsid() < 0)
		return error_errno(err, "cannot make a session");
	/* A core would hold the guest's memory. */
	int r = set_limit(RLIMIT_CORE, 0, err);
	if (r == 0 && request->pins_memory)
		r = set_limit(RLIMIT_MEMLOCK, RLIM_INFINITY, err);
	if (r < 0)
		return r;
	const struct confine confine = {
		.user = request->account,
		.groups = &child->kvm,
		.n_groups = child->has_kvm ? 1 : 0,
		.death_signal = CHILD_END_SIGNAL,
	};
	return confine_self(&confine, err);
}

int child_start(const struct child_request *request, pid_t *ret, struct error *err)
{
	struct child_data data = { .request = request };
	const struct group *kvm = request->needs_kvm ? getgrnam(VM_KVM_GROUP) : NULL;
	if (kvm) {
		data.kvm = kvm->gr_gid;
		data.has_kvm = true;
	}
	const struct process process = {
		.argv = (const char *const *)request->argv->items,
		.prepare = prepare_child,
		.data = &data,
		.fds = request->fds,
		.n_fds = request->n_fds,
		.output_fd = &request->output_fd,
	};
	return process_start(&process, ret, err);
}

int child_end(pid_t pid)
{
	int status = 0;
	if (pid <= 0)
		return 0;
	CLEANUP(closep) int pidfd = pidfd_open(pid, 0);
	kill(pid, CHILD_END_SIGNAL);
	if (pidfd < 0 || !process_ends(pidfd, clock_deadline_usec(END_USEC)))
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

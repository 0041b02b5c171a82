/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Users, capabilities and what else a process can give up. */
#include "host/os/confine.h"

#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static int become(const struct confine *confine, struct error *err)
{
	const struct account *user = confine->user;
	if (setgroups(confine->n_groups, confine->groups) < 0 ||
			setresgid(user->gid, user->gid, user->gid) < 0 ||
			setresuid(user->uid, user->uid, user->uid) < 0)
		return error_errno(err, "cannot become user %u", user->uid);
	return 0;
}

/* A process that was started with SECBIT_NO_SETUID_FIXUP (prctl(2)) keeps them otherwise. */
static int drop_capabilities(struct error *err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};
	/* The ambient set goes with the permitted one (capabilities(7)). */
	if (syscall(SYS_capset, &header, none) < 0)
		return error_errno(err, "cannot give up capabilities");
	return 0;
}

int confine_self(const struct confine *confine, struct error *err)
{
	pid_t parent = getppid();
	int r = confine->user ? become(confine, err) : 0;
	if (r == 0)
		r = drop_capabilities(err);
	if (r < 0)
		return r;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
			prctl(PR_SET_PDEATHSIG, confine->death_signal) < 0)
		return error_errno(err, "cannot confine the process");
	if (getppid() != parent)
		return error_set(err, ESRCH, "its parent has ended");
	umask(077);
	return chdir("/") < 0 ? error_errno(err, "cannot enter '/'") : 0;
}

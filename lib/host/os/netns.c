/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Entering another network namespace and coming back. */
#include "host/os/netns.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

int netns_enter(const char *path, struct netns *ret, struct error *err)
{
	*ret = (struct netns){};
	CLEANUP(closep) int own = open(NETNS_OWN, O_RDONLY | O_CLOEXEC);
	if (own < 0)
		return error_errno(err, "cannot open '%s'", NETNS_OWN);
	CLEANUP(closep) int other = open(path, O_RDONLY | O_CLOEXEC);
	if (other < 0 && (errno == EACCES || errno == EPERM) && geteuid() != 0)
		return 0;
	if (other < 0)
		return error_errno(err, "cannot open '%s'", path);

	struct stat here, there;
	if (fstat(own, &here) < 0 || fstat(other, &there) < 0)
		return error_errno(err, "cannot look at '%s'", path);
	if (here.st_dev == there.st_dev && here.st_ino == there.st_ino)
		return 0;
	if (setns(other, CLONE_NEWNET) < 0)
		return error_errno(err, "cannot enter the network of '%s'", path);
	*ret = (struct netns){ .entered = true, .back_fd = take_fd(&own) };
	return 0;
}

void netns_done(struct netns *netns)
{
	if (!netns->entered)
		return;
	/* Fails only without the privilege that got us here; nothing depends on it then. */
	(void)!setns(netns->back_fd, CLONE_NEWNET);
	close(netns->back_fd);
	*netns = (struct netns){};
}

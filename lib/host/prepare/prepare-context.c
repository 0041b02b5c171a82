/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the steps of host/prepare/prepare.h share, looked up when the first of them asks. */
#include "host/prepare/prepare-context.h"

#include <unistd.h>

#include "host/os/clock.h"
#include "host/os/rundir.h"
#include "util/mem.h"

/* After the boot of the host: by then the drivers of devices are ready, or never will be. */
#define DEVICES_READY_USEC (120 * USEC_PER_SEC)

int prepare_network(struct prepare_context *c, struct error *err)
{
	if (c->netlink.socket)
		return 0;
	const char *path = c->options->netns ? c->options->netns : NETNS_HOST;
	int r = c->outside.entered ? 0 : netns_enter(path, &c->outside, err);
	return r < 0 ? r : netlink_open(&c->netlink, err);
}

/* The user that will run QEMU: the unit's, or the one who asked for the descriptors. */
int prepare_account(struct prepare_context *c, struct error *err)
{
	if (c->has_account)
		return 0;
	if (c->keeps_fds) {
		const struct account own = { .uid = geteuid(), .gid = getegid() };
		c->account = c->options->account ? *c->options->account : own;
		c->has_account = true;
		return 0;
	}
	int r = account_find(c->plan->user, &c->account, err);
	c->has_account = r == 0;
	return r;
}

static int get_function(void *data, const char *interface, unsigned function,
		struct vf_settings *ret, struct error *err)
{
	struct prepare_context *c = data;
	int r = prepare_network(c, err);
	return r < 0 ? r : vf_get(&c->netlink, interface, function, ret, err);
}

static int set_function(void *data, const char *interface, unsigned function,
		const struct vf_settings *now, const struct vf_settings *wanted, struct error *err)
{
	struct prepare_context *c = data;
	int r = prepare_network(c, err);
	return r < 0 ? r : vf_set(&c->netlink, interface, function, now, wanted, err);
}

void prepare_context_init(struct prepare_context *c, const struct plan *plan,
		const struct prepare_options *options)
{
	*c = (struct prepare_context){
		.plan = plan,
		.options = options,
		.fds = xcalloc(plan->n_fds + 1, sizeof(*c->fds)),
		.parent_dir = rundir_parent(plan->run_dir),
	};
	for (size_t i = 0; i < plan->n_fds; i++)
		c->fds[i] = -1;
	c->devices = (struct device_host){
		.sys = options->sys ? options->sys : "/sys",
		.dev = options->dev ? options->dev : "/dev",
		.proc = options->proc ? options->proc : "/proc",
		.udev = "/run/udev",
		.lock_dir = c->parent_dir,
		.ready_deadline_usec = DEVICES_READY_USEC,
		.functions = &c->functions,
	};
	c->functions = (struct vf_access){ .get = get_function, .set = set_function, .data = c };
}

void prepare_context_done(struct prepare_context *c)
{
	for (size_t i = 0; i < c->plan->n_fds; i++)
		closep(&c->fds[i]);
	free(c->fds);
	free(c->parent_dir);
	fdstore_done(&c->store);
	netlink_done(&c->netlink);
	netlink_done(&c->nft);
	netns_done(&c->outside);
	*c = (struct prepare_context){};
}

const struct sharing *prepare_sharing(struct prepare_context *c)
{
	/* The answer that there is no such group may take systemd a while. */
	if (!c->has_sharing)
		c->sharing.is_shared = account_operators(&c->sharing.group) == 0;
	c->has_sharing = true;
	return &c->sharing;
}

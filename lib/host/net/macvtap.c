/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making macvtaps by rtnetlink, and opening them. */
#include "host/net/macvtap.h"

#include <fcntl.h>
#include <inttypes.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "host/net/netlink-talk.h"
#include "util/mem.h"

#define KIND "macvtap"

/* ---- the link ---- */

size_t macvtap_message_create(const struct macvtap_request *request, int device, uint32_t sequence,
		char space[LINK_MESSAGE_MAX])
{
	static const uint32_t modes[] = {
		[MACVTAP_BRIDGE] = MACVLAN_MODE_BRIDGE,
		[MACVTAP_PRIVATE] = MACVLAN_MODE_PRIVATE,
		[MACVTAP_VEPA] = MACVLAN_MODE_VEPA,
		[MACVTAP_PASSTHRU] = MACVLAN_MODE_PASSTHRU,
	};
	struct nlmsghdr *message = link_message_begin(
			space, RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, sequence, 0);
	mnl_attr_put_strz(message, IFLA_IFNAME, request->name);
	mnl_attr_put_u32(message, IFLA_LINK, (uint32_t)device);
	/* A passthru one begins with the device's. */
	if (request->mode != MACVTAP_PASSTHRU)
		mnl_attr_put(message, IFLA_ADDRESS, LINK_ADDRESS_LEN, request->mac);
	if (request->mtu)
		mnl_attr_put_u32(message, IFLA_MTU, request->mtu);
	struct nlattr *info = mnl_attr_nest_start(message, IFLA_LINKINFO);
	mnl_attr_put_strz(message, IFLA_INFO_KIND, KIND);
	struct nlattr *data = mnl_attr_nest_start(message, IFLA_INFO_DATA);
	mnl_attr_put_u32(message, IFLA_MACVLAN_MODE, modes[request->mode]);
	mnl_attr_nest_end(message, data);
	mnl_attr_nest_end(message, info);
	return message->nlmsg_len;
}

static int find_device(struct netlink *nl, const struct macvtap_request *request, struct link *ret,
		struct error *err)
{
	const char *network = request->network, *device = request->device;
	int r = netlink_get(nl, device, ret, err);
	if (r < 0)
		return error_wrap(err, "network '%s'", network);
	if (r > 0)
		return error_set(err, ENODEV,
				"network '%s': the interface '%s' does not exist; correct 'device' "
				"of the network ('ip link' lists what there is)",
				network, device);
	if (!ret->up)
		return error_set(err, ENETDOWN,
				"network '%s': the interface '%s' is down; set it up ('ip link set "
				"%s up')",
				network, device, device);
	if (request->mtu > ret->mtu)
		return error_set(err, EINVAL,
				"network '%s': an MTU of %" PRIu32
				" is more than that of interface '%s', which is %" PRIu32,
				network, request->mtu, device, ret->mtu);
	return 0;
}

int macvtap_look(struct netlink *nl, const struct macvtap_request *request, struct error *err)
{
	struct link device;
	return find_device(nl, request, &device, err);
}

/*
 * One that was made and did not get its alias. It can't be made with it (rtnl_create_link() in
 * net/core/rtnetlink.c).
 */
static bool is_unfinished(const struct macvtap_request *request, const struct link *link)
{
	return !strcmp(link->kind, KIND) && !link->alias[0] && !link->up && link->lower &&
	       (unsigned)link->lower == if_nametoindex(request->device) &&
	       (request->mode == MACVTAP_PASSTHRU ||
			       !memcmp(link->address, request->mac, LINK_ADDRESS_LEN));
}

static bool is_ours(const struct macvtap_request *request, const struct link *link)
{
	return !strcmp(link->alias, request->alias) || is_unfinished(request, link);
}

int macvtap_remove(struct netlink *nl, const struct macvtap_request *request, struct error *err)
{
	struct link link;
	int r = netlink_get(nl, request->name, &link, err);
	if (r != 0)
		return r;
	return is_ours(request, &link) ? netlink_delete(nl, &link, err) : 1;
}

/* Make room for it: systemd closes in the background what it is told to forget, and a link goes at
 * once when it is deleted, whoever holds it open. */
static int claim(struct netlink *nl, const struct macvtap_request *request, struct error *err)
{
	struct link link;
	int r = netlink_get(nl, request->name, &link, err);
	if (r != 0)
		return r < 0 ? r : 0;
	if (!is_ours(request, &link))
		return error_set(err, EEXIST,
				"interface '%s' exists and is not of connection '%s' (its alias is "
				"'%s'); it is left alone: rename or delete it",
				link.name, request->alias, link.alias);
	r = netlink_delete(nl, &link, err);
	return r < 0 ? r : 0;
}

/* Why the kernel refuses a new one (macvlan_common_newlink(), macvlan_open()). */
static int explain(
		const struct macvtap_request *request, const struct link *device, struct error *err)
{
	char master[IFNAMSIZ] = "";
	if (!err)
		return 0;
	switch (err->code) {
	case EBUSY:
		if (device->master && if_indextoname((unsigned)device->master, master))
			return error_set(err, EBUSY,
					"network '%s': the interface '%s' belongs to '%s', which "
					"gets all that arrives there; name '%s' as 'device'",
					request->network, device->name, master, master);
		break;
	case EINVAL:
		return error_set(err, EINVAL,
				"network '%s': there can be no macvtap on '%s': it is no Ethernet "
				"interface, or one of mode passthru is, or would be, not alone "
				"there",
				request->network, device->name);
	case EADDRINUSE:
		return error_set(err, EADDRINUSE,
				"network '%s': the interface '%s', or another guest on it, has the "
				"MAC address of this connection",
				request->network, device->name);
	case EOPNOTSUPP:
		return error_set(err, EOPNOTSUPP,
				"network '%s': the kernel has no macvtap ('modprobe macvtap')",
				request->network);
	default:
		break;
	}
	return error_wrap(err, "network '%s'", request->network);
}

static int create(struct netlink *nl, const struct macvtap_request *request,
		const struct link *device, struct link *ret, struct error *err)
{
	char message[LINK_MESSAGE_MAX];
	struct netlink_answer answer = {};
	CLEANUP(freep)
	char *what = xasprintf("make macvtap '%s' on '%s'", request->name, request->device);
	if (strlen(request->name) >= IFNAMSIZ)
		return error_set(err, EINVAL, "interface name '%s' is longer than %d bytes",
				request->name, IFNAMSIZ - 1);
	size_t len = macvtap_message_create(request, device->index, ++nl->sequence, message);
	int r = netlink_talk(nl, message, len, &answer, what, err);
	if (r < 0) {
		explain(request, device, err);
		return r;
	}
	r = netlink_get(nl, request->name, ret, err);
	return r > 0 ? error_set(err, ENODEV, "macvtap '%s' has gone", request->name) : r;
}

static int set_up(struct netlink *nl, const struct macvtap_request *request,
		const struct link *device, const struct link *link, struct error *err)
{
	const struct link_change change = {
		.alias = request->alias,
		.address = request->mode == MACVTAP_PASSTHRU ? request->mac : NULL,
		.no_ipv6_address = true,
	};
	int r = netlink_change(nl, link, &change, err);
	/* A message of its own: in one, the kernel sets the link up before it hears of IPv6. */
	if (r == 0)
		r = netlink_change(nl, link, &(struct link_change){ .up = true }, err);
	if (r < 0)
		explain(request, device, err);
	return r;
}

/* ---- its device ---- */

/* A file system of one's own that is mounted nowhere, and goes with the descriptor. */
static int mount_apart(const char *type, struct error *err)
{
	CLEANUP(closep) int context = fsopen(type, FSOPEN_CLOEXEC);
	if (context < 0 || fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return error_errno(err, "cannot make a file system of type '%s'", type);
	int fd = fsmount(context, FSMOUNT_CLOEXEC, 0);
	return fd < 0 ? error_errno(err, "cannot mount a file system of type '%s'", type) : fd;
}

int macvtap_number(const struct link *link, dev_t *ret, struct error *err)
{
	char text[32] = "";
	unsigned major, minor;
	/* "/sys" shows the network namespace of whoever has mounted it. */
	int r = mount_apart("sysfs", err);
	if (r < 0)
		return r;
	CLEANUP(closep) int sysfs = r;
	CLEANUP(freep)
	char *path = xasprintf("class/net/%s/macvtap/tap%d/dev", link->name, link->index);
	CLEANUP(closep) int fd = openat(sysfs, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		return error_errno(err, "cannot read '/sys/%s'", path);
	if (sscanf(text, "%u:%u", &major, &minor) != 2)
		return error_set(err, EINVAL, "'/sys/%s' has '%s' in place of a device's number",
				path, text);
	*ret = makedev(major, minor);
	return 0;
}

/* By a node that no other process can see, and that can't be left behind. Each descriptor is a
 * queue (tap_open() in drivers/net/tap.c). */
static int open_tap(const struct link *link, size_t n, int *ret_fds, struct error *err)
{
	dev_t number;
	int r = macvtap_number(link, &number, err);
	if (r == 0)
		r = mount_apart("tmpfs", err);
	if (r < 0)
		return r;
	CLEANUP(closep) int dir = r;
	if (mknodat(dir, link->name, S_IFCHR | 0600, number) < 0)
		return error_errno(err, "cannot make a device node for macvtap '%s'", link->name);
	for (size_t i = 0; i < n; i++) {
		ret_fds[i] = openat(dir, link->name, O_RDWR | O_CLOEXEC);
		if (ret_fds[i] >= 0)
			continue;
		r = error_errno(err, "cannot open macvtap '%s'", link->name);
		while (i-- > 0)
			closep(&ret_fds[i]);
		return r;
	}
	return 0;
}

int macvtap_create(struct netlink *nl, const struct macvtap_request *request, int *ret_fds,
		struct error *err)
{
	struct link device, link;
	int r = find_device(nl, request, &device, err);
	if (r == 0)
		r = claim(nl, request, err);
	if (r == 0)
		r = create(nl, request, &device, &link, err);
	if (r < 0)
		return r;
	r = set_up(nl, request, &device, &link, err);
	if (r == 0)
		r = open_tap(&link, request->queues ? request->queues : 1, ret_fds, err);
	if (r < 0)
		(void)!netlink_delete(nl, &link, NULL);
	return r;
}

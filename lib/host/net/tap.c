/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Taps: /dev/net/tun and what rtnetlink does to the link afterwards. */
#include "host/net/tap.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>

#include "host/net/bridge.h"
#include "util/mem.h"

#define TUN "/dev/net/tun"

char *tap_alias_prefix(const char *machine)
{
	return xasprintf(TAP_ALIASES "%s/", machine);
}

char *tap_alias(const char *machine, const char *connection)
{
	char *alias = xasprintf(TAP_ALIASES "%s/%s", machine, connection);
	if (strlen(alias) >= LINK_ALIAS_MAX)
		alias[LINK_ALIAS_MAX - 1] = '\0';
	return alias;
}

int tap_find(struct netlink *nl, const char *name, const char *alias, struct link *ret,
		struct error *err)
{
	struct link link;
	int r = netlink_get(nl, name, &link, err);
	if (r != 0)
		return r;
	if (strcmp(link.alias, alias) != 0)
		return 1;
	*ret = link;
	return 0;
}

int tap_remove(struct netlink *nl, const char *name, const char *alias, struct error *err)
{
	struct link link;
	int r = tap_find(nl, name, alias, &link, err);
	return r == 0 ? netlink_delete(nl, &link, err) : r;
}

int tap_remove_all(struct netlink *nl, const char *alias_prefix, struct error *err)
{
	CLEANUP(freep) struct link *links = NULL;
	size_t n;
	int first = netlink_list(nl, alias_prefix, &links, &n, err);
	if (first < 0)
		return first;
	for (size_t i = 0; i < n; i++) {
		int r = netlink_delete(nl, &links[i], first < 0 ? NULL : err);
		if (r < 0 && first == 0)
			first = r;
	}
	return first;
}

/* Another bridge may have the name of one that could not be made. */
static int check_own_bridge(
		const struct tap_request *request, const struct link *bridge, struct error *err)
{
	CLEANUP(freep) char *alias = bridge_alias(request->network);
	CLEANUP(freep) char *unit = network_unit_name(request->network);
	if (!bridge)
		return bridge_refuse_missing(request->network, request->bridge, err);
	if (strcmp(bridge->alias, alias) != 0)
		return error_set(err, EEXIST,
				"network '%s': interface '%s' is not the bridge of this network "
				"(its alias is '%s'); see 'systemctl status %s'",
				request->network, request->bridge, bridge->alias, unit);
	return 0;
}

int tap_check_bridge(
		const struct tap_request *request, const struct link *bridge, struct error *err)
{
	if (!strcmp(bridge->kind, "openvswitch"))
		return error_set(err, EINVAL,
				"network '%s': '%s' is a bridge of Open vSwitch; use scripts ('up' "
				"and 'down') to connect to it, or mode vhost-user where it runs "
				"with DPDK",
				request->network, request->bridge);
	if (strcmp(bridge->kind, "bridge") != 0)
		return error_set(err, EINVAL, "network '%s': '%s' is not a bridge",
				request->network, request->bridge);
	/* Without it the bridge would take all guests for members of one network. */
	if (request->port && port_has_vlans(request->port) && !bridge->vlan_filtering)
		return error_set(err, EINVAL,
				"network '%s': the bridge '%s' does not tell VLANs apart; switch "
				"it on ('ip link set %s type bridge vlan_filtering 1'), or take "
				"'vlan' and 'vlans' out of the network",
				request->network, request->bridge, request->bridge);
	return 0;
}

static int find_bridge(struct netlink *nl, const struct tap_request *request, struct link *ret,
		struct error *err)
{
	int r = netlink_get(nl, request->bridge, ret, err);
	if (r < 0)
		return error_wrap(err, "network '%s'", request->network);
	if (request->own_bridge) {
		r = check_own_bridge(request, r == 0 ? ret : NULL, err);
		if (r < 0)
			return r;
	}
	if (r > 0)
		return error_set(err, ENODEV,
				"network '%s': the bridge '%s' does not exist; create it, or "
				"correct 'device' of the network",
				request->network, request->bridge);
	return tap_check_bridge(request, ret, err);
}

int tap_look(struct netlink *nl, const struct tap_request *request, struct error *err)
{
	struct link bridge;
	return request->bridge ? find_bridge(nl, request, &bridge, err) : 0;
}

static int refuse_foreign(const char *alias, const struct link *link, struct error *err)
{
	return error_set(err, EEXIST,
			"interface '%s' exists and is not of connection '%s' (its alias is '%s'); "
			"it is left alone: rename or delete it",
			link->name, alias, link->alias);
}

int tap_check_name(struct netlink *nl, const char *name, const char *alias, struct error *err)
{
	struct link link;
	int r = netlink_get(nl, name, &link, err);
	if (r != 0)
		return r < 0 ? r : 0;
	return strcmp(link.alias, alias) != 0 ? refuse_foreign(alias, &link, err) : 0;
}

static int remove_old(struct netlink *nl, const struct tap_request *request, struct error *err)
{
	struct link link;
	int r = netlink_get(nl, request->name, &link, err);
	if (r == 0 && strcmp(link.alias, request->alias) != 0)
		return refuse_foreign(request->alias, &link, err);
	if (r == 0)
		r = netlink_delete(nl, &link, err);
	return r < 0 ? r : 0;
}

/* A name of at most IFNAMSIZ - 1 bytes. */
static struct ifreq tap_ifreq(const struct tap_request *request, int more)
{
	int queues = request->queues > 1 ? IFF_MULTI_QUEUE : 0;
	struct ifreq want = {
		.ifr_flags = (short)(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | queues | more),
	};
	memcpy(want.ifr_name, request->name, strlen(request->name));
	return want;
}

/*
 * Make the tap, in place of one that is left over: systemd closes in the background what it is told
 * to forget, and a link goes at once when it is deleted, whoever holds it open.
 */
static int claim(struct netlink *nl, const struct tap_request *request, int fd, struct error *err)
{
	if (strlen(request->name) >= IFNAMSIZ)
		return error_set(err, EINVAL, "interface name '%s' is longer than %d bytes",
				request->name, IFNAMSIZ - 1);
	/* EXCL: never attach to a tap that someone else has made meanwhile. */
	struct ifreq want = tap_ifreq(request, IFF_TUN_EXCL);
	if (ioctl(fd, TUNSETIFF, &want) == 0)
		return 0;
	int r = errno == EBUSY ? remove_old(nl, request, err) : 1;
	if (r == 0)
		r = ioctl(fd, TUNSETIFF, &want) < 0;
	return r > 0 ? error_errno(err, "cannot make tap '%s'", request->name) : r;
}

static struct port_settings settings_of(const struct tap_request *request)
{
	struct port_settings port = request->port ? *request->port : (struct port_settings){};
	memcpy(port.mac, request->mac, sizeof(port.mac));
	return port;
}

static int set_up(struct netlink *nl, const struct tap_request *request, const struct link *bridge,
		struct error *err)
{
	struct link link;
	int r = netlink_get(nl, request->name, &link, err);
	if (r > 0)
		return error_set(err, ENODEV, "tap '%s' has gone", request->name);
	if (r < 0)
		return r;

	/* A bridge takes the lowest address among its ports, and with the guest's own one it would
	 * keep the guest's frames for itself. */
	uint8_t address[6];
	memcpy(address, request->mac, sizeof(address));
	address[0] = TAP_ADDRESS_BEGIN;
	const struct link_change change = {
		.alias = request->alias,
		.address = address,
		.mtu = request->mtu ? request->mtu : bridge->mtu,
		.master = bridge->index,
		.no_ipv6_address = true,
	};
	r = netlink_change(nl, &link, &change, err);
	/* BR_MAX_PORTS in the kernel's net/bridge/br_private.h. */
	if (r == -EXFULL)
		r = error_set(err, EXFULL,
				"the bridge '%s' has 1023 ports, and Linux gives none more; put "
				"machines on another one",
				bridge->name);
	if (r == 0 && bridge->index && request->port) {
		struct port_settings port = settings_of(request);
		r = port_set_up(nl, &link, &port, err);
	}
	/* A message of its own: in one, the kernel sets the link up before it hears of IPv6. */
	if (r == 0 && bridge->index)
		r = netlink_change(nl, &link, &(struct link_change){ .up = true }, err);
	return r < 0 ? error_wrap(err, "network '%s'", request->network) : 0;
}

static bool is_port(const struct link *link, const struct link *bridge)
{
	return link->up && link->master == bridge->index;
}

int tap_check(struct netlink *nl, const struct tap_request *request, struct error *err)
{
	struct link link, bridge;
	int r = tap_find(nl, request->name, request->alias, &link, err);
	if (r == 0)
		r = netlink_get(nl, request->bridge, &bridge, err);
	return r != 0 ? r : !is_port(&link, &bridge);
}

int tap_renew(struct netlink *nl, const struct tap_request *request, struct error *err)
{
	struct link link;
	int r = tap_find(nl, request->name, request->alias, &link, err);
	if (r != 0 || !link.master)
		return r < 0 ? r : 1;
	struct port_settings port = settings_of(request);
	r = port_renew(nl, &link, &port, err);
	return r < 0 ? error_wrap(err, "network '%s'", request->network) : 0;
}

static int leave(struct netlink *nl, const struct link *link, struct error *err)
{
	return netlink_change(
			nl, link, &(struct link_change){ .down = true, .no_master = true }, err);
}

int tap_leave(struct netlink *nl, const char *name, const char *alias, struct error *err)
{
	struct link link;
	int r = tap_find(nl, name, alias, &link, err);
	if (r == 0 && !link.up && !link.master)
		r = 1;
	return r == 0 ? leave(nl, &link, err) : r;
}

int tap_join(struct netlink *nl, const struct tap_request *request, struct error *err)
{
	struct link link, bridge;
	int r = find_bridge(nl, request, &bridge, err);
	if (r == 0)
		r = tap_find(nl, request->name, request->alias, &link, err);
	if (r > 0)
		return error_set(err, ENODEV, "there is no tap '%s' of connection '%s'",
				request->name, request->alias);
	if (r < 0)
		return r;
	if (is_port(&link, &bridge))
		return 1;
	/* As a port of another bridge, or before the port's settings, nothing may pass. */
	r = leave(nl, &link, err);
	if (r == 0)
		r = set_up(nl, request, &bridge, err);
	if (r < 0)
		(void)!leave(nl, &link, NULL);
	return r;
}

static int open_tun(struct error *err)
{
	int fd = open(TUN, O_RDWR | O_CLOEXEC);
	return fd < 0 ? error_errno(err, "cannot open '%s'", TUN) : fd;
}

static void close_queues(const struct tap_request *request, int *fds)
{
	for (size_t i = 1; i < request->queues; i++)
		closep(&fds[i]);
}

/* More descriptors of a tap that is held. Whoever deletes it meanwhile has these make one that is
 * no port, and goes with them. */
static int open_queues(const struct tap_request *request, int *ret_fds, struct error *err)
{
	struct ifreq want = tap_ifreq(request, 0);
	int r = 0;
	for (size_t i = 1; i < request->queues; i++)
		ret_fds[i] = -1;
	for (size_t i = 1; r >= 0 && i < request->queues; i++) {
		r = ret_fds[i] = open_tun(err);
		if (r >= 0 && ioctl(r, TUNSETIFF, &want) < 0)
			r = error_errno(err, "cannot make queue %zu of tap '%s'", i + 1,
					request->name);
	}
	return r < 0 ? r : 0;
}

int tap_create(struct netlink *nl, const struct tap_request *request, int *ret_fds,
		struct error *err)
{
	struct link bridge = {};
	if (request->bridge) {
		int r = find_bridge(nl, request, &bridge, err);
		if (r < 0)
			return r;
	}
	CLEANUP(closep) int fd = open_tun(err);
	if (fd < 0)
		return fd;
	int r = claim(nl, request, fd, err);
	if (r < 0)
		return r;
	/* Until here the tap goes with the descriptor, also when this process is killed; and it has
	 * its alias before it can outlive anyone. */
	r = set_up(nl, request, &bridge, err);
	if (r < 0)
		return r;
	r = open_queues(request, ret_fds, err);
	if (r == 0 && request->persistent && ioctl(fd, TUNSETPERSIST, 1) < 0)
		r = error_errno(err, "cannot keep tap '%s'", request->name);
	if (r < 0) {
		close_queues(request, ret_fds);
		return r;
	}
	ret_fds[0] = take_fd(&fd);
	return 0;
}

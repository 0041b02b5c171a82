/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Have the host pass packets on. */
#include "host/net/forwarding.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "host/os/sysctl.h"

#define ROUTES "/proc/thread-self/net/ipv6_route"
/* include/uapi/linux/ipv6_route.h: a default route that a router has announced. */
#define FLAG_DEFAULT 0x00010000u
#define FLAG_ADDRCONF 0x00040000u

/* The interface of such a route that would be forgotten. @ret: "" for none */
static int find_announced(char ret[IFNAMSIZ], struct error *err)
{
	char line[512], name[IFNAMSIZ];
	unsigned flags;
	ret[0] = '\0';
	FILE *f = fopen(ROUTES, "re");
	if (!f)
		return error_errno(err, "cannot read '%s'", ROUTES);
	while (!ret[0] && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*s %*s %*s %*s %*s %*s %*s %*s %x %15s", &flags, name) != 2)
			continue;
		bool is_announced = (flags & FLAG_DEFAULT) && (flags & FLAG_ADDRCONF);
		if (is_announced && sysctl_is_on("net/ipv6/conf/%s/accept_ra", name))
			strcpy(ret, name);
	}
	fclose(f);
	return 0;
}

static int enable_ipv6(struct error *err)
{
	char name[IFNAMSIZ];
	if (sysctl_is_on("net/ipv6/conf/all/forwarding"))
		return 0;
	int r = find_announced(name, err);
	if (r < 0)
		return r;
	if (name[0])
		return error_set(err, EBUSY,
				"interface '%s' has its IPv6 route from a router's announcements, "
				"which a host that forwards IPv6 does not listen to: set "
				"'net.ipv6.conf.%s.accept_ra' to 2 (sysctl.d(5)), or take the IPv6 "
				"address out of the network",
				name, name);
	return sysctl_set("1", err, "net/ipv6/conf/all/forwarding");
}

int forwarding_enable(enum fw_family family, struct error *err)
{
	return family == FW_IPV6 ? enable_ipv6(err) : sysctl_set("1", err, "net/ipv4/ip_forward");
}

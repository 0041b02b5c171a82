/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What dnsmasq(8) is told about a network. */
#include "model/dnsmasq.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#include "util/cleanup.h"

static const char *text_of(const uint8_t *bytes, int family, char ret[INET6_ADDRSTRLEN])
{
	return inet_ntop(family, bytes, ret, INET6_ADDRSTRLEN);
}

/* The range of the config, or only the leases of an address' network. */
static void add_range_v4(const struct network *n, const struct network_address *a, struct strv *ret)
{
	char first[INET6_ADDRSTRLEN], mask_text[INET6_ADDRSTRLEN];
	uint32_t mask = htonl(a->prefix ? UINT32_MAX << (32 - a->prefix) : 0);
	struct in_addr range_first;
	text_of((const uint8_t *)&mask, AF_INET, mask_text);
	if (n->dhcp_first && inet_pton(AF_INET, n->dhcp_first, &range_first) == 1 &&
			network_address_holds(a, FW_IPV4, (const uint8_t *)&range_first))
		strv_pushf(ret, "--dhcp-range=%s,%s,%s,%" PRId64, n->dhcp_first, n->dhcp_last,
				mask_text, n->lease_seconds);
	else
		strv_pushf(ret, "--dhcp-range=%s,static,%s,%" PRId64,
				text_of(a->block.first, AF_INET, first), mask_text,
				n->lease_seconds);
}

static void add_range_v6(const struct network *n, const struct network_address *a, struct strv *ret)
{
	char first[INET6_ADDRSTRLEN];
	strv_pushf(ret, "--dhcp-range=%s,static,slaac,%d,%" PRId64,
			text_of(a->block.first, AF_INET6, first), a->prefix, n->lease_seconds);
}

static void add_dhcp(const struct network *n, struct strv *ret)
{
	bool has_ipv6 = false;
	strv_push(ret, "--dhcp-authoritative");
	/* Packets' fields for the server's name and the file stay what they are called. */
	strv_push(ret, "--dhcp-no-override");
	for (size_t i = 0; i < n->n_addresses; i++) {
		bool is_ipv6 = n->addresses[i].family == FW_IPV6;
		(is_ipv6 ? add_range_v6 : add_range_v4)(n, &n->addresses[i], ret);
		has_ipv6 |= is_ipv6;
	}
	if (has_ipv6)
		strv_push(ret, "--enable-ra");
	if (n->mtu)
		strv_pushf(ret, "--dhcp-option=option:mtu,%" PRId64, n->mtu);
	if (n->mode != NETWORK_ISOLATED)
		return;
	/* No way out: no default router, and no name server that asks others. */
	strv_push(ret, "--dhcp-option=option:router");
	if (has_ipv6)
		strv_pushf(ret, "--ra-param=%s,0,0", n->bridge);
}

void dnsmasq_argv(const struct network *network, const char *run_dir, const char *state_dir,
		struct strv *ret)
{
	/* Nothing comes from the host's own files, and nothing is done for other interfaces. */
	static const char *const fixed[] = {
		DNSMASQ,
		"--keep-in-foreground",
		"--conf-file=/dev/null",
		"--no-hosts",
		"--pid-file=",
		"--user=",
		"--log-facility=-",
		"--bind-dynamic",
		"--except-interface=lo",
		"--domain-needed",
		"--bogus-priv",
	};
	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		strv_push(ret, fixed[i]);
	strv_pushf(ret, "--interface=%s", network->bridge);
	if (network->mode == NETWORK_ISOLATED)
		strv_push(ret, "--no-resolv");
	if (network->domain) {
		strv_pushf(ret, "--domain=%s", network->domain);
		strv_pushf(ret, "--local=/%s/", network->domain);
		strv_push(ret, "--expand-hosts");
	}
	add_dhcp(network, ret);
	strv_pushf(ret, "--dhcp-hostsfile=%s/%s", run_dir, DNSMASQ_HOSTS);
	strv_pushf(ret, "--addn-hosts=%s/%s", run_dir, DNSMASQ_NAMES);
	strv_pushf(ret, "--dhcp-leasefile=%s/leases", state_dir);
}

/* One line each; a guest whose name another has is given its address all the same. */
void dnsmasq_hosts(const struct network *network, struct buf *ret)
{
	for (size_t i = 0; i < network->n_leases; i++) {
		const struct network_lease *lease = &network->leases[i];
		if (!lease->ip.n && !lease->host)
			continue;
		buf_puts(ret, lease->mac);
		for (size_t k = 0; k < lease->ip.n; k++)
			buf_printf(ret, strchr(lease->ip.items[k], ':') ? ",[%s]" : ",%s",
					lease->ip.items[k]);
		if (lease->host)
			buf_printf(ret, ",%s", lease->host);
		buf_putc(ret, '\n');
	}
}

void dnsmasq_names(const struct network *network, struct buf *ret)
{
	for (size_t i = 0; i < network->n_leases; i++) {
		const struct network_lease *lease = &network->leases[i];
		for (size_t k = 0; lease->host && k < lease->ip.n; k++)
			buf_printf(ret, "%s %s\n", lease->ip.items[k], lease->host);
	}
}

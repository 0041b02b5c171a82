/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nftables of a network namespace of this process, the filters of firewall-sample.h in it, and a
 * look at them with nft(8).
 *
 *	NEED_NFT();
 *	sample_begin(FW_STATE_FLOWS);
 *	install(N_SAMPLE_PORTS);
 *	...
 *	install_all(0);
 *	sample_end();
 */
#pragma once

#include "firewall-sample.h"
#include "host/net/firewall.h"
#include "own-network.h"

static struct netlink nl;

/* NULL, or why there can be no rules here. */
static inline const char *enter_own_network(void)
{
	static bool entered;
	struct error err = {};
	if (entered)
		return NULL;
	const char *why_not = own_network("only root changes nftables");
	if (why_not)
		return why_not;
	if (!shell_works("command -v nft"))
		return "nft is not installed";
	if (!shell_works("nft add table bridge x && nft delete table bridge x"))
		return "the kernel has no nftables for bridges";
	sample_rejects = shell_works(
			"nft add table bridge x && nft add chain bridge x c '{ type filter "
			"hook prerouting priority 0; }' && nft add rule bridge x c reject");
	(void)shell_works("nft delete table bridge x");
	if (nft_open(&nl, &err) < 0)
		TEST_FAIL("%s", err.text);
	entered = true;
	return NULL;
}

#define NEED_NFT() SKIP_BECAUSE(enter_own_network())

static inline void check_ruleset(const char *expected)
{
	CLEANUP(freep) char *list = shell_output("nft list ruleset");
	CHECK_STR(list, expected);
}

/* Installs the first @n ports of the sample, or only checks them; returns what that returns. */
static inline int try_install(size_t n, bool is_all, bool check, struct error *err)
{
	struct firewall_port ports[N_SAMPLE_PORTS];
	for (size_t i = 0; i < n; i++)
		ports[i] = (struct firewall_port){ .port = &sample_ports[i] };
	CLEANUP(strv_done) struct strv gone = {};
	int r = is_all ? firewall_machines(&nl, &gone, err) : 0;
	const struct firewall_request request = {
		.policy = &sample_policy, .ports = ports, .n = n, .is_all = is_all, .gone = &gone
	};
	if (r < 0)
		return r;
	return check ? firewall_check(&nl, &request, err) : firewall_install(&nl, &request, err);
}

static inline void install(size_t n)
{
	struct error err = {};
	if (try_install(n, false, false, &err) != 0)
		TEST_FAIL("%s", err.text);
}

static inline void install_all(size_t n)
{
	struct error err = {};
	if (try_install(n, true, false, &err) != 0)
		TEST_FAIL("%s", err.text);
}

static inline void remove_machine(const char *machine, size_t port)
{
	struct error err = {};
	const struct vm_filter *filters[] = { sample_ports[port].filter };
	const struct firewall_removal removal = {
		.machine = machine, .filters = filters, .n_filters = 1
	};
	if (firewall_remove(&nl, &removal, &err) != 0)
		TEST_FAIL("%s", err.text);
}

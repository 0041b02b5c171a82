/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The unit of a network with a bridge of its own. */
#include "unit/network.h"

#include "model/dnsmasq.h"
#include "qemu/argv.h"
#include "unit/parts.h"
#include "util/mem.h"

#define STATE_DIR "/var/lib"

static void add_exec_dnsmasq(struct unitfile *u, const struct network_unit_input *in)
{
	CLEANUP(strv_done) struct strv argv = {};
	CLEANUP(freep)
	char *state_dir = xasprintf("%s/machina-network/%s", STATE_DIR, in->network->name);
	dnsmasq_argv(in->network, in->run_dir, state_dir, &argv);
	unitfile_set(u, "Type", "exec");
	unit_hook_of(u, in->program, "ExecStartPre",
			(const char *const[]){ "prepare", "network", NULL }, in->network->name);
	unitfile_exec_long(u, "ExecStart", &argv, qemu_option_length);
	unitfile_setf(u, "StateDirectory", "machina-network/%s", in->network->name);
}

/* The bridge and its rules stay without a process. */
static void add_exec_plain(struct unitfile *u, const struct network_unit_input *in)
{
	unitfile_set(u, "Type", "oneshot");
	unitfile_set(u, "RemainAfterExit", "yes");
	unit_hook_of(u, in->program, "ExecStart",
			(const char *const[]){ "prepare", "network", NULL }, in->network->name);
}

/* Whom dnsmasq speaks with: who has no address yet, the network itself, and the host's name
 * servers, which may be anywhere. It has no business with IPv4's multicast and reserved addresses.
 */
static void put_addresses(const struct network *network, struct buf *ret)
{
	if (network->mode != NETWORK_ISOLATED) {
		buf_puts(ret, "0.0.0.0/1 128.0.0.0/2 192.0.0.0/3 255.255.255.255/32 ::/0");
		return;
	}
	buf_puts(ret, "0.0.0.0/32 255.255.255.255/32 fe80::/10 ff02::/16");
	for (size_t i = 0; i < network->n_addresses; i++)
		buf_printf(ret, " %s/%d", network->addresses[i].ip, network->addresses[i].prefix);
}

static void add_sandbox(struct unitfile *u, const struct network *network)
{
	CLEANUP(strv_done) struct strv exec_paths = {};
	CLEANUP(buf_done) struct buf addresses = {};
	unit_exec_paths(&exec_paths, DNSMASQ);
	put_addresses(network, &addresses);
	struct sandbox sandbox = { .address_families = "none", .exec_paths = &exec_paths };
	if (network->dhcp) {
		sandbox.leaves_profile = true;
		sandbox.own_network = true;
		sandbox.ip_allowed = buf_text(&addresses);
		sandbox.address_families = "AF_INET AF_INET6 AF_NETLINK";
		sandbox.address_reason =
				"dnsmasq serves the network, and asks the host's name servers.";
		sandbox.capabilities = "CAP_NET_ADMIN CAP_NET_BIND_SERVICE CAP_NET_RAW";
		sandbox.capability_reason =
				"dnsmasq refuses to serve DHCP without them, and has no others.";
	}
	sandbox_add(u, &sandbox);
}

static void add_network(struct unitfile *u, const struct network *network)
{
	CLEANUP(buf_done) struct buf rows = {};
	network_put_rows(network, &rows);
	unit_add_rows(u, &rows);
}

int unit_build_network(const struct network_unit_input *input, struct units *ret, struct error *err)
{
	const struct network *network = input->network;
	CLEANUP(unitfile_done) struct unitfile u = {};
	CLEANUP(freep) char *user = network_user_name(network->name);
	unit_begin(&u, input->sources);
	unitfile_section(&u, "Unit");
	unitfile_setf(&u, "Description", "Network %s of virtual machines", network->name);
	unitfile_set(&u, "Documentation", "man:machina-network(5)");
	/* Whoever loads all rules of the host anew does so before ours come. */
	unitfile_set(&u, "After", "network.target");
	unitfile_set(&u, "After", "nftables.service");
	unitfile_set(&u, "After", "firewalld.service");
	/* Not Restart=: systemd would restart all machines that require the network. The hook of
	 * ExecStopPost= has a dnsmasq that has failed started again. */
	unitfile_set(&u, "StartLimitIntervalSec", "1min");
	unitfile_set(&u, "StartLimitBurst", "5");

	unitfile_section(&u, "Service");
	(network->dhcp ? add_exec_dnsmasq : add_exec_plain)(&u, input);
	unit_hook_of(&u, input->program, "ExecReload",
			(const char *const[]){ "prepare", "network", "--reload", NULL },
			network->name);
	unit_hook_of(&u, input->program, "ExecStopPost",
			(const char *const[]){ "teardown", "--network", NULL }, network->name);
	unitfile_set(&u, "TimeoutStartSec", "1min");
	unitfile_set(&u, "TimeoutStopSec", "20s");
	unitfile_set(&u, "DynamicUser", "yes");
	unitfile_set(&u, "User", user);
	unitfile_set(&u, "DevicePolicy", "closed");
	add_sandbox(&u, network);
	add_network(&u, network);
	unitfile_section(&u, "Install");
	unitfile_set(&u, "WantedBy", "multi-user.target");
	return units_add(ret, &u, UNIT_NETWORK, network->name, err);
}

int unit_network_text(const struct network *network, char **ret, struct error *err)
{
	CLEANUP(unitfile_done) struct unitfile u = {};
	add_network(&u, network);
	return unitfile_finish(&u, ret, err);
}

static int read_row(void *data, const struct strv *words, struct error *err)
{
	return words ? network_parse_row(data, words, err) : network_parse_end(data, err);
}

int unit_read_network(const char *name, const char *text, size_t len, struct network *ret,
		struct error *err)
{
	*ret = (struct network){};
	return unit_read_rows(name, text, len, read_row, ret, err);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The packet filter: does the kernel take the machines' rules, are they there, is anything left? */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "host/doctor/doctor.h"
#include "host/net/bridge.h"
#include "host/net/firewall.h"
#include "host/net/hold.h"
#include "host/net/net-rules.h"
#include "host/net/tap.h"
#include "host/os/sysfs.h"
#include "util/file.h"
#include "util/mem.h"

/* The first with IFLA_BRPORT_LOCKED. */
#define LOCKING_VERSION (5u << 8 | 18)
/* A firewall takes seconds at most to load its rules. */
#define HOLD_SEC 60
#define NEEDED_MODULES "nf_tables nf_conntrack_bridge nft_reject_bridge"

/* All connections that have a filter. */
struct ports {
	struct fw_port *items;
	struct firewall_port *asked;
	size_t n;
	struct doctor_group users;
};

static void ports_done(struct ports *ports)
{
	for (size_t i = 0; i < ports->n; i++)
		fw_port_done(&ports->items[i]);
	free(ports->items);
	free(ports->asked);
	doctor_group_done(&ports->users);
}

static int add_ports(struct ports *ports, const struct doctor *d, const struct doctor_machine *m,
		struct error *err)
{
	for (size_t i = 0; i < m->vm->n_nics; i++) {
		const struct vm_nic *nic = &m->vm->nics[i];
		if (!nic->filter)
			continue;
		struct fw_port *port = &ports->items[ports->n];
		int r = fw_port_of_nic(d->policy, m->vm, nic, port, err);
		ports->asked[ports->n++] = (struct firewall_port){ .port = port };
		if (r < 0)
			return r;
		doctor_group_add(&ports->users, m);
	}
	return 0;
}

static int make_ports(struct ports *ports, const struct doctor *d, struct error *err)
{
	size_t n = 0;
	int r = 0;
	for (size_t i = 0; i < d->n_machines; i++)
		n += d->machines[i].vm->n_nics;
	ports->items = xcalloc(n + 1, sizeof(*ports->items));
	ports->asked = xcalloc(n + 1, sizeof(*ports->asked));
	for (size_t i = 0; r == 0 && i < d->n_machines; i++)
		r = add_ports(ports, d, &d->machines[i], err);
	return r;
}

static void tell_refusal(struct doctor *d, const struct ports *ports, const char *text)
{
	doctor_add(d, doctor_level_of(ports->users.urgent), "%s", text);
	doctor_why(d, "a machine whose rules cannot be installed does not start: %s",
			doctor_machines(d, &ports->users.names));
}

/* Without it "auto" is flows in sets, which the kernel keeps of itself. */
static void check_tracking(
		struct doctor *d, struct netlink *nl, const struct firewall_request *request)
{
	struct fw_policy tracked = *d->policy;
	struct firewall_request attempt = *request;
	if (d->policy->state != FW_STATE_AUTO)
		return;
	tracked.state = FW_STATE_CONNTRACK;
	attempt.policy = &tracked;
	if (firewall_check(nl, &attempt, NULL) == 0)
		return;
	doctor_add(d, DOCTOR_WARNING, "this kernel does not track connections on bridges");
	doctor_why(d, "flows are kept in sets instead, which know nothing of TCP's states and "
		      "refuse new replies when they are full");
	doctor_cure(d, "modprobe nf_conntrack_bridge");
}

/* "6.1.0-13-amd64": the kernel's release, as a number to compare. 0: not known */
static unsigned kernel_version(const struct doctor *d)
{
	CLEANUP(freep) char *dir = path_join(d->proc, "sys/kernel");
	CLEANUP(buf_done) struct buf text = {};
	unsigned major = 0, minor = 0;
	if (sysfs_read(dir, "osrelease", &text, NULL) < 0 ||
			sscanf(buf_text(&text), "%u.%u", &major, &minor) != 2)
		return 0;
	return major << 8 | minor;
}

/* What the bridge itself does holds also while somebody flushes all rules. */
static void check_locking(struct doctor *d)
{
	CLEANUP(doctor_group_done) struct doctor_group users = {};
	unsigned version = kernel_version(d);
	for (size_t i = 0; i < d->n_machines; i++) {
		const struct vm *vm = d->machines[i].vm;
		for (size_t k = 0; k < vm->n_nics; k++)
			if (vm->nics[k].managed && vm->nics[k].filter &&
					vm->nics[k].filter->guard.mac)
				doctor_group_add(&users, &d->machines[i]);
	}
	if (!users.names.n || !version || version >= LOCKING_VERSION)
		return;
	doctor_add(d, DOCTOR_WARNING,
			"Linux %u.%u can't lock ports of bridges to a MAC address (5.18 can)",
			version >> 8, version & 0xff);
	doctor_why(d,
			"while somebody flushes nftables, guests can send with others' MAC "
			"addresses; the rules alone keep them from it: %s",
			doctor_machines(d, &users.names));
	doctor_cure(d, "# boot Linux 5.18 or later");
}

/* @whose: "", or " of network 'home'" */
static void tell_changed(struct doctor *d, const char *whose, const struct strv *changed)
{
	CLEANUP(buf_done) struct buf list = {};
	for (size_t i = 0; i < changed->n; i++)
		buf_printf(&list, "%s%s", i ? ", " : "", changed->items[i]);
	doctor_add(d, DOCTOR_FAULT,
			"what the packet filter%s is made of is not as machina makes it: %s", whose,
			buf_text(&list));
	doctor_why(d, "somebody has changed it by hand, or it is older than an upgrade of machina; "
		      "what its rules forbid may pass, and what they allow may not");
	doctor_cure(d, "machina firewall apply");
}

/* What is left of a filter that somebody has emptied looks like one. */
static int check_changed(
		struct doctor *d, struct netlink *nl, struct netlink *links_nl, struct error *err)
{
	CLEANUP(strv_done) struct strv changed = {};
	const struct firewall_request request = {
		.policy = d->policy,
		.ports = d->prepared,
		.n = d->n_prepared,
	};
	enum nft_table table;
	int r = nft_find_table(nl, NFT_BRIDGE, &table, err);
	/* Without a table no machine has a filter, which is told of each by its name. */
	if (r < 0 || table != NFT_TABLE_OURS)
		return r;
	r = firewall_find_changed(nl, links_nl, &request, &changed, err);
	if (changed.n)
		tell_changed(d, "", &changed);
	return r;
}

static void check_rules(struct doctor *d, struct netlink *nl, const struct ports *ports)
{
	struct error err = {};
	enum nft_table table = NFT_TABLE_NONE;
	const struct firewall_request request = {
		.policy = d->policy,
		.ports = ports->asked,
		.n = ports->n,
	};
	int r = nft_find_table(nl, NFT_BRIDGE, &table, &err);
	if (r >= 0 && table == NFT_TABLE_FOREIGN) {
		tell_refusal(d, ports,
				"nftables has a table 'bridge " NFT_TABLE
				"' that another program has made");
		doctor_cure(d, "nft list table bridge " NFT_TABLE);
		doctor_cure(d, "# if nobody needs it: nft delete table bridge " NFT_TABLE);
	} else if (r < 0 || firewall_check(nl, &request, &err) < 0) {
		tell_refusal(d, ports, err.text);
		doctor_cure(d, "modprobe -a " NEEDED_MODULES);
	} else {
		check_tracking(d, nl, &request);
	}
}

/* ---- what is there ---- */

/* Machines that run without the chains that they were started with. */
static void check_presence(struct doctor *d, const struct strv *present)
{
	CLEANUP(doctor_group_done) struct doctor_group lost = {};
	for (size_t i = 0; i < d->n_machines; i++) {
		const struct vm *vm = d->machines[i].vm;
		for (size_t k = 0; d->machines[i].running && k < vm->n_nics; k++)
			if (vm->nics[k].filter && !strv_contains_sorted(present, vm->name))
				doctor_group_add(&lost, &d->machines[i]);
	}
	if (!lost.names.n)
		return;
	doctor_add(d, DOCTOR_FAULT, "%s run%s without %s packet filter",
			doctor_machines(d, &lost.names), lost.names.n == 1 ? "s" : "",
			lost.names.n == 1 ? "its" : "their");
	doctor_why(d, "somebody has flushed nftables: whatever the rules forbid passes");
	doctor_cure(d, "machina firewall apply");
}

/* ---- interfaces that are closed ---- */

/* Is the port closed, though its guest is there? A link without a carrier looks the same else. */
static bool is_closed(const struct doctor *d, const struct vm_nic *nic)
{
	CLEANUP(freep) char *dir = xasprintf("%s/class/net/%s", d->sys, nic->link);
	CLEANUP(buf_done) struct buf carrier = {}, state = {};
	return sysfs_read(dir, "carrier", &carrier, NULL) == 0 &&
	       !strcmp(buf_text(&carrier), "1") &&
	       sysfs_read(dir, "brport/state", &state, NULL) == 0 && !strcmp(buf_text(&state), "0");
}

static void find_filtered(const struct doctor *d, bool closed, struct doctor_group *ret)
{
	for (size_t i = 0; i < d->n_machines; i++) {
		const struct vm *vm = d->machines[i].vm;
		for (size_t k = 0; d->machines[i].running && k < vm->n_nics; k++)
			if (vm->nics[k].filter && (!closed || is_closed(d, &vm->nics[k])))
				doctor_group_add(ret, &d->machines[i]);
	}
}

/*
 * A firewall that loads its rules has them closed for a moment ("firewall hold"), and "firewall
 * apply" opens them when it has.
 */
static void check_hold(struct doctor *d)
{
	CLEANUP(doctor_group_done) struct doctor_group closed = {};
	CLEANUP(doctor_group_done) struct doctor_group filtered = {};
	int64_t age = d->run_dir ? hold_age_sec(d->run_dir) : -1;
	if (age >= 0 && age < HOLD_SEC)
		return;
	find_filtered(d, true, &closed);
	find_filtered(d, false, &filtered);
	if (age >= 0) {
		doctor_add(d, doctor_level_of(filtered.names.n > 0),
				"interfaces with a packet filter are held closed for %" PRId64
				" minutes now ('machina firewall hold'), and no 'machina firewall "
				"apply' has followed",
				age / 60);
		if (filtered.names.n)
			doctor_why(d,
					"no packet gets to guests and from them, nor to machines "
					"that start: %s",
					doctor_machines(d, &filtered.names));
		else
			doctor_why(d, "machines with a filter that start have no network");
	} else if (closed.names.n) {
		doctor_add(d, DOCTOR_FAULT, "interfaces of %s are closed",
				doctor_machines(d, &closed.names));
		doctor_why(d, "their packet filter could not be installed, or somebody has closed "
			      "them: no packet gets to the guest and from it");
	} else {
		return;
	}
	doctor_cure(d, "machina firewall apply");
	doctor_cure(d, "journalctl -b -u 'machina-firewall-*'   # why it has not come to that");
}

static bool has_link(const struct link *links, size_t n, const char *machine)
{
	CLEANUP(freep) char *prefix = tap_alias_prefix(machine);
	for (size_t i = 0; i < n; i++)
		if (!strncmp(links[i].alias, prefix, strlen(prefix)))
			return true;
	return false;
}

/* Chains without an interface are of nobody. */
static int check_leftovers(struct doctor *d, struct netlink *links_nl, const struct strv *present,
		struct error *err)
{
	CLEANUP(strv_done) struct strv left = {};
	CLEANUP(freep) struct link *links = NULL;
	size_t n = 0;
	/* All at once: each list goes through all interfaces of the host. */
	int r = netlink_list(links_nl, TAP_ALIASES, &links, &n, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < present->n; i++)
		if (!has_link(links, n, present->items[i]))
			strv_push(&left, present->items[i]);
	if (!left.n)
		return 0;
	doctor_add(d, DOCTOR_WARNING, "nftables still has rules of %s, whose interfaces have gone",
			doctor_machines(d, &left));
	doctor_why(d, "they match nothing now; addresses in them still count as members of groups");
	for (size_t i = 0; i < left.n; i++)
		doctor_cure(d, "machina teardown %s", doctor_quote(d, left.items[i]));
	return 0;
}

/* Networks that are up without the rules that their unit has installed. */
static int check_networks(
		struct doctor *d, struct netlink *nl, struct netlink *links_nl, struct error *err)
{
	CLEANUP(strv_done) struct strv present = {};
	const struct network_conf *confs = d->host ? d->host->network.items : NULL;
	int r = net_rules_list(nl, &present, err);
	for (size_t i = 0; r == 0 && confs && i < d->host->network.n; i++) {
		const struct network_conf *conf = &confs[i];
		if (!network_owns_bridge(conf->mode) || strv_contains_sorted(&present, conf->name))
			continue;
		int missing = bridge_find(links_nl, conf->name, conf->device, err);
		if (missing < 0)
			return missing;
		if (missing)
			continue;
		doctor_add(d, DOCTOR_FAULT, "network '%s' is up without its packet filter",
				conf->name);
		doctor_why(d, "somebody has flushed nftables: its guests reach nobody beyond the "
			      "host, or everybody reaches them");
		doctor_cure(d, "machina firewall apply");
	}
	return r;
}

/* The same for those that have one. */
static int check_changed_networks(
		struct doctor *d, struct netlink *nl, struct netlink *links_nl, struct error *err)
{
	CLEANUP(strv_done) struct strv present = {};
	int r = net_rules_list(nl, &present, err);
	for (size_t i = 0; r == 0 && i < d->n_networks; i++) {
		const struct network *network = &d->networks[i];
		CLEANUP(strv_done) struct strv changed = {};
		CLEANUP(freep) char *whose = xasprintf(" of network '%s'", network->name);
		if (!strv_contains_sorted(&present, network->name))
			continue;
		r = net_rules_find_changed(nl, links_nl, network, &changed, err);
		if (changed.n)
			tell_changed(d, whose, &changed);
	}
	return r;
}

void doctor_check_firewall(struct doctor *d)
{
	CLEANUP(ports_done) struct ports ports = {};
	CLEANUP(netlink_done) struct netlink nl = {};
	CLEANUP(netlink_done) struct netlink links_nl = {};
	CLEANUP(strv_done) struct strv present = {};
	struct error err = {};
	if (!d->is_root) {
		doctor_leave_out(d, "only root may look at packet filters");
		return;
	}
	check_locking(d);
	check_hold(d);
	int r = make_ports(&ports, d, &err);
	if (r < 0) {
		doctor_leave_out(d, "%s", err.text);
		return;
	}
	if (!ports.n)
		doctor_note(d, "no machine has a filter");
	r = nft_open(&nl, &err);
	if (r < 0 && ports.n) {
		tell_refusal(d, &ports, err.text);
		doctor_cure(d, "modprobe -a " NEEDED_MODULES);
	}
	if (r < 0)
		return;
	if (ports.n)
		check_rules(d, &nl, &ports);
	r = firewall_machines(&nl, &present, &err);
	if (r == 0)
		r = netlink_open(&links_nl, &err);
	if (r == 0)
		check_presence(d, &present);
	if (r == 0)
		r = check_changed(d, &nl, &links_nl, &err);
	if (r == 0 && !d->is_partial)
		r = check_leftovers(d, &links_nl, &present, &err);
	if (r == 0)
		r = check_networks(d, &nl, &links_nl, &err);
	if (r == 0)
		r = check_changed_networks(d, &nl, &links_nl, &err);
	if (r < 0 && !ports.n)
		doctor_leave_out(d, "%s", err.text);
}

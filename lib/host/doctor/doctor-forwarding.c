/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bridges whose frames are shown to the packet filter of the host's own IP traffic (br_netfilter),
 * and networks that the host routes, where another program drops what is forwarded: Docker does. A
 * drop in any table is final.
 */
#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "host/doctor/doctor-forward.h"
#include "host/doctor/doctor.h"
#include "host/net/netlink-talk.h"
#include "host/os/sysfs.h"
#include "util/file.h"
#include "util/mem.h"

/* The kernel's words for a family of chains. */
static const struct family {
	uint8_t family;
	const char *word; /* nft's */
	const char *iptables;
	const char *sysctl; /* below net/bridge */
	const char *option; /* of a bridge */
} families[] = {
	{ NFPROTO_IPV4, "ip", "iptables", "bridge-nf-call-iptables", "nf_call_iptables" },
	{ NFPROTO_IPV6, "ip6", "ip6tables", "bridge-nf-call-ip6tables", "nf_call_ip6tables" },
	/* Both of these. */
	{ NFPROTO_INET, "inet", "iptables", NULL, NULL },
};

static const struct family *family_of(const struct forward_chain *chain)
{
	size_t i = 0;
	/* Chains of others are not listed. */
	while (i + 1 < ARRAY_SIZE(families) && families[i].family != chain->family)
		i++;
	return &families[i];
}

struct bridge {
	const char *name;
	bool is_routed; /* its guests' packets are the host's to forward */
	struct doctor_group users;
};
struct bridges {
	struct bridge *items;
	size_t n, n_alloc;
};

static void bridges_done(struct bridges *bridges)
{
	for (size_t i = 0; i < bridges->n; i++)
		doctor_group_done(&bridges->items[i].users);
	free(bridges->items);
}

static bool is_routed(const struct vm_nic *nic)
{
	return nic->mode == NETWORK_NAT || nic->mode == NETWORK_ROUTED;
}

static void add_user(
		struct bridges *bridges, const struct vm_nic *nic, const struct doctor_machine *m)
{
	const char *name = nic->bridge;
	size_t i = 0;
	while (i < bridges->n && strcmp(bridges->items[i].name, name) != 0)
		i++;
	if (i == bridges->n) {
		bridges->items = grow_array(bridges->items, &bridges->n_alloc, bridges->n,
				sizeof(*bridges->items));
		bridges->items[bridges->n++] =
				(struct bridge){ .name = name, .is_routed = is_routed(nic) };
	}
	doctor_group_add(&bridges->items[i].users, m);
}

/* What others are made on is in "bridge" as well. */
static bool is_on_bridge(const struct vm_nic *nic)
{
	return vm_nic_has_link(nic) && nic->mode != NETWORK_MACVTAP && nic->bridge &&
	       nic->bridge[0];
}

static void find_bridges(const struct doctor *d, struct bridges *ret)
{
	for (size_t i = 0; i < d->n_machines; i++) {
		const struct vm *vm = d->machines[i].vm;
		for (size_t k = 0; k < vm->n_nics; k++)
			if (is_on_bridge(&vm->nics[k]))
				add_user(ret, &vm->nics[k], &d->machines[i]);
	}
}

static bool is_one(const char *dir, const char *name)
{
	CLEANUP(buf_done) struct buf text = {};
	return sysfs_read(dir, name, &text, NULL) == 0 && !strcmp(buf_text(&text), "1");
}

/* For all bridges, or for this one (br_netfilter_hooks.c, br_nf_pre_routing()). */
static bool is_shown_to_all(const struct doctor *d, const struct family *f)
{
	CLEANUP(freep) char *all = xasprintf("%s/sys/net/bridge", d->proc);
	return is_one(all, f->sysctl);
}
static bool is_shown_of(const struct doctor *d, const struct family *f, const char *bridge)
{
	CLEANUP(freep) char *own = xasprintf("%s/class/net/%s/bridge", d->sys, bridge);
	return is_one(own, f->option);
}

/* A chain of the family "inet" gets those of both. */
static bool is_in(const struct family *f, uint8_t family)
{
	return f->sysctl && (family == NFPROTO_INET || f->family == family);
}

static bool is_shown(const struct doctor *d, uint8_t family, const char *bridge)
{
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		if (is_in(&families[i], family) &&
				(is_shown_to_all(d, &families[i]) ||
						is_shown_of(d, &families[i], bridge)))
			return true;
	return false;
}

/* Each of the settings by which its frames get there. */
static void cure_shown(struct doctor *d, uint8_t family, const char *bridge)
{
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		const struct family *f = &families[i];
		if (is_in(f, family) && is_shown_to_all(d, f))
			doctor_cure(d, "sysctl -w net.bridge.%s=0", f->sysctl);
		if (is_in(f, family) && is_shown_of(d, f, bridge))
			doctor_cure(d, "ip link set %s type bridge %s 0", doctor_quote(d, bridge),
					f->option);
	}
	doctor_cure(d, "# or, if containers need it, for this bridge alone:");
}

/* Docker's chain drops what no rule accepts, and so both ways need one. */
static void tell_routed(
		struct doctor *d, const struct forward_chain *chain, const struct bridge *bridge)
{
	static const char *const ways[][2] = { { "-i", "iifname" }, { "-o", "oifname" } };
	const struct family *f = family_of(chain);
	const char *name = doctor_quote(d, bridge->name);
	doctor_add(d, doctor_level_of(bridge->users.urgent),
			"network bridge '%s': what the host forwards for it passes the chain '%s' "
			"of table '%s %s', which drops it%s",
			bridge->name, chain->name, f->word, chain->table,
			chain->has_docker ? " (Docker's)" : "");
	doctor_why(d, "guests on it reach the host, but nothing beyond: %s",
			doctor_machines(d, &bridge->users.names));
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		if (chain->has_docker)
			doctor_cure(d, "%s -I DOCKER-USER %s %s -j ACCEPT", f->iptables, ways[i][0],
					name);
		else
			doctor_cure(d, "nft insert rule %s %s %s %s %s accept", f->word,
					chain->table, chain->name, ways[i][1], name);
	}
}

static void tell(struct doctor *d, const struct forward_chain *chain, const struct bridge *bridge)
{
	const struct family *f = family_of(chain);
	const char *name = doctor_quote(d, bridge->name);
	doctor_add(d, doctor_level_of(bridge->users.urgent),
			"bridge '%s': its frames pass the chain '%s' of table '%s %s', which drops "
			"them%s",
			bridge->name, chain->name, f->word, chain->table,
			chain->has_docker ? " (Docker's)" : "");
	doctor_why(d, "guests on it reach the host, but not each other or the network: %s",
			doctor_machines(d, &bridge->users.names));
	cure_shown(d, chain->family, bridge->name);
	if (chain->has_docker)
		doctor_cure(d, "%s -I DOCKER-USER -i %s -o %s -j ACCEPT", f->iptables, name, name);
	else
		doctor_cure(d, "nft insert rule %s %s %s iifname %s oifname %s accept", f->word,
				chain->table, chain->name, name, name);
}

/*
 * firewalld refuses by a rule and not by its chain's policy: what is in no zone of its. One that is
 * in a zone is the administrator's decision.
 */
static void tell_firewalld(struct doctor *d, const struct bridge *bridge)
{
	const char *name = doctor_quote(d, bridge->name);
	doctor_add(d, doctor_level_of(bridge->users.urgent),
			"bridge '%s': its frames pass firewalld, which has it in no zone and "
			"refuses what is forwarded",
			bridge->name);
	doctor_why(d, "guests on it reach the host, but not each other or the network: %s",
			doctor_machines(d, &bridge->users.names));
	cure_shown(d, NFPROTO_INET, bridge->name);
	doctor_cure(d, "firewall-cmd --permanent --zone=trusted --add-interface=%s", name);
	doctor_cure(d, "firewall-cmd --reload");
}

static int look_at_firewalld(struct doctor *d, const struct bridges *bridges, struct netlink *nl,
		struct error *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < bridges->n; i++) {
		const struct bridge *bridge = &bridges->items[i];
		struct forward_table table = { NFPROTO_INET, "firewalld" };
		bool shown = is_shown(d, NFPROTO_INET, bridge->name);
		/* Those that are routed are looked at with their networks. */
		if (bridge->is_routed || !shown)
			continue;
		r = forward_table_look(nl, &table, bridge->name, err);
		if (r == 0 && table.has_rules && !table.is_about_it)
			tell_firewalld(d, bridge);
	}
	return r;
}

static int look(struct doctor *d, const struct bridges *bridges, struct netlink *nl,
		struct error *err)
{
	CLEANUP(forward_chains_done) struct forward_chains chains = {};
	int r = forward_chains_list(nl, &chains, err);
	for (size_t i = 0; r == 0 && i < chains.n; i++) {
		for (size_t k = 0; r == 0 && k < bridges->n; k++) {
			const char *name = bridges->items[k].name;
			bool accepts = false;
			bool routed = bridges->items[k].is_routed;
			if (!routed && !is_shown(d, chains.items[i].family, name))
				continue;
			r = forward_chain_accepts(nl, &chains.items[i], name, &accepts, err);
			if (r == 0 && !accepts)
				(routed ? tell_routed : tell)(
						d, &chains.items[i], &bridges->items[k]);
		}
	}
	return r;
}

/* Tables that nftables does not show, in the kernel since somebody has used iptables-legacy. */
static void check_legacy(struct doctor *d)
{
	CLEANUP(freep) char *dir = path_join(d->proc, "net");
	CLEANUP(buf_done) struct buf names = {};
	/* Only root may read them, and only with these modules are they there. */
	if (sysfs_read(dir, "ip_tables_names", &names, NULL) < 0 || !names.len)
		return;
	for (char *c = names.text; *c; c++)
		if (*c == '\n')
			*c = ' ';
	doctor_add(d, DOCTOR_WARNING, "there are tables of iptables-legacy: %s", buf_text(&names));
	doctor_why(d, "nft does not show them, and what they drop is dropped: guests may not reach "
		      "each other or the network");
	doctor_cure(d, "iptables-legacy-save");
	doctor_cure(d, "# if nobody needs them, until the next program uses them:");
	doctor_cure(d, "iptables-legacy -P FORWARD ACCEPT && iptables-legacy -F");
	doctor_cure(d, "update-alternatives --set iptables /usr/sbin/iptables-nft");
}

void doctor_check_forwarding(struct doctor *d)
{
	CLEANUP(bridges_done) struct bridges bridges = {};
	CLEANUP(netlink_done) struct netlink nl = {};
	struct error err = {};
	bool shown = false;
	find_bridges(d, &bridges);
	for (size_t i = 0; i < bridges.n; i++)
		shown |= bridges.items[i].is_routed ||
			 is_shown(d, NFPROTO_INET, bridges.items[i].name);
	if (!bridges.n) {
		doctor_note(d, "no machine is on a bridge");
		return;
	}
	check_legacy(d);
	if (!shown) {
		doctor_note(d, "frames on bridges do not pass iptables");
		return;
	}
	int r = netlink_open_protocol(NETLINK_NETFILTER, &nl, &err);
	if (r == 0)
		r = look(d, &bridges, &nl, &err);
	if (r == 0)
		r = look_at_firewalld(d, &bridges, &nl, &err);
	if (r == -EPERM)
		doctor_leave_out(d, "only root may look at packet filters");
	else if (r < 0)
		doctor_leave_out(d, "%s", err.text);
}

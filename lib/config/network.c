/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The field tables of networks. */
#include "config/network.h"

#include "config/forms.h"

const char *const forward_protocol_names[] = { "tcp", "udp", NULL };
const char *const user_backend_names[] = { "slirp", "passt", NULL };
const char *const network_mode_names[] = {
	[NETWORK_BRIDGE] = "bridge",
	[NETWORK_NAT] = "nat",
	[NETWORK_ROUTED] = "routed",
	[NETWORK_ISOLATED] = "isolated",
	[NETWORK_USER] = "user",
	[NETWORK_VF] = "vf",
	[NETWORK_MACVTAP] = "macvtap",
	[NETWORK_VHOST_USER] = "vhost-user",
	NULL,
};
const char *const macvtap_mode_names[] = {
	[MACVTAP_BRIDGE] = "bridge",
	[MACVTAP_PRIVATE] = "private",
	[MACVTAP_VEPA] = "vepa",
	[MACVTAP_PASSTHRU] = "passthru",
	NULL,
};

bool network_owns_bridge(int mode)
{
	return mode == NETWORK_NAT || mode == NETWORK_ROUTED || mode == NETWORK_ISOLATED;
}

bool network_has_bridge(int mode)
{
	return mode == NETWORK_BRIDGE || network_owns_bridge(mode);
}

static const struct field forward_fields[] = {
	FIELD_ENUM(struct forward_conf, protocol, "protocol", forward_protocol_names, "tcp",
			"Protocol of the port."),
	FIELD_STRING(struct forward_conf, address, "address", form_ip, 0,
			"127.0.0.1 in mode \"user\", else all of the host's own",
			"Address of the host; in mode \"user\" an IPv4 address."),
	FIELD_INT(struct forward_conf, port, "port", 1, 65535, FIELD_REQUIRED, NULL,
			"Port of the host."),
	FIELD_STRING(struct forward_conf, to, "to", form_ip, 0, NULL,
			"The guest's address; required but in mode \"user\"."),
	FIELD_INT(struct forward_conf, to_port, "to-port", 1, 65535, 0, "the same port",
			"Port of the guest."),
	{},
};

static const struct field dhcp_fields[] = {
	FIELD_STRING(struct dhcp_conf, range, "range", form_dhcp_range, FIELD_REQUIRED, NULL,
			"IPv4 addresses that are given to guests without \"ip\", from the first to "
			"the last: \"10.77.0.100-10.77.0.199\". \"static\" gives none to them."),
	FIELD_STRING(struct dhcp_conf, lease, "lease", form_lease, 0, "1h",
			"How long a guest may keep an address without asking again, such as "
			"\"12h\"; at least 2 minutes."),
	{},
};

const struct field network_fields[] = {
	FIELD_ENUM(struct network_conf, mode, "mode", network_mode_names,
			"a bridge, with the scripts of \"up\" and \"down\" if there are any",
			"\"bridge\": guests are ports of the bridge \"device\", which must exist. "
			"\"nat\", \"routed\" and \"isolated\" make a bridge of that name, and lead "
			"from it to the world as the host, as themselves, or not at all. \"user\": "
			"QEMU's user-mode network, which needs nothing on the host. \"vf\": each "
			"guest gets a virtual function of the network card \"device\". "
			"\"macvtap\": each guest is a neighbour of the host on the interface "
			"\"device\", with a MAC address of its own; the host itself and the guest "
			"do not reach each other there. \"vhost-user\": packets go through the "
			"guest's memory to a switch that is a program (Open vSwitch with DPDK, "
			"VPP)."),
	FIELD_STRING(struct network_conf, device, "device", form_interface, 0, NULL,
			"Name of the bridge; of mode \"vf\": of the card's interface; of mode "
			"\"macvtap\": of the interface that guests share, which is no bridge's "
			"port."),
	FIELD_ENUM(struct network_conf, macvtap_mode, "macvtap-mode", macvtap_mode_names, "bridge",
			"What guests on one interface see of each other (mode \"macvtap\"). "
			"\"bridge\": all. \"private\": nothing. \"vepa\": what the switch sends "
			"back. \"passthru\": there is one guest alone, which takes the interface "
			"over with its MAC address."),
	FIELD_STRING(struct network_conf, socket, "socket", form_text_line, 0,
			"/run/machina-qemu/MACHINE/net.CONNECTION, made by QEMU",
			"The unix socket of mode \"vhost-user\" that the switch listens at: a "
			"pattern with the variables of machina.conf(5) and ${connection}, the "
			"connection's name. QEMU connects to it again when the switch was "
			"restarted; its user has to be allowed to: all users are, or for a "
			"machine with KVM the group kvm. Without it QEMU listens, the switch "
			"connects, as root (Open "
			"vSwitch: dpdkvhostuserclient), and the machine starts when it has."),
	FIELD_STRING_OR_LIST(struct network_conf, address, "address", form_interface_address,
			"The host's own address on a bridge that it makes, with the length of the "
			"network's prefix: \"10.77.0.1/24\", \"fd77::1/64\", or a list of such."),
	FIELD_OBJECT(struct network_conf, dhcp, struct dhcp_conf, "dhcp", MERGE_FIELDS, dhcp_fields,
			"Have dnsmasq(8) give addresses to the guests and tell them each other's "
			"names. Guests with \"ip\" get that."),
	FIELD_STRING(struct network_conf, domain, "domain", form_domain, 0, NULL,
			"Domain of the guests' names, such as \"home.internal\"; needs \"dhcp\"."),
	FIELD_BOOL(struct network_conf, host_access, "host-access", false,
			"Let the guests of a bridge that the host makes reach whatever listens on "
			"the host. Without it they reach DHCP, DNS and ping."),
	FIELD_STRING(struct network_conf, up, "up", form_script, 0, "join the bridge",
			"Script to run as root, with the interface's name, when a machine starts; "
			"\"no\" runs nothing."),
	FIELD_STRING(struct network_conf, down, "down", form_script, 0, NULL,
			"Script to run likewise when a machine stops, before its interface is "
			"deleted; \"no\" runs nothing."),
	FIELD_INT(struct network_conf, mtu, "mtu", 68, 65535, 0, "the bridge's",
			"Largest packet of the guests' interfaces on the host, in bytes."),
	FIELD_INT(struct network_conf, vlan, "vlan", 1, 4094, 0, "what the bridge gives new ports",
			"VLAN of the guests, who see no tags. A bridge must be VLAN-aware "
			"(vlan_filtering)."),
	FIELD_TERMS(struct network_conf, vlans, "vlans", form_vlans, NULL,
			"VLANs that the guests get and send with their tags (a trunk), such as "
			"[ 20, \"30-39\" ]. Without \"vlan\" beside it, frames without a tag are "
			"dropped."),
	FIELD_BOOL(struct network_conf, isolate, "isolate", false,
			"Keep the guests of this network apart: they reach the host and what is "
			"behind the bridge's other ports, but not each other."),
	FIELD_BOOL(struct network_conf, vhost, "vhost", true,
			"Let the kernel move the guests' packets (vhost-net), where it can."),
	FIELD_INT(struct network_conf, virtual_functions, "virtual-functions", 1, 65535, 0, NULL,
			"How many virtual functions the card is given when it has none (mode "
			"\"vf\")."),
	FIELD_BOOL(struct network_conf, spoof_check, "spoof-check", true,
			"Let the card drop what guests send with another MAC address than their "
			"own (mode \"vf\")."),
	FIELD_BOOL(struct network_conf, trust, "trust", false,
			"Let guests change their MAC address and see all packets, as far as the "
			"card lets those that it trusts (mode \"vf\")."),
	FIELD_ENUM(struct network_conf, backend, "backend", user_backend_names, "slirp",
			"What gives guests their network in mode \"user\". \"slirp\": QEMU itself, "
			"which needs the host's network for that. \"passt\": passt(1), in a unit "
			"of its own, so that QEMU sees no network at all; for IPv4 alone, and for "
			"16 connections of a machine at most. Guests find the same addresses with "
			"both."),
	FIELD_LIST(struct network_conf, forward, struct forward_conf, "forward", MERGE_FIRST,
			forward_fields,
			"Ports of the host that lead to a guest (modes \"user\", \"nat\" and "
			"\"routed\")."),
	FIELD_OBJECT(struct network_conf, defaults, struct fw_default_conf, "default", MERGE_FIELDS,
			fw_default_fields,
			"What happens to the guests' packets that no rule decides."),
	FILTER_GUARD(struct network_conf, guard, "true with \"mode\", else false"),
	{},
};

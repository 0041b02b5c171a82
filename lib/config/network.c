/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The field tables of networks. */
#include "config/network.h"

#include "config/forms.h"

const char *const forward_protocol_names[] = { "tcp", "udp", NULL };
const char *const network_mode_names[] = { "bridge", "user", NULL };

static const struct field forward_fields[] = {
	FIELD_ENUM(struct forward_conf, protocol, "protocol", forward_protocol_names, "tcp",
			"Protocol of the port."),
	FIELD_STRING(struct forward_conf, address, "address", form_ipv4, 0, "127.0.0.1",
			"IPv4 address of the host to listen on."),
	FIELD_INT(struct forward_conf, port, "port", 1, 65535, FIELD_REQUIRED, NULL,
			"Port of the host."),
	FIELD_INT(struct forward_conf, to_port, "to-port", 1, 65535, 0, "the same port",
			"Port of the guest."),
	{},
};

const struct field network_fields[] = {
	FIELD_ENUM(struct network_conf, mode, "mode", network_mode_names,
			"a bridge, with the scripts of \"up\" and \"down\" if there are any",
			"\"bridge\": guests are ports of the bridge \"device\", which must exist. "
			"\"user\": QEMU's user-mode network, which needs nothing on the host. See "
			"NETWORKS."),
	FIELD_STRING(struct network_conf, device, "device", form_interface, 0, NULL,
			"Name of the bridge."),
	FIELD_STRING(struct network_conf, up, "up", form_script, 0, "join the bridge",
			"Script to run as root, with the interface's name, when a machine starts; "
			"\"no\" runs nothing."),
	FIELD_STRING(struct network_conf, down, "down", form_script, 0, NULL,
			"Script to run likewise when a machine has stopped; \"no\" runs nothing."),
	FIELD_INT(struct network_conf, mtu, "mtu", 68, 65535, 0, "the bridge's",
			"Largest packet of the guests' interfaces on the host, in bytes."),
	FIELD_INT(struct network_conf, vlan, "vlan", 1, 4094, 0, "what the bridge gives new ports",
			"VLAN of the guests, who see no tags. The bridge must be VLAN-aware "
			"(vlan_filtering)."),
	FIELD_TERMS(struct network_conf, vlans, "vlans", form_vlans, NULL,
			"VLANs that the guests get and send with their tags (a trunk). Without "
			"\"vlan\" beside it, frames without a tag are dropped."),
	FIELD_BOOL(struct network_conf, isolate, "isolate", false,
			"Keep the guests of this network apart: they reach the host and what is "
			"behind the bridge's other ports, but not each other."),
	FIELD_BOOL(struct network_conf, vhost, "vhost", true,
			"Let the kernel move the guests' packets (vhost-net), where it can."),
	FIELD_LIST(struct network_conf, forward, struct forward_conf, "forward", MERGE_FIRST,
			forward_fields,
			"Ports of the host that lead to the guest (mode \"user\")."),
	FIELD_OBJECT(struct network_conf, defaults, struct fw_default_conf, "default", MERGE_FIELDS,
			fw_default_fields,
			"What happens to the guests' packets that no rule decides."),
	FILTER_GUARD(struct network_conf, guard, "true with \"mode\", else false"),
	{},
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of systemd-networkd for a bridge. */
#include "unit/networkd.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "unit/parts.h"
#include "util/mem.h"

/* What the kernel puts frames without a tag into. */
#define DEFAULT_VLAN 1

const char *const networkd_name_patterns[] = {
	NETWORKD_NETDEV,
	NETWORKD_BRIDGE,
	NETWORKD_UPLINK,
	NULL,
};

void networkd_choice_done(struct networkd_choice *choice)
{
	free(choice->uplink);
	free(choice->mac);
	strv_done(&choice->addresses);
	strv_done(&choice->gateways);
	strv_done(&choice->dns);
	*choice = (struct networkd_choice){};
}

bool networkd_name_valid(const char *interface)
{
	static const char allowed[] =
			"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
	return interface[0] && !interface[strspn(interface, allowed)];
}

/* Settings of networkd are read by other rules than those of units; values here need no quoting. */
static void put(struct unitfile *u, const char *key, const char *value)
{
	CLEANUP(freep) char *line = xasprintf("%s=%s\n", key, value);
	unitfile_add_lines(u, line);
}

static void put_number(struct unitfile *u, const char *key, int64_t number)
{
	CLEANUP(freep) char *text = xasprintf("%" PRId64, number);
	put(u, key, text);
}

static void put_all(struct unitfile *u, const char *key, const struct strv *values)
{
	for (size_t i = 0; i < values->n; i++)
		put(u, key, values->items[i]);
}

static void begin(struct unitfile *u, const struct networkd_bridge *b)
{
	unit_begin_of(u, b->sources, "machina network generate --networkd");
}

static void put_match(struct unitfile *u, const char *interface)
{
	unitfile_section(u, "Match");
	put(u, "Name", interface);
}

static int add_netdev(const struct networkd_bridge *b, struct units *ret, struct error *err)
{
	CLEANUP(unitfile_done) struct unitfile u = {};
	begin(&u, b);
	unitfile_section(&u, "NetDev");
	put(&u, "Name", b->name);
	put(&u, "Kind", "bridge");
	put(&u, "MACAddress", b->choice->mac);
	if (b->mtu)
		put_number(&u, "MTUBytes", b->mtu);
	unitfile_section(&u, "Bridge");
	put(&u, "STP", "no");
	/* Else a guest that starts hears nothing of the network for 15 seconds. */
	put(&u, "ForwardDelaySec", "0");
	if (b->has_vlans)
		put(&u, "VLANFiltering", "yes");
	return units_add(ret, &u, NETWORKD_NETDEV, b->name, err);
}

static void put_addresses(struct unitfile *u, const struct networkd_choice *choice)
{
	bool dhcp = strv_contains(&choice->addresses, "dhcp");
	put(u, "DHCP", dhcp ? "yes" : "no");
	if (dhcp)
		put(u, "IPv6AcceptRA", "yes");
	if (!choice->addresses.n) {
		put(u, "LinkLocalAddressing", "no");
		put(u, "IPv6AcceptRA", "no");
	}
	for (size_t i = 0; i < choice->addresses.n; i++)
		if (strcmp(choice->addresses.items[i], "dhcp") != 0)
			put(u, "Address", choice->addresses.items[i]);
	put_all(u, "Gateway", &choice->gateways);
	put_all(u, "DNS", &choice->dns);
	/* A bridge has a carrier with its first port only, and that may be a guest. */
	put(u, "ConfigureWithoutCarrier", "yes");
}

/* A row for each thing that the administrator said: what it is, then the values. */
static void carry(struct unitfile *u, const char *key, const struct strv *values)
{
	if (values->n)
		unitfile_set_words(u, key, values);
}

static int add_bridge(const struct networkd_bridge *b, struct units *ret, struct error *err)
{
	const struct networkd_choice *choice = b->choice;
	CLEANUP(unitfile_done) struct unitfile u = {};
	begin(&u, b);
	put_match(&u, b->name);
	unitfile_section(&u, "Link");
	/* One that nobody may be connected to must not keep the host waiting for its network. */
	put(&u, "RequiredForOnline", choice->uplink && choice->addresses.n ? "yes" : "no");
	unitfile_section(&u, "Network");
	put_addresses(&u, choice);
	unitfile_section(&u, "X-Machina");
	if (choice->uplink)
		unitfile_set(&u, "Uplink", choice->uplink);
	unitfile_set(&u, "MACAddress", choice->mac);
	carry(&u, "Address", &choice->addresses);
	carry(&u, "Gateway", &choice->gateways);
	carry(&u, "DNS", &choice->dns);
	return units_add(ret, &u, NETWORKD_BRIDGE, b->name, err);
}

/* "VLAN=20", "VLAN=30-39": runs of numbers as one. */
static void put_vlans(struct unitfile *u, const struct networkd_bridge *b)
{
	for (size_t i = 0; i < b->n_vlans;) {
		size_t k = i + 1;
		while (k < b->n_vlans && b->vlans[k] == b->vlans[k - 1] + 1)
			k++;
		/* It is the one without a tag there. */
		uint16_t first = b->vlans[i] == DEFAULT_VLAN ? DEFAULT_VLAN + 1 : b->vlans[i];
		uint16_t last = b->vlans[k - 1];
		if (first <= last) {
			CLEANUP(freep)
			char *span = first == last ? xasprintf("%u", first)
						   : xasprintf("%u-%u", first, last);
			unitfile_section(u, "BridgeVLAN");
			put(u, "VLAN", span);
		}
		i = k;
	}
}

static int add_uplink(const struct networkd_bridge *b, struct units *ret, struct error *err)
{
	CLEANUP(unitfile_done) struct unitfile u = {};
	begin(&u, b);
	put_match(&u, b->choice->uplink);
	if (b->mtu) {
		unitfile_section(&u, "Link");
		put_number(&u, "MTUBytes", b->mtu);
	}
	unitfile_section(&u, "Network");
	put(&u, "Bridge", b->name);
	put(&u, "DHCP", "no");
	put(&u, "LinkLocalAddressing", "no");
	put(&u, "IPv6AcceptRA", "no");
	if (b->has_vlans) {
		/* Said, because some versions take away what a file with VLANs does not say. */
		unitfile_section(&u, "BridgeVLAN");
		put_number(&u, "VLAN", DEFAULT_VLAN);
		put_number(&u, "PVID", DEFAULT_VLAN);
		put_number(&u, "EgressUntagged", DEFAULT_VLAN);
		put_vlans(&u, b);
	}
	return units_add(ret, &u, NETWORKD_UPLINK, b->name, err);
}

int networkd_build(const struct networkd_bridge *bridge, struct units *ret, struct error *err)
{
	int r = add_netdev(bridge, ret, err);
	if (r == 0)
		r = add_bridge(bridge, ret, err);
	if (r == 0 && bridge->choice->uplink)
		r = add_uplink(bridge, ret, err);
	return r;
}

/* ---- reading ---- */

static int read_words(
		const struct unitdoc *doc, const char *key, struct strv *ret, struct error *err)
{
	const struct unitdoc_entry *entry = unitdoc_get(doc, "X-Machina", key);
	return entry ? unitfile_split_words(entry->value, ret, err) : 0;
}

static char *read_text(const struct unitdoc *doc, const char *key)
{
	const struct unitdoc_entry *entry = unitdoc_get(doc, "X-Machina", key);
	return entry ? xstrdup(entry->value) : NULL;
}

int networkd_read(const char *name, const char *text, size_t len, struct networkd_choice *ret,
		struct error *err)
{
	CLEANUP(unitdoc_done) struct unitdoc doc = {};
	*ret = (struct networkd_choice){};
	int r = unitfile_parse(name, text, len, &doc, err);
	if (r < 0)
		return r;
	ret->uplink = read_text(&doc, "Uplink");
	ret->mac = read_text(&doc, "MACAddress");
	r = read_words(&doc, "Address", &ret->addresses, err);
	if (r == 0)
		r = read_words(&doc, "Gateway", &ret->gateways, err);
	return r == 0 ? read_words(&doc, "DNS", &ret->dns, err) : r;
}

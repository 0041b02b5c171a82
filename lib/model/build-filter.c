/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The packet filters of connections: what machine, connection and network say becomes one. */
#include <string.h>

#include "model/build.h"
#include "model/filter-read.h"
#include "util/mem.h"

static void report(void *context, const char *pointer, const char *text)
{
	struct build *b = context;
	BUILD_ERROR(b, pointer, "%s", text);
}

static struct filter_reader reader_of(struct build *b)
{
	return (struct filter_reader){ .arena = &b->vm->arena, .report = report, .context = b };
}

void build_machine_rules(struct build *b)
{
	const struct filter_reader reader = reader_of(b);
	b->machine_rules = filter_read_rules(
			&reader, &b->conf->attrs.firewall.rules, "/attrs/firewall/rules", "vm");
}

static bool says_default(const struct fw_default_conf *conf)
{
	return conf->in >= 0 || conf->out >= 0;
}

static bool says_anything(const struct fw_filter_conf *conf)
{
	return conf->groups.items || conf->rules.items || says_default(&conf->defaults) ||
	       conf->guard.enabled >= 0;
}

/* What counts for one connection, and where it was written. */
struct chosen {
	const struct fw_filter_conf *groups, *rules;
	const char *groups_at, *rules_at;  /* the object that has them */
	const struct fw_guard_conf *guard; /* NULL: nobody says anything */
	const char *guard_at;		   /* NULL: in the network */
};

static struct chosen choose(const struct fw_filter_conf *own, const char *own_at,
		const struct fw_filter_conf *machine, const struct network_conf *network)
{
	static const char machine_at[] = "/attrs/firewall";
	bool own_groups = own->groups.items, own_rules = own->rules.items;
	struct chosen c = {
		.groups = own_groups ? own : machine,
		.groups_at = own_groups ? own_at : machine_at,
		.rules = own_rules ? own : machine,
		.rules_at = own_rules ? own_at : machine_at,
	};
	if (own->guard.enabled >= 0) {
		c.guard = &own->guard;
		c.guard_at = own_at;
	} else if (machine->guard.enabled >= 0) {
		c.guard = &machine->guard;
		c.guard_at = machine_at;
	} else if (network->guard.enabled >= 0) {
		c.guard = &network->guard;
	}
	return c;
}

/* Which modes have a bridge whose ports are filtered. */
static bool is_filtered(const struct vm_nic *nic)
{
	/* A script may do anything with the interface. */
	return network_has_bridge(nic->mode) && nic->join;
}

/* Why nothing is filtered on a network. The caller frees it. */
static char *why_not(const struct vm_nic *nic)
{
	if (nic->mode == NETWORK_BRIDGE)
		return xasprintf("the network '%s' leaves its interfaces to a script, so that "
				 "nothing can be said of their packets; with \"mode\": \"bridge\" "
				 "they are filtered",
				nic->network);
	return xasprintf("the network '%s' has \"mode\": \"%s\", which has no filter", nic->network,
			network_mode_names[nic->mode]);
}

static const char *closing(const struct fw_default_conf *conf)
{
	return conf->in == FW_DEFAULT_DROP ? "in" : conf->out == FW_DEFAULT_DROP ? "out" : NULL;
}

/* What asks for a filter where there can be none is an error: nothing is left out quietly. */
static void refuse(struct build *b, const struct connection_conf *conf, const char *pointer,
		const struct network_conf *network, const struct chosen *c,
		const struct vm_nic *nic)
{
	CLEANUP(freep) char *why = why_not(nic);
	const struct {
		const char *at, *key;
		bool asks;
	} lists[] = {
		{ c->groups_at, "groups", c->groups->groups.n > 0 },
		{ c->rules_at, "rules", c->rules->rules.n > 0 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		CLEANUP(freep) char *at = xasprintf("%s/%s", lists[i].at, lists[i].key);
		if (lists[i].asks)
			BUILD_ERROR(b, at,
					"%s can't hold for connection '%s': %s; \"%s\": [] in the "
					"connection does without",
					lists[i].key, nic->name, why, lists[i].key);
	}
	CLEANUP(freep) char *own_default = xasprintf("%s/default", pointer);
	const struct {
		const char *at;
		const struct fw_default_conf *conf;
	} defaults[] = {
		{ own_default, &conf->filter.defaults },
		{ "/attrs/firewall/default", &b->conf->attrs.firewall.defaults },
	};
	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++) {
		const char *direction = closing(defaults[i].conf);
		CLEANUP(freep)
		char *at = xasprintf("%s/%s", defaults[i].at, direction ? direction : "");
		if (direction)
			BUILD_ERROR(b, at, "\"drop\" can't hold for connection '%s': %s", nic->name,
					why);
	}
	CLEANUP(freep) char *guard_at = xasprintf("%s/guard", c->guard_at ? c->guard_at : "");
	if (c->guard && c->guard->enabled && c->guard_at)
		BUILD_ERROR(b, guard_at,
				"a guard can't hold for connection '%s': %s; \"guard\": false in "
				"the connection does without",
				nic->name, why);
	if (closing(&network->defaults))
		build_network_error(b, network, "default", why);
	if (network->guard.enabled > 0)
		build_network_error(b, network, "guard", why);
}

static struct fw_addresses read_ip(struct build *b, const struct vm_nic *nic)
{
	struct fw_addresses ip = {};
	struct fw_range *items[N_FW_FAMILIES];
	for (int f = 0; f < N_FW_FAMILIES; f++)
		items[f] = arena_array(&b->vm->arena, nic->ip.n, sizeof(*items[f]));
	for (size_t i = 0; i < nic->ip.n; i++) {
		struct fw_range range;
		enum fw_family family;
		/* Others have been told of. */
		if (fw_address_read(nic->ip.items[i], &range, &family))
			items[family][ip.of[family].n++] = range;
	}
	for (int f = 0; f < N_FW_FAMILIES; f++)
		ip.of[f] = (struct fw_ranges){
			.items = items[f],
			.n = fw_ranges_merge(items[f], ip.of[f].n, (enum fw_family)f),
		};
	return ip;
}

static void build_guard(struct build *b, const struct chosen *c, const char *pointer,
		const struct network_conf *network, struct vm_filter *filter)
{
	bool has_address = filter->ip.of[FW_IPV4].n || filter->ip.of[FW_IPV6].n;
	if (c->guard)
		filter->guard = filter_read_guard(c->guard);
	else if (network->mode >= 0)
		filter->guard = filter_read_guard(
				&(struct fw_guard_conf){ -1, -1, -1, -1, -1, -1, -1 });
	if (has_address)
		return;
	if (filter->guard.address == FW_GUARD_ADDRESS_STRICT) {
		CLEANUP(freep) char *at = xasprintf("%s/ip", pointer);
		BUILD_ERROR(b, at,
				"the guard's \"address\" is \"strict\", so that the connection "
				"needs \"ip\", the addresses that it may use");
	}
	filter->guard.address = FW_GUARD_ADDRESS_OFF;
}

static void put_default(enum fw_default *ret, const struct fw_default_conf *conf)
{
	ret[FW_IN] = (enum fw_default)conf->in;
	ret[FW_OUT] = (enum fw_default)conf->out;
}

void build_filter(struct build *b, const struct connection_conf *conf, const char *pointer,
		const struct network_conf *network, struct vm_nic *nic)
{
	const struct fw_filter_conf *own = &conf->filter, *machine = &b->conf->attrs.firewall;
	const struct filter_reader reader = reader_of(b);
	const struct chosen c = choose(own, pointer, machine, network);
	struct fw_rules rules = b->machine_rules;
	if (own->rules.items) {
		CLEANUP(freep) char *rules_at = xasprintf("%s/rules", pointer);
		rules = filter_read_rules(&reader, &own->rules, rules_at, "connection");
	}
	if (!is_filtered(nic)) {
		refuse(b, conf, pointer, network, &c, nic);
		return;
	}
	if (network->mode < 0 && network->guard.enabled < 0 && !says_default(&network->defaults) &&
			!says_anything(own) && !says_anything(machine))
		return;

	struct vm_filter *filter = ARENA_NEW(&b->vm->arena, struct vm_filter);
	*filter = (struct vm_filter){
		.groups = filter_copy_names(&b->vm->arena, &c.groups->groups),
		.n_groups = c.groups->groups.n,
		.rules = rules.items,
		.n_rules = rules.n,
		.has_any = c.groups->groups.n > 0 || c.rules->rules.n > 0,
		.ip = read_ip(b, nic),
		.vlans = nic->vlans,
		.n_vlans = nic->n_vlans,
	};
	put_default(filter->defaults[FW_LEVEL_CONNECTION], &own->defaults);
	put_default(filter->defaults[FW_LEVEL_MACHINE], &machine->defaults);
	put_default(filter->defaults[FW_LEVEL_NETWORK], &network->defaults);
	build_guard(b, &c, pointer, network, filter);
	nic->filter = filter;
}

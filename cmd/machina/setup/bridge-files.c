/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of systemd-networkd for bridges. */
#include "setup/bridge-files.h"

#include <stdlib.h>
#include <string.h>

#include "cli/output.h"
#include "host/net/uplink.h"
#include "model/filter.h"
#include "model/network.h"
#include "setup/built.h"
#include "util/mem.h"
#include "util/parse.h"

#define VLAN_MAX 4094

void bridge_files_done(struct bridge_files *files)
{
	for (size_t i = 0; i < files->n; i++)
		networkd_choice_done(&files->items[i].choice);
	free(files->items);
	strv_done(&files->unused);
}

/* ---- which ---- */

static const struct network_conf *network_at(const struct bridge_files *files, size_t i)
{
	const struct network_conf *confs = files->config->host.conf.network.items;
	return i < files->config->host.conf.network.n ? &confs[i] : NULL;
}

static bool is_bridge(const struct network_conf *conf)
{
	return conf->mode == NETWORK_BRIDGE && conf->device && conf->device[0];
}

static struct bridge_file *find(const struct bridge_files *files, const char *bridge)
{
	for (size_t i = 0; i < files->n; i++)
		if (!strcmp(files->items[i].name, bridge))
			return &files->items[i];
	return NULL;
}

static bool is_there(const struct bridge_files *files, const char *pattern, const char *bridge)
{
	CLEANUP(freep) char *name = unit_name(pattern, bridge);
	return strv_contains_sorted(&files->set->on_disk, name);
}

/* What the files of a bridge carry; nothing where they are not there or not ours. */
static int read_choice(const struct bridge_files *files, const char *bridge,
		struct networkd_choice *ret, struct error *err)
{
	CLEANUP(freep) char *name = unit_name(NETWORKD_BRIDGE, bridge);
	CLEANUP(buf_done) struct buf text = {};
	*ret = (struct networkd_choice){};
	if (!strv_contains_sorted(&files->set->on_disk, name))
		return 0;
	int r = unitset_read(files->set, name, &text, err);
	if (r != 0)
		return r < 0 ? r : 0;
	return networkd_read(name, buf_text(&text), text.len, ret, err);
}

static int add_bridge(
		struct bridge_files *files, const char *bridge, bool is_asked, struct error *err)
{
	struct bridge_file *known = find(files, bridge);
	if (known) {
		known->is_asked |= is_asked;
		return 0;
	}
	if (!networkd_name_valid(bridge))
		return error_set(err, EINVAL,
				"systemd-networkd would read '%s' as something else than a name",
				bridge);
	files->items = grow_array(files->items, &files->n_alloc, files->n, sizeof(*files->items));
	struct bridge_file *file = &files->items[files->n++];
	*file = (struct bridge_file){
		.name = bridge,
		.is_asked = is_asked,
		.has_files = is_there(files, NETWORKD_BRIDGE, bridge),
	};
	return read_choice(files, bridge, &file->choice, err);
}

static int add_network(struct bridge_files *files, const char *name, struct error *err)
{
	const struct network_conf *conf;
	for (size_t i = 0; (conf = network_at(files, i)) && strcmp(conf->name, name) != 0;)
		i++;
	if (!conf)
		return error_set(err, ENOENT, "network '%s' is not configured", name);
	if (is_bridge(conf))
		return add_bridge(files, conf->device, true, err);
	if (network_owns_bridge(conf->mode))
		return error_set(err, EINVAL,
				"network '%s' needs no files: 'machina-network-%s.service' makes "
				"its bridge",
				name, name);
	return error_set(err, EINVAL,
			"network '%s' is not of \"mode\": \"bridge\" with a \"device\"", name);
}

/* "br0" of "05-machina-bridge-br0.netdev". The caller frees it. */
static char *bridge_of(const char *file)
{
	for (const char *const *pattern = networkd_name_patterns; *pattern; pattern++) {
		size_t before = strcspn(*pattern, "%");
		const char *after = *pattern + before + 2;
		size_t len = strlen(file), rest = before + strlen(after);
		if (len > rest && !strncmp(file, *pattern, before) &&
				!strcmp(file + len - strlen(after), after))
			return xstrndup(file + before, len - rest);
	}
	return NULL;
}

static int add_unused(struct bridge_files *files, struct error *err)
{
	const struct strv *names = &files->set->on_disk;
	CLEANUP(buf_done) struct buf text = {};
	for (size_t i = 0; i < names->n; i++) {
		CLEANUP(freep) char *bridge = bridge_of(names->items[i]);
		if (!bridge || find(files, bridge) || strv_contains(&files->unused, bridge))
			continue;
		int r = unitset_read(files->set, names->items[i], &text, err);
		if (r < 0)
			return r;
		if (r == 0)
			strv_push(&files->unused, bridge);
	}
	return 0;
}

int bridge_files_select(struct bridge_files *files, const struct strv *networks, struct error *err)
{
	const struct network_conf *conf;
	int r = 0;
	for (size_t i = 0; r == 0 && i < networks->n; i++)
		r = add_network(files, networks->items[i], err);
	for (size_t i = 0; r == 0 && (conf = network_at(files, i)); i++)
		if (is_bridge(conf) &&
				(is_there(files, NETWORKD_NETDEV, conf->device) ||
						is_there(files, NETWORKD_BRIDGE, conf->device)))
			r = add_bridge(files, conf->device, networks->n == 0, err);
	return r == 0 ? add_unused(files, err) : r;
}

/* ---- what ---- */

static void replace(char **text, const char *with)
{
	free(*text);
	*text = with ? xstrdup(with) : NULL;
}

static void replace_all(struct strv *list, const struct strv *with)
{
	strv_clear(list);
	for (size_t i = 0; i < with->n; i++)
		if (strcmp(with->items[i], "none") != 0)
			strv_push(list, with->items[i]);
}

static void take_words(struct networkd_choice *choice, const struct bridge_request *request)
{
	if (request->uplink)
		replace(&choice->uplink,
				strcmp(request->uplink, "none") != 0 ? request->uplink : NULL);
	if (request->mac)
		replace(&choice->mac, request->mac);
	if (request->addresses.n)
		replace_all(&choice->addresses, &request->addresses);
	if (request->gateways.n)
		replace_all(&choice->gateways, &request->gateways);
	if (request->dns.n)
		replace_all(&choice->dns, &request->dns);
}

static int look(const char *sys, const char *name, struct uplink *ret, struct error *err)
{
	CLEANUP(netlink_done) struct netlink nl = {};
	int r = netlink_open(&nl, err);
	return r == 0 ? uplink_read(&nl, sys, name, ret, err) : r;
}

static void take_addresses(struct networkd_choice *choice, const struct uplink *from, bool more)
{
	if (from->is_lent || !from->addresses.n)
		strv_push(&choice->addresses, "dhcp");
	strv_extend(&choice->addresses, &from->addresses);
	if (more)
		strv_extend(&choice->gateways, &from->gateways);
}

/* Has the host a bridge with addresses already, it is that which is to stay as it is. */
static int take_from_host(struct bridge_file *file, const char *sys, bool with_addresses,
		bool with_gateways, struct error *err)
{
	struct networkd_choice *choice = &file->choice;
	CLEANUP(uplink_done) struct uplink uplink = {};
	CLEANUP(uplink_done) struct uplink bridge = {};
	int r = look(sys, choice->uplink, &uplink, err);
	if (r > 0)
		complain("there is no interface '%s' on this host", choice->uplink);
	if (r == 0 && uplink.is_wireless)
		return error_set(err, EINVAL,
				"'%s' is wireless: an access point takes frames of one station "
				"only, so that guests behind it would not be heard",
				choice->uplink);
	if (r == 0 && !choice->mac) {
		choice->mac = xmalloc(MAC_TEXT_MAX);
		format_mac(uplink.mac, choice->mac);
	}
	if (r >= 0 && with_addresses)
		r = look(sys, file->name, &bridge, err);
	if (r >= 0 && with_addresses)
		take_addresses(choice, bridge.is_lent || bridge.addresses.n ? &bridge : &uplink,
				with_gateways);
	return r < 0 ? r : 0;
}

static int decide(struct bridge_files *files, struct bridge_file *file, const char *sys,
		struct error *err)
{
	struct networkd_choice *choice = &file->choice;
	const struct bridge_request *request = files->request;
	bool had_uplink = choice->uplink != NULL;
	take_words(choice, request);
	if (choice->uplink && !networkd_name_valid(choice->uplink))
		return error_set(err, EINVAL,
				"systemd-networkd would read '%s' as something else than a name",
				choice->uplink);
	if (choice->uplink && !strcmp(choice->uplink, file->name))
		return error_set(err, EINVAL, "bridge '%s' can't be its own uplink", file->name);
	/* Said once, or seen when the uplink was new: it stays so. */
	bool with_addresses = choice->uplink && !had_uplink && !request->addresses.n &&
			      !choice->addresses.n;
	if (choice->uplink && sys && (!choice->mac || with_addresses)) {
		int r = take_from_host(file, sys, with_addresses, !request->gateways.n, err);
		if (r < 0)
			return r;
	} else if (with_addresses) {
		strv_push(&choice->addresses, "dhcp");
	}
	if (!choice->mac)
		choice->mac = network_mac(file->name);
	return 0;
}

static const struct bridge_file *user_of(const struct bridge_files *files, const char *uplink)
{
	for (size_t i = 0; i < files->n; i++)
		if (files->items[i].choice.uplink && !strcmp(files->items[i].choice.uplink, uplink))
			return &files->items[i];
	return NULL;
}

/* The administrator's own way to the host may lead through it. */
static int check_unused(const struct bridge_files *files, const char *bridge, struct error *err)
{
	CLEANUP(networkd_choice_done) struct networkd_choice old = {};
	const char *said = files->request->uplink;
	int r = read_choice(files, bridge, &old, err);
	if (r < 0 || !old.uplink || user_of(files, old.uplink) || (said && !strcmp(said, "none")))
		return r;
	return error_set(err, EINVAL,
			"bridge '%s' is of no network any more, and its uplink '%s' would be left "
			"without a network: give it to another bridge (--uplink %s), or say that "
			"this is meant (--uplink none)",
			bridge, old.uplink, old.uplink);
}

int bridge_files_decide(struct bridge_files *files, const char *sys, struct error *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < files->n; i++)
		if (files->items[i].is_asked)
			r = decide(files, &files->items[i], sys, err);
	for (size_t i = 0; r == 0 && i < files->n; i++) {
		const struct bridge_file *file = &files->items[i];
		const struct bridge_file *user =
				file->choice.uplink ? user_of(files, file->choice.uplink) : NULL;
		if (user && user != file)
			r = error_set(err, EINVAL,
					"interface '%s' can be the uplink of one bridge, not of "
					"'%s' and '%s'",
					file->choice.uplink, user->name, file->name);
	}
	for (size_t i = 0; r == 0 && i < files->unused.n; i++)
		r = check_unused(files, files->unused.items[i], err);
	return r;
}

/* ---- VLANs ---- */

struct use {
	bool vlans[VLAN_MAX + 1];
	bool has_any;
	int64_t mtu;
};

static void use_vlan(struct use *use, unsigned vlan)
{
	if (!vlan || vlan > VLAN_MAX)
		return;
	use->vlans[vlan] = use->has_any = true;
}

/* "20", "30-39". */
static void use_network(struct use *use, const struct network_conf *conf)
{
	use_vlan(use, (unsigned)conf->vlan);
	for (size_t i = 0; i < conf->vlans.n; i++) {
		struct fw_span span = fw_span_read(conf->vlans.items[i]);
		for (unsigned vlan = span.first; vlan <= span.last; vlan++)
			use_vlan(use, vlan);
	}
	if (conf->mtu > use->mtu)
		use->mtu = conf->mtu;
}

static void use_machine(struct use *use, const struct vm *vm, const char *bridge)
{
	for (size_t i = 0; i < vm->n_nics; i++) {
		const struct vm_nic *nic = &vm->nics[i];
		if (!nic->bridge || strcmp(nic->bridge, bridge) != 0)
			continue;
		use_vlan(use, nic->vlan);
		for (size_t k = 0; k < nic->n_vlans; k++)
			use_vlan(use, nic->vlans[k]);
		if (nic->mtu > use->mtu)
			use->mtu = nic->mtu;
	}
}

static int find_use(const struct bridge_files *files, const char *bridge, const struct strv *names,
		struct use *ret, struct error *err)
{
	const struct network_conf *conf;
	struct config *config = files->config;
	*ret = (struct use){};
	for (size_t i = 0; (conf = network_at(files, i)); i++)
		if (is_bridge(conf) && !strcmp(conf->device, bridge))
			use_network(ret, conf);
	for (size_t i = 0; i < names->n; i++) {
		CLEANUP(built_done) struct built built = {};
		int r = built_load(&built, config, names->items[i], err);
		if (r < 0)
			return r;
		if (r == 0)
			use_machine(ret, &built.vm, bridge);
	}
	return 0;
}

/* ---- files ---- */

static int make(struct bridge_files *files, const struct bridge_file *file,
		const struct strv *machines, struct units *ret, struct error *err)
{
	struct use use;
	uint16_t vlans[VLAN_MAX];
	struct networkd_bridge bridge = {
		.name = file->name,
		.choice = &file->choice,
		.vlans = vlans,
		.sources = &files->config->sources,
	};
	int r = find_use(files, file->name, machines, &use, err);
	if (r < 0)
		return r;
	for (uint16_t vlan = 1; vlan <= VLAN_MAX; vlan++)
		if (use.vlans[vlan])
			vlans[bridge.n_vlans++] = vlan;
	bridge.has_vlans = use.has_any;
	bridge.mtu = use.mtu;
	return networkd_build(&bridge, ret, err);
}

/* @units: what the bridge has; NULL: nothing */
static int remove_others(struct bridge_files *files, const char *bridge, const struct units *units,
		struct error *err)
{
	for (const char *const *pattern = networkd_name_patterns; *pattern; pattern++) {
		CLEANUP(freep) char *name = unit_name(*pattern, bridge);
		bool wanted = false;
		for (size_t i = 0; units && i < units->n; i++)
			wanted |= !strcmp(units->items[i].name, name);
		if (wanted || !strv_contains_sorted(&files->set->on_disk, name))
			continue;
		int r = unitset_remove(files->set, name, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int bridge_files_make(struct bridge_files *files,
		int (*add)(void *data, struct units *units, struct error *err), void *data,
		struct error *err)
{
	struct config *config = files->config;
	CLEANUP(strv_done) struct strv machines = {};
	int r = machine_list(config->paths, &machines, &config->report, err);
	for (size_t i = 0; r == 0 && i < files->n; i++) {
		CLEANUP(units_done) struct units units = {};
		if (!files->items[i].is_asked)
			continue;
		r = make(files, &files->items[i], &machines, &units, err);
		if (r == 0)
			r = remove_others(files, files->items[i].name, &units, err);
		if (r == 0)
			r = add(data, &units, err);
	}
	for (size_t i = 0; r == 0 && i < files->unused.n; i++)
		r = remove_others(files, files->unused.items[i], NULL, err);
	return r;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The addresses of a machine's guest. */
#include "host/agent/guest-address.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "host/agent/agent.h"
#include "host/net/netlink-talk.h"
#include "json/jtree.h"
#include "util/file.h"
#include "util/mem.h"
#include "util/parse.h"
#include "util/visible.h"

/* Where networks' DHCP servers keep what they have lent (lib/unit/network.c, StateDirectory=). */
#define LEASES_PATH "/var/lib/machina-network/%s/leases"
#define LEASES_MAX ((size_t)4 << 20)
#define NAME_MAX_SHOWN 64
/* Each is compared with all before it, and shown. A guest of containers has some dozens. */
#define AGENT_ADDRESSES_MAX 256

const char *const guest_address_source_names[] = {
	[GUEST_ADDRESS_AGENT] = "agent",
	[GUEST_ADDRESS_NEIGHBOUR] = "neighbour",
	[GUEST_ADDRESS_LEASE] = "lease",
	[GUEST_ADDRESS_CONFIG] = "config",
};

void guest_addresses_done(struct guest_addresses *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->items[i].text);
		free(list->items[i].interface);
		free(list->items[i].connection);
		free(list->items[i].mac);
	}
	free(list->items);
	*list = (struct guest_addresses){};
}

/* ---- adding one ---- */

/* The connection of a MAC address that the host has given, or NULL. */
static const struct plan_fd *find_tap(const struct plan *plan, const char *mac)
{
	for (size_t i = 0; i < plan->n_fds; i++)
		if (plan->fds[i].mac && mac && strcasecmp(plan->fds[i].mac, mac) == 0)
			return &plan->fds[i];
	return NULL;
}

static bool is_loopback(int family, const uint8_t *bytes)
{
	static const uint8_t one[16] = { [15] = 1 };
	return family == AF_INET ? bytes[0] == 127 : memcmp(bytes, one, sizeof(one)) == 0;
}

static struct guest_address *find_text(
		struct guest_addresses *list, const char *text, const char *mac)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct guest_address *a = &list->items[i];
		/* The same one on two cards is two. */
		if (strcmp(a->text, text) == 0 && (!a->mac || !mac || strcmp(a->mac, mac) == 0))
			return &list->items[i];
	}
	return NULL;
}

/* @mac: in lower case, or NULL */
static struct guest_address *add(struct guest_addresses *list, enum guest_address_source source,
		const char *text, const char *mac, const char *connection)
{
	struct guest_address *a = find_text(list, text, mac);
	if (!a) {
		list->items = grow_array(
				list->items, &list->n_alloc, list->n, sizeof(*list->items));
		a = &list->items[list->n++];
		*a = (struct guest_address){ .text = xstrdup(text), .prefix = -1 };
	}
	a->sources |= 1U << source;
	if (!a->mac && mac)
		a->mac = xstrdup(mac);
	if (!a->connection && connection)
		a->connection = xstrdup(connection);
	return a;
}

/* An address that is one, in the one form of its text. Returns false: it is none, or our own. */
static bool read_address(const char *text, char ret[INET6_ADDRSTRLEN])
{
	uint8_t bytes[16];
	const int family = strchr(text, ':') ? AF_INET6 : AF_INET;
	return inet_pton(family, text, bytes) == 1 && !is_loopback(family, bytes) &&
	       inet_ntop(family, bytes, ret, INET6_ADDRSTRLEN) != NULL;
}

/* In lower case with colons. Returns false: it is none. */
static bool read_mac(const char *text, char ret[MAC_TEXT_MAX])
{
	uint8_t b[6];
	if (!text || parse_mac(text, b) < 0)
		return false;
	format_mac(b, ret);
	return true;
}

/* ---- the agent ---- */

static void add_told(struct guest_addresses *list, const char *mac, const char *interface,
		const char *connection, struct json_object *told)
{
	char address[INET6_ADDRSTRLEN];
	if (!read_address(jtree_get_text(told, "ip-address"), address) ||
			list->n >= AGENT_ADDRESSES_MAX)
		return;
	struct guest_address *a = add(list, GUEST_ADDRESS_AGENT, address, mac, connection);
	if (!a->interface && *interface) {
		CLEANUP(buf_done) struct buf name = {};
		visible_add(&name, interface, strlen(interface), NAME_MAX_SHOWN);
		a->interface = buf_take(&name);
	}
	const int64_t bits = jtree_get_int(told, "prefix", a->prefix);
	a->prefix = bits >= 0 && bits <= (strchr(address, ':') ? 128 : 32) ? (int)bits : -1;
}

void guest_addresses_add_agent(struct guest_addresses *list, const struct plan *plan,
		struct json_object *interfaces)
{
	for (size_t i = 0; i < jtree_length(interfaces); i++) {
		struct json_object *one = jtree_at(interfaces, i);
		struct json_object *addresses = jtree_get(one, "ip-addresses");
		char mac[MAC_TEXT_MAX];
		const bool has_mac = read_mac(jtree_get_text(one, "hardware-address"), mac);
		const struct plan_fd *tap = has_mac ? find_tap(plan, mac) : NULL;
		for (size_t k = 0; k < jtree_length(addresses); k++)
			add_told(list, has_mac ? mac : NULL, jtree_get_text(one, "name"),
					tap ? tap->connection : NULL, jtree_at(addresses, k));
	}
}

static int ask_agent(const struct plan *plan, uint64_t deadline_usec, struct json_object **ret,
		struct error *err)
{
	CLEANUP(agent_freep) struct agent *agent = NULL;
	int r = agent_open(plan, deadline_usec, &agent, err);
	if (r != AGENT_DONE)
		return r < 0 ? r : -err->code;
	return agent_call(agent, "guest-network-get-interfaces", NULL, deadline_usec, ret, err);
}

/* ---- the bridges' neighbours ---- */

struct neighbours {
	struct guest_addresses *list;
	const struct plan *plan;
};

struct neighbour {
	int family;
	const void *address, *mac;
};

static int take_attribute(const struct nlattr *attr, void *data)
{
	struct neighbour *n = data;
	const size_t len = mnl_attr_get_payload_len(attr);
	if (mnl_attr_get_type(attr) == NDA_LLADDR && len == LINK_ADDRESS_LEN)
		n->mac = mnl_attr_get_payload(attr);
	if (mnl_attr_get_type(attr) == NDA_DST && len == (n->family == AF_INET ? 4 : 16))
		n->address = mnl_attr_get_payload(attr);
	return MNL_CB_OK;
}

static void take_neighbour(void *data, const struct nlmsghdr *message)
{
	const struct neighbours *to = data;
	const struct ndmsg *info = mnl_nlmsg_get_payload(message);
	struct neighbour n = { .family = info->ndm_family };
	char text[INET6_ADDRSTRLEN], mac[MAC_TEXT_MAX];
	if (message->nlmsg_type != RTM_NEWNEIGH ||
			(info->ndm_family != AF_INET && info->ndm_family != AF_INET6) ||
			info->ndm_state & (NUD_FAILED | NUD_INCOMPLETE | NUD_NOARP))
		return;
	mnl_attr_parse(message, sizeof(*info), take_attribute, &n);
	if (!n.address || !n.mac || !inet_ntop(n.family, n.address, text, sizeof(text)))
		return;
	format_mac(n.mac, mac);
	/* Somebody with the same address elsewhere is somebody else. */
	const struct plan_fd *tap = find_tap(to->plan, mac);
	if (tap && tap->bridge && (unsigned)info->ndm_ifindex == if_nametoindex(tap->bridge))
		add(to->list, GUEST_ADDRESS_NEIGHBOUR, text, mac, tap->connection);
}

int guest_addresses_add_neighbours(struct guest_addresses *list, const struct plan *plan,
		struct netlink *nl, struct error *err)
{
	char space[256] = {};
	struct neighbours data = { list, plan };
	struct nlmsghdr *message = mnl_nlmsg_put_header(space);
	message->nlmsg_type = RTM_GETNEIGH;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	message->nlmsg_seq = ++nl->sequence;
	mnl_nlmsg_put_extra_header(message, sizeof(struct ndmsg));
	/* A table that changes meanwhile is as good as another moment's. */
	struct netlink_answer answer = { .add = take_neighbour, .data = &data };
	return netlink_talk(nl, message, message->nlmsg_len, &answer, "list neighbours", err);
}

/* ---- leases ---- */

void guest_addresses_add_leases(
		struct guest_addresses *list, const struct plan *plan, const char *text)
{
	CLEANUP(freep) char *copy = xstrdup(text);
	char *rest = copy;
	for (char *line; (line = strsep(&rest, "\n"));) {
		char address[INET6_ADDRSTRLEN], mac[MAC_TEXT_MAX];
		(void)strsep(&line, " ");
		const char *mac_text = strsep(&line, " "), *address_text = strsep(&line, " ");
		const struct plan_fd *tap = read_mac(mac_text, mac) ? find_tap(plan, mac) : NULL;
		if (tap && address_text && read_address(address_text, address))
			add(list, GUEST_ADDRESS_LEASE, address, mac, tap->connection);
	}
}

static void read_leases(struct guest_addresses *list, const struct plan *plan)
{
	CLEANUP(strv_done) struct strv networks = {};
	for (size_t i = 0; i < plan->n_fds; i++) {
		const struct plan_fd *fd = &plan->fds[i];
		CLEANUP(buf_done) struct buf text = {};
		if (!fd->mac || !fd->network || strv_contains(&networks, fd->network))
			continue;
		strv_push(&networks, fd->network);
		CLEANUP(freep) char *path = xasprintf(LEASES_PATH, fd->network);
		/* A network without a server of ours has none, and not everyone may read them. */
		if (file_read(path, LEASES_MAX, &text, NULL) == 0)
			guest_addresses_add_leases(list, plan, buf_text(&text));
	}
}

/* ---- all of them ---- */

int guest_addresses_find(const struct plan *plan, uint64_t agent_deadline_usec,
		struct guest_addresses *ret, struct error *err)
{
	struct json_object *interfaces = NULL;
	CLEANUP(netlink_done) struct netlink nl = {};
	if (agent_deadline_usec &&
			ask_agent(plan, agent_deadline_usec, &interfaces, &ret->agent) == 0)
		guest_addresses_add_agent(ret, plan, interfaces);
	json_object_put(interfaces);
	int r = netlink_open(&nl, err);
	if (r == 0)
		r = guest_addresses_add_neighbours(ret, plan, &nl, err);
	if (r == 0)
		read_leases(ret, plan);
	return r;
}

void guest_addresses_add_config(struct guest_addresses *list, const struct vm *vm)
{
	for (size_t i = 0; i < vm->n_nics; i++)
		for (size_t k = 0; k < vm->nics[i].ip.n; k++) {
			char address[INET6_ADDRSTRLEN], mac[MAC_TEXT_MAX];
			if (read_address(vm->nics[i].ip.items[k], address))
				add(list, GUEST_ADDRESS_CONFIG, address,
						read_mac(vm->nics[i].mac, mac) ? mac : NULL,
						vm->nics[i].name);
		}
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What nftables has: its table, chains, sets and rules. */
#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "host/netlink-talk.h"
#include "host/nft.h"
#include "util/mem.h"

#define REQUEST_MAX 1024
/* A dump is cut where rules change in the middle of it; that often it is asked for again. */
#define DUMP_ATTEMPTS 10
/* Of a comment in what nft keeps for itself (libnftnl/udata.h). */
#define UDATA_COMMENT 0

void nft_list_done(struct nft_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->items[i].name);
		free(list->items[i].comment);
	}
	free(list->items);
	*list = (struct nft_list){};
}

static struct nlmsghdr *begin(struct netlink *nl, enum nft_family family, char space[REQUEST_MAX],
		int type, bool dump)
{
	/* libmnl leaves the bytes between attributes as they are. */
	memset(space, 0, REQUEST_MAX);
	struct nlmsghdr *message = mnl_nlmsg_put_header(space);
	message->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type);
	message->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | (dump ? NLM_F_DUMP : 0));
	message->nlmsg_seq = ++nl->sequence;
	struct nfgenmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	header->nfgen_family = family == NFT_INET ? NFPROTO_INET : NFPROTO_BRIDGE;
	header->version = NFNETLINK_V0;
	return message;
}

static char *text_of(const struct nlattr *attr)
{
	return xstrndup(mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr));
}

/* Types and lengths of one byte each, the values in between. */
static char *comment_of(const struct nlattr *attr)
{
	const uint8_t *data = mnl_attr_get_payload(attr);
	size_t left = mnl_attr_get_payload_len(attr);
	while (left >= 2 && left - 2 >= data[1]) {
		if (data[0] == UDATA_COMMENT)
			return xstrndup((const char *)data + 2, data[1]);
		left -= 2u + data[1];
		data += 2 + data[1];
	}
	return xstrdup("");
}

/* Which attributes of a kind of object are its name, comment, hook and expressions; 0: none. */
struct object {
	int get;
	uint16_t table, name, comment, hook, expressions;
	const char *what;
};
static const struct object chains = { NFT_MSG_GETCHAIN, NFTA_CHAIN_TABLE, NFTA_CHAIN_NAME,
	NFTA_CHAIN_USERDATA, NFTA_CHAIN_HOOK, 0, "list the chains of nftables" };
static const struct object sets = { NFT_MSG_GETSET, NFTA_SET_TABLE, NFTA_SET_NAME, 0, 0, 0,
	"list the sets of nftables" };
static const struct object rules = { NFT_MSG_GETRULE, NFTA_RULE_TABLE, 0, NFTA_RULE_USERDATA, 0,
	NFTA_RULE_EXPRESSIONS, "list the rules of nftables" };
static const struct object tables = { NFT_MSG_GETTABLE, NFTA_TABLE_NAME, NFTA_TABLE_NAME,
	NFTA_TABLE_USERDATA, 0, 0, "look for the table of nftables" };

static int take_counter(const struct nlattr *attr, void *data)
{
	struct nft_item *item = data;
	uint16_t type = mnl_attr_get_type(attr);
	if (mnl_attr_get_payload_len(attr) != sizeof(uint64_t))
		return MNL_CB_OK;
	if (type == NFTA_COUNTER_PACKETS)
		item->packets = be64toh(mnl_attr_get_u64(attr));
	else if (type == NFTA_COUNTER_BYTES)
		item->bytes = be64toh(mnl_attr_get_u64(attr));
	return MNL_CB_OK;
}

struct expression {
	bool is_counter;
	const struct nlattr *content;
};

static int take_part(const struct nlattr *attr, void *data)
{
	struct expression *e = data;
	if (mnl_attr_get_type(attr) == NFTA_EXPR_NAME)
		e->is_counter = !strncmp(mnl_attr_get_payload(attr), "counter",
				mnl_attr_get_payload_len(attr));
	else if (mnl_attr_get_type(attr) == NFTA_EXPR_DATA)
		e->content = attr;
	return MNL_CB_OK;
}

static int take_expression(const struct nlattr *attr, void *data)
{
	struct nft_item *item = data;
	struct expression e = {};
	mnl_attr_parse_nested(attr, take_part, &e);
	if (e.is_counter && e.content) {
		item->counts = true;
		mnl_attr_parse_nested(e.content, take_counter, item);
	}
	return MNL_CB_OK;
}

struct reading {
	const struct object *object;
	struct nft_list *list;
	bool other_table; /* the last one is not of ours */
};

static int take_attribute(const struct nlattr *attr, void *data)
{
	struct reading *reading = data;
	const struct object *object = reading->object;
	struct nft_item *item = &reading->list->items[reading->list->n];
	uint16_t type = mnl_attr_get_type(attr);

	if (type == object->table)
		reading->other_table = strncmp(mnl_attr_get_payload(attr), NFT_TABLE,
						       mnl_attr_get_payload_len(attr)) != 0;
	if (object->name && type == object->name) {
		free(item->name);
		item->name = text_of(attr);
	} else if (object->comment && type == object->comment) {
		free(item->comment);
		item->comment = comment_of(attr);
	} else if (object->hook && type == object->hook) {
		item->is_base = true;
	} else if (object->expressions && type == object->expressions) {
		mnl_attr_parse_nested(attr, take_expression, item);
	}
	return MNL_CB_OK;
}

static void take(void *data, const struct nlmsghdr *message)
{
	struct reading *reading = data;
	struct nft_list *list = reading->list;
	list->items = grow_array(list->items, &list->n_alloc, list->n, sizeof(*list->items));
	struct nft_item *item = &list->items[list->n];
	*item = (struct nft_item){ .name = xstrdup(""), .comment = xstrdup("") };
	reading->other_table = false;
	mnl_attr_parse(message, sizeof(struct nfgenmsg), take_attribute, reading);
	if (!reading->other_table) {
		list->n++;
		return;
	}
	free(item->name);
	free(item->comment);
}

/* Returns 0, 1: there is no such table or chain, or a negative errno. */
static int read_all(struct netlink *nl, enum nft_family family, const struct object *object,
		const char *chain, struct nft_list *ret, struct error *err)
{
	char space[REQUEST_MAX];
	for (unsigned i = 0; i < DUMP_ATTEMPTS; i++) {
		CLEANUP(nft_list_done) struct nft_list list = {};
		struct reading reading = { .object = object, .list = &list };
		struct netlink_answer answer = { .add = take, .data = &reading };
		struct nlmsghdr *message = begin(nl, family, space, object->get, true);
		mnl_attr_put_strz(message, object->table, NFT_TABLE);
		if (chain)
			mnl_attr_put_strz(message, NFTA_RULE_CHAIN, chain);
		int r = netlink_talk(nl, message, message->nlmsg_len, &answer, object->what, err);
		if (r == -ENOENT)
			return 1;
		if (r == -EINTR || (r == 0 && answer.interrupted))
			continue;
		if (r < 0)
			return r;
		*ret = list;
		list = (struct nft_list){};
		return 0;
	}
	return error_set(err, EAGAIN, "cannot %s: they change all the time", object->what);
}

/* The same for one by its name. */
static int read_one(struct netlink *nl, enum nft_family family, const struct object *object,
		const char *name, struct nft_list *ret, struct error *err)
{
	char space[REQUEST_MAX];
	struct reading reading = { .object = object, .list = ret };
	struct netlink_answer answer = { .add = take, .data = &reading };
	struct nlmsghdr *message = begin(nl, family, space, object->get, false);
	if (object->table != object->name)
		mnl_attr_put_strz(message, object->table, NFT_TABLE);
	mnl_attr_put_strz(message, object->name, name);
	int r = netlink_talk(nl, message, message->nlmsg_len, &answer, object->what, err);
	return r == -ENOENT ? 1 : r;
}

int nft_get_chain(struct netlink *nl, const char *name, struct nft_list *ret, struct error *err)
{
	return read_one(nl, NFT_BRIDGE, &chains, name, ret, err);
}

int nft_get_set(struct netlink *nl, const char *name, struct error *err)
{
	CLEANUP(nft_list_done) struct nft_list list = {};
	return read_one(nl, NFT_BRIDGE, &sets, name, &list, err);
}

int nft_list_chains(
		struct netlink *nl, enum nft_family family, struct nft_list *ret, struct error *err)
{
	int r = read_all(nl, family, &chains, NULL, ret, err);
	return r < 0 ? r : 0;
}

int nft_list_sets(struct netlink *nl, struct nft_list *ret, struct error *err)
{
	int r = read_all(nl, NFT_BRIDGE, &sets, NULL, ret, err);
	return r < 0 ? r : 0;
}

int nft_list_rules(struct netlink *nl, const char *chain, struct nft_list *ret, struct error *err)
{
	int r = read_all(nl, NFT_BRIDGE, &rules, chain, ret, err);
	return r < 0 ? r : 0;
}

int nft_find_table(
		struct netlink *nl, enum nft_family family, enum nft_table *ret, struct error *err)
{
	CLEANUP(nft_list_done) struct nft_list list = {};
	int r = read_one(nl, family, &tables, NFT_TABLE, &list, err);
	/* What a kernel says that has nfnetlink and not nftables. */
	if (r == 1 || r == -EINVAL || r == -EOPNOTSUPP) {
		*ret = NFT_TABLE_NONE;
		return 0;
	}
	if (r == -EPERM)
		return error_set(err, EPERM, "only root may look at nftables and change it");
	if (r < 0)
		return r;
	*ret = list.n && !strcmp(list.items[0].comment, NFT_TABLE_COMMENT) ? NFT_TABLE_OURS
									   : NFT_TABLE_FOREIGN;
	return 0;
}

static int take_generation(const struct nlattr *attr, void *data)
{
	if (mnl_attr_get_type(attr) == NFTA_GEN_ID &&
			mnl_attr_get_payload_len(attr) == sizeof(uint32_t))
		*(uint32_t *)data = ntohl(mnl_attr_get_u32(attr));
	return MNL_CB_OK;
}

static void take_generation_message(void *data, const struct nlmsghdr *message)
{
	mnl_attr_parse(message, sizeof(struct nfgenmsg), take_generation, data);
}

int nft_generation(struct netlink *nl, uint32_t *ret, struct error *err)
{
	char space[REQUEST_MAX];
	struct netlink_answer answer = { .add = take_generation_message, .data = ret };
	struct nlmsghdr *message = begin(nl, NFT_BRIDGE, space, NFT_MSG_GETGEN, false);
	*ret = 0;
	return netlink_talk(nl, message, message->nlmsg_len, &answer,
			"ask for the generation of nftables", err);
}

int nft_mark_current(struct netlink *nl, struct nft_batch *batch, struct error *err)
{
	for (size_t i = 0; i < batch->n_sections; i++) {
		struct nft_section *section = &batch->sections[i];
		CLEANUP(nft_list_done) struct nft_list list = {};
		int r = nft_list_rules(nl, section->chain, &list, err);
		if (r < 0)
			return r;
		section->is_current = list.n && !strcmp(list.items[0].comment, section->digest);
	}
	return 0;
}

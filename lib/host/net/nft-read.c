/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What nftables has: its table, chains, sets and rules. */
#include "host/net/nft.h"

#include <endian.h>
#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/gen.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "host/net/netlink-talk.h"
#include "util/mem.h"

#define REQUEST_MAX 1024

static void nft_item_done(struct nft_item *item)
{
	free(item->name);
	free(item->comment);
}

void nft_list_done(struct nft_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		nft_item_done(&list->items[i]);
	free(list->items);
	*list = (struct nft_list){};
}

static void push(struct nft_list *list, const struct nft_item *item)
{
	list->items = grow_array(list->items, &list->n_alloc, list->n, sizeof(*list->items));
	list->items[list->n++] = *item;
}

static struct nlmsghdr *begin(struct netlink *nl, enum nft_family family, char space[REQUEST_MAX],
		uint16_t type, bool dump)
{
	/* The bytes between attributes are left as they are. */
	memset(space, 0, REQUEST_MAX);
	return nftnl_nlmsg_build_hdr(space, type,
			family == NFT_INET ? NFPROTO_INET : NFPROTO_BRIDGE, dump ? NLM_F_DUMP : 0,
			++nl->sequence);
}

/* ---- objects ---- */

/* A comment in what nft keeps for itself: of tables, chains and rules alike. */
static int take_udata(const struct nftnl_udata *attr, void *data)
{
	char **comment = data;
	if (nftnl_udata_type(attr) == NFTNL_UDATA_RULE_COMMENT && !*comment)
		*comment = xstrndup(nftnl_udata_get(attr), nftnl_udata_len(attr));
	return 0;
}

static char *comment_of(const void *udata, uint32_t len)
{
	char *comment = NULL;
	if (udata)
		(void)nftnl_udata_parse(udata, len, take_udata, &comment);
	return comment ? comment : xstrdup("");
}

static char *text_of(const char *text)
{
	return xstrdup(text ? text : "");
}

static bool is_ours(const char *table)
{
	return table && !strcmp(table, NFT_TABLE);
}

static bool take_table(const struct nlmsghdr *message, struct nft_item *ret)
{
	uint32_t len = 0;
	struct nftnl_table *table = xgiven(nftnl_table_alloc());
	bool taken = nftnl_table_nlmsg_parse(message, table) == 0 &&
		     is_ours(nftnl_table_get_str(table, NFTNL_TABLE_NAME));
	if (taken) {
		const void *udata = nftnl_table_get_data(table, NFTNL_TABLE_USERDATA, &len);
		ret->name = xstrdup(NFT_TABLE);
		ret->comment = comment_of(udata, len);
		ret->is_asleep =
				nftnl_table_get_u32(table, NFTNL_TABLE_FLAGS) & NFT_TABLE_F_DORMANT;
	}
	nftnl_table_free(table);
	return taken;
}

static bool take_chain(const struct nlmsghdr *message, struct nft_item *ret)
{
	uint32_t len = 0;
	struct nftnl_chain *chain = xgiven(nftnl_chain_alloc());
	bool taken = nftnl_chain_nlmsg_parse(message, chain) == 0 &&
		     is_ours(nftnl_chain_get_str(chain, NFTNL_CHAIN_TABLE));
	if (taken) {
		const void *udata = nftnl_chain_get_data(chain, NFTNL_CHAIN_USERDATA, &len);
		ret->name = text_of(nftnl_chain_get_str(chain, NFTNL_CHAIN_NAME));
		ret->comment = comment_of(udata, len);
		ret->is_base = nftnl_chain_is_set(chain, NFTNL_CHAIN_HOOKNUM);
	}
	nftnl_chain_free(chain);
	return taken;
}

static bool take_set(const struct nlmsghdr *message, struct nft_item *ret)
{
	struct nftnl_set *set = xgiven(nftnl_set_alloc());
	bool taken = nftnl_set_nlmsg_parse(message, set) == 0 &&
		     is_ours(nftnl_set_get_str(set, NFTNL_SET_TABLE));
	if (taken) {
		ret->name = text_of(nftnl_set_get_str(set, NFTNL_SET_NAME));
		ret->comment = xstrdup("");
	}
	nftnl_set_free(set);
	return taken;
}

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

/* The name stands in front of the data. */
static int take_expression_part(const struct nlattr *attr, void *data)
{
	struct nft_item *item = data;
	uint16_t type = mnl_attr_get_type(attr);
	if (type == NFTA_EXPR_NAME && strcmp(mnl_attr_get_str(attr), "counter") != 0)
		return MNL_CB_STOP;
	item->counts = true;
	return type == NFTA_EXPR_DATA ? mnl_attr_parse_nested(attr, take_counter, item) : MNL_CB_OK;
}

static int take_expression(const struct nlattr *attr, void *data)
{
	(void)mnl_attr_parse_nested(attr, take_expression_part, data);
	return MNL_CB_OK;
}

static int take_rule_part(const struct nlattr *attr, void *data)
{
	struct nft_item *item = data;
	uint16_t type = mnl_attr_get_type(attr);
	if (type == NFTA_RULE_USERDATA && !item->comment)
		item->comment = comment_of(
				mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr));
	else if (type == NFTA_RULE_EXPRESSIONS)
		(void)mnl_attr_parse_nested(attr, take_expression, item);
	return MNL_CB_OK;
}

/* By hand: libnftnl would read each expression, and a start looks at all rules of its groups. */
static bool take_rule(const struct nlmsghdr *message, struct nft_item *ret)
{
	(void)mnl_attr_parse(message, sizeof(struct nfgenmsg), take_rule_part, ret);
	ret->name = xstrdup("");
	if (!ret->comment)
		ret->comment = xstrdup("");
	return true;
}

static int take_element(struct nftnl_set_elem *e, void *data)
{
	struct nft_list *list = data;
	uint32_t len = 0;
	const void *key = nftnl_set_elem_get(e, NFTNL_SET_ELEM_KEY, &len);
	struct nft_item item = {
		.name = text_of(nftnl_set_elem_get_str(e, NFTNL_SET_ELEM_CHAIN)),
		.comment = xstrdup(""),
	};
	if (nftnl_set_elem_is_set(e, NFTNL_SET_ELEM_FLAGS))
		item.is_end = nftnl_set_elem_get_u32(e, NFTNL_SET_ELEM_FLAGS) &
			      NFT_SET_ELEM_INTERVAL_END;
	if (key)
		memcpy(item.key, key, len < sizeof(item.key) ? len : sizeof(item.key));
	push(list, &item);
	return 0;
}

/* One message has many of them. */
static void take_elements(const struct nlmsghdr *message, struct nft_list *list)
{
	struct nftnl_set *set = xgiven(nftnl_set_alloc());
	if (nftnl_set_elems_nlmsg_parse(message, set) == 0)
		(void)nftnl_set_elem_foreach(set, take_element, list);
	nftnl_set_free(set);
}

/* How a kind of object is asked for: @table and @name are attributes of the request, 0 for none. */
struct object {
	uint16_t get, table, name;
	bool (*take)(const struct nlmsghdr *message,
			struct nft_item *ret); /* is it of our table? NULL: of elements */
	const char *what;
};
static const struct object tables = { NFT_MSG_GETTABLE, 0, NFTA_TABLE_NAME, take_table,
	"look for the table of nftables" };
static const struct object chains = { NFT_MSG_GETCHAIN, NFTA_CHAIN_TABLE, NFTA_CHAIN_NAME,
	take_chain, "list the chains of nftables" };
static const struct object sets = { NFT_MSG_GETSET, NFTA_SET_TABLE, NFTA_SET_NAME, take_set,
	"list the sets of nftables" };
static const struct object rules = { NFT_MSG_GETRULE, NFTA_RULE_TABLE, NFTA_RULE_CHAIN, take_rule,
	"list the rules of nftables" };
static const struct object elements = { NFT_MSG_GETSETELEM, NFTA_SET_ELEM_LIST_TABLE,
	NFTA_SET_ELEM_LIST_SET, NULL, "list the elements of a set of nftables" };

struct reading {
	const struct object *object;
	struct nft_list *list;
};

static void take(void *data, const struct nlmsghdr *message)
{
	struct reading *reading = data;
	struct nft_list *list = reading->list;
	struct nft_item item = {};
	if (!reading->object->take)
		take_elements(message, list);
	else if (reading->object->take(message, &item))
		push(list, &item);
}

static void put_name(struct nlmsghdr *message, const struct object *object, const char *name)
{
	if (object->table)
		mnl_attr_put_strz(message, object->table, NFT_TABLE);
	if (name)
		mnl_attr_put_strz(message, object->name, name);
}

/* Nothing if there is no such table, chain or set. */
static int read_all(struct netlink *nl, enum nft_family family, const struct object *object,
		const char *name, struct nft_list *ret, struct error *err)
{
	char space[REQUEST_MAX];
	for (struct netlink_tries tries = {}; netlink_may_try(&tries);) {
		CLEANUP(nft_list_done) struct nft_list list = {};
		struct reading reading = { .object = object, .list = &list };
		struct netlink_answer answer = { .add = take, .data = &reading };
		struct nlmsghdr *message = begin(nl, family, space, object->get, true);
		put_name(message, object, name);
		int r = netlink_talk(nl, message, message->nlmsg_len, &answer, object->what, err);
		if (r == -EINTR || (r == 0 && answer.interrupted))
			continue;
		if (r < 0)
			return r == -ENOENT ? 0 : r;
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
	put_name(message, object, name);
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

int nft_get_element(struct netlink *nl, const char *set, const uint8_t *value, size_t size,
		struct error *err)
{
	char space[REQUEST_MAX];
	struct netlink_answer answer = {};
	struct nlmsghdr *message = begin(nl, NFT_BRIDGE, space, elements.get, false);
	put_name(message, &elements, set);
	struct nlattr *list = mnl_attr_nest_start(message, NFTA_SET_ELEM_LIST_ELEMENTS);
	struct nlattr *element = mnl_attr_nest_start(message, NFTA_LIST_ELEM);
	struct nlattr *key = mnl_attr_nest_start(message, NFTA_SET_ELEM_KEY);
	mnl_attr_put(message, NFTA_DATA_VALUE, size, value);
	mnl_attr_nest_end(message, key);
	mnl_attr_nest_end(message, element);
	mnl_attr_nest_end(message, list);
	int r = netlink_talk(nl, message, message->nlmsg_len, &answer, elements.what, err);
	/* EINVAL: its values are of another size. */
	return r == -ENOENT || r == -EINVAL ? 1 : r;
}

int nft_list_chains(
		struct netlink *nl, enum nft_family family, struct nft_list *ret, struct error *err)
{
	return read_all(nl, family, &chains, NULL, ret, err);
}

struct search {
	bool (*is_wanted)(const void *data, const struct nft_item *chain);
	const void *data;
	struct netlink_answer *answer;
};

static void look_at(void *data, const struct nlmsghdr *message)
{
	struct search *search = data;
	CLEANUP(nft_item_done) struct nft_item chain = {};
	if (take_chain(message, &chain) && search->is_wanted(search->data, &chain))
		search->answer->is_enough = true;
}

int nft_find_chain(bool (*is_wanted)(const void *data, const struct nft_item *chain),
		const void *data, struct error *err)
{
	char space[REQUEST_MAX];
	for (struct netlink_tries tries = {}; netlink_may_try(&tries);) {
		CLEANUP(netlink_done) struct netlink nl = {};
		struct search search = { .is_wanted = is_wanted, .data = data };
		struct netlink_answer answer = {
			.add = look_at, .data = &search, .is_short = true
		};
		search.answer = &answer;
		int r = nft_open(&nl, err);
		if (r < 0)
			return r;
		struct nlmsghdr *message = begin(&nl, NFT_BRIDGE, space, chains.get, true);
		put_name(message, &chains, NULL);
		r = netlink_talk(&nl, message, message->nlmsg_len, &answer, chains.what, err);
		if (answer.is_enough)
			return 0;
		if (r == -EINTR || (r == 0 && answer.interrupted))
			continue;
		return r == 0 || r == -ENOENT ? 1 : r;
	}
	return error_set(err, EAGAIN, "cannot %s: they change all the time", chains.what);
}

int nft_list_sets(struct netlink *nl, struct nft_list *ret, struct error *err)
{
	return read_all(nl, NFT_BRIDGE, &sets, NULL, ret, err);
}

int nft_list_rules(struct netlink *nl, enum nft_family family, const char *chain,
		struct nft_list *ret, struct error *err)
{
	return read_all(nl, family, &rules, chain, ret, err);
}

int nft_list_elements(struct netlink *nl, enum nft_family family, const char *set,
		struct nft_list *ret, struct error *err)
{
	return read_all(nl, family, &elements, set, ret, err);
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

int nft_table_sleeps(struct netlink *nl, enum nft_family family, bool *ret, struct error *err)
{
	CLEANUP(nft_list_done) struct nft_list list = {};
	int r = read_one(nl, family, &tables, NFT_TABLE, &list, err);
	*ret = r == 0 && list.n && list.items[0].is_asleep;
	return r < 0 ? r : 0;
}

static void take_generation(void *data, const struct nlmsghdr *message)
{
	struct nftnl_gen *generation = xgiven(nftnl_gen_alloc());
	if (nftnl_gen_nlmsg_parse(message, generation) == 0)
		*(uint32_t *)data = nftnl_gen_get_u32(generation, NFTNL_GEN_ID);
	nftnl_gen_free(generation);
}

int nft_generation(struct netlink *nl, uint32_t *ret, struct error *err)
{
	char space[REQUEST_MAX];
	struct netlink_answer answer = { .add = take_generation, .data = ret };
	struct nlmsghdr *message = begin(nl, NFT_BRIDGE, space, NFT_MSG_GETGEN, false);
	*ret = 0;
	return netlink_talk(nl, message, message->nlmsg_len, &answer,
			"ask for the generation of nftables", err);
}

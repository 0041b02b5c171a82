/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chains that drop what is forwarded: nfnetlink's messages about them. */
#include "host/doctor/doctor-forward.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <net/if.h>
#include <string.h>

#include "host/net/netlink-talk.h"
#include "util/mem.h"

#define DOCKER_CHAIN "DOCKER-USER"
#define REQUEST_MAX 512

void forward_chains_done(struct forward_chains *chains)
{
	free(chains->items);
	*chains = (struct forward_chains){};
}

static struct nlmsghdr *begin(
		char space[REQUEST_MAX], struct netlink *nl, uint16_t type, uint8_t family)
{
	memset(space, 0, REQUEST_MAX);
	struct nlmsghdr *message = mnl_nlmsg_put_header(space);
	message->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type);
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	message->nlmsg_seq = ++nl->sequence;
	struct nfgenmsg *head = mnl_nlmsg_put_extra_header(message, sizeof(*head));
	head->nfgen_family = family;
	head->version = NFNETLINK_V0;
	return message;
}

/* ---- chains ---- */

struct chain {
	struct forward_chain forward;
	bool is_docker, is_forward, is_filter, drops;
};

static void copy(char *to, size_t size, const struct nlattr *attr)
{
	size_t len = strnlen(mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr));
	if (len >= size)
		len = size - 1;
	memcpy(to, mnl_attr_get_payload(attr), len);
	to[len] = '\0';
}

static bool is_number(const struct nlattr *attr, uint32_t number)
{
	return mnl_attr_get_payload_len(attr) == sizeof(number) &&
	       ntohl(mnl_attr_get_u32(attr)) == number;
}

static int parse_hook(const struct nlattr *attr, void *data)
{
	struct chain *chain = data;
	if (mnl_attr_get_type(attr) == NFTA_HOOK_HOOKNUM)
		chain->is_forward = is_number(attr, NF_INET_FORWARD);
	return MNL_CB_OK;
}

static int parse_chain(const struct nlattr *attr, void *data)
{
	struct chain *chain = data;
	char type[16];
	switch (mnl_attr_get_type(attr)) {
	case NFTA_CHAIN_TABLE:
		copy(chain->forward.table, sizeof(chain->forward.table), attr);
		break;
	case NFTA_CHAIN_NAME:
		copy(chain->forward.name, sizeof(chain->forward.name), attr);
		chain->is_docker = !strcmp(chain->forward.name, DOCKER_CHAIN);
		break;
	case NFTA_CHAIN_HOOK:
		mnl_attr_parse_nested(attr, parse_hook, chain);
		break;
	case NFTA_CHAIN_POLICY:
		chain->drops = is_number(attr, NF_DROP);
		break;
	case NFTA_CHAIN_TYPE:
		copy(type, sizeof(type), attr);
		chain->is_filter = !strcmp(type, "filter");
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

struct listing {
	struct forward_chains *chains; /* that drop */
	struct forward_chains docker;  /* Docker's own */
};

static void push(struct forward_chains *to, const struct forward_chain *chain)
{
	to->items = grow_array(to->items, &to->n_alloc, to->n, sizeof(*to->items));
	to->items[to->n++] = *chain;
}

static void take_chain(void *data, const struct nlmsghdr *message)
{
	struct listing *listing = data;
	const struct nfgenmsg *head = mnl_nlmsg_get_payload(message);
	struct chain chain = { .forward.family = head->nfgen_family };
	if ((message->nlmsg_type & 0xff) != NFT_MSG_NEWCHAIN)
		return;
	mnl_attr_parse(message, sizeof(*head), parse_chain, &chain);
	if (chain.is_docker)
		push(&listing->docker, &chain.forward);
	bool is_ip = head->nfgen_family == NFPROTO_IPV4 || head->nfgen_family == NFPROTO_IPV6 ||
		     head->nfgen_family == NFPROTO_INET;
	if (is_ip && chain.is_forward && chain.is_filter && chain.drops)
		push(listing->chains, &chain.forward);
}

int forward_chains_list(struct netlink *nl, struct forward_chains *ret, struct error *err)
{
	char space[REQUEST_MAX];
	struct listing listing = { .chains = ret };
	struct netlink_answer answer = { .add = take_chain, .data = &listing };
	struct nlmsghdr *message = begin(space, nl, NFT_MSG_GETCHAIN, NFPROTO_UNSPEC);
	int r = netlink_talk(nl, message, message->nlmsg_len, &answer,
			"list the chains of packet filters", err);
	for (size_t i = 0; i < ret->n; i++)
		for (size_t k = 0; k < listing.docker.n; k++)
			ret->items[i].has_docker |=
					ret->items[i].family == listing.docker.items[k].family &&
					!strcmp(ret->items[i].table, listing.docker.items[k].table);
	forward_chains_done(&listing.docker);
	return r;
}

/* ---- rules ---- */

struct rules {
	const char *interface;
	bool is_about_it, accepts; /* the rule that is read */
	bool found;
	bool has_any, has_one_about_it;
	bool is_compare, is_verdict; /* the expression that is read */
};

static int parse_verdict(const struct nlattr *attr, void *data)
{
	struct rules *rules = data;
	if (mnl_attr_get_type(attr) == NFTA_VERDICT_CODE)
		rules->accepts |= is_number(attr, NF_ACCEPT);
	return MNL_CB_OK;
}

static int parse_value(const struct nlattr *attr, void *data)
{
	struct rules *rules = data;
	size_t len = mnl_attr_get_payload_len(attr);
	const char *value = mnl_attr_get_payload(attr);
	if (mnl_attr_get_type(attr) == NFTA_DATA_VERDICT && rules->is_verdict)
		mnl_attr_parse_nested(attr, parse_verdict, rules);
	/* The name with its NUL; "br*" is compared without one. */
	if (mnl_attr_get_type(attr) == NFTA_DATA_VALUE && rules->is_compare)
		rules->is_about_it |= len <= IFNAMSIZ && !strncmp(value, rules->interface, len);
	return MNL_CB_OK;
}

static int parse_data(const struct nlattr *attr, void *data)
{
	const struct rules *rules = data;
	uint16_t type = mnl_attr_get_type(attr);
	if ((rules->is_compare && type == NFTA_CMP_DATA) ||
			(rules->is_verdict && type == NFTA_IMMEDIATE_DATA))
		mnl_attr_parse_nested(attr, parse_value, data);
	return MNL_CB_OK;
}

static int parse_expression(const struct nlattr *attr, void *data)
{
	struct rules *rules = data;
	char name[16];
	if (mnl_attr_get_type(attr) == NFTA_EXPR_NAME) {
		copy(name, sizeof(name), attr);
		rules->is_compare = !strcmp(name, "cmp");
		rules->is_verdict = !strcmp(name, "immediate");
	}
	/* The kernel tells the name first (nf_tables_fill_expr_info()). */
	if (mnl_attr_get_type(attr) == NFTA_EXPR_DATA)
		mnl_attr_parse_nested(attr, parse_data, rules);
	return MNL_CB_OK;
}

static int parse_expressions(const struct nlattr *attr, void *data)
{
	mnl_attr_parse_nested(attr, parse_expression, data);
	return MNL_CB_OK;
}

static int parse_rule(const struct nlattr *attr, void *data)
{
	if (mnl_attr_get_type(attr) == NFTA_RULE_EXPRESSIONS)
		mnl_attr_parse_nested(attr, parse_expressions, data);
	return MNL_CB_OK;
}

static void take_rule(void *data, const struct nlmsghdr *message)
{
	struct rules *rules = data;
	if ((message->nlmsg_type & 0xff) != NFT_MSG_NEWRULE)
		return;
	rules->is_about_it = rules->accepts = false;
	mnl_attr_parse(message, sizeof(struct nfgenmsg), parse_rule, rules);
	rules->found |= rules->is_about_it && rules->accepts;
	rules->has_any = true;
	rules->has_one_about_it |= rules->is_about_it;
}

int forward_table_look(struct netlink *nl, struct forward_table *table, const char *interface,
		struct error *err)
{
	char space[REQUEST_MAX];
	struct rules rules = { .interface = interface };
	struct netlink_answer answer = { .add = take_rule, .data = &rules };
	struct nlmsghdr *message = begin(space, nl, NFT_MSG_GETRULE, table->family);
	mnl_attr_put_strz(message, NFTA_RULE_TABLE, table->name);
	int r = netlink_talk(nl, message, message->nlmsg_len, &answer,
			"list the rules of a packet filter", err);
	/* Kernels differ in whether there is none of a table that is not there. */
	if (r == -ENOENT)
		r = 0;
	table->has_rules = rules.has_any;
	table->is_about_it = rules.has_one_about_it;
	return r;
}

int forward_chain_accepts(struct netlink *nl, const struct forward_chain *chain,
		const char *interface, bool *ret, struct error *err)
{
	struct rules rules = { .interface = interface };
	const char *const names[] = { chain->name, DOCKER_CHAIN };
	for (size_t i = 0; i < (chain->has_docker ? 2 : 1); i++) {
		char space[REQUEST_MAX];
		struct netlink_answer answer = { .add = take_rule, .data = &rules };
		struct nlmsghdr *message = begin(space, nl, NFT_MSG_GETRULE, chain->family);
		mnl_attr_put_strz(message, NFTA_RULE_TABLE, chain->table);
		mnl_attr_put_strz(message, NFTA_RULE_CHAIN, names[i]);
		int r = netlink_talk(nl, message, message->nlmsg_len, &answer,
				"list the rules of a packet filter", err);
		if (r < 0)
			return r;
	}
	*ret = rules.found;
	return 0;
}

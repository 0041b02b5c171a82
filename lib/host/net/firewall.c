/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Filters of connections in the kernel. */
#include "host/net/firewall.h"

#include <string.h>

#include "firewall/batch.h"
#include "host/net/firewall-sweep.h"
#include "host/net/firewall-verify.h"
#include "host/net/tap.h"
#include "util/mem.h"

/* Only there where connections are not tracked. */
#define FLOW_SET "flow-tcp-4"

static int check_links(const struct firewall_request *request, struct error *err)
{
	for (size_t i = 0; i < request->n; i++) {
		const struct fw_port *port = request->ports[i].port;
		if (!batch_link_is_valid(port->link))
			return error_set(err, EINVAL,
					"machine '%s', connection '%s': the interface '%s' has a "
					"name that nftables can't write; give the connection a "
					"name of letters, digits, '.', '_' and '-'",
					port->machine, port->connection, port->link);
	}
	return 0;
}

static int refuse_foreign(struct error *err)
{
	return error_set(err, EEXIST,
			"nftables has a table 'bridge " NFT_TABLE
			"' that this program has not made; it is left alone: rename it, or delete "
			"it with 'nft delete table bridge " NFT_TABLE "'");
}

/* ---- what is there ---- */

static bool is_of(const struct nft_item *chain, const struct fw_port *port)
{
	CLEANUP(freep) char *comment = batch_comment(port->machine, port->connection);
	return !strcmp(chain->comment, comment);
}

static int find_known(struct netlink *nl, const struct fw_port *port, enum batch_known *ret,
		struct error *err)
{
	CLEANUP(nft_list_done) struct nft_list found = {};
	*ret = BATCH_NEW;
	for (int d = 0; d < N_FW_DIRECTIONS; d++) {
		CLEANUP(freep) char *chain = batch_chain(port->link, (enum fw_direction)d);
		int r = nft_get_chain(nl, chain, &found, err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < found.n && *ret != BATCH_STALE; i++)
		*ret = is_of(&found.items[i], port) ? BATCH_OURS : BATCH_STALE;
	return 0;
}

/* ---- a batch for a request ---- */

struct install {
	struct netlink *nl;
	const struct firewall_request *request;
	enum nft_table table;
	enum fw_state state;
	bool takes_all; /* also what the kernel has already */
	uint32_t generation;
	bool is_all;		/* it was asked for, and there are no strangers */
	struct nft_list chains; /* with is_all: what there is */
	bool has_lost;		/* members of groups, which the others have to tell */
	const struct vm_filter **others;
	size_t n_others;
};

/* Is there anything of a connection, chains or its interface? 1: no; or a negative errno. */
static int is_absent(struct netlink *nl, struct netlink *links, const struct fw_port *port,
		struct error *err)
{
	CLEANUP(freep) char *alias = tap_alias(port->machine, port->connection);
	enum batch_known known;
	struct link link;
	int r = find_known(nl, port, &known, err);
	if (r < 0 || known != BATCH_NEW)
		return r;
	return tap_find(links, port->link, alias, &link, err);
}

static bool is_requested(const struct firewall_request *request, const char *link)
{
	for (size_t i = 0; i < request->n; i++)
		if (!strcmp(request->ports[i].port->link, link))
			return true;
	return false;
}

/* The filters of machines that are prepared, but for those of the request. */
static int find_others(struct install *in, struct error *err)
{
	const struct firewall_request *request = in->request;
	const struct firewall_port *ports = NULL;
	size_t n = 0;
	int r = request->others->find(request->others->data, request->policy, &ports, &n, err);
	if (r < 0)
		return r;
	free(in->others);
	in->others = xcalloc(n + 1, sizeof(struct vm_filter *));
	in->n_others = 0;
	for (size_t i = 0; i < n; i++) {
		const struct fw_port *port = ports[i].port;
		if (is_requested(request, port->link))
			continue;
		r = is_absent(in->nl, request->links, port, err);
		if (r < 0)
			return r;
		if (r == 0)
			in->others[in->n_others++] = port->filter;
	}
	return 0;
}

/* Who installs all there is fills the sets with it. */
static bool can_lose(const struct firewall_request *request)
{
	return request->others && !request->is_all;
}

/* What is read here must still be so when the batch is sent. */
static int begin(struct install *in, struct error *err)
{
	/* What an earlier try has found holds no more. */
	in->generation = 0;
	in->n_others = 0;
	int r = nft_find_table(in->nl, NFT_BRIDGE, &in->table, err);
	if (r < 0)
		return r;
	if (in->table == NFT_TABLE_FOREIGN)
		return refuse_foreign(err);
	bool needs_others = can_lose(in->request) && (in->has_lost || in->table == NFT_TABLE_NONE);
	if (!in->request->is_all && !needs_others)
		return 0;
	r = nft_generation(in->nl, &in->generation, err);
	if (r == 0 && in->request->is_all) {
		nft_list_done(&in->chains);
		r = nft_list_chains(in->nl, NFT_BRIDGE, &in->chains, err);
	}
	return r == 0 && needs_others ? find_others(in, err) : r;
}

/* "auto" is connection tracking, unless the kernel has refused that before. */
static int choose_state(struct install *in, struct error *err)
{
	in->state = in->request->policy->state;
	if (in->state != FW_STATE_AUTO)
		return 0;
	in->state = FW_STATE_CONNTRACK;
	if (in->table == NFT_TABLE_NONE || in->is_all)
		return 0;
	int r = nft_get_set(in->nl, FLOW_SET, err);
	if (r == 0)
		in->state = FW_STATE_FLOWS;
	return r < 0 ? r : 0;
}

/* ---- installing ---- */

static int find_ports(struct install *in, struct batch_port *ports, struct error *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < in->request->n; i++) {
		ports[i] = (struct batch_port){ .port = in->request->ports[i].port,
			.before = in->request->ports[i].before };
		if (in->table == NFT_TABLE_OURS)
			r = find_known(in->nl, ports[i].port, &ports[i].known, err);
	}
	return r;
}

/* Chains of a machine that nobody knows anything about: it has just come. */
static bool is_stranger(const struct firewall_request *request, const struct nft_item *chain)
{
	CLEANUP(freep) char *link = batch_link_of(chain->name);
	CLEANUP(freep) char *machine = batch_machine_of(chain->comment);
	if (!link || !machine)
		return false;
	return !request->gone || !strv_contains_sorted(request->gone, machine);
}

/* Are there chains of machines that are neither in the request nor gone? */
static bool has_strangers(const struct install *in)
{
	CLEANUP(strv_done) struct strv own = {};
	const struct firewall_request *request = in->request;
	for (size_t i = 0; i < request->n; i++)
		for (int d = 0; d < N_FW_DIRECTIONS; d++)
			strv_push_take(&own, batch_chain(request->ports[i].port->link,
							     (enum fw_direction)d));
	strv_sort(&own);
	for (size_t i = 0; i < in->chains.n; i++)
		if (!strv_contains_sorted(&own, in->chains.items[i].name) &&
				is_stranger(request, &in->chains.items[i]))
			return true;
	return false;
}

/* Returns 0, 1: it has to begin anew, or a negative errno. */
static int build(struct install *in, struct nft_batch *batch, struct error *err)
{
	const struct firewall_request *request = in->request;
	CLEANUP(freep)
	struct batch_port *ports = xcalloc(request->n + 1, sizeof(*ports));
	int r = find_ports(in, ports, err);
	if (r < 0)
		return r;
	if (in->is_all && !request->n) {
		if (in->table == NFT_TABLE_OURS)
			batch_remove_table(batch);
		return 0;
	}
	if (!request->n)
		return 0;
	batch_install(batch, &(struct batch_request){
					     .policy = request->policy,
					     .state = in->state,
					     .ports = ports,
					     .n = request->n,
					     .is_all = in->is_all,
					     .others = in->others,
					     .n_others = in->n_others,
			     });
	if (in->table == NFT_TABLE_NONE)
		return 0;
	if (!in->takes_all)
		r = verify_mark_current(in->nl, batch, err);
	if (r == 0 && can_lose(request) && !in->has_lost) {
		r = verify_find_lost(in->nl, batch, err);
		in->has_lost = r == 1;
	}
	if (r == 0 && in->is_all)
		r = firewall_sweep(in->nl, batch, &in->chains, err);
	return r;
}

/* What a refusal asks for: 1: try it again in another way; 0: it is one. */
static int adapt(struct install *in, const struct nft_batch *batch,
		const struct nft_failure *failure)
{
	const struct nft_change *change =
			failure->has_change ? &batch->items[failure->change] : NULL;
	if (change && in->request->policy->state == FW_STATE_AUTO &&
			in->state == FW_STATE_CONNTRACK && nft_change_tracks(change)) {
		in->state = FW_STATE_FLOWS;
		return 1;
	}
	/* What was there a moment ago has gone: somebody has swept up. */
	if (failure->code == ENOENT && !in->takes_all) {
		in->takes_all = true;
		return 1;
	}
	return 0;
}

/* Returns 0, 1: try again, or a negative errno. */
static int install_once(struct install *in, bool commit, struct error *err)
{
	CLEANUP(nft_batch_done) struct nft_batch batch = {};
	struct nft_failure failure = {};
	int r = build(in, &batch, err);
	if (r != 0 || !batch.n)
		return r;
	r = commit ? nft_commit(in->nl, &batch, in->generation, &failure, err)
		   : nft_check(in->nl, &batch, &failure, err);
	return r < 0 && failure.code && adapt(in, &batch, &failure) ? 1 : r;
}

static void install_done(struct install *in)
{
	nft_list_done(&in->chains);
	free(in->others);
}

/* Everything but what is to be done with it. */
static int look(struct install *in, struct error *err)
{
	int r = begin(in, err);
	if (r < 0)
		return r;
	in->is_all = in->request->is_all && !has_strangers(in);
	/* Others may have found out meanwhile that the kernel can't track connections. */
	return in->state == FW_STATE_FLOWS ? 0 : choose_state(in, err);
}

static int install(struct netlink *nl, const struct firewall_request *request, bool commit,
		struct error *err)
{
	CLEANUP(install_done)
	struct install in = { .nl = nl, .request = request, .takes_all = !commit };
	int r = check_links(request, err);
	if (r < 0)
		return r;
	for (struct netlink_tries tries = {}; netlink_may_try(&tries);) {
		r = look(&in, err);
		if (r == 0)
			r = install_once(&in, commit, err);
		if (r <= 0)
			return r;
	}
	return error_set(err, EAGAIN, "cannot install the firewall: nftables changes all the time");
}

int firewall_install(struct netlink *nl, const struct firewall_request *request, struct error *err)
{
	return install(nl, request, true, err);
}

int firewall_check(struct netlink *nl, const struct firewall_request *request, struct error *err)
{
	return install(nl, request, false, err);
}

/* ---- what was changed by hand ---- */

static int find_absent(struct netlink *nl, struct netlink *links,
		const struct firewall_request *request, struct strv *ret, struct error *err)
{
	for (size_t i = 0; i < request->n; i++) {
		const struct fw_port *port = request->ports[i].port;
		int r = is_absent(nl, links, port, err);
		if (r < 0)
			return r;
		if (r > 0)
			strv_push(ret, port->link);
	}
	strv_sort(ret);
	return 0;
}

struct looking {
	struct netlink *nl, *links;
	const struct firewall_request *request;
};

static int find_changed(void *data, struct strv *ret_changed, struct error *err)
{
	const struct looking *looking = data;
	const struct firewall_request *request = looking->request;
	CLEANUP(install_done)
	struct install in = { .nl = looking->nl, .request = request, .takes_all = true };
	CLEANUP(nft_batch_done) struct nft_batch batch = {};
	CLEANUP(strv_done) struct strv absent = {};
	int r = find_absent(looking->nl, looking->links, request, &absent, err);
	if (r == 0)
		r = look(&in, err);
	if (r < 0)
		return r;
	if (in.table == NFT_TABLE_NONE) {
		if (absent.n < request->n)
			strv_push(ret_changed, "table 'bridge " NFT_TABLE "'");
		return 0;
	}
	r = build(&in, &batch, err);
	return r < 0 ? r : verify_batch(looking->nl, &batch, &absent, ret_changed, err);
}

int firewall_find_changed(struct netlink *nl, struct netlink *links,
		const struct firewall_request *request, struct strv *ret_changed, struct error *err)
{
	struct looking looking = { nl, links, request };
	return verify_steadily(nl, find_changed, &looking, ret_changed, err);
}

/* ---- looking ---- */

int firewall_preview(struct netlink *nl, const struct firewall_request *request, struct buf *ret,
		struct error *err)
{
	CLEANUP(install_done) struct install in = { .nl = nl, .request = request };
	CLEANUP(nft_batch_done) struct nft_batch batch = {};
	int r = check_links(request, err);
	for (bool again = r == 0; again; again = r == 1) {
		nft_batch_done(&batch);
		r = look(&in, err);
		if (r == 0)
			r = build(&in, &batch, err);
	}
	for (size_t i = 0; r == 0 && i < batch.n; i++)
		if (!nft_batch_skips(&batch, i))
			nft_text_change(&batch.items[i], ret);
	return r;
}

int firewall_machines(struct netlink *nl, struct strv *ret, struct error *err)
{
	CLEANUP(nft_list_done) struct nft_list chains = {};
	enum nft_table table;
	int r = nft_find_table(nl, NFT_BRIDGE, &table, err);
	if (r == 0 && table == NFT_TABLE_OURS)
		r = nft_list_chains(nl, NFT_BRIDGE, &chains, err);
	for (size_t i = 0; r == 0 && i < chains.n; i++) {
		CLEANUP(freep) char *machine = batch_machine_of(chains.items[i].comment);
		if (machine && !strv_contains(ret, machine))
			strv_push(ret, machine);
	}
	strv_sort(ret);
	return r;
}

static void move_counters(struct nft_list *rules, const char *chain, struct nft_list *ret)
{
	for (size_t i = 0; i < rules->n; i++) {
		struct nft_item *rule = &rules->items[i];
		if (!rule->counts)
			continue;
		ret->items = grow_array(ret->items, &ret->n_alloc, ret->n, sizeof(*ret->items));
		ret->items[ret->n] = *rule;
		ret->items[ret->n].name = xstrdup(chain);
		free(rule->name);
		ret->n++;
		*rule = (struct nft_item){};
	}
}

int firewall_count_chain(
		struct netlink *nl, const char *chain, struct nft_list *ret, struct error *err)
{
	CLEANUP(nft_list_done) struct nft_list rules = {};
	int r = nft_list_rules(nl, NFT_BRIDGE, chain, &rules, err);
	if (r == 0)
		move_counters(&rules, chain, ret);
	return r;
}

int firewall_count(struct netlink *nl, const char *machine, struct nft_list *ret, struct error *err)
{
	CLEANUP(nft_list_done) struct nft_list chains = {};
	CLEANUP(freep) char *prefix = batch_comment_prefix(machine);
	bool found = false;
	enum nft_table table;
	int r = nft_find_table(nl, NFT_BRIDGE, &table, err);
	if (r == 0 && table == NFT_TABLE_OURS)
		r = nft_list_chains(nl, NFT_BRIDGE, &chains, err);
	for (size_t i = 0; r == 0 && i < chains.n; i++) {
		const struct nft_item *chain = &chains.items[i];
		CLEANUP(freep) char *link = batch_link_of(chain->name);
		if (!link || strncmp(chain->comment, prefix, strlen(prefix)) != 0)
			continue;
		found = true;
		r = firewall_count_chain(nl, chain->name, ret, err);
	}
	return r < 0 ? r : !found;
}

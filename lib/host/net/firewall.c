/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Filters of connections in the kernel. */
#include "host/net/firewall.h"

#include <string.h>

#include "firewall/batch.h"
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
			"nftables has a table 'bridge " NFT_TABLE "' that this program has not "
			"made; it is left alone: rename it, or delete it with 'nft delete table "
			"bridge " NFT_TABLE "'");
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
};

static int begin(struct install *in, struct error *err)
{
	int r = nft_find_table(in->nl, NFT_BRIDGE, &in->table, err);
	if (r < 0)
		return r;
	if (in->table == NFT_TABLE_FOREIGN)
		return refuse_foreign(err);
	if (!in->request->is_all)
		return 0;
	nft_list_done(&in->chains);
	r = nft_generation(in->nl, &in->generation, err);
	return r < 0 ? r : nft_list_chains(in->nl, NFT_BRIDGE, &in->chains, err);
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

/* ---- what else there is ---- */

struct names {
	const char **items;
	size_t n;
};

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The chains or sets that a batch makes, or leaves as they are. */
static struct names names_in(struct nft_batch *batch, enum nft_change_kind kind)
{
	struct names names = { .items = arena_array(
					       &batch->arena, batch->n, sizeof(*names.items)) };
	for (size_t i = 0; i < batch->n; i++)
		if (batch->items[i].kind == kind)
			names.items[names.n++] = kind == NFT_ADD_CHAIN ? batch->items[i].chain
								       : batch->items[i].set->name;
	if (names.n > 1)
		qsort(names.items, names.n, sizeof(*names.items), compare_names);
	return names;
}

static bool contains(const struct names *names, const char *name)
{
	return names->n &&
	       bsearch(&name, names->items, names->n, sizeof(*names->items), compare_names);
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

/* First what leads somewhere, then what it led to. */
static void sweep_chains(
		struct nft_batch *batch, const struct names *made, const struct nft_list *chains)
{
	CLEANUP(strv_done) struct strv links = {}, shared = {};
	for (size_t i = 0; i < chains->n; i++) {
		const struct nft_item *chain = &chains->items[i];
		CLEANUP(freep) char *link = batch_link_of(chain->name);
		if (chain->is_base || contains(made, chain->name))
			continue;
		if (!link)
			strv_push(&shared, chain->name);
		else if (!strv_contains(&links, link))
			strv_push(&links, link);
	}
	for (size_t i = 0; i < links.n; i++)
		batch_remove(batch, links.items[i]);
	for (size_t i = 0; i < shared.n; i++)
		batch_flush_chain(batch, shared.items[i]);
	for (size_t i = 0; i < shared.n; i++)
		batch_remove_chain(batch, shared.items[i]);
}

static void sweep_sets(struct nft_batch *batch, const struct nft_list *sets)
{
	const struct names made = names_in(batch, NFT_ADD_SET);
	for (size_t i = 0; i < sets->n; i++)
		/* Sets of one rule go with it. */
		if (strncmp(sets->items[i].name, "__", 2) != 0 &&
				!contains(&made, sets->items[i].name))
			batch_remove_set(batch, sets->items[i].name);
}

static int sweep(struct install *in, struct nft_batch *batch, struct error *err)
{
	CLEANUP(nft_list_done) struct nft_list sets = {};
	const struct names made = names_in(batch, NFT_ADD_CHAIN);
	int r = nft_list_sets(in->nl, &sets, err);
	if (r < 0)
		return r;
	sweep_chains(batch, &made, &in->chains);
	sweep_sets(batch, &sets);
	return 0;
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
			     });
	if (in->table == NFT_TABLE_NONE)
		return 0;
	if (!in->takes_all)
		r = verify_mark_current(in->nl, batch, err);
	if (r == 0 && in->is_all)
		r = sweep(in, batch, err);
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
	if (r < 0 || !batch.n)
		return r;
	r = commit ? nft_commit(in->nl, &batch, in->generation, &failure, err)
		   : nft_check(in->nl, &batch, &failure, err);
	return r < 0 && failure.code && adapt(in, &batch, &failure) ? 1 : r;
}

static void install_done(struct install *in)
{
	nft_list_done(&in->chains);
}

/* Everything but what is to be done with it. */
static int look(struct install *in, struct error *err)
{
	int r = begin(in, err);
	if (r < 0)
		return r;
	in->is_all = in->request->is_all && !has_strangers(in);
	return in->state == FW_STATE_AUTO ? choose_state(in, err) : 0;
}

static int install(struct netlink *nl, const struct firewall_request *request, bool commit,
		struct error *err)
{
	CLEANUP(install_done)
	struct install in = { .nl = nl, .request = request, .takes_all = !commit };
	int r = check_links(request, err);
	if (r < 0)
		return r;
	for (uint64_t until = 0; netlink_may_try(&until);) {
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

/* Has a connection neither chains nor an interface? A negative errno on failure. */
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

static int find_changed_once(struct netlink *nl, const struct firewall_request *request,
		const struct strv *absent, struct strv *ret_changed, struct error *err)
{
	CLEANUP(install_done)
	struct install in = { .nl = nl, .request = request, .takes_all = true };
	CLEANUP(nft_batch_done) struct nft_batch batch = {};
	int r = look(&in, err);
	if (r < 0)
		return r;
	if (in.table == NFT_TABLE_NONE) {
		if (absent->n < request->n)
			strv_push(ret_changed, "table 'bridge " NFT_TABLE "'");
		return 0;
	}
	r = build(&in, &batch, err);
	return r < 0 ? r : verify_batch(nl, &batch, absent, ret_changed, err);
}

int firewall_find_changed(struct netlink *nl, struct netlink *links,
		const struct firewall_request *request, struct strv *ret_changed, struct error *err)
{
	/* Between two looks somebody may have installed other rules: that is no damage. */
	for (uint64_t until = 0; netlink_may_try(&until);) {
		CLEANUP(strv_done) struct strv changed = {}, absent = {};
		uint32_t before = 0, after = 0;
		int r = nft_generation(nl, &before, err);
		if (r == 0)
			r = find_absent(nl, links, request, &absent, err);
		if (r == 0)
			r = find_changed_once(nl, request, &absent, &changed, err);
		if (r == 0)
			r = nft_generation(nl, &after, err);
		if (r == 0 && before != after)
			continue;
		if (r == 0)
			strv_extend(ret_changed, &changed);
		return r;
	}
	return error_set(err, EAGAIN, "cannot look at the firewall: nftables changes all the time");
}

/* ---- looking ---- */

int firewall_preview(struct netlink *nl, const struct firewall_request *request, struct buf *ret,
		struct error *err)
{
	CLEANUP(install_done) struct install in = { .nl = nl, .request = request };
	CLEANUP(nft_batch_done) struct nft_batch batch = {};
	int r = check_links(request, err);
	if (r == 0)
		r = look(&in, err);
	if (r == 0)
		r = build(&in, &batch, err);
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

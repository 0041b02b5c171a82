/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The filters of connections in the kernel: installed, removed, checked, counted. What a rule
 * becomes is decided in firewall/batch.h; here is when it is sent, and what is done when somebody
 * else changes rules at the same time.
 *
 * A table of our name that another program made is never touched.
 */
#pragma once

#include "firewall/policy.h"
#include "host/net/nft.h"

struct firewall_port {
	const struct fw_port *port;
	const struct vm_filter *before; /* what it was installed with, whose addresses are no
					   longer members of groups; NULL: not installed, or all
					   the same */
};

/* Who knows which connections have filters, by the plans of machines. */
struct firewall_others {
	/*
	 * The connections with a filter of all machines that are being prepared, or have been; also
	 * those of the request itself. Borrowed until it is called again.
	 */
	int (*find)(void *data, const struct fw_policy *policy, const struct firewall_port **ret,
			size_t *ret_n, struct error *err);
	void *data;
};

struct firewall_request {
	const struct fw_policy *policy;
	const struct firewall_port *ports;
	size_t n;
	/*
	 * All that is to be there: what the kernel has of the machines of @gone, or nobody uses,
	 * goes. Chains of others, who have come meanwhile, stay, and with them what is shared.
	 */
	bool is_all;
	const struct strv *gone; /* names, sorted; NULL for none */
	/* Asked where the kernel has lost the members of groups; NULL: those of the request are
	 * all. */
	const struct firewall_others *others;
	struct netlink *links; /* with it: a socket of rtnetlink, to look for interfaces */
};

/*
 * Install the filters of all these connections in one transaction, with what they share. What the
 * kernel has of them is replaced, without a moment without rules; what they share, only if the
 * config has changed or somebody has changed it by hand (host/net/firewall-verify.h). The entries
 * of other machines in the maps are theirs, and so are their addresses in the sets of a group's
 * members; but when somebody has emptied such a set, or removed the table, all of them are filled.
 *
 * Errors: EEXIST: a foreign table has our name; EINVAL: an interface whose name nftables can't
 * write; the kernel's, with the machine and the rule. Nothing is changed then.
 */
MUST_CHECK int firewall_install(
		struct netlink *nl, const struct firewall_request *request, struct error *err);

/* The same, but the kernel only says whether it would take it. */
MUST_CHECK int firewall_check(
		struct netlink *nl, const struct firewall_request *request, struct error *err);

/*
 * What the kernel has of these connections, as they were installed, and of what they share, and
 * that somebody has emptied, removed or changed by hand: see verify_batch(). A connection that has
 * neither chains nor an interface is not prepared, and nothing is missing.
 *
 * @links: a socket of rtnetlink, to look for interfaces
 */
MUST_CHECK int firewall_find_changed(struct netlink *nl, struct netlink *links,
		const struct firewall_request *request, struct strv *ret_changed,
		struct error *err);

/* The changes that firewall_install() would send now, as text of nft(8). */
MUST_CHECK int firewall_preview(struct netlink *nl, const struct firewall_request *request,
		struct buf *ret, struct error *err);

struct firewall_removal {
	const char *machine;
	/* Its interfaces that have filters, no other has any; NULL: not known. To look through the
	 * chains of a thousand machines takes milliseconds. */
	const struct strv *links;
	const struct vm_filter *const *filters; /* NULL where there is none */
	size_t n_filters;
};

/*
 * Remove what there is of a machine: all chains that say they are its own. The addresses of its
 * filters are no longer members of their groups. With the last machine the table goes.
 *
 * Succeeds where there is nothing.
 */
MUST_CHECK int firewall_remove(
		struct netlink *nl, const struct firewall_removal *removal, struct error *err);

/* The machines that have chains, each once, in byte order. */
MUST_CHECK int firewall_machines(struct netlink *nl, struct strv *ret, struct error *err);

/* What was counted by the rules of a chain: those with a counter; each is called like the chain. */
MUST_CHECK int firewall_count_chain(
		struct netlink *nl, const char *chain, struct nft_list *ret, struct error *err);
/* The same for all chains of a machine. Returns 0, or 1: it has none. */
MUST_CHECK int firewall_count(
		struct netlink *nl, const char *machine, struct nft_list *ret, struct error *err);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host's side of a network with a bridge of its own: what the hooks of its unit do.
 *
 * Each step can be repeated, and what a killed process has left is found again. A bridge that
 * machines are connected to is never taken away, nor its rules: when dnsmasq ends and is started
 * again, guests notice nothing.
 *
 * The thread enters the host's network namespace meanwhile and comes back.
 */
#pragma once

#include "model/network.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/error.h"
#include "util/strv.h"

struct network_options {
	const char *run_dir; /* of the network: "/run/machina-network/home" */
	const char *netns;   /* NULL: "/proc/1/ns/net" */
	/* Called before each step with its line; may be NULL. */
	void (*on_step)(void *data, const char *line);
	void *data;
};

/*
 * Make everything that the network needs: files of dnsmasq, forwarding, packet filter, bridge. On
 * failure what was made is undone.
 */
MUST_CHECK int network_prepare(const struct network *network, const struct network_options *options,
		struct error *err);

/*
 * Would network_prepare() succeed, as far as that shows without changing anything?
 *
 * @is_up: it has; can machines still connect to it?
 */
MUST_CHECK int network_check(const struct network *network, const struct network_options *options,
		bool is_up, struct error *err);

/* Write the files and the packet filter anew. */
MUST_CHECK int network_refresh(const struct network *network, const struct network_options *options,
		struct error *err);

/*
 * Install the packet filter of a network that is up anew: somebody may have flushed nftables.
 *
 * @ret_text: not NULL: nothing is changed; the changes are appended as text of nft(8)
 *
 * Returns 0, or 1: its bridge is not there, and nothing is done.
 */
MUST_CHECK int network_restore_rules(const struct network *network,
		const struct network_options *options, struct buf *ret_text, struct error *err);

/*
 * The same if somebody has emptied, removed or changed any of it by hand.
 *
 * @ret_changed: what was so is appended, as by net_rules_find_changed()
 */
MUST_CHECK int network_mend_rules(const struct network *network,
		const struct network_options *options, struct strv *ret_changed, struct error *err);

/*
 * Undo it, going on after failures. Succeeds where nothing was made.
 *
 * @network: a name is enough
 * @ret_failures: a text for each failure is appended
 * @ret_port: the name of a machine's interface for which all stays as it is; "" if nothing stays
 *
 * Returns 0 or the first failure's negative errno.
 */
MUST_CHECK int network_teardown(const struct network *network,
		const struct network_options *options, struct strv *ret_failures,
		char ret_port[16]);

/* A line for each step. Pure. */
void network_describe(const struct network *network, const char *run_dir, struct strv *ret_lines);
void network_describe_teardown(
		const struct network *network, const char *run_dir, struct strv *ret_lines);

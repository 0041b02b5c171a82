/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A network with a bridge of its own (modes "nat", "routed" and "isolated"), resolved: what its
 * unit is made from and carries, and what the hooks of that unit do. Meaning: machina-network(5).
 *
 *	CLEANUP(network_done) struct network network = {};
 *	int r = network_build(&host, conf, &network, &report);
 *	network_add_leases(&network, &leases);
 *
 * In a unit it is a list of rows, each a list of words:
 *
 *	network name=home mode=nat bridge=mnat0 mac=02:5e:8a:11:22:33
 *	address ip=10.77.0.1 prefix=24
 *	forward port=8080 to=10.77.0.5 to-port=80
 *	lease mac=52:54:00:26:77:fa host=web ip=10.77.0.5
 */
#pragma once

#include "config/load.h"
#include "model/filter.h"
#include "model/leases.h"
#include "util/arena.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/error.h"
#include "util/strv.h"

struct network_address {
	const char *ip; /* as inet_ntop(3) writes it */
	int prefix;
	/* The same in bytes, and its network. */
	enum fw_family family;
	uint8_t bytes[16];
	struct fw_range block;
};

/* A port of the host that leads to a guest. */
struct network_forward {
	enum forward_protocol protocol;
	const char *address; /* of the host; NULL: any of its own */
	int port;
	const char *to; /* the guest's address, of the same family */
	int to_port;
};

struct network_lease {
	const char *mac;
	const char *host;   /* its name; NULL: another has it, or it can be none */
	struct jstrings ip; /* none: from the range */
};

struct network {
	struct arena arena;
	const char *name;
	enum network_mode mode;
	const char *bridge;
	const char *mac; /* of the bridge, the same each time */
	int64_t mtu;	 /* 0: the kernel's */
	bool isolate;	 /* guests don't reach each other by the host's routing either */
	bool host_access;
	const char *domain; /* NULL: none */
	bool dhcp;
	const char *dhcp_first; /* NULL: only leases */
	const char *dhcp_last;
	int64_t lease_seconds;
	struct network_address *addresses;
	size_t n_addresses;
	struct network_forward *forwards;
	size_t n_forwards;
	struct network_lease *leases;
	size_t n_leases;
};

void network_done(struct network *network);

/*
 * @conf: of @host, with a mode that owns its bridge
 * @ret: released with network_done() in every case; has no leases
 *
 * Returns 0, or 1 when errors were added to @report: @ret is not usable then.
 */
MUST_CHECK int network_build(const struct host *host, const struct network_conf *conf,
		struct network *ret, struct report *report);

/* Report what two networks of the host can't both have: bridges, addresses, ports of the host. */
void networks_check(const struct host *host, struct report *report);

/* Those of the machines that are connected to it. */
void network_add_leases(struct network *network, const struct leases *leases);

/* Has it an address of that family? */
bool network_has_family(const struct network *network, enum fw_family family) PURE;
/* Does the "address" of a forward stand for all of the host's own: none, "0.0.0.0", "::"? */
bool network_forward_is_any(const char *address);

/* Read "10.77.0.1/24"; of the form that the config's check lets through. */
void network_address_read(const char *text, struct arena *arena, struct network_address *ret);
/* Is it one of the addresses that hosts of the network can have? */
bool network_address_holds(
		const struct network_address *network, enum fw_family family, const uint8_t *bytes);

/*
 * A bridge's MAC address, the same each time: else it would be the lowest one of its ports, and
 * change with them. The caller frees it.
 */
char *network_mac(const char *name);

/* The name of a network's unit, the user of it, where its files are. The caller frees them. */
char *network_unit_name(const char *network);
char *network_user_name(const char *network);
/* @run_dir: of all machines ("/run/machina") */
char *network_run_dir(const char *run_dir, const char *network);

/* All rows, as model/words.h writes them. */
void network_put_rows(const struct network *network, struct buf *ret);

/*
 * Read rows back, one call for each, into a network that began as {}.
 *
 * Errors: EINVAL with a text for a word that is unknown or missing.
 */
MUST_CHECK int network_parse_row(
		struct network *network, const struct strv *words, struct error *err);
MUST_CHECK int network_parse_end(const struct network *network, struct error *err);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Networks of the host's config. Format and meaning: machina.conf(5) and machina-network(5), made
 * from network_fields.
 */
#pragma once

#include "config/firewall.h"
#include "json/jbind.h"

/* A port of the host that leads to a port of a guest. */
struct forward_conf {
	int protocol;	     /* enum forward_protocol; -1: tcp */
	const char *address; /* on the host; NULL: 127.0.0.1 in mode user, else any of its own */
	int64_t port;	     /* on the host */
	const char *to;	     /* the guest's address; NULL in mode user */
	int64_t to_port;     /* in the guest; 0: the same */
};
enum forward_protocol { FORWARD_TCP, FORWARD_UDP };
extern const char *const forward_protocol_names[];

/* What gives a guest its network in mode user. */
enum user_backend { USER_BACKEND_SLIRP, USER_BACKEND_PASST };
extern const char *const user_backend_names[];

enum network_mode {
	NETWORK_BRIDGE,
	NETWORK_NAT,
	NETWORK_ROUTED,
	NETWORK_ISOLATED,
	NETWORK_USER,
	NETWORK_VF,
	NETWORK_MACVTAP,
	NETWORK_VHOST_USER,
};
extern const char *const network_mode_names[];

/* What the guests on one interface see of each other; the kernel's modes of macvlan. */
enum macvtap_mode { MACVTAP_BRIDGE, MACVTAP_PRIVATE, MACVTAP_VEPA, MACVTAP_PASSTHRU };
extern const char *const macvtap_mode_names[];

/*
 * Are the guests' interfaces ports of a bridge? Of one that the network's own unit makes?
 *
 * @mode: as in struct network_conf; for the form of the Go program both say no
 */
bool network_has_bridge(int mode) PURE;
bool network_owns_bridge(int mode) PURE;

struct dhcp_conf {
	const char *range; /* "10.77.0.100-10.77.0.199", "static"; NULL: no DHCP */
	const char *lease; /* a span of time; NULL: 1h */
};

struct network_conf {
	const char *name;
	int mode; /* enum network_mode; -1: the form of the Go program, a bridge with scripts */
	/* The bridge; of mode vf: the card's interface; of mode macvtap: the one that is shared */
	const char *device;
	const char *up; /* script; NULL: the bridge is joined by us; "no": nothing is done */
	const char *down;
	int64_t mtu;		 /* 0: the bridge's */
	int64_t vlan;		 /* untagged VLAN of the ports; 0: none */
	struct jstrings vlans;	 /* tagged ones: "20", "30-39" */
	bool isolate;		 /* ports do not reach each other */
	bool vhost;		 /* the kernel moves the packets (vhost-net), where it can */
	struct jstrings address; /* the bridge's own: "10.77.0.1/24" */
	struct dhcp_conf dhcp;
	const char *domain; /* of the guests' names; NULL: none */
	bool host_access;   /* guests reach the host's services */
	/* Mode vf: how many functions to make when there are none; 0: none */
	int64_t virtual_functions;
	bool spoof_check;
	bool trust;
	const char *socket;   /* pattern; mode vhost-user. NULL: QEMU makes one */
	int macvtap_mode;     /* enum macvtap_mode; -1: not set */
	int backend;	      /* enum user_backend; -1: slirp */
	struct jlist forward; /* struct forward_conf */
	struct fw_default_conf defaults;
	struct fw_guard_conf guard;
};

extern const struct field network_fields[];

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Networks of the host's config. Format and meaning: machina.conf(5) and machina-network(5), made
 * from network_fields.
 */
#pragma once

#include "config/firewall.h"
#include "json/jbind.h"

/* A port of the host that leads to a port of the guest (QEMU's user-mode network only). */
struct forward_conf {
	int protocol;	     /* enum forward_protocol; -1: tcp */
	const char *address; /* on the host; NULL: 127.0.0.1 */
	int64_t port;	     /* on the host */
	int64_t to_port;     /* in the guest; 0: the same */
};
enum forward_protocol { FORWARD_TCP, FORWARD_UDP };
extern const char *const forward_protocol_names[];

enum network_mode { NETWORK_BRIDGE, NETWORK_USER };
extern const char *const network_mode_names[];

struct network_conf {
	const char *name;
	int mode; /* enum network_mode; -1: the form of the Go program, a bridge with scripts */
	const char *device; /* the bridge */
	const char *up;	    /* script; NULL: the bridge is joined by us; "no": nothing is done */
	const char *down;
	int64_t mtu;	       /* 0: the bridge's */
	int64_t vlan;	       /* untagged VLAN of the ports; 0: none */
	struct jstrings vlans; /* tagged ones: "20", "30-39" */
	bool isolate;	       /* ports do not reach each other */
	bool vhost;	       /* the kernel moves the packets (vhost-net), where it can */
	struct jlist forward;  /* struct forward_conf */
	struct fw_default_conf defaults;
	struct fw_guard_conf guard;
};

extern const struct field network_fields[];

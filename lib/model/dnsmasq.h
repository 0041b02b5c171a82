/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What dnsmasq(8) is told about a network: its arguments, and the files that it reads again when it
 * gets a SIGHUP. Pure.
 */
#pragma once

#include "model/network.h"
#include "util/buf.h"

#define DNSMASQ "/usr/sbin/dnsmasq"

/*
 * Append the arguments, the program first.
 *
 * @run_dir: of the network, with the files DNSMASQ_HOSTS and DNSMASQ_NAMES
 * @state_dir: of the network, for the leases that were given
 */
void dnsmasq_argv(const struct network *network, const char *run_dir, const char *state_dir,
		struct strv *ret);

/* Addresses and names of guests by their MAC address (--dhcp-hostsfile). */
#define DNSMASQ_HOSTS "hosts"
void dnsmasq_hosts(const struct network *network, struct buf *ret);

/* Names of addresses that are always the same, in the form of hosts(5) (--addn-hosts): known also
 * before the guest has asked for its address. */
#define DNSMASQ_NAMES "names"
void dnsmasq_names(const struct network *network, struct buf *ret);

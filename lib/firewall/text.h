/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules and guards in words, for who reads them at night. Pure.
 */
#pragma once

#include "firewall/policy.h"
#include "util/strv.h"

/* Append "tcp 22, 1000-2000 from 192.0.2.0/24, @office, at most 10 a minute"; "everything" for a
 * rule without conditions. */
void fw_rule_put(struct buf *out, const struct fw_rule *rule);

/* What a rule is limited to, besides its packets: ", at most 10 a minute"; nothing if there is no
 * limit. */
void fw_rate_put(struct buf *out, const struct fw_rule *rule);

/* What the guard drops: for each part that is on, its name and a description are appended. */
void fw_guard_describe(const struct fw_port *port, struct strv *ret_parts, struct strv *ret_texts);

/* Append all ranges, of IPv4 first: "192.0.2.5, 2001:db8::/32"; nothing if there are none. */
void fw_addresses_put(struct buf *out, const struct fw_addresses *addresses);

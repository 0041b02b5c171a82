/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checks of rules against the host's sets and groups. Private to lib/firewall.
 */
#pragma once

#include "firewall/policy.h"
#include "model/filter-read.h"

/*
 * Report the sets and groups that a rule names and that are not there, and a list of addresses that
 * shares no family with the rule's protocol.
 *
 * @merged: the config that the rule's pointer leads into
 */
void check_rule(const struct fw_policy *policy, const struct filter_reader *reader,
		struct json_object *merged, const struct fw_rule *rule);
void check_rules(const struct fw_policy *policy, const struct filter_reader *reader,
		struct json_object *merged, const struct fw_rules *rules);

/* That there is no group of that name, as a finding at @pointer. */
void check_report_group(const struct fw_policy *policy, const struct filter_reader *reader,
		const char *pointer, const char *name);

/* The place of "@set" or "&group" in the rule's list, or the list's. The caller frees it. */
char *check_peer_pointer(struct json_object *merged, const struct fw_rule *rule, char mark,
		const char *name);

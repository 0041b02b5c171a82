/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's groups and sets by their names, and the members of groups. */
#include "firewall/policy.h"

#include <stdlib.h>
#include <string.h>

#include "util/mem.h"

void fw_policy_done(struct fw_policy *policy)
{
	arena_done(&policy->arena);
	json_object_put(policy->flawed);
	*policy = (struct fw_policy){};
}

/* Sets and groups begin with their names. */
static int compare_name(const void *name, const void *named)
{
	return strcmp(name, *(const char *const *)named);
}

static const void *find(const char *name, const void *items, size_t n, size_t size)
{
	return n ? bsearch(name, items, n, size, compare_name) : NULL;
}

const struct fw_set *fw_policy_set(const struct fw_policy *policy, const char *name)
{
	return find(name, policy->sets, policy->n_sets, sizeof(*policy->sets));
}

const struct fw_group *fw_policy_group(const struct fw_policy *policy, const char *name)
{
	return find(name, policy->groups, policy->n_groups, sizeof(*policy->groups));
}

const struct fw_set *fw_policy_members(const struct fw_policy *policy, const char *group)
{
	const struct fw_group *found = fw_policy_group(policy, group);
	return found ? &policy->members[found - policy->groups] : NULL;
}

void fw_policy_add_members(struct fw_policy *policy, const struct vm_filter *filter)
{
	for (size_t i = 0; i < filter->n_groups; i++) {
		const struct fw_group *group = fw_policy_group(policy, filter->groups[i]);
		if (!group)
			continue;
		struct fw_set *members = &policy->members[group - policy->groups];
		for (int f = 0; f < N_FW_FAMILIES; f++) {
			const struct fw_ranges *more = &filter->ip.of[f];
			struct fw_ranges *have = &members->addresses.of[f];
			struct fw_range *items = arena_array(
					&policy->arena, have->n + more->n, sizeof(*items));
			if (have->n)
				memcpy(items, have->items, have->n * sizeof(*items));
			if (more->n)
				memcpy(items + have->n, more->items, more->n * sizeof(*items));
			have->n = fw_ranges_merge(items, have->n + more->n, (enum fw_family)f);
			have->items = items;
		}
	}
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which changes of a unit only another start brings into effect. */
#include <string.h>

#include "unit/service.h"
#include "util/cleanup.h"

/*
 * What a config can change of a process that runs. The other limits are of its control group,
 * which systemd sets anew when it reads the unit (systemd.resource-control(5)); hooks and time-outs
 * hold from then on; and the sandbox changes with the arguments or the plan, which ask for it.
 */
static const struct {
	const char *section, *key;
} bound[] = {
	{ "Service", "CPUAffinity" },
	{ "Service", "ExecStart" },
	{ "Service", "LimitMEMLOCK" },
	{ "Service", "NUMAMask" },
	{ "Service", "NUMAPolicy" },
	{ "Service", "Nice" },
	{ "Service", "OOMScoreAdjust" },
	{ "X-Machina", "Plan" },
};

/* A row of the plan but for the time that a stop takes: it is that of the unit's stop hook. */
#define STOP_WORD " stop-sec="

static bool same_value(const char *x, const char *y)
{
	const char *a = strstr(x, STOP_WORD), *b = strstr(y, STOP_WORD);
	if (!a || !b || a - x != b - y || strncmp(x, y, (size_t)(a - x)) != 0)
		return strcmp(x, y) == 0;
	a += strlen(STOP_WORD);
	b += strlen(STOP_WORD);
	return strcmp(a + strspn(a, "0123456789"), b + strspn(b, "0123456789")) == 0;
}

static bool is_same(const struct unitdoc *a, const struct unitdoc *b, const char *section,
		const char *key)
{
	const struct unitdoc_entry *x = NULL, *y = NULL;
	do {
		x = unitdoc_next(a, section, key, x);
		y = unitdoc_next(b, section, key, y);
		if (!x != !y || (x && !same_value(x->value, y->value)))
			return false;
	} while (x);
	return true;
}

bool unit_needs_restart(const struct unitdoc *started, const struct unitdoc *now)
{
	for (size_t i = 0; i < ARRAY_SIZE(bound); i++)
		if (!is_same(started, now, bound[i].section, bound[i].key))
			return true;
	return false;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Limits of the unit and the forms of their values. */
#include "config/limits.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/mem.h"
#include "util/parse.h"

static bool is_one_of(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (!strcmp(text, *words))
			return true;
	return false;
}

/* The length of a number with or without a fraction; 0 for none. */
static size_t number_length(const char *text)
{
	size_t n = strspn(text, "0123456789");
	if (n && text[n] == '.') {
		size_t fraction = strspn(text + n + 1, "0123456789");
		n = fraction ? n + 1 + fraction : 0;
	}
	return n;
}

static bool is_bytes(const char *text)
{
	size_t n = number_length(text);
	const char *unit = text + n;
	return n && (!unit[0] || (strchr("BKMGTPE", unit[0]) && !unit[1]));
}

static bool is_percent(const char *text)
{
	static const char *const units[] = { "%", "\u2030", "\u2031", NULL };
	size_t n = number_length(text);
	return n && is_one_of(text + n, units);
}

/* systemd.time(7), without the forms of several words. */
static bool is_span(const char *text)
{
	static const char *const units[] = { "", "us", "usec", "ms", "msec", "s", "sec", "m", "min",
		"h", "hr", "d", "w", NULL };
	size_t n = number_length(text);
	return n && is_one_of(text + n, units);
}

static bool is_weight(const char *text)
{
	int value;
	return parse_int(text, 1, 10000, &value) == 0;
}

static bool is_cpu_weight(const char *text)
{
	return is_weight(text) || !strcmp(text, "idle");
}

static bool is_memory(const char *text)
{
	return is_bytes(text) || is_percent(text) || !strcmp(text, "infinity");
}

static bool is_tasks(const char *text)
{
	uint64_t value;
	return (parse_u64(text, &value) == 0 && value > 0) || is_percent(text) ||
	       !strcmp(text, "infinity");
}

/* "soft" or "soft:hard". */
static bool is_limit(const char *text)
{
	CLEANUP(freep) char *soft = xstrdup(text);
	char *hard = soft;
	strsep(&hard, ":");
	const char *const parts[] = { soft, hard };
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (parts[i] && !is_bytes(parts[i]) && strcmp(parts[i], "infinity") != 0)
			return false;
	return true;
}

/* Numbers and ranges, with spaces or commas between them. */
static bool is_list(const char *text)
{
	CLEANUP(freep) char *copy = xstrdup(text);
	char *state = NULL;
	bool any = false;
	for (char *part = strtok_r(copy, " ,", &state); part; part = strtok_r(NULL, " ,", &state)) {
		char *end = part;
		uint64_t first, last;
		strsep(&end, "-");
		if (parse_u64(part, &first) < 0 ||
				(end && (parse_u64(end, &last) < 0 || last < first)))
			return false;
		any = true;
	}
	return any;
}

static bool is_affinity(const char *text)
{
	return is_list(text) || !strcmp(text, "numa");
}

static bool is_nodes(const char *text)
{
	return is_list(text) || !strcmp(text, "all");
}

static bool is_policy(const char *text)
{
	static const char *const words[] = { "default", "preferred", "bind", "interleave", "local",
		NULL };
	return is_one_of(text, words);
}

static bool is_oom_action(const char *text)
{
	static const char *const words[] = { "auto", "kill", NULL };
	return is_one_of(text, words);
}

static bool is_oom_preference(const char *text)
{
	static const char *const words[] = { "none", "avoid", "omit", NULL };
	return is_one_of(text, words);
}

static bool is_nice(const char *text)
{
	int value;
	return parse_int(text, -20, 19, &value) == 0;
}

static bool is_oom_score(const char *text)
{
	int value;
	return parse_int(text, -1000, 1000, &value) == 0;
}

/* What stands behind the path and a space; NULL for another form. */
static const char *device_value(const char *text)
{
	const char *space = strrchr(text, ' ');
	return text[0] == '/' && space && space[-1] != ' ' ? space + 1 : NULL;
}

static bool is_device_weight(const char *text)
{
	const char *value = device_value(text);
	return value && is_weight(value);
}

static bool is_device_span(const char *text)
{
	const char *value = device_value(text);
	return value && is_span(value);
}

static bool is_device_bytes(const char *text)
{
	const char *value = device_value(text);
	return value && (is_bytes(value) || !strcmp(value, "infinity"));
}

#define LIST "numbers and ranges such as \"0-3,8\""
#define WEIGHT "a weight from 1 to 10000"
#define MEMORY "a size such as \"4G\" or \"50%\", or \"infinity\""
#define OOM_ACTION "\"auto\" or \"kill\""

/* One row a setting: its name, the form of its value, the form in words. */
#define LIMITS(row)                                                                                      \
	row(AllowedCPUs, is_list, LIST) row(AllowedMemoryNodes, is_list, LIST) row(                      \
			CPUAffinity, is_affinity, LIST ", or \"numa\"") row(CPUQuota, is_percent,        \
			"a percentage such as \"150%\"") row(CPUQuotaPeriodSec, is_span,                 \
			"a time such as \"10ms\"") row(CPUWeight, is_cpu_weight,                         \
			WEIGHT ", or \"idle\"") row(IODeviceLatencyTargetSec, is_device_span,            \
			"a path and a time: \"/dev/sda 25ms\"") row(IODeviceWeight,                      \
			is_device_weight,                                                                \
			"a path and a weight from 1 to 10000: \"/dev/sda 200\"") row(IOReadBandwidthMax, \
			is_device_bytes,                                                                 \
			"a path and bytes a second: \"/dev/sda 5M\"") row(IOReadIOPSMax,                 \
			is_device_bytes,                                                                 \
			"a path and a number a second: \"/dev/sda 1K\"") row(IOWeight, is_weight,        \
			WEIGHT) row(IOWriteBandwidthMax, is_device_bytes,                                \
			"a path and bytes a second: \"/dev/sda 5M\"") row(IOWriteIOPSMax,                \
			is_device_bytes,                                                                 \
			"a path and a number a second: \"/dev/sda 1K\"") row(LimitMEMLOCK,               \
			is_limit,                                                                        \
			"a size such as \"4G\", or \"infinity\"") row(ManagedOOMMemoryPressure,          \
			is_oom_action, OOM_ACTION) row(ManagedOOMMemoryPressureLimit, is_percent,        \
			"a percentage such as \"60%\"") row(ManagedOOMPreference,                        \
			is_oom_preference, "\"none\", \"avoid\" or \"omit\"") row(ManagedOOMSwap,        \
			is_oom_action, OOM_ACTION) row(MemoryHigh, is_memory,                            \
			MEMORY) row(MemoryLow, is_memory, MEMORY) row(MemoryMax, is_memory,              \
			MEMORY) row(MemoryMin, is_memory, MEMORY) row(MemorySwapMax, is_memory,          \
			MEMORY) row(MemoryZSwapMax, is_memory, MEMORY) row(NUMAMask, is_nodes,           \
			LIST ", or \"all\"") row(NUMAPolicy, is_policy,                                  \
			"\"default\", \"preferred\", \"bind\", \"interleave\" or \"local\"")             \
			row(Nice, is_nice, "a number from -20 to 19") row(OOMScoreAdjust,                \
					is_oom_score,                                                    \
					"a number from -1000 to 1000") row(StartupAllowedCPUs,           \
					is_list, LIST) row(StartupAllowedMemoryNodes, is_list,           \
					LIST) row(StartupCPUWeight, is_cpu_weight,                       \
					WEIGHT ", or \"idle\"") row(StartupIOWeight, is_weight,          \
					WEIGHT) row(TasksMax, is_tasks,                                  \
					"a number, a percentage such as \"15%\", or \"infinity\"")

#define LIMIT_NAME(name, form, words) #name,
const char *const limit_names[] = { LIMITS(LIMIT_NAME) NULL };

#define LIMIT_FORM(name, form, words) { form, words },
static const struct {
	bool (*is_valid)(const char *text);
	const char *expected;
} limit_forms[] = { LIMITS(LIMIT_FORM) };

bool limit_valid(const char *name, const char *value, const char **ret_expected)
{
	for (size_t i = 0; i < ARRAY_SIZE(limit_forms); i++) {
		if (strcmp(limit_names[i], name) != 0)
			continue;
		*ret_expected = limit_forms[i].expected;
		return limit_forms[i].is_valid(value);
	}
	*ret_expected = "a limit that is known";
	return false;
}

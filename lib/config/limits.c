/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Limits of the unit and the forms of their values. */
#include "config/limits.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/mem.h"
#include "util/parse.h"

#define CPUS_MAX 8192 /* what the kernel and systemd take */

static bool is_one_of(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (!strcmp(text, *words))
			return true;
	return false;
}

/* A number with or without a fraction; *ret_unit is what stands behind it. */
static bool read_number(const char *text, double *ret, const char **ret_unit)
{
	size_t n = strspn(text, "0123456789");
	size_t fraction = n && text[n] == '.' ? strspn(text + n + 1, "0123456789") : 0;
	if (!n || (text[n] == '.' && !fraction))
		return false;
	/* The decimal point is that of the C locale, as long as main() sets no LC_NUMERIC. */
	*ret = strtod(text, NULL);
	*ret_unit = text + n + (fraction ? fraction + 1 : 0);
	return true;
}

/* Bytes, or a thing that is counted, in units of 1024. */
static bool read_amount(const char *text, double *ret)
{
	static const char units[] = "BKMGTPE";
	const char *unit;
	if (!read_number(text, ret, &unit))
		return false;
	uint64_t factor = 1;
	if (unit[0]) {
		const char *known = strchr(units, unit[0]);
		if (!known || unit[1])
			return false;
		factor <<= 10 * (known - units);
	}
	/* Both as systemd has it: with a fraction, the next whole unit has to fit as well. */
	bool fits = *ret <= (double)(UINT64_MAX / factor);
	*ret *= (double)factor;
	return fits && *ret < (double)UINT64_MAX;
}

/* In parts of ten thousand: systemd takes no digit of less (parse_permyriad() in its
 * src/basic/percent-util.c). */
static bool read_permyriad(const char *text, double *ret)
{
	static const char *const units[] = { "\u2031", "\u2030", "%" };
	const char *unit;
	if (!read_number(text, ret, &unit))
		return false;
	const char *point = memchr(text, '.', (size_t)(unit - text));
	size_t n_decimals = point ? (size_t)(unit - point) - 1 : 0;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++, *ret *= 10)
		if (!strcmp(unit, units[i]))
			return n_decimals <= i && *ret <= INT32_MAX;
	return false;
}

/* Of a whole. */
static bool is_share(const char *text)
{
	double value;
	return read_permyriad(text, &value) && value <= 10000;
}

/* Of one processor. */
static bool is_quota(const char *text)
{
	double value;
	return read_permyriad(text, &value) && value > 0;
}

/* systemd.time(7), without the forms of several words. */
static bool is_span(const char *text)
{
	static const char *const units[] = { "", "us", "usec", "ms", "msec", "s", "sec", "m", "min",
		"h", "hr", "d", "w", NULL };
	double value;
	const char *unit;
	return read_number(text, &value, &unit) && is_one_of(unit, units) && value < 1e9;
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
	double bytes;
	return read_amount(text, &bytes) || is_share(text) || !strcmp(text, "infinity");
}

/* None at all would be no limit, but a machine that cannot run. */
static bool is_some_memory(const char *text)
{
	double value;
	bool is_none = (read_amount(text, &value) && value < 1) ||
		       (read_permyriad(text, &value) && value <= 0);
	return is_memory(text) && !is_none;
}

static bool is_tasks(const char *text)
{
	uint64_t value;
	return (parse_u64(text, &value) == 0 && value > 0 && value < UINT64_MAX) ||
	       is_share(text) || !strcmp(text, "infinity");
}

static bool read_limit(const char *text, double *ret)
{
	*ret = HUGE_VAL;
	return !strcmp(text, "infinity") || read_amount(text, ret);
}

/* "soft" or "soft:hard". */
static bool is_limit(const char *text)
{
	CLEANUP(freep) char *soft = xstrdup(text);
	char *hard = soft;
	strsep(&hard, ":");
	double low, high;
	return read_limit(soft, &low) && (!hard || (read_limit(hard, &high) && low <= high));
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
		if (parse_u64(part, &first) < 0 || (end && parse_u64(end, &last) < 0))
			return false;
		if (!end)
			last = first;
		if (last < first || last >= CPUS_MAX)
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

static bool is_device_rate(const char *text)
{
	const char *value = device_value(text);
	double rate;
	return value && ((read_amount(value, &rate) && rate >= 1) || !strcmp(value, "infinity"));
}

/* What a value must look like. */
struct form {
	bool (*is_valid)(const char *text);
	const char *expected;
};

#define LIST "numbers and ranges such as \"0-3,8\""
#define WEIGHT "a weight from 1 to 10000"
#define MEMORY "a size such as \"4G\", \"50%\" or \"12.25%\", or \"infinity\""

static const struct form list = { is_list, LIST };
static const struct form affinity = { is_affinity, LIST ", or \"numa\"" };
static const struct form nodes = { is_nodes, LIST ", or \"all\"" };
static const struct form quota = { is_quota, "a percentage such as \"150%\" or \"12.25%\"" };
static const struct form share = { is_share, "a percentage such as \"60%\" or \"12.25%\"" };
static const struct form span = { is_span, "a time such as \"10ms\"" };
static const struct form weight = { is_weight, WEIGHT };
static const struct form cpu_weight = { is_cpu_weight, WEIGHT ", or \"idle\"" };
static const struct form memory = { is_memory, MEMORY };
static const struct form some_memory = { is_some_memory, MEMORY };
static const struct form tasks = { is_tasks,
	"a number, a percentage such as \"15%\" or \"12.25%\", or \"infinity\"" };
static const struct form limit = { is_limit, "a size such as \"4G\", or \"infinity\"" };
static const struct form policy = { is_policy,
	"\"default\", \"preferred\", \"bind\", \"interleave\" or \"local\"" };
static const struct form niceness = { is_nice, "a number from -20 to 19" };
static const struct form oom_score = { is_oom_score, "a number from -1000 to 1000" };
static const struct form oom_action = { is_oom_action, "\"auto\" or \"kill\"" };
static const struct form oom_preference = { is_oom_preference, "\"none\", \"avoid\" or \"omit\"" };
static const struct form device_span = { is_device_span, "a path and a time: \"/dev/sda 25ms\"" };
static const struct form device_weight = { is_device_weight,
	"a path and a weight from 1 to 10000: \"/dev/sda 200\"" };
static const struct form device_bytes = { is_device_rate,
	"a path and bytes a second: \"/dev/sda 5M\"" };
static const struct form device_number = { is_device_rate,
	"a path and a number a second: \"/dev/sda 1K\"" };

/*
 * One row a setting: its name and the form of its value. A macro, since the names are an array of
 * their own for the table of fields; clang-format would join its rows.
 */
/* clang-format off */
#define LIMITS(row) \
	row(AllowedCPUs,                   list) \
	row(AllowedMemoryNodes,            list) \
	row(CPUAffinity,                   affinity) \
	row(CPUQuota,                      quota) \
	row(CPUQuotaPeriodSec,             span) \
	row(CPUWeight,                     cpu_weight) \
	row(IODeviceLatencyTargetSec,      device_span) \
	row(IODeviceWeight,                device_weight) \
	row(IOReadBandwidthMax,            device_bytes) \
	row(IOReadIOPSMax,                 device_number) \
	row(IOWeight,                      weight) \
	row(IOWriteBandwidthMax,           device_bytes) \
	row(IOWriteIOPSMax,                device_number) \
	row(LimitMEMLOCK,                  limit) \
	row(ManagedOOMMemoryPressure,      oom_action) \
	row(ManagedOOMMemoryPressureLimit, share) \
	row(ManagedOOMPreference,          oom_preference) \
	row(ManagedOOMSwap,                oom_action) \
	row(MemoryHigh,                    some_memory) \
	row(MemoryLow,                     memory) \
	row(MemoryMax,                     some_memory) \
	row(MemoryMin,                     memory) \
	row(MemorySwapMax,                 memory) \
	row(MemoryZSwapMax,                memory) \
	row(NUMAMask,                      nodes) \
	row(NUMAPolicy,                    policy) \
	row(Nice,                          niceness) \
	row(OOMScoreAdjust,                oom_score) \
	row(StartupAllowedCPUs,            list) \
	row(StartupAllowedMemoryNodes,     list) \
	row(StartupCPUWeight,              cpu_weight) \
	row(StartupIOWeight,               weight) \
	row(TasksMax,                      tasks)
/* clang-format on */

#define LIMIT_NAME(name, form) #name,
const char *const limit_names[] = { LIMITS(LIMIT_NAME) NULL };

#define LIMIT_FORM(name, form) &form,
static const struct form *const limit_forms[] = { LIMITS(LIMIT_FORM) };

bool limit_valid(const char *name, const char *value, const char **ret_expected)
{
	for (size_t i = 0; i < ARRAY_SIZE(limit_forms); i++) {
		if (strcmp(limit_names[i], name) != 0)
			continue;
		*ret_expected = limit_forms[i]->expected;
		return limit_forms[i]->is_valid(value);
	}
	*ret_expected = "a limit that is known";
	return false;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading the states and properties of units. */
#include "host/systemd/bus-unit.h"

#include <errno.h>
#include <string.h>

#include "host/systemd/bus-call.h"
#include "util/mem.h"
#include "util/parse.h"

bool unit_is_up(const char *active_state)
{
	return !strcmp(active_state, "active") || !strcmp(active_state, "reloading");
}

bool unit_is_down(const char *active_state)
{
	return !strcmp(active_state, "inactive") || !strcmp(active_state, "failed");
}

const char *unit_sub_state(const char *sub_state)
{
	return !strcmp(sub_state, "auto-restart-queued") ? "auto-restart" : sub_state;
}

/* Properties that are one value of a basic type, and where they go. */
static const struct property {
	const char *name;
	char type; /* of D-Bus */
	size_t offset;
} properties[] = {
	{ "ActiveEnterTimestamp", 't', offsetof(struct unit_info, active_enter_usec) },
	{ "ActiveExitTimestamp", 't', offsetof(struct unit_info, active_exit_usec) },
	{ "ActiveState", 's', offsetof(struct unit_info, active_state) },
	{ "ControlGroup", 's', offsetof(struct unit_info, control_group) },
	{ "CPUUsageNSec", 't', offsetof(struct unit_info, cpu_usage_nsec) },
	{ "Description", 's', offsetof(struct unit_info, description) },
	{ "ExecMainCode", 'i', offsetof(struct unit_info, exec_main_code) },
	{ "ExecMainStatus", 'i', offsetof(struct unit_info, exec_main_status) },
	{ "InactiveEnterTimestamp", 't', offsetof(struct unit_info, inactive_enter_usec) },
	{ "InactiveExitTimestamp", 't', offsetof(struct unit_info, inactive_exit_usec) },
	{ "LoadState", 's', offsetof(struct unit_info, load_state) },
	{ "MainPID", 'u', offsetof(struct unit_info, main_pid) },
	{ "MemoryCurrent", 't', offsetof(struct unit_info, memory_current) },
	{ "NRestarts", 'u', offsetof(struct unit_info, n_restarts) },
	{ "NeedDaemonReload", 'b', offsetof(struct unit_info, need_daemon_reload) },
	{ "Result", 's', offsetof(struct unit_info, result) },
	{ "SubState", 's', offsetof(struct unit_info, sub_state) },
	{ "UnitFileState", 's', offsetof(struct unit_info, unit_file_state) },
};

static const char *const step_settings[] = { "ExecCondition", "ExecStartPre", "ExecStart",
	"ExecStartPost", "ExecReload", "ExecStop", "ExecStopPost" };

static void step_done(struct exec_step *step)
{
	free(step->path);
	strv_done(&step->argv);
}

static void steps_done(struct exec_step *steps, size_t n)
{
	for (size_t i = 0; i < n; i++)
		step_done(&steps[i]);
	free(steps);
}

void unit_info_done(struct unit_info *info)
{
	for (size_t i = 0; i < ARRAY_SIZE(properties); i++)
		if (properties[i].type == 's')
			free(*(char **)((char *)info + properties[i].offset));
	free(info->load_error);
	steps_done(info->steps, info->n_steps);
	*info = (struct unit_info){};
}

static int read_property(sd_bus_message *m, const struct property *p, struct unit_info *info)
{
	void *to = (char *)info + p->offset;
	char contents[] = { p->type, '\0' };
	int r = sd_bus_message_enter_container(m, 'v', contents);
	if (r < 0)
		return r;
	if (p->type == 's') {
		const char *text;
		r = sd_bus_message_read_basic(m, 's', &text);
		if (r >= 0) {
			free(*(char **)to);
			*(char **)to = xstrdup(
					to == &info->sub_state ? unit_sub_state(text) : text);
		}
	} else if (p->type == 'b') {
		int value;
		r = sd_bus_message_read_basic(m, 'b', &value);
		if (r >= 0)
			*(bool *)to = value;
	} else {
		/* 't', 'u' and 'i' have the width of their member. */
		r = sd_bus_message_read_basic(m, p->type, to);
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_load_error(sd_bus_message *m, struct unit_info *info)
{
	const char *name, *message;
	int r = sd_bus_message_read(m, "v", "(ss)", &name, &message);
	if (r >= 0) {
		free(info->load_error);
		info->load_error = xstrdup(message);
	}
	return r;
}

static int read_invocation(sd_bus_message *m, struct unit_info *info)
{
	const uint8_t *id;
	size_t len;
	int r = sd_bus_message_enter_container(m, 'v', "ay");
	if (r >= 0)
		r = sd_bus_message_read_array(m, 'y', (const void **)&id, &len);
	if (r < 0)
		return r;
	/* Empty for a unit that was never started. */
	if (len == (UNIT_ID_MAX - 1) / 2)
		format_hex(id, len, HEX_LOWER, info->invocation_id);
	return sd_bus_message_exit_container(m);
}

/* Property Job in org.freedesktop.systemd1(5): 0 and "/" for none. */
static int read_job(sd_bus_message *m, struct unit_info *info)
{
	const char *path;
	return sd_bus_message_read(m, "v", "(uo)", &info->job_id, &path);
}

static int read_step(sd_bus_message *m, struct exec_step *step)
{
	const char *path;
	int r = sd_bus_message_enter_container(m, 'r', "sasbttttuii");
	if (r <= 0)
		return r;
	r = sd_bus_message_read_basic(m, 's', &path);
	if (r >= 0)
		r = sd_bus_message_enter_container(m, 'a', "s");
	const char *argument;
	while (r >= 0 && (r = sd_bus_message_read_basic(m, 's', &argument)) > 0)
		strv_push(&step->argv, argument);
	if (r >= 0)
		r = sd_bus_message_exit_container(m);

	int ignore;
	uint32_t pid;
	uint64_t unused;
	if (r >= 0)
		r = sd_bus_message_read(m, "bttttuii", &ignore, &unused, &unused, &unused,
				&step->end_usec, &pid, &step->code, &step->status);
	if (r < 0)
		return r;
	step->path = xstrdup(path);
	step->ignore_failure = ignore;
	step->pid = (pid_t)pid;
	r = sd_bus_message_exit_container(m);
	return r < 0 ? r : 1;
}

static int read_steps(sd_bus_message *m, const char *setting, struct unit_info *info)
{
	int r = sd_bus_message_enter_container(m, 'v', "a(sasbttttuii)");
	if (r >= 0)
		r = sd_bus_message_enter_container(m, 'a', "(sasbttttuii)");
	while (r >= 0) {
		struct exec_step step = { .setting = setting };
		r = read_step(m, &step);
		if (r <= 0) {
			step_done(&step);
			break;
		}
		info->steps = xreallocarray(info->steps, info->n_steps + 1, sizeof(step));
		info->steps[info->n_steps++] = step;
	}
	if (r >= 0)
		r = sd_bus_message_exit_container(m);
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* One "{sv}", the cursor being in it. */
static int read_entry(sd_bus_message *m, struct unit_info *info)
{
	const char *name;
	int r = sd_bus_message_read_basic(m, 's', &name);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(properties); i++)
		if (strcmp(properties[i].name, name) == 0)
			return read_property(m, &properties[i], info);
	for (size_t i = 0; i < ARRAY_SIZE(step_settings); i++)
		if (strcmp(step_settings[i], name) == 0)
			return read_steps(m, step_settings[i], info);
	if (strcmp(name, "InvocationID") == 0)
		return read_invocation(m, info);
	if (strcmp(name, "LoadError") == 0)
		return read_load_error(m, info);
	if (strcmp(name, "Job") == 0)
		return read_job(m, info);
	return sd_bus_message_skip(m, "v");
}

static int read_unit(sd_bus_message *m, struct unit_info *info)
{
	int r = sd_bus_message_enter_container(m, 'a', "{sv}");
	while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
		r = read_entry(m, info);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* Nothing is known of it. */
static void clear_info(struct unit_info *info)
{
	*info = (struct unit_info){
		.memory_current = UINT64_MAX,
		.cpu_usage_nsec = UINT64_MAX,
		.load_error = xstrdup(""),
	};
	for (size_t i = 0; i < ARRAY_SIZE(properties); i++)
		if (properties[i].type == 's')
			*(char **)((char *)info + properties[i].offset) = xstrdup("");
}

static void set_text(char **text, const char *value)
{
	free(*text);
	*text = xstrdup(value);
}

void unit_info_at_rest(struct unit_info *ret)
{
	clear_info(ret);
	set_text(&ret->active_state, "inactive");
	set_text(&ret->sub_state, "dead");
}

void unit_info_of_row(const struct unit_row *row, const struct unit_run *run, struct unit_info *ret)
{
	clear_info(ret);
	set_text(&ret->load_state, row->load_state);
	set_text(&ret->active_state, row->active_state);
	set_text(&ret->sub_state, row->sub_state);
	if (unit_is_up(row->active_state))
		ret->active_enter_usec = run->since_usec;
	ret->main_pid = run->main_pid;
	ret->n_restarts = run->n_restarts;
	ret->memory_current = run->memory_current;
	ret->cpu_usage_nsec = run->cpu_usage_nsec;
}

int bus_get_unit(struct bus *bus, const char *name, struct unit_info *ret, struct error *err)
{
	CLEANUP(freep) char *path = NULL;
	CLEANUP(freep) char *what = xasprintf("read the state of '%s'", name);
	CLEANUP(bus_message_unrefp) sd_bus_message *call = NULL, *reply = NULL;
	int r = sd_bus_path_encode(BUS_PATH "/unit", name, &path);
	/* No interface: the properties of all, of the unit and of the service, in one answer. */
	if (r >= 0)
		r = sd_bus_message_new_method_call(bus->sd, &call, BUS_NAME, path,
				"org.freedesktop.DBus.Properties", "GetAll");
	if (r >= 0)
		r = sd_bus_message_append(call, "s", "");
	if (r < 0)
		return bus_broken(err, r);
	r = bus_call(bus, call, what, &reply, err);
	if (r < 0)
		return r;

	CLEANUP(unit_info_done) struct unit_info info;
	clear_info(&info);
	r = read_unit(reply, &info);
	if (r < 0)
		return bus_broken(err, r);
	*ret = info;
	info = (struct unit_info){};
	return 0;
}

uint64_t unit_since_usec(const struct unit_info *info)
{
	if (unit_is_up(info->active_state))
		return info->active_enter_usec;
	if (!strcmp(info->active_state, "activating"))
		return info->inactive_exit_usec;
	if (!strcmp(info->active_state, "deactivating"))
		return info->active_exit_usec;
	return info->inactive_enter_usec;
}

/* A text that the manager tells of itself. */
static int get_text(struct bus *bus, const char *property, const char *what, char **ret,
		struct error *err)
{
	sd_bus_error refusal = SD_BUS_ERROR_NULL;
	int r = sd_bus_get_property_string(
			bus->sd, BUS_NAME, BUS_PATH, BUS_MANAGER, property, &refusal, ret);
	return bus_ended(r, &refusal, what, err);
}

int bus_get_version(struct bus *bus, char **ret, struct error *err)
{
	return get_text(bus, "Version", "ask systemd for its version", ret, err);
}

int bus_is_stopping(struct bus *bus, bool *ret, struct error *err)
{
	CLEANUP(freep) char *state = NULL;
	int r = get_text(bus, "SystemState", "ask systemd for its state", &state, err);
	if (r == 0)
		*ret = !strcmp(state, "stopping");
	return r;
}

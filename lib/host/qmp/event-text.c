/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU's events as sentences for people. */
#include "host/qmp/event-text.h"

#include <stdbool.h>
#include <string.h>

#include "json/jtree.h"
#include "util/mem.h"
#include "util/visible.h"

#define VALUE_MAX 400

/*
 * Of the rows of an event the first one counts whose condition holds. "{a.b}" stands for a member
 * of the data, "{a.b:size}" for a number of bytes as MiB, "{a|b}" for the first of several that is
 * not empty.
 */
static const struct row {
	const char *name;
	const char *key, *value; /* the condition; NULL: always */
	const char *text;
} rows[] = {
	{ "ACPI_DEVICE_OST", NULL, NULL,
			"guest reports the state of device '{info.device|info.slot}': status "
			"{info.status}" },
	{ "BALLOON_CHANGE", NULL, NULL, "memory of the guest is now {actual:size}" },
	{ "BLOCK_EXPORT_DELETED", NULL, NULL, "export '{id}' of a disk was ended" },
	{ "BLOCK_IMAGE_CORRUPTED", NULL, NULL, "disk {node-name|device}: image is corrupt: {msg}" },
	{ "BLOCK_IO_ERROR", "nospace", "true",
			"disk {node-name|device}: no space left for a {operation} ({action})" },
	{ "BLOCK_IO_ERROR", NULL, NULL,
			"disk {node-name|device}: I/O error on {operation}: {reason} ({action})" },
	{ "BLOCK_JOB_CANCELLED", NULL, NULL, "{type} of disk {device} was canceled" },
	{ "BLOCK_JOB_COMPLETED", "error", "", "{type} of disk {device} is done" },
	{ "BLOCK_JOB_COMPLETED", NULL, NULL, "{type} of disk {device} failed: {error}" },
	{ "BLOCK_JOB_ERROR", NULL, NULL, "job of disk {device}: error on {operation} ({action})" },
	{ "BLOCK_JOB_PENDING", NULL, NULL, "{type} '{id}' waits to be finished" },
	{ "BLOCK_JOB_READY", NULL, NULL, "{type} of disk {device} is ready to be completed" },
	{ "BLOCK_WRITE_THRESHOLD", NULL, NULL,
			"disk {node-name}: written beyond {write-threshold:size}" },
	{ "DEVICE_DELETED", "device", "", "device '{path}' was removed" },
	{ "DEVICE_DELETED", NULL, NULL, "device '{device}' was removed" },
	{ "DEVICE_TRAY_MOVED", "tray-open", "true", "CD tray '{id|device}' opened" },
	{ "DEVICE_TRAY_MOVED", NULL, NULL, "CD tray '{id|device}' closed" },
	{ "DEVICE_UNPLUG_GUEST_ERROR", NULL, NULL,
			"guest refuses to give up device '{device|path}'" },
	{ "DUMP_COMPLETED", "result.status", "completed", "dump of the guest's memory is done" },
	{ "DUMP_COMPLETED", NULL, NULL, "dump of the guest's memory: {result.status} {error}" },
	{ "GUEST_CRASHLOADED", NULL, NULL, "guest has panicked and loads its crash kernel" },
	{ "GUEST_PANICKED", NULL, NULL, "guest has panicked ({action})" },
	{ "JOB_STATUS_CHANGE", NULL, NULL, "job '{id}' is {status}" },
	{ "MEMORY_DEVICE_SIZE_CHANGE", NULL, NULL,
			"memory device '{id|qom-path}' is now {size:size}" },
	{ "MEMORY_FAILURE", NULL, NULL, "faulty memory, seen by the {recipient}: {action}" },
	{ "MEM_UNPLUG_ERROR", NULL, NULL, "memory '{device}' can't be removed: {msg}" },
	{ "MIGRATION", NULL, NULL, "migration: {status}" },
	{ "MIGRATION_PASS", NULL, NULL, "migration: pass {pass}" },
	{ "NETDEV_STREAM_CONNECTED", NULL, NULL, "network '{netdev-id}' is connected" },
	{ "NETDEV_STREAM_DISCONNECTED", NULL, NULL, "network '{netdev-id}' is disconnected" },
	{ "NIC_RX_FILTER_CHANGED", NULL, NULL,
			"guest has changed which packets '{name|path}' takes" },
	{ "POWERDOWN", NULL, NULL, "power button was pressed" },
	{ "PR_MANAGER_STATUS_CHANGED", "connected", "true", "reservations '{id}': connected" },
	{ "PR_MANAGER_STATUS_CHANGED", NULL, NULL, "reservations '{id}': disconnected" },
	{ "RESET", "guest", "true", "guest restarts" },
	{ "RESET", NULL, NULL, "machine was reset ({reason})" },
	{ "RESUME", NULL, NULL, "runs on" },
	{ "RTC_CHANGE", NULL, NULL, "guest has set its clock: {offset} s from the host's" },
	{ "SHUTDOWN", "reason", "guest-shutdown", "guest has shut down" },
	{ "SHUTDOWN", "reason", "guest-reset", "ends since the guest restarts" },
	{ "SHUTDOWN", "reason", "guest-panic", "ends since the guest has panicked" },
	{ "SHUTDOWN", "reason", "host-qmp-quit", "QEMU was told to quit" },
	{ "SHUTDOWN", "reason", "host-signal", "QEMU was ended by a signal" },
	{ "SHUTDOWN", NULL, NULL, "ends ({reason})" },
	{ "SPICE_CONNECTED", NULL, NULL, "SPICE: {client.host} connects" },
	{ "SPICE_DISCONNECTED", NULL, NULL, "SPICE: {client.host} has gone" },
	{ "SPICE_INITIALIZED", NULL, NULL, "SPICE: {client.host} is connected" },
	{ "STOP", NULL, NULL, "stands still" },
	{ "SUSPEND", NULL, NULL, "guest sleeps" },
	{ "SUSPEND_DISK", NULL, NULL, "guest hibernates" },
	{ "VNC_CONNECTED", NULL, NULL, "VNC: {client.host} connects" },
	{ "VNC_DISCONNECTED", NULL, NULL, "VNC: {client.host} has gone" },
	{ "VNC_INITIALIZED", NULL, NULL, "VNC: {client.host} is connected" },
	{ "VSERPORT_CHANGE", "open", "true", "guest has opened the channel '{id}'" },
	{ "VSERPORT_CHANGE", NULL, NULL, "guest has closed the channel '{id}'" },
	{ "WAKEUP", NULL, NULL, "guest wakes up" },
	{ "WATCHDOG", NULL, NULL, "guest has not fed its watchdog ({action})" },
};

const char *event_text_name(size_t *cursor)
{
	while (*cursor < ARRAY_SIZE(rows)) {
		size_t i = (*cursor)++;
		if (i == 0 || strcmp(rows[i].name, rows[i - 1].name) != 0)
			return rows[i].name;
	}
	return NULL;
}

/* @path: "a.b" in @len bytes */
static struct json_object *find(struct json_object *data, const char *path, size_t len)
{
	while (len && data) {
		size_t part = 0;
		while (part < len && path[part] != '.')
			part++;
		CLEANUP(freep) char *key = xstrndup(path, part);
		data = jtree_get(data, key);
		path += part < len ? part + 1 : part;
		len -= part < len ? part + 1 : part;
	}
	return data;
}

static void add_value(struct json_object *value, struct buf *text)
{
	const char *plain = !value ? "" : jtree_text(value);
	visible_add(text, plain, strlen(plain), VALUE_MAX);
}

static void add_size(struct json_object *value, struct buf *text)
{
	if (!json_object_is_type(value, json_type_int))
		add_value(value, text);
	else
		buf_printf(text, "%.6g MiB", (double)json_object_get_int64(value) / 1048576);
}

/* What stands between the braces, @len bytes. */
static void add_place(const char *place, size_t len, struct json_object *data, struct buf *text)
{
	static const char size[] = ":size";
	bool is_size = len > strlen(size) &&
		       !strncmp(place + len - strlen(size), size, strlen(size));
	len -= is_size ? strlen(size) : 0;
	while (len) {
		const char *end = memchr(place, '|', len);
		size_t part = end ? (size_t)(end - place) : len;
		struct json_object *value = find(data, place, part);
		/* Names of nodes are empty where there is none. */
		if (value && *jtree_text(value)) {
			(is_size ? add_size : add_value)(value, text);
			return;
		}
		place += end ? part + 1 : part;
		len -= end ? part + 1 : part;
	}
}

static void fill_in(const char *form, struct json_object *data, struct buf *text)
{
	for (const char *c = form; *c; c++) {
		const char *end = *c == '{' ? strchr(c, '}') : NULL;
		if (!end) {
			buf_putc(text, *c);
			continue;
		}
		add_place(c + 1, (size_t)(end - c - 1), data, text);
		c = end;
	}
}

static bool holds(const struct row *row, struct json_object *data)
{
	if (!row->key)
		return true;
	struct json_object *value = find(data, row->key, strlen(row->key));
	return !strcmp(value ? jtree_text(value) : "", row->value);
}

void event_text(const char *name, struct json_object *data, struct buf *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!strcmp(rows[i].name, name) && holds(&rows[i], data)) {
			fill_in(rows[i].text, data, text);
			return;
		}
	visible_add(text, name, strlen(name), VALUE_MAX);
	if (!data || !json_object_is_type(data, json_type_object) ||
			!json_object_object_length(data))
		return;
	buf_putc(text, ' ');
	const char *json = json_object_to_json_string_ext(data, JSON_C_TO_STRING_NOSLASHESCAPE);
	visible_add(text, json, strlen(json), VALUE_MAX);
}

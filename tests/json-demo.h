/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small file format that has every kind of field, every merge rule and every flag: what the
 * tests of the field tables check, bind, merge and describe.
 */
#pragma once

#include <string.h>

#include "json/jbind.h"

struct demo_disk {
	const char *name;
	const char *storage;
	const char *path;
	bool remove;
	bool bootable;
	int cache;
	int64_t size;
};

struct demo_port {
	int64_t port;
	int64_t to_port;
};

struct demo_class {
	const char *name;
	struct jints places;
};

struct demo_pool {
	const char *name;
	const char *path;
	bool readonly;
	struct jlist classes; /* struct demo_class */
};

struct demo_attrs {
	struct {
		int64_t ram;
		bool shared;
		int64_t pages;
	} memory;
	struct {
		bool enabled;
		struct demo_disk data;
		const char *socket_path;
	} tpm;
	int display;
	struct demo_disk kernel;
	const char *weight;
};

struct demo_filter {
	const char *protocol;
	struct jstrings port;
	int strict;
	struct {
		int enabled;
		int mac;
	} guard;
	struct jlist sets; /* struct jnamed */
	struct jstrings groups;
	struct jlist rules; /* struct demo_port */
};

struct demo {
	const char *name;
	const char *mac;
	struct jstrings tags;
	struct jpairs vars;
	struct jpairs limits;
	struct jpairs features;
	struct demo_attrs attrs;
	struct jlist disks; /* struct demo_disk */
	struct jlist ports; /* struct demo_port */
	struct jlist pools; /* struct demo_pool */
	struct jstrings sockets;
	struct jstrings args;
	struct jstrings address;
	struct jints places;
	struct demo_filter filter;
};

static const char *const demo_switch_names[] = { "false", "true", NULL };
static const char *const demo_strict_names[] = { "false", "true", "strict", "lax", NULL };
static const char *const demo_cache_names[] = { "writeback", "none", NULL };
static const char *const demo_display_names[] = { "none", "virtio", "qxl", NULL };
static const char *const demo_limit_names[] = { "CPUWeight", "MemoryMax", NULL };

static inline bool demo_mac(const char *text, const char **ret_expected)
{
	*ret_expected = "a MAC address such as \"52:54:00:12:34:56\"";
	return !*text || (strlen(text) == 17 && strspn(text, "0123456789abcdef:") == 17);
}

static inline bool demo_word(const char *text, const char **ret_expected)
{
	*ret_expected = "a word of small letters";
	return *text && strspn(text, "abcdefghijklmnopqrstuvwxyz") == strlen(text);
}

static inline bool demo_path(const char *text, const char **ret_expected)
{
	*ret_expected = "an absolute path";
	return !*text || *text == '/';
}

static inline bool demo_digits(const char *text, const char **ret_expected)
{
	*ret_expected = "digits";
	return *text && strspn(text, "0123456789") == strlen(text);
}

static const struct field demo_disk_fields[] = {
	FIELD_STRING(struct demo_disk, name, "name", NULL, FIELD_REQUIRED, NULL, "Name."),
	FIELD_STRING(struct demo_disk, storage, "storage", NULL, 0, NULL, "Pool."),
	FIELD_BOOL(struct demo_disk, bootable, "bootable", false, "Boot from it."),
	FIELD_BOOL(struct demo_disk, remove, "remove", false, "Take it away."),
	FIELD_ENUM(struct demo_disk, cache, "cache", demo_cache_names, "the pool's", "Cache."),
	FIELD_INT(struct demo_disk, size, "size", 1, 1000, FIELD_REQUIRED, NULL, "Size."),
	{},
};

/* One that is not in a list, and so needs no name. */
static const struct field demo_file_fields[] = {
	FIELD_STRING(struct demo_disk, name, "name", NULL, 0, NULL, "Name."),
	FIELD_STRING(struct demo_disk, storage, "storage", NULL, 0, NULL, "Pool."),
	FIELD_STRING(struct demo_disk, path, "path", demo_path, 0, NULL, "Path instead."),
	FIELD_BOOL(struct demo_disk, bootable, "bootable", true, "Boot from it."),
	{},
};

static const struct field demo_port_fields[] = {
	FIELD_INT(struct demo_port, port, "port", 1, 65535, FIELD_REQUIRED, NULL, "Port."),
	FIELD_INT(struct demo_port, to_port, "to-port", 1, 65535, 0, "the same", "Port there."),
	{},
};

static const struct field demo_class_fields[] = {
	FIELD_INTS(struct demo_class, places, "places", INT64_MIN, INT64_MAX, "Places."),
	{},
};

static const struct field demo_pool_fields[] = {
	FIELD_STRING(struct demo_pool, path, "path", demo_path, FIELD_REQUIRED, NULL, "Directory."),
	FIELD_BOOL(struct demo_pool, readonly, "readonly", false, "No writing."),
	FIELD_MAP(struct demo_pool, classes, struct demo_class, name, "classes", demo_class_fields,
			NULL, "Classes."),
	{},
};

static const struct field demo_memory_fields[] = {
	FIELD_INT(struct demo_attrs, memory.ram, "ram", 1, 1048576, FIELD_POSITIVE, NULL, "MiB."),
	FIELD_BOOL(struct demo_attrs, memory.shared, "shared", true, "Share it."),
	FIELD_INT(struct demo_attrs, memory.pages, "pages", -4, INT64_MAX, 0, NULL, "Pages."),
	{},
};

static const struct field demo_socket_fields[] = {
	FIELD_STRING(struct demo_attrs, tpm.socket_path, "path", NULL, 0, NULL, "Path."),
	{},
};

static const struct field demo_tpm_fields[] = {
	FIELD_BOOL(struct demo_attrs, tpm.enabled, "enabled", false, "Have one."),
	FIELD_OBJECT(struct demo_attrs, tpm.data, struct demo_disk, "data", MERGE_WHOLE,
			demo_file_fields, "State."),
	FIELD_GROUP("socket", demo_socket_fields, "Socket."),
	{},
};

static const struct field demo_attrs_fields[] = {
	FIELD_GROUP("memory", demo_memory_fields, "Memory."),
	FIELD_GROUP("tpm", demo_tpm_fields, "TPM."),
	FIELD_ENUM(struct demo_attrs, display, "display", demo_display_names, NULL, "Display."),
	FIELD_ROW(struct demo_attrs, kernel, struct demo_disk, "kernel", FIELD_KIND_OBJECT,
			MERGE_WHOLE, "Kernel.", .flags = FIELD_PATH_TEXT,
			.fields = demo_file_fields),
	FIELD_TERM(struct demo_attrs, weight, "weight", NULL, NULL, "Weight."),
	{},
};

static const struct field demo_guard_fields[] = {
	FIELD_SWITCH(struct demo_filter, guard.enabled, "enabled", demo_switch_names, "true",
			"On."),
	FIELD_SWITCH(struct demo_filter, guard.mac, "mac", demo_switch_names, NULL, "MAC."),
	{},
};

static const struct field demo_filter_fields[] = {
	FIELD_TERM(struct demo_filter, protocol, "protocol", demo_digits, "any", "Protocol."),
	FIELD_TERMS(struct demo_filter, port, "port", demo_digits, "all", "Ports."),
	FIELD_SWITCH(struct demo_filter, strict, "strict", demo_strict_names, NULL, "How strict."),
	{ .name = "guard",
			.kind = FIELD_KIND_OBJECT,
			.merge = MERGE_FIRST,
			.flags = FIELD_SWITCHED | FIELD_INLINE,
			.fields = demo_guard_fields,
			.doc = "Guard." },
	FIELD_STRINGS_MAP(struct demo_filter, sets, "sets", demo_word, demo_digits, "Sets."),
	FIELD_STRINGS(struct demo_filter, groups, "groups", MERGE_GATHER, demo_word, "Groups."),
	FIELD_LIST(struct demo_filter, rules, struct demo_port, "rules", MERGE_GATHER,
			demo_port_fields, "Rules."),
	{},
};

static const struct field demo_fields[] = {
	FIELD_STRING(struct demo, name, "name", NULL, 0, NULL, "Name."),
	FIELD_STRING(struct demo, mac, "mac", demo_mac, FIELD_DERIVED, "derived", "MAC."),
	FIELD_STRINGS(struct demo, tags, "tags", MERGE_NEVER, NULL, "Tags."),
	FIELD_STRING_MAP(struct demo, vars, "vars", demo_word, NULL, "Variables."),
	FIELD_SCALAR_MAP(struct demo, limits, "limits", demo_limit_names, "Limits."),
	FIELD_SCALAR_MAP(struct demo, features, "features", NULL, "Features."),
	FIELD_OBJECT(struct demo, attrs, struct demo_attrs, "attrs", MERGE_FIELDS,
			demo_attrs_fields, "Attributes."),
	FIELD_LIST(struct demo, disks, struct demo_disk, "disks", MERGE_NAMED, demo_disk_fields,
			"Disks."),
	FIELD_LIST(struct demo, ports, struct demo_port, "ports", MERGE_FIRST, demo_port_fields,
			"Ports."),
	FIELD_MAP(struct demo, pools, struct demo_pool, name, "pools", demo_pool_fields, demo_word,
			"Pools."),
	FIELD_STRINGS(struct demo, sockets, "sockets", MERGE_UNION, NULL, "Sockets."),
	FIELD_STRINGS(struct demo, args, "args", MERGE_APPEND, NULL, "Arguments."),
	FIELD_STRING_OR_LIST(struct demo, address, "address", demo_word, "Addresses."),
	FIELD_INTS(struct demo, places, "places", 0, 9, "Places."),
	FIELD_OBJECT(struct demo, filter, struct demo_filter, "filter", MERGE_FIELDS,
			demo_filter_fields, "Filter."),
	{ .name = "note", .kind = FIELD_KIND_NOTE, .doc = "Anything." },
	/* In the format, but not in the struct. */
	{ .name = "definitions",
			.kind = FIELD_KIND_MAP,
			.merge = MERGE_KEYS,
			.fields = demo_pool_fields,
			.doc = "Definitions." },
	{},
};

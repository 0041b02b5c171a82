/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The merged machine in the config's own shape. */
#include "model/describe.h"

#include <json-c/json_object.h>
#include <json-c/linkhash.h>
#include <string.h>

#include "json/jtree.h"
#include "util/mem.h"
#include "util/parse.h"

/* The object at a key, made if it is not there. Borrowed. */
static struct json_object *object_at(struct json_object *parent, const char *key)
{
	struct json_object *child = jtree_get(parent, key);
	if (json_object_is_type(child, json_type_object))
		return child;
	child = jtree_object();
	jtree_set(parent, key, child);
	return child;
}

static bool is_unset(struct json_object *object, const char *key)
{
	struct json_object *value = jtree_get(object, key);
	return !value ||
	       (json_object_is_type(value, json_type_string) && !json_object_get_string_len(value));
}

/* One form of what may be written in several: a WWN, a UUID. A key that is there keeps its place.
 */
static void set_text(struct json_object *object, const char *key, const char *text)
{
	if (text && text[0] && !jtree_is_flaw(jtree_get(object, key)))
		jtree_set(object, key, jtree_string(text));
}

static void add_text(struct json_object *object, const char *key, const char *text)
{
	if (is_unset(object, key))
		set_text(object, key, text);
}

static struct json_object *item_at(struct json_object *root, const char *list, size_t i)
{
	return jtree_at(jtree_get(root, list), i);
}

static void describe_group(struct json_object *root, const struct vm *vm)
{
	struct json_object *group =
			object_at(object_at(object_at(root, "privileges"), "filesystem"), "group");
	add_text(group, "name", vm->group_name);
	if (!jtree_is_flaw(jtree_get(group, "id")) && jtree_get_int(group, "id", 0) <= 0)
		jtree_set(group, "id", jtree_int(vm_group_id(vm)));
}

/* The number of a device that there is. */
static void describe_vsock(struct json_object *root, const struct vm *vm)
{
	if (!vm->vsock.enabled)
		return;
	struct json_object *vsock = object_at(object_at(root, "attrs"), "vsock");
	if (!jtree_is_flaw(jtree_get(vsock, "cid")))
		jtree_set(vsock, "cid", jtree_int(vm->vsock.cid));
}

/* So that what was added stands where a file that has it would have it. Takes over @object. */
static struct json_object *in_table_order(struct json_object *object)
{
	const struct layer layer = { .object = object };
	struct json_object *ordered = jmerge(machine_fields, &layer, 1, NULL, NULL);
	json_object_put(object);
	return ordered;
}

struct json_object *vm_describe(const struct machine *machine, const struct vm *vm)
{
	struct json_object *root = jtree_copy(machine->merged);
	add_text(root, "name", vm->name);
	if (vm->has_uuid) {
		char uuid[UUID_TEXT_MAX];
		format_uuid(vm->uuid, uuid);
		set_text(root, "id", uuid);
	}
	describe_group(root, vm);
	describe_vsock(root, vm);
	for (size_t i = 0; i < vm->n_volumes; i++) {
		struct json_object *item = item_at(root, "volumes", i);
		set_text(item, "wwn", vm->volumes[i].wwn);
		add_text(item, "serial", vm->volumes[i].serial);
	}
	for (size_t i = 0; i < vm->n_nics; i++) {
		struct json_object *item = item_at(root, "connections", i);
		add_text(item, "mac", vm->nics[i].mac);
		add_text(item, "link", vm->nics[i].link);
	}
	for (size_t i = 0; i < vm->n_mdevs; i++)
		set_text(item_at(root, "devices", vm->mdevs[i].index), "id", vm->mdevs[i].uuid);
	/* Not before: lists keep their places until here. */
	if (machine->has_flaws)
		jtree_drop_flaws(root);
	return in_table_order(root);
}

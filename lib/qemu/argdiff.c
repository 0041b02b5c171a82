/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two argument vectors of one machine, compared as QEMU reads them. */
#include "qemu/argdiff.h"

#include <stdlib.h>
#include <string.h>

#include "qemu/argv.h"
#include "util/mem.h"

#define FDSET "/dev/fdset/"

struct pair {
	const char *key; /* "" for what has none: a driver, or a whole text */
	const char *value;
};

struct option {
	const char *option;
	const char *name;
	const char *driver;
	struct pair *pairs;
	size_t n;
	bool seen; /* has its counterpart */
};

struct options {
	struct option *items;
	size_t n;
};

void argdiff_done(struct argdiff *diff)
{
	arena_done(&diff->arena);
	free(diff->items);
	*diff = (struct argdiff){};
}

/* ---- descriptors ---- */

/* Of the first number of "3:4", the queues of a network card, or NULL. */
static const struct plan_fd *find_number(const struct plan *plan, const char *value)
{
	char *end;
	long number = strtol(value, &end, 10);
	for (size_t i = 0; end > value && (!*end || *end == ':') && i < plan->n_fds; i++)
		if (plan->fds[i].number == number)
			return &plan->fds[i];
	return NULL;
}

/* What is read when the machine starts is told by where it is read from. */
static const char *name_of_number(struct arena *a, const struct plan *plan, const char *value)
{
	const struct plan_fd *fd = find_number(plan, value);
	if (!fd)
		return value;
	if (fd->kind == PLAN_FD_COPY && fd->path)
		return fd->path;
	if (fd->kind == PLAN_FD_CREDENTIAL && fd->path)
		return arena_printf(a, "credential '%s' of '%s'", fd->credential, fd->path);
	return arena_printf(a, "descriptor '%s'", fd->name);
}

/* "/dev/fdset/2" is the file of the set. */
static const char *name_of_set(const struct plan *plan, const char *value)
{
	char *end;
	long set = strtol(value + strlen(FDSET), &end, 10);
	for (size_t i = 0; !*end && i < plan->n_fds; i++)
		if (plan_fd_has_set(plan->fds[i].kind) && plan->fds[i].set == set)
			return plan->fds[i].path ? plan->fds[i].path : plan->fds[i].name;
	return value;
}

static const char *name_of_numbers(struct arena *a, const struct plan *plan, const char *value)
{
	const char *all = "";
	while (*value) {
		size_t len = strcspn(value, ":");
		const char *one = name_of_number(a, plan, arena_strndup(a, value, len));
		all = arena_join(a, all, *all ? ", " : "", one);
		value += len + (value[len] == ':');
	}
	return all;
}

static const char *name_of_self(struct arena *a, const struct plan *plan, const char *value)
{
	static const char self[] = "/proc/self/fd/";
	return !strncmp(value, self, strlen(self)) ? name_of_number(a, plan, value + strlen(self))
						   : value;
}

static bool is_number(const char *key)
{
	static const char *const numbers[] = { "fd", "fds", "vhostfd", "vhostfds", "addr.str" };
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (!strcmp(numbers[i], key))
			return true;
	return false;
}

static const char *translate(
		struct arena *a, const struct plan *plan, const char *key, const char *value)
{
	if (is_number(key))
		return name_of_numbers(a, plan, value);
	if (!strncmp(value, FDSET, strlen(FDSET)))
		return name_of_set(plan, value);
	return name_of_self(a, plan, value);
}

/* ---- options ---- */

/* Up to a single comma; two of them stand for one. */
static const char *next_part(struct arena *a, const char **text)
{
	CLEANUP(buf_done) struct buf part = {};
	const char *c = *text;
	for (; *c && (c[0] != ',' || c[1] == ','); c++) {
		buf_putc(&part, *c);
		c += *c == ',';
	}
	*text = *c ? c + 1 : c;
	return arena_strdup(a, buf_text(&part));
}

static void add_pair(struct option *o, const char *key, const char *value)
{
	o->pairs = xreallocarray(o->pairs, o->n + 1, sizeof(*o->pairs));
	o->pairs[o->n++] = (struct pair){ key, value };
}

static const char *value_of(const struct option *o, const char *key)
{
	for (size_t i = 0; i < o->n; i++)
		if (!strcmp(o->pairs[i].key, key))
			return o->pairs[i].value;
	return NULL;
}

/* How often a key is there: several times where it collects values. */
static size_t count_of(const struct option *o, const char *key)
{
	size_t count = 0;
	for (size_t i = 0; i < o->n; i++)
		count += !strcmp(o->pairs[i].key, key);
	return count;
}

/* Of these the value is one text, whatever is in it. */
static bool is_plain(const char *option)
{
	static const char *const plain[] = { "-append", "-kernel", "-initrd", "-dtb", "-bios",
		"-uuid", "-loadvm" };
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
		if (!strcmp(plain[i], option))
			return true;
	return false;
}

/* Prepare chooses among them. What goes with them is in the other keys. */
static bool is_chosen_by_version(const char *key)
{
	static const char *const keys[] = { "${" PLAN_RECONNECT "}", "reconnect", "reconnect-ms" };
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(keys[i], key))
			return true;
	return false;
}

static void add_text(struct option *o, const char *key, const char *text)
{
	if (text)
		add_pair(o, key, text);
}

/* The host's end of a network card: QEMU is given a descriptor, and knows nothing of it. */
static void add_port(struct arena *a, struct option *o, const struct plan_fd *fd)
{
	add_text(o, "bridge", fd->bridge);
	add_text(o, "device", fd->device);
	if (fd->kind == PLAN_FD_MACVTAP)
		add_text(o, "mode", macvtap_mode_names[fd->macvtap_mode]);
	if (fd->vlan)
		add_pair(o, "vlan", arena_printf(a, "%d", fd->vlan));
	if (fd->isolate)
		add_pair(o, "isolate", "on");
	add_text(o, "forward", fd->forward);
	add_text(o, "up", fd->up);
	add_text(o, "down", fd->down);
}

static void read_value(
		struct arena *a, const struct plan *plan, const char *value, struct option *o)
{
	if (is_plain(o->option)) {
		add_pair(o, "", name_of_self(a, plan, value));
		return;
	}
	while (*value) {
		const char *part = next_part(a, &value), *equal = strchr(part, '=');
		const char *key = equal ? arena_strndup(a, part, (size_t)(equal - part)) : "";
		const char *text = equal ? equal + 1 : part;
		if (is_chosen_by_version(equal ? key : part))
			continue;
		if (!equal && o->n)
			add_pair(o, part, "on");
		else
			add_pair(o, key, translate(a, plan, key, text));
		const struct plan_fd *fd = is_number(key) ? find_number(plan, text) : NULL;
		if (fd && fd->connection)
			add_port(a, o, fd);
	}
}

/* By what an option can be told from others of its kind. */
static void name_option(struct option *o)
{
	static const char *const keys[] = { "id", "node-name" };
	const char *first = value_of(o, "");
	o->name = "";
	o->driver = "";
	if (first && !is_plain(o->option))
		o->driver = first;
	else if (value_of(o, "driver"))
		o->driver = value_of(o, "driver");
	for (size_t i = 0; !*o->name && i < ARRAY_SIZE(keys); i++)
		if (value_of(o, keys[i]))
			o->name = value_of(o, keys[i]);
	if (!*o->name && !strcmp(o->option, "-mon") && value_of(o, "chardev"))
		o->name = value_of(o, "chardev");
}

/* A CD that is made when the machine starts is what it is made of. */
static void add_seed(struct option *o, const struct plan *plan)
{
	const char *node = value_of(o, "node-name");
	if (strcmp(o->option, "-blockdev") != 0 || !node || strcmp(node, PLAN_SEED) != 0)
		return;
	for (size_t i = 0; i < plan->n_seed; i++)
		add_pair(o, vm_seed_kind_names[plan->seed[i].kind],
				plan->seed[i].text ? plan->seed[i].text : "on");
}

static void read_options(struct arena *a, const struct argdiff_side *side, struct options *ret)
{
	const struct strv *argv = side->argv;
	*ret = (struct options){ .items = xcalloc(argv->n + 1, sizeof(*ret->items)) };
	for (size_t i = 0, length; i < argv->n; i += length) {
		length = i ? qemu_option_length(argv, i) : 1;
		/* The file of a descriptor is told by who uses it. */
		if (!strcmp(argv->items[i], "-add-fd"))
			continue;
		struct option *o = &ret->items[ret->n++];
		o->option = i ? argv->items[i] : "";
		if (!i)
			add_pair(o, "", argv->items[0]);
		else if (length > 1)
			read_value(a, side->plan, argv->items[i + 1], o);
		name_option(o);
		add_seed(o, side->plan);
	}
}

static void options_done(struct options *options)
{
	for (size_t i = 0; i < options->n; i++)
		free(options->items[i].pairs);
	free(options->items);
}

/* ---- comparing ---- */

static void add_item(struct argdiff *diff, const struct option *o, const char *key,
		const char *before, const char *after)
{
	diff->items = xreallocarray(diff->items, diff->n + 1, sizeof(*diff->items));
	diff->items[diff->n++] = (struct argdiff_item){
		.option = o->option,
		.name = o->name,
		.driver = o->driver,
		.key = key,
		.before = before,
		.after = after,
	};
}

/* All keys, for an option that is only on one side. */
static const char *all_keys(struct arena *a, const struct option *o)
{
	const char *all = "";
	for (size_t i = 0; i < o->n; i++) {
		const struct pair *p = &o->pairs[i];
		const char *one = *p->key ? arena_join(a, p->key, "=", p->value) : p->value;
		all = i ? arena_join(a, all, ",", one) : one;
	}
	return all;
}

/* What systemd puts in is not known before the machine starts. */
static bool is_open(const char *value)
{
	return strstr(value, "${") != NULL;
}

/* A key that is given several times collects values: is the same text there? */
static bool has_pair(const struct option *o, const struct pair *p)
{
	for (size_t i = 0; i < o->n; i++)
		if (!strcmp(o->pairs[i].key, p->key) && !strcmp(o->pairs[i].value, p->value))
			return true;
	return false;
}

static bool has_open(const struct option *o, const char *key)
{
	for (size_t i = 0; i < o->n; i++)
		if (!strcmp(o->pairs[i].key, key) && is_open(o->pairs[i].value))
			return true;
	return false;
}

/* The first value of a key that is not on the other side, or NULL. */
static const char *new_value(const struct option *o, const struct option *other, const char *key)
{
	for (size_t i = 0; i < o->n; i++)
		if (!strcmp(o->pairs[i].key, key) && !has_pair(other, &o->pairs[i]))
			return o->pairs[i].value;
	return NULL;
}

/* One of several that comes or goes has no counterpart on the other side. */
static void compare(const struct option *before, const struct option *after, struct argdiff *diff)
{
	for (size_t i = 0; i < before->n; i++) {
		const struct pair *p = &before->pairs[i];
		bool fewer = count_of(after, p->key) < count_of(before, p->key);
		if (!has_pair(after, p) && !has_open(after, p->key))
			add_item(diff, before, p->key, p->value,
					fewer ? NULL : new_value(after, before, p->key));
	}
	for (size_t i = 0; i < after->n; i++) {
		const struct pair *p = &after->pairs[i];
		bool more = count_of(after, p->key) > count_of(before, p->key);
		if (more && !has_pair(before, p) && !is_open(p->value))
			add_item(diff, before, p->key, NULL, p->value);
	}
}

static bool is_same_thing(const struct option *a, const struct option *b)
{
	return !strcmp(a->option, b->option) && !strcmp(a->name, b->name);
}

static bool is_equal(const struct option *a, const struct option *b)
{
	CLEANUP(argdiff_done) struct argdiff diff = {};
	compare(a, b, &diff);
	return !diff.n;
}

static struct option *find_counterpart(const struct option *o, struct options *others, bool equal)
{
	for (size_t i = 0; i < others->n; i++) {
		struct option *other = &others->items[i];
		if (!other->seen && is_same_thing(o, other) && (!equal || is_equal(o, other)))
			return other;
	}
	return NULL;
}

/* Of several without a name, those that are equal belong together; the others as they come. */
static void drop_equal(struct options *old, struct options *new)
{
	for (size_t i = 0; i < old->n; i++) {
		struct option *other = find_counterpart(&old->items[i], new, true);
		if (other)
			other->seen = old->items[i].seen = true;
	}
}

void argdiff_make(const struct argdiff_side *before, const struct argdiff_side *after,
		struct argdiff *ret)
{
	CLEANUP(options_done) struct options old = {};
	CLEANUP(options_done) struct options new = {};
	*ret = (struct argdiff){};
	read_options(&ret->arena, before, &old);
	read_options(&ret->arena, after, &new);
	drop_equal(&old, &new);
	for (size_t i = 0; i < old.n; i++) {
		struct option *o = &old.items[i];
		struct option *other = o->seen ? NULL : find_counterpart(o, &new, false);
		if (other) {
			other->seen = true;
			compare(o, other, ret);
		} else if (!o->seen) {
			add_item(ret, o, NULL, all_keys(&ret->arena, o), NULL);
		}
	}
	for (size_t i = 0; i < new.n; i++)
		if (!new.items[i].seen)
			add_item(ret, &new.items[i], NULL, NULL,
					all_keys(&ret->arena, &new.items[i]));
}

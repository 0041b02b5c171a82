/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The order among the machines of a host. */
#include "model/order.h"

#include <stdlib.h>
#include <string.h>

#include "util/mem.h"

void order_done(struct order *order)
{
	for (size_t i = 0; i < order->n; i++) {
		free(order->items[i].name);
		strv_done(&order->items[i].others);
	}
	free(order->items);
	*order = (struct order){};
}

static struct order_machine *add_machine(struct order *order, const char *name)
{
	order->items = grow_array(order->items, &order->n_alloc, order->n, sizeof(*order->items));
	struct order_machine *m = &order->items[order->n++];
	*m = (struct order_machine){ .name = xstrdup(name) };
	return m;
}

void order_add(struct order *order, const struct vm *vm, bool selected)
{
	if (!vm->after.n && !vm->requires.n && !vm->cluster && vm->autostart == VM_AUTOSTART_OPEN)
		return;
	struct order_machine *m = add_machine(order, vm->name);
	m->selected = selected;
	m->cluster = vm->cluster;
	m->autostart = vm->autostart;
	m->n_required = vm->requires.n;
	for (size_t i = 0; i < vm->requires.n; i++)
		strv_push(&m->others, vm->requires.items[i]);
	for (size_t i = 0; i < vm->after.n; i++)
		strv_push(&m->others, vm->after.items[i]);
}

/* "NAME\0", the numbers and flags, then as many names; an empty name ends the list. */
void order_pack(const struct order *order, struct buf *to)
{
	for (size_t i = 0; i < order->n; i++) {
		const struct order_machine *m = &order->items[i];
		buf_add(to, m->name, strlen(m->name) + 1);
		buf_putc(to, m->selected ? 1 : 0);
		buf_putc(to, m->cluster ? 1 : 0);
		buf_putc(to, (char)m->autostart);
		buf_add(to, &m->n_required, sizeof(m->n_required));
		buf_add(to, &m->others.n, sizeof(m->others.n));
		for (size_t k = 0; k < m->others.n; k++)
			buf_add(to, m->others.items[k], strlen(m->others.items[k]) + 1);
	}
	buf_putc(to, '\0');
}

const char *order_unpack(struct order *order, const char *from)
{
	while (*from) {
		struct order_machine *m = add_machine(order, from);
		size_t n;
		from += strlen(from) + 1;
		m->selected = *from++ != 0;
		m->cluster = *from++ != 0;
		m->autostart = (enum vm_autostart) * from++;
		memcpy(&m->n_required, from, sizeof(m->n_required));
		from += sizeof(m->n_required);
		memcpy(&n, from, sizeof(n));
		for (from += sizeof(n); n; n--, from += strlen(from) + 1)
			strv_push(&m->others, from);
	}
	return from + 1;
}

static int compare(const void *a, const void *b)
{
	const struct order_machine *x = a, *y = b;
	return strcmp(x->name, y->name);
}

static struct order_machine *find(const struct order *order, const char *name)
{
	const struct order_machine key = { .name = (char *)(uintptr_t)name };
	return order->n ? bsearch(&key, order->items, order->n, sizeof(key), compare) : NULL;
}

enum vm_autostart order_autostart(const struct order *order, const char *name)
{
	const struct order_machine *m = find(order, name);
	return m ? m->autostart : VM_AUTOSTART_OPEN;
}

/*
 * At the place where @m names its other machine @i.
 *
 * @read: @m once more; NULL where that failed (its file was changed meanwhile): the finding counts
 *	all the same
 */
static void tell(const struct order_machine *m, size_t i, const struct machine *read,
		const struct config_paths *paths, struct report *report, const char *text)
{
	bool required = i < m->n_required;
	CLEANUP(freep)
	char *pointer = xasprintf("/%s/%zu", required ? "requires" : "after",
			required ? i : i - m->n_required);
	if (read) {
		machine_report(read, report, SEVERITY_ERROR, pointer, "%s", text);
		return;
	}
	CLEANUP(freep) char *path = config_machine_path(paths, m->name);
	report_add(report, SEVERITY_ERROR, (struct where){ .file = path }, pointer, NULL, "%s",
			text);
}

/* What is wrong with the one that is named, or NULL. The caller frees it. */
static char *fault_of(const struct order *order, const struct strv *names,
		const struct order_machine *m, size_t i)
{
	const char *other = m->others.items[i];
	const struct order_machine *found = find(order, other);
	if (!strv_contains_sorted(names, other))
		return xasprintf("there is no machine '%s'", other);
	if (i < m->n_required && found && found->cluster && !m->cluster)
		return xasprintf("machine '%s' is started by a cluster manager, not by machines "
				 "that require it; \"after\" can name it",
				other);
	return NULL;
}

/*
 * Search for a way from the last machine of @way back to @goal. Those that were visited lead
 * nowhere.
 *
 * @way: the machines on it; as it was when there is none
 */
static bool find_way(const struct order *order, const struct order_machine *goal, bool *visited,
		struct strv *way)
{
	const struct order_machine *m = find(order, way->items[way->n - 1]);
	if (!m || visited[m - order->items])
		return false;
	visited[m - order->items] = true;
	for (size_t i = 0; i < m->others.n; i++) {
		if (!strcmp(m->others.items[i], goal->name))
			return true;
		strv_push(way, m->others.items[i]);
		if (find_way(order, goal, visited, way))
			return true;
		way->items[--way->n] = NULL;
	}
	return false;
}

/* Was this circle told of at one of its other machines? The first that is selected tells it. */
static bool is_told_elsewhere(
		const struct order *order, const struct order_machine *m, const struct strv *way)
{
	for (size_t i = 0; i < way->n; i++) {
		const struct order_machine *other = find(order, way->items[i]);
		if (other && other->selected && other < m)
			return true;
	}
	return false;
}

/* The circle that begins with the other machine @i of @m, or NULL. The caller frees it. */
static char *circle_of(const struct order *order, const struct order_machine *m, size_t i)
{
	CLEANUP(freep) bool *visited = xcalloc(order->n, sizeof(*visited));
	CLEANUP(strv_done) struct strv way = {};
	CLEANUP(buf_done) struct buf text = {};
	strv_push(&way, m->others.items[i]);
	/* A machine that names itself was found when it was built. */
	if (!strcmp(way.items[0], m->name) || !find_way(order, m, visited, &way) ||
			is_told_elsewhere(order, m, &way))
		return NULL;
	buf_printf(&text, "machines wait for each other in a circle: '%s'", m->name);
	for (size_t k = 0; k < way.n; k++)
		buf_printf(&text, ", '%s'", way.items[k]);
	buf_printf(&text, ", '%s'", m->name);
	return buf_take(&text);
}

static void check_machine(const struct order *order, const struct order_machine *m,
		const struct strv *names, const struct config_paths *paths, const struct host *host,
		struct report *report)
{
	CLEANUP(machine_done) struct machine read = {};
	CLEANUP(report_done) struct report ignored = {};
	struct error err = {};
	bool is_tried = false, is_read = false;
	for (size_t i = 0; i < m->others.n; i++) {
		CLEANUP(freep) char *fault = fault_of(order, names, m, i);
		if (!fault)
			fault = circle_of(order, m, i);
		if (!fault)
			continue;
		if (!is_tried)
			is_read = machine_load(paths, host, m->name, &read, &ignored, &err) >= 0 &&
				  read.merged;
		is_tried = true;
		tell(m, i, is_read ? &read : NULL, paths, report, fault);
	}
}

void order_check(struct order *order, const struct strv *names, const struct config_paths *paths,
		const struct host *host, struct report *report)
{
	if (order->n)
		qsort(order->items, order->n, sizeof(*order->items), compare);
	for (size_t i = 0; i < order->n; i++)
		if (order->items[i].selected)
			check_machine(order, &order->items[i], names, paths, host, report);
}

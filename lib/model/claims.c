/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What only one machine of a host can have. */
#include "model/claims.h"

#include <json-c/json_object.h>
#include <stdlib.h>
#include <string.h>

#include "json/jlocate.h"
#include "model/claims-visit.h"
#include "util/fnv.h"
#include "util/mem.h"

static const char *const kind_names[] = {
	[CLAIM_ID] = "id",
	[CLAIM_MAC] = "MAC address",
	[CLAIM_LINK] = "interface name",
	[CLAIM_IP] = "IP address",
	[CLAIM_FILE] = "file",
	[CLAIM_TPM] = "TPM state",
	[CLAIM_MDEV] = "mediated device",
	[CLAIM_PCI] = "PCI device",
	[CLAIM_USB] = "USB device",
	[CLAIM_SOCKET] = "socket",
	[CLAIM_PORT] = "port",
	[CLAIM_CID] = "vsock CID",
	[CLAIM_UPLINK] = "interface of the host",
};

/* Equal hashes are compared as texts before anything is said. */
static uint64_t hash_claim(const struct claim_told *told)
{
	return fnv_add(FNV_BEGIN ^ (uint64_t)told->kind, told->value, strlen(told->value));
}

void claims_done(struct claims *claims)
{
	strv_done(&claims->names);
	free(claims->selected);
	free(claims->items);
	*claims = (struct claims){};
}

static void add(void *context, const struct claim_told *told)
{
	struct claims *claims = context;
	claims->items = grow_array(
			claims->items, &claims->n_alloc, claims->n, sizeof(*claims->items));
	claims->items[claims->n++] = (struct claim){
		.hash = hash_claim(told),
		.machine = (uint32_t)(claims->names.n - 1),
		.shared = told->shared,
	};
}

void claims_add(struct claims *claims, const struct vm *vm, bool selected)
{
	claims->selected = grow_array(claims->selected, &claims->n_selected_alloc, claims->names.n,
			sizeof(*claims->selected));
	claims->selected[claims->names.n] = selected;
	strv_push(&claims->names, vm->name);
	claims_visit(&(struct claim_visit){ .visitor = add, .context = claims }, vm);
}

/* A claim in full, as found when its machine is read again. */
struct found {
	enum claim_kind kind;
	char *value;
	char *address;
	bool shared;
	bool filtered;
	struct where at;
	char *file; /* that of @at */
	char *pointer;
	char *chain;
	const char *machine;
	bool selected;
	bool has_faults; /* the machine */
};

static void found_done(struct found *f)
{
	free(f->value);
	free(f->address);
	free(f->file);
	free(f->pointer);
	free(f->chain);
}

struct search {
	uint64_t hash;
	struct machine machine; /* what was read again, while it is looked at */
	const char *name;
	bool selected;
	bool has_faults;
	struct found *items;
	size_t n;
	size_t n_alloc;
};

/* A port comes from one of two keys of its object. */
static char *port_pointer(const struct machine *machine, const char *pointer)
{
	static const char *const keys[] = { "port", "port-pattern" };
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		CLEANUP(freep) char *at = xasprintf("%s/%s", pointer, keys[i]);
		struct json_object *value = jpointer_get(machine->merged, at);
		if (json_object_is_type(value, json_type_string) ||
				json_object_get_int64(value) > 0)
			return take_ptr(at);
	}
	return xstrdup(pointer);
}

static void collect(void *context, const struct claim_told *told)
{
	struct search *s = context;
	if (hash_claim(told) != s->hash)
		return;
	struct found f = {
		.kind = told->kind,
		.value = xstrdup(told->value),
		.address = xstrdup(told->address),
		.shared = told->shared,
		.filtered = told->filtered,
		.machine = s->name,
		.selected = s->selected,
		.has_faults = s->has_faults,
	};
	CLEANUP(freep)
	char *pointer = told->kind == CLAIM_PORT ? port_pointer(&s->machine, told->pointer)
						 : xstrdup(told->pointer);
	const char *chain;
	/* What it claims may be a default that stands in for a fault. */
	if (machine_is_flawed(&s->machine, pointer)) {
		found_done(&f);
		return;
	}
	machine_locate(&s->machine, pointer, &f.at, &chain, &f.pointer);
	f.file = xstrdup(f.at.file);
	f.chain = xstrdup_null(chain);
	s->items = grow_array(s->items, &s->n_alloc, s->n, sizeof(*s->items));
	s->items[s->n++] = f;
}

static void read_again(struct search *s, const struct config_paths *paths, const struct host *host)
{
	CLEANUP(report_done) struct report report = {};
	CLEANUP(vm_done) struct vm vm = {};
	struct error err = {};
	int r = machine_load(paths, host, s->name, &s->machine, &report, &err);
	if (r >= 0 && s->machine.merged) {
		s->has_faults = vm_build(host, &s->machine, &vm, &report) != 0 || r != 0;
		claims_visit(&(struct claim_visit){ .visitor = collect,
					     .context = s,
					     .has_pointers = true },
				&vm);
	}
	machine_done(&s->machine);
	s->machine = (struct machine){};
}

static bool listens_everywhere(const char *address)
{
	return !strcmp(address, "0.0.0.0");
}

static bool stand_against(const struct found *a, const struct found *b)
{
	if (a->kind != b->kind || strcmp(a->value, b->value) != 0)
		return false;
	/* What a machine has twice may be what its own faults are about. */
	if (a->has_faults && !strcmp(a->machine, b->machine))
		return false;
	/* Two cards of one machine may be one to the guest, which then has the address, or be in
	 * networks apart; a filter knows who it comes from. */
	if (a->kind == CLAIM_IP || a->kind == CLAIM_MAC)
		return strcmp(a->machine, b->machine) != 0 || a->filtered || b->filtered;
	if (a->kind == CLAIM_PORT)
		return !strcmp(a->address, b->address) || listens_everywhere(a->address) ||
		       listens_everywhere(b->address);
	return !(a->shared && b->shared);
}

static void put_conflict(struct buf *text, const struct found *first, const struct found *second)
{
	bool same_machine = !strcmp(first->machine, second->machine);
	bool same_place = !strcmp(first->file, second->file) && first->at.line == second->at.line &&
			  first->at.column == second->at.column;
	if (same_machine)
		buf_printf(text, "machine '%s' has", second->machine);
	else
		buf_printf(text, "machines '%s' and '%s' have", second->machine, first->machine);
	buf_printf(text, " the same %s%s, %s", kind_names[second->kind],
			same_machine ? " twice" : "", second->value);
	if (second->kind == CLAIM_UPLINK)
		buf_puts(text, ", and one of them takes it over (\"macvtap-mode\": \"passthru\")");
	if (second->kind == CLAIM_FILE)
		buf_puts(text, ", and one of them may write it");
	if (second->kind == CLAIM_FILE && strstr(second->pointer, "/firmware/code"))
		buf_puts(text, " (a pool can be \"readonly\")");
	if (same_place)
		buf_puts(text, "; both have it from here");
	else
		buf_printf(text, "; the other is at %s:%zu:%zu", first->file, first->at.line,
				first->at.column);
}

/* Each claim is told of once, with the first that stands against it. */
static void report_conflicts(const struct search *s, struct report *report)
{
	for (size_t i = 1; i < s->n; i++) {
		const struct found *second = &s->items[i];
		for (size_t k = 0; k < i; k++) {
			const struct found *first = &s->items[k];
			if (!(first->selected || second->selected) || !stand_against(first, second))
				continue;
			CLEANUP(buf_done) struct buf text = {};
			put_conflict(&text, first, second);
			struct where at = second->at;
			at.file = second->file;
			report_add(report, SEVERITY_ERROR, at, second->pointer, second->chain, "%s",
					buf_text(&text));
			break;
		}
	}
}

/* @run: claims with one hash, in the order of their machines. */
static void check_run(struct claims *claims, const struct claim *run, size_t n,
		const struct config_paths *paths, const struct host *host, struct report *report)
{
	struct search s = { .hash = run[0].hash };
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && run[i].machine == run[i - 1].machine)
			continue;
		s.name = claims->names.items[run[i].machine];
		s.selected = claims->selected[run[i].machine];
		read_again(&s, paths, host);
	}
	report_conflicts(&s, report);
	for (size_t i = 0; i < s.n; i++)
		found_done(&s.items[i]);
	free(s.items);
}

/*
 * Keep the claims that may have another one with their hash: those that share their bit of a map.
 * Nearly all are alone, and to sort them would take longer than all else here.
 */
static void drop_alone(struct claims *claims)
{
	size_t n_bits = 64, n = 0;
	while (n_bits < 16 * claims->n)
		n_bits *= 2;
	CLEANUP(freep) uint64_t *seen = xcalloc(n_bits / 64, sizeof(*seen));
	CLEANUP(freep) uint64_t *again = xcalloc(n_bits / 64, sizeof(*again));
	for (size_t i = 0; i < claims->n; i++) {
		size_t bit = claims->items[i].hash % n_bits;
		uint64_t mask = UINT64_C(1) << bit % 64;
		again[bit / 64] |= seen[bit / 64] & mask;
		seen[bit / 64] |= mask;
	}
	for (size_t i = 0; i < claims->n; i++) {
		size_t bit = claims->items[i].hash % n_bits;
		if (again[bit / 64] >> bit % 64 & 1)
			claims->items[n++] = claims->items[i];
	}
	claims->n = n;
}

static int compare(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;
	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return x->machine < y->machine ? -1 : x->machine > y->machine;
}

/* Could it be that claims of this run stand against each other, and that someone wants to know? */
static bool is_suspect(const struct claims *claims, const struct claim *run, size_t n)
{
	bool wanted = false, alone = false;
	for (size_t i = 0; i < n; i++) {
		wanted |= claims->selected[run[i].machine];
		alone |= !run[i].shared;
	}
	return n > 1 && wanted && alone;
}

void claims_check(struct claims *claims, const struct config_paths *paths, const struct host *host,
		struct report *report)
{
	drop_alone(claims);
	if (claims->n > 1)
		qsort(claims->items, claims->n, sizeof(*claims->items), compare);
	for (size_t i = 0, end; i < claims->n; i = end) {
		const struct claim *run = &claims->items[i];
		for (end = i + 1; end < claims->n && claims->items[end].hash == run->hash; end++)
			;
		if (is_suspect(claims, run, end - i))
			check_run(claims, run, end - i, paths, host, report);
	}
}

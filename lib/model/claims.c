/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What only one machine of a host can have. */
#include "model/claims.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <json-c/json_object.h>
#include <stdlib.h>
#include <string.h>

#include "json/jlocate.h"
#include "model/plan.h"
#include "util/fnv.h"
#include "util/mem.h"
#include "util/parse.h"

enum claim_kind {
	CLAIM_ID,
	CLAIM_MAC,
	CLAIM_LINK,
	CLAIM_IP,
	CLAIM_FILE,
	CLAIM_TPM,
	CLAIM_MDEV,
	CLAIM_PCI,
	CLAIM_USB,
	CLAIM_SOCKET,
	CLAIM_PORT,
	CLAIM_CID,
};

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
};

/* One claim as the walk over a machine finds it. */
struct told {
	enum claim_kind kind;
	const char *value;
	const char *address; /* PORT: where it listens; else "" */
	bool shared;	     /* FILE: only read */
	bool filtered;	     /* IP: of a connection that has a packet filter */
	const char *pointer; /* where it comes from in the merged machine; NULL: not asked for */
};

typedef void claim_visitor(void *context, const struct told *told);

struct visit {
	claim_visitor *visitor;
	void *context;
	bool has_pointers; /* are the pointers wanted? */
};

static void visit(const struct visit *v, const struct told *told, const char *format, ...)
		PRINTF(3, 4);

/* @format: of the pointer */
static void visit(const struct visit *v, const struct told *told, const char *format, ...)
{
	struct told full = *told;
	CLEANUP(freep) char *pointer = NULL;
	if (v->has_pointers) {
		va_list ap;
		va_start(ap, format);
		pointer = xvasprintf(format, ap);
		va_end(ap);
	}
	full.pointer = pointer;
	if (!full.address)
		full.address = "";
	v->visitor(v->context, &full);
}

static void visit_port(const struct visit *v, const char *protocol, const char *address,
		int64_t port, const char *pointer)
{
	CLEANUP(freep) char *value = xasprintf("%s %" PRId64, protocol, port);
	visit(v, &(struct told){ .kind = CLAIM_PORT, .value = value, .address = address }, "%s",
			pointer);
}

static void visit_forward(const struct visit *v, const struct forward_conf *forward, size_t i)
{
	CLEANUP(freep) char *pointer = xasprintf("/connections/%zu/network", i);
	visit_port(v, forward_protocol_names[forward->protocol], forward->address, forward->port,
			pointer);
}

/* Equal addresses may be written in several ways; a prefix length is not part of one. */
static char *canonical_ip(const char *text)
{
	CLEANUP(freep) char *address = xstrdup(text);
	unsigned char binary[16];
	char canonical[INET6_ADDRSTRLEN];
	address[strcspn(address, "/")] = '\0';
	for (size_t i = 0; i < 2; i++) {
		int family = i ? AF_INET6 : AF_INET;
		if (inet_pton(family, address, binary) == 1)
			return xstrdup(inet_ntop(family, binary, canonical, sizeof(canonical)));
	}
	return NULL;
}

static void visit_addresses(const struct visit *v, const struct vm_nic *nic, size_t i)
{
	for (size_t k = 0; k < nic->ip.n; k++) {
		CLEANUP(freep) char *ip = canonical_ip(nic->ip.items[k]);
		if (!ip)
			continue;
		CLEANUP(freep) char *value = xasprintf("%s on network \"%s\"", ip, nic->network);
		const struct told told = {
			.kind = CLAIM_IP, .value = value, .filtered = nic->filter != NULL
		};
		/* One address may be written without a list. */
		if (nic->ip.n == 1)
			visit(v, &told, "/connections/%zu/ip", i);
		else
			visit(v, &told, "/connections/%zu/ip/%zu", i, k);
	}
}

static void visit_nic(const struct visit *v, const struct vm_nic *nic, size_t i)
{
	CLEANUP(freep) char *mac = xstrdup(nic->mac);
	for (char *p = mac; *p; p++)
		*p = *p == '-' ? ':' : (char)(*p | (*p >= 'A' && *p <= 'F' ? 0x20 : 0));
	visit(v, &(struct told){ .kind = CLAIM_MAC, .value = mac }, "/connections/%zu/mac", i);
	if (vm_nic_has_link(nic))
		visit(v, &(struct told){ .kind = CLAIM_LINK, .value = nic->link },
				"/connections/%zu/name", i);
	/* A switch has a socket for each of its ports. */
	if (nic->socket)
		visit(v, &(struct told){ .kind = CLAIM_SOCKET, .value = nic->socket },
				"/connections/%zu/network", i);
	visit_addresses(v, nic, i);
	for (size_t k = 0; k < nic->n_forward; k++)
		visit_forward(v, &nic->forward[k], i);
}

static struct told claim_file(const struct vm_volume *volume)
{
	return (struct told){
		.kind = CLAIM_FILE, .value = volume->path, .shared = volume->readonly
	};
}

static void visit_disks(const struct visit *v, const struct vm *vm)
{
	if (vm->firmware_code) {
		struct told told = claim_file(vm->firmware_code);
		visit(v, &told, "/attrs/firmware/code");
	}
	if (vm->firmware_vars) {
		struct told told = claim_file(vm->firmware_vars);
		visit(v, &told, "/attrs/firmware/vars");
	}
	if (vm->tpm.enabled)
		visit(v, &(struct told){ .kind = CLAIM_TPM, .value = vm->tpm.data },
				"/attrs/tpm/data");
	for (size_t i = 0; i < vm->n_volumes; i++) {
		struct told told = claim_file(&vm->volumes[i]);
		/* Those that the guest does not see are not opened. */
		if (vm->volumes[i].type->bus != VM_BUS_TPM &&
				vm->volumes[i].type->bus != VM_BUS_NONE)
			visit(v, &told, "/volumes/%zu", i);
	}
}

/* What is found only when the machine starts is not claimed: several may wait for it. */
static void visit_pci(const struct visit *v, const struct vm_pci *pci)
{
	if (!vm_pci_is_fixed(pci))
		return;
	const char *address = pci->candidates[0].address;
	visit(v, &(struct told){ .kind = CLAIM_PCI, .value = address }, "/devices/%zu/class",
			pci->index);
	for (size_t i = 0; i < pci->n_functions; i++) {
		CLEANUP(freep) char *other = vm_pci_function(address, pci->functions[i]);
		visit(v, &(struct told){ .kind = CLAIM_PCI, .value = other }, "/devices/%zu/class",
				pci->index);
	}
}

/* Likewise. */
static void visit_usb(const struct visit *v, const struct vm_usb *usb)
{
	const struct vm_usb_candidate *only = &usb->candidates[0];
	const char *place = only->port ? only->port : only->id;
	if (usb->n_candidates == 1 && place)
		visit(v, &(struct told){ .kind = CLAIM_USB, .value = place }, "/devices/%zu/class",
				usb->index);
}

static void visit_devices(const struct visit *v, const struct vm *vm)
{
	for (size_t i = 0; i < vm->n_mdevs; i++)
		visit(v, &(struct told){ .kind = CLAIM_MDEV, .value = vm->mdevs[i].uuid },
				"/devices/%zu/id", vm->mdevs[i].index);
	for (size_t i = 0; i < vm->n_pcis; i++)
		visit_pci(v, &vm->pcis[i]);
	for (size_t i = 0; i < vm->n_usbs; i++)
		visit_usb(v, &vm->usbs[i]);
}

/* Those in the run directory, too: another machine's "paths" may lead there. */
static void visit_qmp(const struct visit *v, const struct vm *vm, const struct vm_qmp_socket *qmp)
{
	bool is_own = !qmp->path[0];
	CLEANUP(freep)
	char *own = is_own ? plan_qmp_path("/run/machina", vm->name, qmp->name) : NULL;
	visit(v, &(struct told){ .kind = CLAIM_SOCKET, .value = is_own ? own : qmp->path },
			"/attrs/qmp/sockets/%s", is_own ? "names" : "paths");
}

static void visit_sockets(const struct visit *v, const struct vm *vm)
{
	for (size_t i = 0; i < vm->n_qmp; i++)
		visit_qmp(v, vm, &vm->qmp[i]);
	if (vm->tpm.enabled && vm->tpm.socket[0])
		visit(v, &(struct told){ .kind = CLAIM_SOCKET, .value = vm->tpm.socket },
				"/attrs/tpm/socket/path");
	if (vm->agent.enabled && vm->agent.port)
		visit_port(v, "tcp", "127.0.0.1", vm->agent.port, "/attrs/agent/qemu");
	if (vm->spice.enabled && vm->spice.port)
		visit_port(v, "tcp", "127.0.0.1", vm->spice.port, "/attrs/spice");
	if (vm->vnc.enabled && vm->vnc.port)
		visit_port(v, "tcp", "127.0.0.1", vm->vnc.port, "/attrs/vnc");
}

static void visit_vsock(const struct visit *v, const struct vm *vm)
{
	CLEANUP(freep) char *cid = xasprintf("%" PRIu32, vm->vsock.cid);
	visit(v, &(struct told){ .kind = CLAIM_CID, .value = cid }, "/attrs/vsock/cid");
}

static void visit_machine(const struct visit *v, const struct vm *vm)
{
	if (vm->has_uuid) {
		char uuid[UUID_TEXT_MAX];
		format_uuid(vm->uuid, uuid);
		visit(v, &(struct told){ .kind = CLAIM_ID, .value = uuid }, "/id");
	}
	for (size_t i = 0; i < vm->n_nics; i++)
		visit_nic(v, &vm->nics[i], i);
	visit_disks(v, vm);
	visit_devices(v, vm);
	visit_sockets(v, vm);
	if (vm->vsock.enabled)
		visit_vsock(v, vm);
}

/* Equal hashes are compared as texts before anything is said. */
static uint64_t hash_claim(const struct told *told)
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

static void add(void *context, const struct told *told)
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
	visit_machine(&(struct visit){ .visitor = add, .context = claims }, vm);
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

static void collect(void *context, const struct told *told)
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
	};
	CLEANUP(freep)
	char *pointer = told->kind == CLAIM_PORT ? port_pointer(&s->machine, told->pointer)
						 : xstrdup(told->pointer);
	const char *chain;
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
	if (machine_load(paths, host, s->name, &s->machine, &report, &err) == 0 &&
			vm_build(host, &s->machine, &vm, &report) == 0)
		visit_machine(&(struct visit){ .visitor = collect,
					      .context = s,
					      .has_pointers = true },
				&vm);
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
	/* Two cards of one machine may be one to the guest, which then has the address; a filter
	 * knows who it comes from. */
	if (a->kind == CLAIM_IP)
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
		buf_printf(text, "machine \"%s\" has", second->machine);
	else
		buf_printf(text, "machines \"%s\" and \"%s\" have", second->machine,
				first->machine);
	buf_printf(text, " the same %s%s, %s", kind_names[second->kind],
			same_machine ? " twice" : "", second->value);
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

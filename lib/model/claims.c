/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What only one machine of a host can have. */
#include "model/claims.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/mem.h"
#include "util/parse.h"

/* Called for each claim of a machine; @pointer: where it comes from in the merged machine. */
typedef void claim_visitor(void *context, const char *kind, const char *value, const char *pointer);

struct visit {
	claim_visitor *visitor;
	void *context;
};

static void visit(const struct visit *v, const char *kind, const char *value, const char *format,
		...) PRINTF(4, 5);

static void visit(
		const struct visit *v, const char *kind, const char *value, const char *format, ...)
{
	char pointer[64];
	va_list ap;
	va_start(ap, format);
	vsnprintf(pointer, sizeof(pointer), format, ap);
	va_end(ap);
	v->visitor(v->context, kind, value, pointer);
}

static void visit_port(const struct visit *v, const char *protocol, const char *address,
		int64_t port, const char *pointer)
{
	CLEANUP(freep) char *value = xasprintf("%s %s:%lld", protocol, address, (long long)port);
	visit(v, "port", value, "%s", pointer);
}

static void visit_forward(const struct visit *v, const struct forward_conf *forward, size_t i)
{
	char pointer[64];
	snprintf(pointer, sizeof(pointer), "/connections/%zu/network", i);
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

static void visit_nic(const struct visit *v, const struct vm_nic *nic, size_t i)
{
	CLEANUP(freep) char *mac = xstrdup(nic->mac);
	for (char *p = mac; *p; p++)
		*p = *p == '-' ? ':' : (char)(*p | (*p >= 'A' && *p <= 'F' ? 0x20 : 0));
	visit(v, "MAC address", mac, "/connections/%zu/mac", i);
	if (nic->mode != NETWORK_USER)
		visit(v, "interface name", nic->link, "/connections/%zu/name", i);
	for (size_t k = 0; k < nic->ip.n; k++) {
		CLEANUP(freep) char *ip = canonical_ip(nic->ip.items[k]);
		CLEANUP(freep)
		char *value = ip ? xasprintf("%s on network \"%s\"", ip, nic->network) : NULL;
		if (value)
			visit(v, "IP address", value, "/connections/%zu/ip", i);
	}
	for (size_t k = 0; k < nic->n_forward; k++)
		visit_forward(v, &nic->forward[k], i);
}

static void visit_disks(const struct visit *v, const struct vm *vm)
{
	static const char kind[] = "file for writing";
	if (vm->firmware_vars && !vm->firmware_vars->readonly)
		visit(v, kind, vm->firmware_vars->path, "/attrs/firmware/vars");
	if (vm->tpm.enabled)
		visit(v, "TPM state", vm->tpm.data, "/attrs/tpm/data");
	for (size_t i = 0; i < vm->n_volumes; i++)
		if (!vm->volumes[i].readonly && vm->volumes[i].type->bus != VM_BUS_TPM)
			visit(v, kind, vm->volumes[i].path, "/volumes/%zu", i);
}

static void visit_machine(const struct vm *vm, claim_visitor *visitor, void *context)
{
	const struct visit v = { .visitor = visitor, .context = context };
	if (vm->has_uuid) {
		char uuid[UUID_TEXT_MAX];
		format_uuid(vm->uuid, uuid);
		visit(&v, "id", uuid, "/id");
	}
	for (size_t i = 0; i < vm->n_nics; i++)
		visit_nic(&v, &vm->nics[i], i);
	visit_disks(&v, vm);
	for (size_t i = 0; i < vm->n_mdevs; i++)
		visit(&v, "mediated device", vm->mdevs[i].uuid, "/devices/%zu/id", i);
	for (size_t i = 0; i < vm->n_qmp; i++)
		if (vm->qmp[i].path[0])
			visit(&v, "socket", vm->qmp[i].path, "/attrs/qmp/sockets/paths");
	if (vm->tpm.enabled && vm->tpm.socket[0])
		visit(&v, "socket", vm->tpm.socket, "/attrs/tpm/socket/path");
	if (vm->agent.enabled && vm->agent.port)
		visit_port(&v, "tcp", "127.0.0.1", vm->agent.port, "/attrs/agent/qemu");
	if (vm->spice.enabled && vm->spice.port)
		visit_port(&v, "tcp", "127.0.0.1", vm->spice.port, "/attrs/spice");
	if (vm->vnc.enabled && vm->vnc.port)
		visit_port(&v, "tcp", "127.0.0.1", vm->vnc.port, "/attrs/vnc");
}

/* FNV-1a; equal hashes are compared as texts before anything is said. */
static uint64_t hash_claim(const char *kind, const char *value)
{
	uint64_t hash = 0xcbf29ce484222325;
	for (; *kind; kind++)
		hash = (hash ^ (unsigned char)*kind) * 0x100000001b3;
	hash = hash * 0x100000001b3;
	for (; *value; value++)
		hash = (hash ^ (unsigned char)*value) * 0x100000001b3;
	return hash;
}

void claims_done(struct claims *claims)
{
	strv_done(&claims->names);
	free(claims->selected);
	free(claims->items);
	*claims = (struct claims){};
}

static void add(void *context, const char *kind, const char *value, const char *pointer)
{
	struct claims *claims = context;
	(void)pointer;
	claims->items = grow_array(
			claims->items, &claims->n_alloc, claims->n, sizeof(*claims->items));
	claims->items[claims->n++] = (struct claim){
		.hash = hash_claim(kind, value),
		.machine = (uint32_t)(claims->names.n - 1),
	};
}

void claims_add(struct claims *claims, const struct vm *vm, bool selected)
{
	claims->selected = grow_array(claims->selected, &claims->n_selected_alloc, claims->names.n,
			sizeof(*claims->selected));
	claims->selected[claims->names.n] = selected;
	strv_push(&claims->names, vm->name);
	visit_machine(vm, add, claims);
}

/* A claim in full, as found when its machine is read again. */
struct found {
	char *kind;
	char *value;
	struct where at;
	char *file;
	char *pointer;
	const char *machine;
	bool selected;
};

struct search {
	uint64_t hash;
	const struct machine *machine;
	const char *name;
	bool selected;
	struct found *items;
	size_t n;
	size_t n_alloc;
};

static void collect(void *context, const char *kind, const char *value, const char *pointer)
{
	struct search *s = context;
	if (hash_claim(kind, value) != s->hash)
		return;
	struct found f = {
		.kind = xstrdup(kind),
		.value = xstrdup(value),
		.machine = s->name,
		.selected = s->selected,
	};
	jmerge_locate(machine_fields, s->machine->layers, s->machine->n_layers, pointer, &f.at,
			NULL, &f.pointer);
	f.file = xstrdup(f.at.file);
	s->items = grow_array(s->items, &s->n_alloc, s->n, sizeof(*s->items));
	s->items[s->n++] = f;
}

static void read_again(struct search *s, const struct config_paths *paths, const struct host *host)
{
	CLEANUP(report_done) struct report report = {};
	CLEANUP(machine_done) struct machine machine = {};
	CLEANUP(vm_done) struct vm vm = {};
	struct error err = {};
	if (machine_load(paths, host, s->name, &machine, &report, &err) != 0 ||
			vm_build(host, &machine, &vm, &report) != 0)
		return;
	s->machine = &machine;
	visit_machine(&vm, collect, s);
	s->machine = NULL;
}

static void report_conflict(
		const struct found *first, const struct found *second, struct report *report)
{
	struct where at = second->at;
	at.file = second->file;
	report_add(report, SEVERITY_ERROR, at, second->pointer, NULL,
			"machine \"%s\" and machine \"%s\" have the same %s, %s; the other is at "
			"%s:%zu:%zu",
			second->machine, first->machine, second->kind, second->value, first->file,
			first->at.line, first->at.column);
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
	for (size_t i = 1; i < s.n; i++) {
		const struct found *first = &s.items[0], *second = &s.items[i];
		if (!strcmp(first->kind, second->kind) && !strcmp(first->value, second->value) &&
				(first->selected || second->selected))
			report_conflict(first, second, report);
	}
	for (size_t i = 0; i < s.n; i++) {
		free(s.items[i].kind);
		free(s.items[i].value);
		free(s.items[i].file);
		free(s.items[i].pointer);
	}
	free(s.items);
}

static int compare(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;
	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return x->machine < y->machine ? -1 : x->machine > y->machine;
}

void claims_check(struct claims *claims, const struct config_paths *paths, const struct host *host,
		struct report *report)
{
	if (claims->n > 1)
		qsort(claims->items, claims->n, sizeof(*claims->items), compare);
	for (size_t i = 0, end; i < claims->n; i = end) {
		for (end = i + 1;
				end < claims->n && claims->items[end].hash == claims->items[i].hash;
				end++)
			;
		bool wanted = false;
		for (size_t k = i; k < end; k++)
			wanted |= claims->selected[claims->items[k].machine];
		if (end - i > 1 && wanted)
			check_run(claims, &claims->items[i], end - i, paths, host, report);
	}
}

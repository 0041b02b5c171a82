/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The walk over all that a machine claims for itself. */
#include "model/claims-visit.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "model/plan.h"
#include "util/mem.h"
#include "util/parse.h"

static void visit(const struct claim_visit *v, const struct claim_told *told, const char *format,
		...) PRINTF(3, 4);

/* @format: of the pointer */
static void visit(
		const struct claim_visit *v, const struct claim_told *told, const char *format, ...)
{
	struct claim_told full = *told;
	/* Of a machine that has faults, it may not be known. */
	if (!told->value)
		return;
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

static void visit_port(const struct claim_visit *v, const char *protocol, const char *address,
		int64_t port, const char *pointer)
{
	CLEANUP(freep) char *value = xasprintf("%s %" PRId64, protocol, port);
	visit(v, &(struct claim_told){ .kind = CLAIM_PORT, .value = value, .address = address },
			"%s", pointer);
}

static void visit_forward(const struct claim_visit *v, const struct forward_conf *forward, size_t i)
{
	CLEANUP(freep) char *pointer = xasprintf("/connections/%zu/network", i);
	visit_port(v, forward_protocol_names[forward->protocol], forward->address, forward->port,
			pointer);
}

static void visit_addresses(const struct claim_visit *v, const struct vm_nic *nic, size_t i)
{
	for (size_t k = 0; k < nic->ip.n; k++) {
		CLEANUP(buf_done) struct buf value = {};
		struct fw_range ip;
		enum fw_family family;
		if (!fw_address_read(nic->ip.items[k], &ip, &family))
			continue;
		/* Equal addresses may be written in several ways. */
		fw_range_put(&value, &ip, family);
		buf_printf(&value, " on network '%s'", nic->network);
		const struct claim_told told = {
			.kind = CLAIM_IP, .value = buf_text(&value), .filtered = nic->filter != NULL
		};
		/* One address may be written without a list. */
		if (nic->ip.n == 1)
			visit(v, &told, "/connections/%zu/ip", i);
		else
			visit(v, &told, "/connections/%zu/ip/%zu", i, k);
	}
}

static void visit_nic(const struct claim_visit *v, const struct vm_nic *nic, size_t i)
{
	CLEANUP(freep) char *mac = xstrdup_null(nic->mac);
	for (char *p = mac; p && *p; p++)
		*p = *p == '-' ? ':' : (char)(*p | (*p >= 'A' && *p <= 'F' ? 0x20 : 0));
	visit(v,
			&(struct claim_told){ .kind = CLAIM_MAC,
					.value = mac,
					.filtered = nic->filter || nic->managed },
			"/connections/%zu/mac", i);
	if (vm_nic_has_link(nic))
		visit(v, &(struct claim_told){ .kind = CLAIM_LINK, .value = nic->link },
				"/connections/%zu/name", i);
	if (nic->mode == NETWORK_MACVTAP)
		visit(v,
				&(struct claim_told){ .kind = CLAIM_UPLINK,
						.value = nic->device,
						.shared = nic->macvtap_mode != MACVTAP_PASSTHRU },
				"/connections/%zu/network", i);
	/* A switch has a socket for each of its ports. */
	if (nic->socket)
		visit(v, &(struct claim_told){ .kind = CLAIM_SOCKET, .value = nic->socket },
				"/connections/%zu/network", i);
	visit_addresses(v, nic, i);
	for (size_t k = 0; k < nic->n_forward; k++)
		visit_forward(v, &nic->forward[k], i);
}

static struct claim_told claim_file(const struct vm_volume *volume)
{
	return (struct claim_told){
		.kind = CLAIM_FILE, .value = volume->path, .shared = volume->readonly
	};
}

static void visit_disks(const struct claim_visit *v, const struct vm *vm)
{
	if (vm->firmware_code) {
		struct claim_told told = claim_file(vm->firmware_code);
		visit(v, &told, "/attrs/firmware/code");
	}
	if (vm->firmware_vars) {
		struct claim_told told = claim_file(vm->firmware_vars);
		visit(v, &told, "/attrs/firmware/vars");
	}
	if (vm->tpm.enabled)
		visit(v, &(struct claim_told){ .kind = CLAIM_TPM, .value = vm->tpm.data },
				"/attrs/tpm/data");
	for (size_t i = 0; i < vm->n_volumes; i++) {
		struct claim_told told = claim_file(&vm->volumes[i]);
		/* Those that the guest does not see are not opened; what has no type has faults. */
		if (vm->volumes[i].type && vm->volumes[i].type->bus != VM_BUS_TPM &&
				vm->volumes[i].type->bus != VM_BUS_NONE)
			visit(v, &told, "/volumes/%zu", i);
	}
}

/* What is found only when the machine starts is not claimed: several may wait for it. */
static void visit_pci(const struct claim_visit *v, const struct vm_pci *pci)
{
	if (!vm_pci_is_fixed(pci))
		return;
	const char *address = pci->candidates[0].address;
	visit(v, &(struct claim_told){ .kind = CLAIM_PCI, .value = address }, "/devices/%zu/class",
			pci->index);
	for (size_t i = 0; i < pci->n_functions; i++) {
		CLEANUP(freep) char *other = vm_pci_function(address, pci->functions[i]);
		visit(v, &(struct claim_told){ .kind = CLAIM_PCI, .value = other },
				"/devices/%zu/class", pci->index);
	}
}

/* Likewise. */
static void visit_usb(const struct claim_visit *v, const struct vm_usb *usb)
{
	const struct vm_usb_candidate *only = usb->candidates;
	if (usb->n_candidates != 1)
		return;
	const char *place = only->port ? only->port : only->id;
	if (place)
		visit(v, &(struct claim_told){ .kind = CLAIM_USB, .value = place },
				"/devices/%zu/class", usb->index);
}

static void visit_devices(const struct claim_visit *v, const struct vm *vm)
{
	for (size_t i = 0; i < vm->n_mdevs; i++)
		visit(v, &(struct claim_told){ .kind = CLAIM_MDEV, .value = vm->mdevs[i].uuid },
				"/devices/%zu/id", vm->mdevs[i].index);
	for (size_t i = 0; i < vm->n_pcis; i++)
		visit_pci(v, &vm->pcis[i]);
	for (size_t i = 0; i < vm->n_usbs; i++)
		visit_usb(v, &vm->usbs[i]);
}

/* Those in the run directory, too: another machine's "paths" may lead there. */
static void visit_qmp(
		const struct claim_visit *v, const struct vm *vm, const struct vm_qmp_socket *qmp)
{
	bool is_own = !qmp->path[0];
	CLEANUP(freep)
	char *own = is_own ? plan_qmp_path("/run/machina", vm->name, qmp->name) : NULL;
	visit(v, &(struct claim_told){ .kind = CLAIM_SOCKET, .value = is_own ? own : qmp->path },
			"/attrs/qmp/sockets/%s", is_own ? "names" : "paths");
}

static void visit_sockets(const struct claim_visit *v, const struct vm *vm)
{
	for (size_t i = 0; i < vm->n_qmp; i++)
		visit_qmp(v, vm, &vm->qmp[i]);
	if (vm->tpm.enabled && vm->tpm.socket && vm->tpm.socket[0])
		visit(v, &(struct claim_told){ .kind = CLAIM_SOCKET, .value = vm->tpm.socket },
				"/attrs/tpm/socket/path");
	if (vm->agent.enabled && vm->agent.port)
		visit_port(v, "tcp", "127.0.0.1", vm->agent.port, "/attrs/agent/qemu");
	if (vm->spice.enabled && vm->spice.port)
		visit_port(v, "tcp", "127.0.0.1", vm->spice.port, "/attrs/spice");
	if (vm->vnc.enabled && vm->vnc.port)
		visit_port(v, "tcp", "127.0.0.1", vm->vnc.port, "/attrs/vnc");
}

static void visit_vsock(const struct claim_visit *v, const struct vm *vm)
{
	CLEANUP(freep) char *cid = xasprintf("%" PRIu32, vm->vsock.cid);
	visit(v, &(struct claim_told){ .kind = CLAIM_CID, .value = cid }, "/attrs/vsock/cid");
}

void claims_visit(const struct claim_visit *v, const struct vm *vm)
{
	if (vm->has_uuid) {
		char uuid[UUID_TEXT_MAX];
		format_uuid(vm->uuid, uuid);
		visit(v, &(struct claim_told){ .kind = CLAIM_ID, .value = uuid }, "/id");
	}
	for (size_t i = 0; i < vm->n_nics; i++)
		visit_nic(v, &vm->nics[i], i);
	visit_disks(v, vm);
	visit_devices(v, vm);
	visit_sockets(v, vm);
	if (vm->vsock.enabled)
		visit_vsock(v, vm);
}

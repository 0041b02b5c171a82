/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a machine needs and is not there. */
#include "host/doctor/lack.h"

#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/device/usb.h"
#include "host/net/bridge.h"
#include "host/net/netlink.h"
#include "host/storage/storage.h"
#include "host/storage/swtpm.h"
#include "model/plan.h"
#include "util/iso9660.h"
#include "util/mem.h"

#define PASST "/usr/bin/passt"
#define SWTPM_SETUP "/usr/bin/swtpm_setup"
/* Of Debian's QEMU. One that somebody has built may have them elsewhere, or need none. */
#define QEMU_MODULES "/usr/lib/x86_64-linux-gnu/qemu"

struct search {
	const struct vm *vm;
	lack_fn *tell;
	void *data;
};

static void PRINTF(3, 0)
		vtell(const struct search *s, struct lack *lack, const char *format, va_list ap)
{
	CLEANUP(freep) char *text = xvasprintf(format, ap);
	lack->text = text;
	s->tell(s->data, lack);
}

static void tell(const struct search *s, enum lack_kind kind, const char *pointer,
		const char *subject, int code, const char *format, ...) PRINTF(6, 7);

static void tell(const struct search *s, enum lack_kind kind, const char *pointer,
		const char *subject, int code, const char *format, ...)
{
	struct lack lack = { .kind = kind, .pointer = pointer, .subject = subject, .code = code };
	va_list ap;
	va_start(ap, format);
	vtell(s, &lack, format, ap);
	va_end(ap);
}

static void tell_of_network(const struct search *s, size_t i, enum lack_kind kind,
		const char *subject, int code, const char *format, ...) PRINTF(6, 7);

/* @i: the connection */
static void tell_of_network(const struct search *s, size_t i, enum lack_kind kind,
		const char *subject, int code, const char *format, ...)
{
	CLEANUP(freep) char *pointer = xasprintf("/connections/%zu/network", i);
	struct lack lack = { .kind = kind,
		.pointer = pointer,
		.subject = subject,
		.network = s->vm->nics[i].network,
		.code = code };
	va_list ap;
	va_start(ap, format);
	vtell(s, &lack, format, ap);
	va_end(ap);
}

/* @type: what it has to be, as storage_check() takes it */
static void look_at_volume(const struct search *s, enum lack_kind kind, const struct vm_volume *v,
		mode_t type, const char *pointer)
{
	struct error err = {};
	if (!v)
		return;
	const struct storage_file file = {
		.path = v->path,
		.volume = v->pool ? v->name : NULL,
		.pool = v->pool,
		.writable = type == 0 && !v->readonly,
		.device = plan_is_device(v->path),
		.firmware = v == s->vm->firmware_vars ? s->vm->firmware_code->path : NULL,
		.qcow2 = v->type && v->type->format == VM_FORMAT_QCOW2,
	};
	if (storage_check(&file, type, &err) < 0)
		tell(s, kind, pointer, v->path, err.code, "%s", err.text);
}

/* The size of a file with nothing but what the firmware sees; -1: of none, or none that may be
 * looked at. */
static long long flash_size(const struct vm_volume *v)
{
	struct stat st;
	bool is_raw = v && (!v->type || v->type->format != VM_FORMAT_QCOW2);
	return is_raw && stat(v->path, &st) == 0 && S_ISREG(st.st_mode) ? (long long)st.st_size
									: -1;
}

/* QEMU takes whole pages only, and firmware the variables that were built with it. */
static void look_at_sizes(const struct search *s)
{
	static const char *const pointers[] = { "/attrs/firmware/code", "/attrs/firmware/vars" };
	const struct vm_volume *const flash[] = { s->vm->firmware_code, s->vm->firmware_vars };
	CLEANUP(freep)
	char *model = storage_find_variables(
			s->vm->firmware_code ? s->vm->firmware_code->path : "");
	struct stat st;
	for (size_t i = 0; i < ARRAY_SIZE(flash); i++) {
		long long size = flash_size(flash[i]);
		if (size == 0 || size % 4096 > 0)
			tell(s, LACK_FIRMWARE, pointers[i], flash[i]->path, EFBIG,
					"'%s' has %lld bytes: firmware has whole pages of 4096, "
					"and QEMU takes no other",
					flash[i]->path, size);
		else if (i == 1 && size > 0 && model && stat(model, &st) == 0 && st.st_size != size)
			tell(s, LACK_FIRMWARE, pointers[i], flash[i]->path, EFBIG,
					"'%s' has %lld bytes, and the variables that came with its "
					"firmware ('%s') %lld",
					flash[i]->path, size, model, (long long)st.st_size);
	}
}

static void look_at_files(const struct search *s)
{
	const struct vm *vm = s->vm;
	look_at_sizes(s);
	look_at_volume(s, LACK_FIRMWARE, vm->firmware_code, 0, "/attrs/firmware/code");
	look_at_volume(s, LACK_FIRMWARE, vm->firmware_vars, 0, "/attrs/firmware/vars");
	look_at_volume(s, LACK_VOLUME, vm->kernel, S_IFREG, "/attrs/boot/kernel");
	look_at_volume(s, LACK_VOLUME, vm->initrd, S_IFREG, "/attrs/boot/initrd");
	for (size_t i = 0; i < vm->n_volumes; i++) {
		const struct vm_volume *v = &vm->volumes[i];
		CLEANUP(freep) char *pointer = xasprintf("/volumes/%zu", i);
		if (v->type->bus != VM_BUS_TPM)
			look_at_volume(s, LACK_VOLUME, v,
					v->type->format == VM_FORMAT_VVFAT ? S_IFDIR : 0, pointer);
	}
}

static void look_at_credentials(const struct search *s)
{
	for (size_t i = 0; i < s->vm->n_credentials; i++) {
		const struct vm_credential *credential = &s->vm->credentials[i];
		const struct storage_file file = { .path = credential->path };
		CLEANUP(freep) char *pointer = xasprintf("/credentials/%zu/path", i);
		struct error err = {};
		if (storage_check(&file, S_IFREG, &err) < 0)
			tell(s, LACK_VOLUME, pointer, file.path, err.code, "credential '%s': %s",
					credential->name, err.text);
	}
}

static void look_at_seed(const struct search *s)
{
	struct error missing = {};
	if (s->vm->n_seed && iso9660_check(&missing) < 0)
		tell(s, LACK_LIBISOFS, "/attrs/cloud-init", "libisofs", missing.code,
				"cloud-init: %s", missing.text);
	for (size_t i = 0, n_keys = 0; i < s->vm->n_seed; i++) {
		const struct vm_seed_item *item = &s->vm->seed[i];
		const struct storage_file file = { .path = item->text };
		struct error err = {};
		const char *key = vm_seed_key(item->kind);
		bool is_key = item->kind == VM_SEED_KEY || item->kind == VM_SEED_KEY_FILE;
		CLEANUP(freep)
		char *pointer = is_key ? xasprintf("/attrs/cloud-init/%s/%zu", key, n_keys++)
				       : xasprintf("/attrs/cloud-init/%s", key);
		if (vm_seed_is_path(item->kind) && storage_check(&file, S_IFREG, &err) < 0)
			tell(s, LACK_VOLUME, pointer, file.path, err.code, "cloud-init: \"%s\": %s",
					key, err.text);
	}
}

/* It makes a machine's first TPM, and is in a package of its own. */
static bool lacks_setup(const struct vm *vm)
{
	CLEANUP(freep)
	char *made = xasprintf("%s/" SWTPM_STATE "/" SWTPM_FILE, vm->tpm.data ? vm->tpm.data : "");
	return access(SWTPM_SETUP, X_OK) < 0 && access(made, F_OK) < 0 && errno == ENOENT;
}

/* The package is only recommended by that of QEMU, which says that it knows no SPICE, or no such
 * device. */
static void look_at_spice(const struct search *s)
{
	const struct vm *vm = s->vm;
	const bool spice = vm->spice.enabled;
	const char *module = spice ? QEMU_MODULES "/ui-spice-core.so"
				   : QEMU_MODULES "/hw-display-qxl.so";
	if (!spice && vm->display != VM_DISPLAY_QXL)
		return;
	if (strncmp(vm->emulator, "/usr/bin/", 9) == 0 && access(QEMU_MODULES, F_OK) == 0 &&
			access(module, F_OK) < 0)
		tell(s, LACK_SPICE, spice ? "/attrs/spice" : "/attrs/display", module, 0,
				"%s needs QEMU's module '%s', which is not there (package "
				"qemu-system-modules-spice; in Debian 12 qemu-system-common)",
				spice ? "SPICE" : "qxl", module);
}

static void look_at_programs(const struct search *s)
{
	const struct vm *vm = s->vm;
	if (access(vm->emulator, X_OK) < 0)
		tell(s, LACK_EMULATOR, "/attrs/machine/qemu", vm->emulator, errno,
				"cannot execute '%s': %s", vm->emulator, strerror(errno));
	look_at_spice(s);
	if (vm->tpm.enabled && access("/usr/bin/swtpm", F_OK) < 0)
		tell(s, LACK_TPM, "/attrs/tpm", "/usr/bin/swtpm", 0,
				"the TPM needs '/usr/bin/swtpm', which is not there (packages "
				"swtpm and swtpm-tools)");
	else if (vm->tpm.enabled && lacks_setup(vm))
		tell(s, LACK_TPM, "/attrs/tpm", SWTPM_SETUP, 0,
				"the TPM is not made yet, and '" SWTPM_SETUP
				"', which makes it, is not there (package swtpm-tools)");
	if (vm->accel == VM_ACCEL_KVM && access("/dev/kvm", F_OK) < 0)
		tell(s, LACK_KVM, "/attrs/machine/accel", "/dev/kvm", 0,
				"'/dev/kvm' is not there: no virtualization in the firmware's "
				"setup, or its module is not loaded");
}

bool share_program_exists(const char *name)
{
	if (name[0] == '/')
		return access(name, X_OK) == 0;
	for (const char *dirs = VM_SHARE_PROGRAM_DIRS; *dirs; dirs += *dirs == ':') {
		size_t len = strcspn(dirs, ":");
		CLEANUP(freep) char *path = xasprintf("%.*s/%s", (int)len, dirs, name);
		if (access(path, X_OK) == 0)
			return true;
		dirs += len;
	}
	return false;
}

static void look_at_share(const struct search *s, size_t i)
{
	const struct vm_share *share = &s->vm->shares[i];
	const char *program = share->program;
	CLEANUP(freep) char *pointer = xasprintf("/shares/%zu", i);
	struct stat st;
	if (program[0] == '/' && access(program, X_OK) < 0)
		tell(s, LACK_SHARE_PROGRAM, pointer, program, errno,
				"share '%s': cannot execute '%s': %s", share->name, program,
				strerror(errno));
	else if (!share_program_exists(program))
		tell(s, LACK_SHARE_PROGRAM, pointer, program, 0,
				"share '%s' needs the program '%s', which is in none of the "
				"directories " VM_SHARE_PROGRAM_DIRS
				" (package virtiofsd; in Debian 12 qemu-system-common)",
				share->name, program);
	if (stat(share->path, &st) < 0)
		tell(s, LACK_SHARE_PATH, pointer, share->path, errno, "share '%s': '%s': %s",
				share->name, share->path, strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		tell(s, LACK_SHARE_PATH, pointer, share->path, ENOTDIR,
				"share '%s': '%s' is not a directory", share->name, share->path);
	if (share->user_exists && !getpwnam(share->user))
		tell(s, LACK_SHARE_USER, pointer, share->user, 0,
				"share '%s': the host has no user '%s'", share->name, share->user);
}

static void look_at_passt(const struct search *s, size_t i)
{
	CLEANUP(freep) char *pointer = xasprintf("/connections/%zu/network", i);
	if (access(PASST, X_OK) < 0)
		tell(s, LACK_PASST, pointer, PASST, 0,
				"'" PASST "' is not there (package passt), which network '%s' "
				"needs (\"backend\": \"slirp\" does without)",
				s->vm->nics[i].network);
}

static void look_at_switch(const struct search *s, size_t i)
{
	const char *socket = s->vm->nics[i].socket;
	struct stat st;
	if (stat(socket, &st) < 0)
		tell_of_network(s, i, LACK_SWITCH, socket, errno, "the switch's socket '%s': %s",
				socket, strerror(errno));
	else if (!S_ISSOCK(st.st_mode))
		tell_of_network(s, i, LACK_SWITCH, socket, ENOTSOCK, "'%s' is not a socket",
				socket);
}

static void look_at_bridge(
		const struct search *s, struct netlink *nl, const struct vm_nic *nic, size_t i)
{
	const char *bridge = nic->bridge;
	struct error err = {};
	struct link link;
	int r = netlink_get(nl, bridge, &link, &err);
	bool is_bridge = r == 0 && !strcmp(link.kind, "bridge");
	if (r < 0)
		tell_of_network(s, i, LACK_BRIDGE, bridge, err.code, "%s", err.text);
	else if (r > 0)
		tell_of_network(s, i, LACK_BRIDGE, bridge, ENODEV, "there is no bridge '%s'",
				bridge);
	else if (!is_bridge)
		tell_of_network(s, i, LACK_BRIDGE, bridge, EINVAL, "'%s' is no bridge", bridge);
	if (is_bridge && !link.up)
		tell_of_network(s, i, LACK_BRIDGE, bridge, ENETDOWN, "the bridge '%s' is down",
				bridge);
	if (is_bridge && (nic->vlan || nic->n_vlans) && !link.vlan_filtering)
		tell_of_network(s, i, LACK_VLANS, bridge, EINVAL,
				"the bridge '%s' does not tell VLANs apart", bridge);
}

/* The network's unit makes it, unless something else is there by that name. */
static void look_at_own_bridge(
		const struct search *s, struct netlink *nl, const struct vm_nic *nic, size_t i)
{
	CLEANUP(freep) char *pointer = xasprintf("/connections/%zu/network", i);
	CLEANUP(freep) char *alias = bridge_alias(nic->network);
	struct error err = {};
	struct link link;
	if (netlink_get(nl, nic->bridge, &link, &err) == 0 && strcmp(link.alias, alias) != 0)
		tell(s, LACK_BRIDGE, pointer, nic->bridge, EEXIST,
				"network '%s' makes a bridge '%s', and there is another interface "
				"of that name",
				nic->network, nic->bridge);
}

static void look_at_shared(const struct search *s, struct netlink *nl, size_t i)
{
	const char *device = s->vm->nics[i].device;
	char master[IFNAMSIZ] = "";
	struct error err = {};
	struct link link;
	int r = netlink_get(nl, device, &link, &err);
	if (r < 0)
		tell_of_network(s, i, LACK_DEVICE, device, err.code, "%s", err.text);
	else if (r > 0)
		tell_of_network(s, i, LACK_DEVICE, device, ENODEV, "there is no interface '%s'",
				device);
	else if (!link.up)
		tell_of_network(s, i, LACK_DEVICE, device, ENETDOWN, "the interface '%s' is down",
				device);
	else if (link.master && if_indextoname((unsigned)link.master, master))
		tell_of_network(s, i, LACK_DEVICE, device, EBUSY,
				"the interface '%s' belongs to '%s', which gets all that arrives "
				"there",
				device, master);
}

static void look_at_interfaces(const struct search *s)
{
	CLEANUP(netlink_done) struct netlink nl = {};
	for (size_t i = 0; i < s->vm->n_nics; i++) {
		const struct vm_nic *nic = &s->vm->nics[i];
		bool is_macvtap = nic->mode == NETWORK_MACVTAP;
		if (nic->passt)
			look_at_passt(s, i);
		/* Without one QEMU makes it. */
		if (nic->mode == NETWORK_VHOST_USER && nic->socket)
			look_at_switch(s, i);
		if (!vm_nic_has_link(nic) || (!nic->join && !is_macvtap))
			continue;
		/* Without netlink there is nothing to miss. */
		if (!nl.socket && netlink_open(&nl, NULL) < 0)
			return;
		if (is_macvtap)
			look_at_shared(s, &nl, i);
		else if (network_owns_bridge(nic->mode))
			look_at_own_bridge(s, &nl, nic, i);
		else
			look_at_bridge(s, &nl, nic, i);
	}
}

static void look_at_pci(const struct search *s, const struct vm_pci *pci)
{
	const char *address = pci->candidates[0].address;
	CLEANUP(freep) char *pointer = xasprintf("/devices/%zu/class", pci->index);
	CLEANUP(freep) char *dir = xasprintf("/sys/bus/pci/devices/%s", address);
	if (access(dir, F_OK) < 0)
		tell(s, LACK_PCI, pointer, address, 0,
				"device '%s': the host has no PCI device %s ('lspci -D' lists all)",
				pci->name, address);
}

static void look_at_card(const struct search *s, const struct vm_pci *pci)
{
	const char *interface = pci->candidates[0].interface;
	CLEANUP(freep) char *pointer = xasprintf("/connections/%zu/network", pci->index);
	CLEANUP(freep) char *dir = xasprintf("/sys/class/net/%s", interface);
	if (access(dir, F_OK) < 0)
		tell(s, LACK_PCI, pointer, interface, 0, "network '%s': there is no interface '%s'",
				pci->vf.network, interface);
}

static void look_at_usb(const struct search *s, const struct vm_usb *usb)
{
	const struct device_host host = { .sys = "/sys" };
	const struct vm_usb_candidate *only = &usb->candidates[0];
	CLEANUP(freep) char *pointer = xasprintf("/devices/%zu/class", usb->index);
	CLEANUP(freep) char *port = NULL;
	struct error err = {};
	if (usb->n_candidates == 1 && usb_find(&host, only, &port, &err) < 0)
		tell(s, LACK_USB, pointer, only->port ? only->port : only->id, 0, "device '%s': %s",
				usb->name, err.text);
}

/* Those that are looked for when the machine starts may come by then. */
static void look_at_devices(const struct search *s)
{
	for (size_t i = 0; i < s->vm->n_pcis; i++) {
		const struct vm_pci *pci = &s->vm->pcis[i];
		if (vm_pci_is_fixed(pci))
			look_at_pci(s, pci);
		else if (pci->candidates[0].interface)
			look_at_card(s, pci);
	}
	for (size_t i = 0; i < s->vm->n_usbs; i++)
		look_at_usb(s, &s->vm->usbs[i]);
}

void lacks_find(const struct vm *vm, lack_fn *fn, void *data)
{
	const struct search s = { .vm = vm, .tell = fn, .data = data };
	look_at_files(&s);
	look_at_credentials(&s);
	look_at_seed(&s);
	look_at_programs(&s);
	for (size_t i = 0; i < vm->n_shares; i++)
		look_at_share(&s, i);
	look_at_interfaces(&s);
	look_at_devices(&s);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Advice about one machine. */
#include "setup/advice.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "host/doctor/lack.h"
#include "host/storage/storage.h"
#include "json/jlocate.h"
#include "json/jmerge.h"
#include "util/file.h"
#include "util/mem.h"
#include "util/parse.h"

struct advisor {
	const struct built *built;
	struct report *report;
};

#define ADVISE(a, pointer, ...)                                                                    \
	machine_report(&(a)->built->machine, (a)->report, SEVERITY_ADVICE, (pointer), __VA_ARGS__)

static void advise_hardware(struct advisor *a)
{
	const struct vm *vm = &a->built->vm;
	/* What is not set anywhere is shown at the machine's own file. */
	if (!vm->has_uuid)
		ADVISE(a, "",
				"the machine has no \"id\": its identifiers are derived from its "
				"name alone, and the guest sees no UUID; 'machina gen-id' makes "
				"one");
	if (!strcmp(vm->machine_type, "q35"))
		ADVISE(a, "",
				"the machine type is not pinned: the guest's hardware changes when "
				"QEMU is upgraded; set \"type\": \"pc-q35-7.2\" or another of '%s "
				"-machine help'",
				vm->emulator);
	if (!vm->cpu.sockets && !vm->cpu.cores && !vm->cpu.threads)
		ADVISE(a, "/attrs/cpu",
				"the guest has one processor: no sockets, cores or threads are "
				"set");
	if (vm->qemu_args.n)
		ADVISE(a, "/qemu-args",
				"these arguments are passed on as they are: what they open is not "
				"in the plan, and the unit's sandbox may be in their way");
}

/*
 * The kernel counts QEMU's own memory as well, and that of the hooks that run beside it: about a
 * tenth of the guest's and half a GiB. Huge pages are not counted (cgroup-v2.rst, "hugetlb").
 */
static void advise_limits(struct advisor *a)
{
	const struct vm *vm = &a->built->vm;
	const uint64_t guest = (uint64_t)vm->memory.ram_mib;
	const uint64_t needed = (vm->memory.hugepages ? 0 : guest) + guest / 10 + 512;
	for (size_t i = 0; i < vm->limits.n; i++) {
		const struct jpair *limit = &vm->limits.items[i];
		uint64_t bytes;
		if (strcmp(limit->key, "MemoryMax") != 0 || parse_size(limit->value, &bytes) < 0 ||
				bytes >> 20 >= needed)
			continue;
		ADVISE(a, "/attrs/limits/MemoryMax",
				"%s is less than what %sQEMU and the unit's hooks need (about %llu "
				"MiB): the machine could be killed",
				limit->value, vm->memory.hugepages ? "" : "the guest, ",
				(unsigned long long)needed);
	}
}

/* ---- entries that take nothing away ---- */

struct removals {
	const struct layer *own;
	struct strv pointers; /* of names, where they would be in the merged machine */
	struct strv places;   /* the same in the machine's own file; "": it takes something away */
};

static void note_removal(void *context, const char *pointer, const struct jorigin *origin)
{
	struct removals *removals = context;
	const char *key = strrchr(pointer, '/');
	if (strcmp(key, "/name") != 0)
		return;
	if (origin->fate == JORIGIN_REMOVED && origin->layer == removals->own) {
		strv_push(&removals->pointers, pointer);
		strv_push(&removals->places, origin->pointer);
	}
	for (size_t i = 0; origin->fate == JORIGIN_OVERRIDDEN && i < removals->pointers.n; i++)
		if (!strcmp(removals->pointers.items[i], pointer))
			removals->places.items[i][0] = '\0';
}

/* Only of the machine's own file: a tag's entry may be meant for other machines. */
static void advise_removals(struct advisor *a)
{
	const struct machine *machine = &a->built->machine;
	struct removals removals = { .own = machine->layers };
	json_object_put(jmerge(machine_fields, machine->layers, machine->n_layers, note_removal,
			&removals));
	for (size_t i = 0; i < removals.places.n; i++) {
		char *place = removals.places.items[i];
		if (!place[0])
			continue;
		*strrchr(place, '/') = '\0';
		struct where at;
		jlocate_value(machine->layers->doc, place, &at);
		report_add(a->report, SEVERITY_ADVICE, at, place, NULL,
				"it takes nothing away: no tag of the machine has an entry of this "
				"name");
	}
	strv_done(&removals.pointers);
	strv_done(&removals.places);
}

/* ---- what the host has ---- */

/* A number of bytes or of KiB where MiB are meant is more than there is anywhere. */
static void advise_memory(struct advisor *a)
{
	const struct vm *vm = &a->built->vm;
	struct sysinfo host;
	if (sysinfo(&host) < 0)
		return;
	const uint64_t host_mib = (uint64_t)host.totalram * host.mem_unit >> 20;
	if ((uint64_t)vm->memory.ram_mib > host_mib)
		ADVISE(a, "/attrs/memory/ram",
				"%" PRId64 " MiB are more than all memory of this host (%" PRIu64
				" MiB)",
				vm->memory.ram_mib, host_mib);
}

/* Whoever takes an image for a disk finds nothing to boot on it. */
static void advise_images(struct advisor *a)
{
	const struct vm *vm = &a->built->vm;
	for (size_t i = 0; i < vm->n_volumes; i++) {
		const struct vm_volume *v = &vm->volumes[i];
		if (v->type->format != VM_FORMAT_RAW || !storage_is_qcow2(v->path))
			continue;
		CLEANUP(freep) char *pointer = xasprintf("/volumes/%zu", i);
		ADVISE(a, pointer,
				"volume '%s' (pool '%s'): '%s' is a qcow2 image, and by the type "
				"of its pool (\"%s\") the guest sees the image as it stands, not "
				"the disk in it; pools of type \"qcow2-scsi\" and "
				"\"qcow2-block\" show that",
				v->name, v->pool, v->path, v->type->name);
	}
}

/*
 * SeaBIOS puts the ACPI tables just below the end of the memory under 4 GiB. Of an ELF kernel it is
 * QEMU that places the initrd, with too little room left above it once a TPM's log stands among the
 * tables (acpi_data_size in QEMU's hw/i386/pc.c); of others it is a program in the guest, which
 * asks SeaBIOS.
 */
static void advise_kernel(struct advisor *a)
{
	const struct vm *vm = &a->built->vm;
	if (!vm->kernel || !vm->initrd || !vm->tpm.enabled || vm->firmware_code ||
			!storage_is_elf(vm->kernel->path))
		return;
	ADVISE(a, "/attrs/boot/kernel",
			"'%s' is an ELF file: with an initrd and a TPM, QEMU 7.2 puts the initrd "
			"over the ACPI tables, and the guest sees neither the TPM nor its power "
			"button; as a bzImage ('vmlinuz') the kernel boots with both",
			vm->kernel->path);
}

/* By a file of systemd's for all whose names begin so. */
static void advise_link(struct advisor *a, size_t i, const char *file, const char *what,
		const char *name, const char *where)
{
	CLEANUP(freep) char *path = path_join("/etc/systemd/network", file);
	CLEANUP(freep) char *pointer = xasprintf("/connections/%zu", i);
	if (access(path, F_OK) == 0)
		return;
	ADVISE(a, pointer,
			"where systemd-networkd runs, its file '%s' gives the %s '%s' an address "
			"and a DHCP server, as all that begin with '%.3s': 'ln -s /dev/null %s' "
			"switches that off, or give the %s another name",
			file, what, name, name, path, where);
}

/* Names of taps are derived, and stay what they are. */
static void advise_links(struct advisor *a)
{
	const struct vm *vm = &a->built->vm;
	for (size_t i = 0; i < vm->n_nics; i++) {
		const struct vm_nic *nic = &vm->nics[i];
		if (vm_nic_has_link(nic) && !strncmp(nic->link, "vt-", 3))
			advise_link(a, i, "80-vm-vt.network", "tap", nic->link, "machine");
		if (network_owns_bridge(nic->mode) && !strncmp(nic->bridge, "vz-", 3))
			advise_link(a, i, "80-container-vz.network", "bridge", nic->bridge,
					"bridge");
	}
}

static void advise_lack(void *data, const struct lack *lack)
{
	struct advisor *a = data;
	/* Others than root may not look everywhere. */
	if (lack->code == EACCES && geteuid() != 0)
		return;
	if (lack->network)
		ADVISE(a, lack->pointer, "network '%s': %s", lack->network, lack->text);
	else
		ADVISE(a, lack->pointer, "%s", lack->text);
}

static void advise_host(struct advisor *a)
{
	advise_memory(a);
	advise_links(a);
	lacks_find(&a->built->vm, advise_lack, a);
	advise_images(a);
	advise_kernel(a);
}

void advise(const struct built *built, struct config *config)
{
	struct advisor a = { .built = built, .report = &config->report };
	advise_hardware(&a);
	advise_limits(&a);
	advise_removals(&a);
	if (!config->paths->offline)
		advise_host(&a);
}

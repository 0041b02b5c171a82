/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The field tables of a machine's config file and of a tag. */
#include "config/machine.h"

#include "config/channels.h"
#include "config/forms.h"
#include "config/limits.h"

const char *const vm_accel_names[] = { "kvm", "tcg", NULL };
const char *const share_cache_names[] = { "auto", "none", "always", NULL };
const char *const vm_host_end_names[] = { "shutdown", "save", "kill", NULL };
const char *const vm_display_names[] = { "none", "virtio", "qxl", NULL };

#define NAME_DOC "Unique in its list; an entry of the machine replaces a tag's of the same name."
#define REMOVE_DOC "Take an inherited entry of this name away."

const char *const volume_boot_names[] = { "first", "last", NULL };

bool volume_conf_is_named(const struct volume_conf *conf)
{
	return (conf->name && conf->name[0]) || (conf->storage && conf->storage[0]);
}

static const struct field volume_fields[] = {
	FIELD_STRING(struct volume_conf, name, "name", form_text_line, 0, NULL, NAME_DOC),
	FIELD_STRING(struct volume_conf, storage, "storage", NULL, 0, NULL,
			"Storage pool of the host's config that holds the volume."),
	FIELD_STRING(struct volume_conf, wwn, "wwn", NULL, FIELD_DERIVED,
			"derived from the machine's id and name and the volume's name",
			"World Wide Name by which the guest knows a SCSI or SATA disk: 16 hex "
			"digits, or for SCSI 32 that begin with 6."),
	FIELD_STRING(struct volume_conf, serial, "serial", form_text_line, FIELD_DERIVED,
			"derived from the same",
			"Serial number of the disk. The guest sees its first 20 bytes, of a SCSI "
			"disk 36."),
	FIELD_BOOL(struct volume_conf, bootable, "bootable", false,
			"The firmware tries this disk: bootable disks in the order of the list. Of "
			"a CD it has no effect: see \"boot\"."),
	FIELD_ENUM(struct volume_conf, boot, "boot", volume_boot_names, NULL,
			"The firmware tries this disk or CD \"first\", before those that are "
			"bootable, or \"last\", when none of them can be booted, as the CD of an "
			"installer."),
	FIELD_BOOL(struct volume_conf, remove, "remove", false,
			"Take an inherited entry of this name away; of firmware and of a TPM's "
			"\"data\" the inherited one, whatever its name."),
	FIELD_ENUM(struct volume_conf, tuning.discard, "discard", disk_discard_names, "the pool's",
			"What happens to blocks that the guest discards: \"unmap\" gives them back "
			"to the host."),
	FIELD_ENUM(struct volume_conf, tuning.detect_zeroes, "detect-zeroes",
			disk_detect_zeroes_names, "the pool's",
			"Whether zeroes that the guest writes are made holes (\"unmap\", which "
			"needs \"discard\" to be \"unmap\") or written in a shorter way (\"on\")."),
	FIELD_ENUM(struct volume_conf, tuning.cache, "cache", disk_cache_names, "the pool's",
			"How the host caches the volume: see CACHE in machina.conf(5)."),
	FIELD_ENUM(struct volume_conf, tuning.aio, "aio", disk_aio_names, "the pool's",
			"How QEMU reads and writes it; \"native\" needs \"cache\" to be \"none\" "
			"or \"directsync\". \"io_uring\" weakens the sandbox: machina(8), "
			"SECURITY."),
	{},
};

static const struct field boot_file_fields[] = {
	FIELD_STRING(struct volume_conf, name, "name", form_text_line, 0, NULL,
			"Name of the file in its pool."),
	FIELD_STRING(struct volume_conf, storage, "storage", NULL, 0, NULL,
			"Storage pool of the host's config that holds the file."),
	FIELD_STRING(struct volume_conf, path, "path", form_absolute_path, 0, NULL,
			"Absolute path, instead of a pool and a name."),
	{},
};

static const struct field connection_fields[] = {
	FIELD_STRING(struct connection_conf, name, "name", form_text_line, 0, NULL, NAME_DOC),
	FIELD_STRING(struct connection_conf, network, "network", NULL, 0, NULL,
			"Network of the host's config."),
	FIELD_STRING_OR_LIST(struct connection_conf, ip, "ip", form_text_line,
			"The guest's address, or a list of them, which the guard holds it to. It "
			"is the guest's own to set, but for DHCP of a network that the host makes, "
			"and \"cloud-init\". Two machines must not have one address on one "
			"network."),
	FIELD_STRING(struct connection_conf, mac, "mac", form_mac, FIELD_DERIVED,
			"derived from the machine's id and name and the connection's name",
			"MAC address of the guest's interface."),
	FIELD_STRING(struct connection_conf, link, "link", NULL, FIELD_DERIVED,
			"MACHINE.CONNECTION, or a hash of it if that is longer than 15 bytes",
			"Name of the interface on the host. It cannot be chosen: any other value "
			"than the derived one is an error."),
	FIELD_INT(struct connection_conf, vlan, "vlan", 1, 4094, 0, "the network's",
			"VLAN of the interface. With this key or \"vlans\", neither of the "
			"network's counts."),
	FIELD_TERMS(struct connection_conf, vlans, "vlans", form_vlans, "the network's",
			"VLANs that the guest gets and sends with their tags, in place of the "
			"network's."),
	FIELD_SWITCH(struct connection_conf, isolate, "isolate", form_switch_names, "the network's",
			"Keep this guest and the others that are isolated apart."),
	FIELD_INT(struct connection_conf, mtu, "mtu", 68, 65535, 0, "the network's",
			"Largest packet of the interface on the host, in bytes."),
	FIELD_INT(struct connection_conf, queues, "queues", 1, 64, 0, "1",
			"How many of the guest's processors can send and receive packets at once: "
			"the network card has so many pairs of queues, of which a guest uses as "
			"many as it has processors. The guest sees another card then. Not for "
			"networks of mode \"user\" or \"vf\"."),
	FIELD_BOOL(struct connection_conf, connected, "connected", true,
			"Whether the cable is plugged in when the machine starts. With false the "
			"interface is no port of its bridge and the guest's link is down, until "
			"'machina connect'."),
	FILTER_FIELDS(struct connection_conf, filter, "the machine's",
			" They replace the machine's for this connection."),
	FIELD_BOOL(struct connection_conf, remove, "remove", false, REMOVE_DOC),
	{},
};

static const struct field device_fields[] = {
	FIELD_STRING(struct device_conf, name, "name", form_text_line, 0, NULL, NAME_DOC),
	FIELD_STRING(struct device_conf, class_name, "class", NULL, 0, NULL,
			"Device class that the host's config offers."),
	FIELD_STRING(struct device_conf, id, "id", form_uuid, FIELD_DERIVED,
			"derived from the machine's id and name, the class and the device's name",
			"UUID of a mediated device."),
	FIELD_BOOL(struct device_conf, remove, "remove", false, REMOVE_DOC),
	{},
};

static const struct field share_fields[] = {
	FIELD_STRING(struct share_conf, name, "name", form_share_name, 0, NULL,
			"Unique in its list; an entry of the machine replaces a tag's of the same "
			"name. The guest mounts the share by it: mount -t virtiofs NAME "
			"DIRECTORY. Up to 36 letters, digits, '_', '-' and '.'."),
	FIELD_STRING(struct share_conf, path, "path", form_text_line, 0, NULL,
			"Directory of the host: an absolute path, with the variables of storage "
			"patterns."),
	FIELD_STRING(struct share_conf, user, "user", form_account, 0,
			"with \"readonly\", one that systemd makes up",
			"Account of the host as which the guest reads and writes; never root. A "
			"share that can be written needs it."),
	FIELD_BOOL(struct share_conf, readonly, "readonly", false, "The guest may only read."),
	FIELD_ENUM(struct share_conf, cache, "cache", share_cache_names, "auto",
			"What the guest keeps of files: \"auto\" asks again after a second, "
			"\"none\" always, for files that change on both sides, \"always\" never, "
			"for files that only this guest changes."),
	FIELD_STRING(struct share_conf, program, "program", form_program, 0, "virtiofsd",
			"The program that serves the share: an absolute path, or a name in "
			"/usr/libexec, /usr/lib/qemu or /usr/lib."),
	FIELD_BOOL(struct share_conf, remove, "remove", false, REMOVE_DOC),
	{},
};

static const struct field credential_fields[] = {
	FIELD_STRING(struct credential_conf, name, "name", form_credential_name, 0, NULL,
			"Unique in its list; an entry of the machine replaces a tag's of the same "
			"name. The guest's systemd knows the credential by it: "
			"\"ssh.authorized_keys.root\", \"passwd.hashed-password.root\" and others "
			"(systemd.system-credentials(7)), or one of your own."),
	FIELD_STRING(struct credential_conf, path, "path", form_text_line, 0, NULL,
			"File of the host that holds it: an absolute path, with the variables of "
			"storage patterns. It is read when the machine starts."),
	FIELD_BOOL(struct credential_conf, remove, "remove", false, REMOVE_DOC),
	{},
};

static const struct field machine_type_fields[] = {
	FIELD_STRING(struct attrs_conf, machine.type, "type", form_machine_type, 0, "q35",
			"QEMU's machine type, one of q35. A versioned one such as \"pc-q35-7.2\" "
			"keeps the guest's hardware the same when QEMU is upgraded."),
	FIELD_INT(struct attrs_conf, machine.layout, "layout", 1, 1, 0, "1",
			"Hardware layout: the places and defaults of the guest's devices. A later "
			"version of this program that has another layout leaves machines of this "
			"one as they are."),
	FIELD_ENUM(struct attrs_conf, machine.accel, "accel", vm_accel_names, "kvm",
			"\"kvm\" uses the processor's virtualization, \"tcg\" emulates a "
			"processor: slow, but it works everywhere."),
	FIELD_STRING(struct attrs_conf, machine.qemu, "qemu", form_emulator, 0,
			"qemu-system-x86_64",
			"The emulator: an absolute path, or a name in /usr/bin."),
	FIELD_INT(struct attrs_conf, machine.spare_ports, "spare-ports", 0, 64, 0, "0",
			"PCI Express root ports kept free, for devices that are plugged in while "
			"the guest runs."),
	{},
};

static const struct field boot_fields[] = {
	FIELD_ROW(struct attrs_conf, boot.kernel, struct volume_conf, "kernel", FIELD_KIND_OBJECT,
			MERGE_WHOLE,
			"Linux kernel to boot directly: a file in a pool, or an absolute path. At "
			"most 4 GiB.",
			.flags = FIELD_PATH_TEXT, .fields = boot_file_fields),
	FIELD_ROW(struct attrs_conf, boot.initrd, struct volume_conf, "initrd", FIELD_KIND_OBJECT,
			MERGE_WHOLE,
			"Initial RAM disk for \"kernel\": a file in a pool, or an absolute path. "
			"At most 4 GiB.",
			.flags = FIELD_PATH_TEXT, .fields = boot_file_fields),
	FIELD_STRING(struct attrs_conf, boot.cmdline, "cmdline", form_text_line, 0, NULL,
			"Command line for \"kernel\"."),
	{},
};

static const struct field firmware_fields[] = {
	FIELD_OBJECT(struct attrs_conf, firmware.code, struct volume_conf, "code", MERGE_WHOLE,
			volume_fields,
			"Firmware code, the first flash device: a volume of a pool of type "
			"\"firmware\", usually read-only."),
	FIELD_OBJECT(struct attrs_conf, firmware.vars, struct volume_conf, "vars", MERGE_WHOLE,
			volume_fields,
			"Firmware variables, the second flash device: a file of this machine "
			"alone, which the guest writes. Needs \"code\"."),
	{},
};

static const struct field cpu_fields[] = {
	FIELD_STRING(struct attrs_conf, cpu.processor, "processor", NULL, 0,
			"the host's default processor",
			"Processor of the host's config, whose brand and threads count."),
	FIELD_STRING(struct attrs_conf, cpu.model, "model", form_cpu_model, 0,
			"host; with \"accel\" tcg: max",
			"CPU model of QEMU. A named model can run on several kinds of hosts."),
	FIELD_INT(struct attrs_conf, cpu.sockets, "sockets", 1, 4096, FIELD_POSITIVE, "1",
			"Number of sockets."),
	FIELD_INT(struct attrs_conf, cpu.cores, "cores", 1, 4096, FIELD_POSITIVE, "1",
			"Cores of each socket."),
	FIELD_INT(struct attrs_conf, cpu.threads, "threads", 1, 4096, FIELD_POSITIVE,
			"the processor's", "Threads of each core."),
	FIELD_SCALAR_MAP(struct attrs_conf, cpu.features, "features", NULL,
			"CPU features by QEMU's names: true switches one on, false off, a text or "
			"number is its value."),
	{},
};

static const struct field memory_fields[] = {
	FIELD_ROW(struct attrs_conf, memory.ram_mib, int64_t, "ram", FIELD_KIND_INT, MERGE_FIRST,
			"Guest memory in MiB.", .flags = FIELD_POSITIVE, .min = 1,
			.max = (int64_t)1 << 32, .unit = "MiB",
			.default_text = "none; every machine must have it"),
	FIELD_BOOL(struct attrs_conf, memory.hugepages, "hugepages", false,
			"Take the guest's memory from the host's huge pages, of which enough must "
			"be reserved."),
	FIELD_BOOL(struct attrs_conf, memory.shared, "shared", false,
			"Let other processes share the guest's memory: vhost-user by \"qemu-args\" "
			"needs that. With \"shares\", and on a network of mode \"vhost-user\", it "
			"always is."),
	{},
};

static const struct field enlightenments_fields[] = {
	FIELD_BOOL(struct attrs_conf, enlightenments.enabled, "enabled", false,
			"Give the guest Hyper-V's CPU features, for Windows."),
	{},
};

static const struct field tpm_socket_fields[] = {
	FIELD_STRING(struct attrs_conf, tpm.socket.path, "path", form_text_line, 0,
			"/run/machina/NAME/swtpm/control.socket", "Control socket of the TPM."),
	{},
};

static const struct field tpm_fields[] = {
	FIELD_BOOL(struct attrs_conf, tpm.enabled, "enabled", false,
			"Give the guest a TPM 2.0, made by swtpm(8). Needs \"data\"."),
	FIELD_OBJECT(struct attrs_conf, tpm.data, struct volume_conf, "data", MERGE_WHOLE,
			volume_fields,
			"Directory that keeps the TPM's state: a volume of a pool of type "
			"\"tpm-data\". It is made when it is missing."),
	FIELD_GROUP("socket", tpm_socket_fields, "The TPM's control socket."),
	{},
};

static const struct field rng_fields[] = {
	FIELD_BOOL(struct attrs_conf, rng.enabled, "enabled", false,
			"Give the guest a source of random numbers (virtio-rng)."),
	{},
};

static const struct field balloon_fields[] = {
	FIELD_BOOL(struct attrs_conf, balloon.enabled, "enabled", false,
			"Give the guest a memory balloon (virtio-balloon)."),
	{},
};

static const struct field shutdown_fields[] = {
	FIELD_STRING(struct attrs_conf, shutdown.timeout, "timeout", form_shutdown_time, 0, "85s",
			"How long the guest may take to shut down, such as \"90s\" or \"5min\", an "
			"hour at most; then QEMU is told to quit, a power cut for the guest. See "
			"machina-life-cycle(7)."),
	FIELD_ENUM(struct attrs_conf, shutdown.host, "host", vm_host_end_names, "shutdown",
			"What a shutdown of the host does: shut the guest down, save it as "
			"'machina save' does, or tell QEMU to quit at once, a power cut for the "
			"guest."),
	{},
};

/* The kernel's numbers 0 to 2 have a meaning of their own, and 2^32 - 1 stands for any (vsock(7)).
 */
static const struct field vsock_fields[] = {
	FIELD_BOOL(struct attrs_conf, vsock.enabled, "enabled", false,
			"Give the guest sockets to the host that need no network (vsock(7)): "
			"machina ssh uses them. The host needs the kernel module vhost_vsock."),
	FIELD_INT(struct attrs_conf, vsock.cid, "cid", 3, UINT32_MAX - 1, FIELD_DERIVED,
			"derived from the machine's id and name",
			"The guest's address there, its context identifier: no two machines of a "
			"host can have the same."),
	{},
};

static const struct field ready_fields[] = {
	FIELD_STRING(struct attrs_conf, ready.when, "when", form_ready, FIELD_REQUIRED, NULL,
			"\"qmp\": QEMU answers. \"agent\": QEMU's guest agent answers. \"notify\": "
			"its systemd (254 or later) tells that it has booted; needs \"vsock\". "
			"\"tcp:PORT\": the guest takes connections at that port of the first "
			"address that a connection has by its \"ip\"; the host must have a way to "
			"it."),
	FIELD_STRING(struct attrs_conf, ready.timeout, "timeout", form_shutdown_time, 0, "5min",
			"How long it may take, such as \"2min\", an hour at most; then the guest "
			"is shut down, and the start has failed."),
	{},
};

static const struct field filter_fields[] = {
	FILTER_FIELDS(struct attrs_conf, firewall, "the network's", ""),
	{},
};

static const struct field attrs_fields[] = {
	FIELD_GROUP("machine", machine_type_fields, "The virtual mainboard."),
	FIELD_GROUP("boot", boot_fields, "Direct boot of a Linux kernel."),
	FIELD_GROUP("firmware", firmware_fields, "UEFI firmware; without it SeaBIOS is used."),
	FIELD_GROUP("cpu", cpu_fields, "Processors."),
	FIELD_GROUP("memory", memory_fields, "Memory."),
	FIELD_GROUP("enlightenments", enlightenments_fields, "Hyper-V enlightenments."),
	FIELD_GROUP("tpm", tpm_fields, "Trusted Platform Module."),
	FIELD_GROUP("qmp", qmp_fields, "QEMU Machine Protocol."),
	FIELD_GROUP("agent", agent_fields, "Guest agents."),
	FIELD_GROUP("serial", serial_fields, "Serial console."),
	FIELD_ENUM(struct attrs_conf, display, "display", vm_display_names,
			"qxl with SPICE, virtio with VNC, else none", "Graphics adapter."),
	FIELD_GROUP("spice", spice_fields, "SPICE display."),
	FIELD_GROUP("vnc", vnc_fields, "VNC display."),
	FIELD_GROUP("rng", rng_fields, "Random number generator."),
	FIELD_GROUP("balloon", balloon_fields, "Memory balloon."),
	FIELD_GROUP("vsock", vsock_fields, "Sockets between host and guest."),
	FIELD_GROUP("firewall", filter_fields,
			"Packet filter of the connections, which can replace each of its keys: "
			"machina-firewall(7)."),
	FIELD_GROUP("shutdown", shutdown_fields, "Shutting the guest down."),
	{ .name = "ready",
			.kind = FIELD_KIND_OBJECT,
			.merge = MERGE_WHOLE,
			.flags = FIELD_WHEN_TEXT | FIELD_INLINE,
			.fields = ready_fields,
			.doc = "When the machine counts as started, so that others may start that "
			       "wait for it: machina-life-cycle(7). A string is taken as \"when\".",
			.default_text = "\"qmp\": when QEMU answers" },
	FIELD_OBJECT(struct attrs_conf, cloud_init, struct cloud_init_conf, "cloud-init",
			MERGE_FIELDS, cloud_init_fields,
			"What the guest's cloud-init is told, by a CD made when the machine "
			"starts."),
	FIELD_SCALAR_MAP(struct attrs_conf, limits, "limits", limit_names,
			"Settings of the machine's unit by systemd's own names: "
			"systemd.resource-control(5), systemd.exec(5)."),
	FIELD_BOOL(struct attrs_conf, cluster, "cluster", false,
			"A cluster manager starts and stops this machine: its unit cannot be "
			"enabled, and commands that start and stop leave it alone under --all and "
			"--tag."),
	{},
};

static const struct field group_fields[] = {
	FIELD_STRING(struct machine_conf, privileges.filesystem.group.name, "name", form_text_line,
			FIELD_DERIVED, "machina-NAME",
			"Name of a group, for scripts: nothing else uses it."),
	FIELD_INT(struct machine_conf, privileges.filesystem.group.id, "id", 0, UINT32_MAX,
			FIELD_POSITIVE | FIELD_DERIVED, "derived from the machine's id and name",
			"Number of that group."),
	{},
};

static const struct field filesystem_fields[] = {
	FIELD_GROUP("group", group_fields, "A group for files of this machine."),
	{},
};

static const struct field privileges_fields[] = {
	FIELD_GROUP("filesystem", filesystem_fields, "Access to files."),
	{},
};

#define DEFINITION_FIELDS                                                                          \
	FIELD_STRINGS(struct machine_conf, tags, "tags", MERGE_NEVER, NULL,                        \
			"Tags to inherit from; earlier ones win over later ones, and each is "     \
			"followed at once by the tags that it names itself."),                     \
			FIELD_STRING_MAP(struct machine_conf, vars, "vars", NULL, form_text_line,  \
					"Variables for storage and port patterns."),               \
			FIELD_GROUP("privileges", privileges_fields, "Privileges."),               \
			FIELD_OBJECT(struct machine_conf, attrs, struct attrs_conf, "attrs",       \
					MERGE_FIELDS, attrs_fields,                                \
					"Attributes of the virtual machine."),                     \
			FIELD_LIST(struct machine_conf, volumes, struct volume_conf, "volumes",    \
					MERGE_NAMED, volume_fields, "Disks and CDs."),             \
			FIELD_LIST(struct machine_conf, connections, struct connection_conf,       \
					"connections", MERGE_NAMED, connection_fields,             \
					"Network interfaces."),                                    \
			FIELD_LIST(struct machine_conf, devices, struct device_conf, "devices",    \
					MERGE_NAMED, device_fields, "Devices of the host."),       \
			FIELD_LIST(struct machine_conf, shares, struct share_conf, "shares",       \
					MERGE_NAMED, share_fields,                                 \
					"Directories that the guest shares with the host: 16 at "  \
					"most."),                                                  \
			FIELD_STRINGS(struct machine_conf, after, "after", MERGE_GATHER,           \
					form_machine_name,                                         \
					"Machines that are ready before this one starts, where "   \
					"both are started, and that stop only after it."),         \
			FIELD_STRINGS(struct machine_conf, requires, "requires", MERGE_GATHER,     \
					form_machine_name,                                         \
					"The same for machines that this one can't do without: "   \
					"they are started with it, and it is not started when "    \
					"one of them fails; it is stopped and restarted with "     \
					"them."),                                                  \
			FIELD_LIST(struct machine_conf, credentials, struct credential_conf,       \
					"credentials", MERGE_NAMED, credential_fields,             \
					"Secrets that the guest's systemd is told at its boot, "   \
					"at most 200."),                                           \
			FIELD_SWITCH(struct machine_conf, autostart, "autostart",                  \
					form_switch_names, "as machina enable and disable say",    \
					"Whether the machine starts when the host does: generate " \
					"sees to it then."),                                       \
			FIELD_STRINGS(struct machine_conf, qemu_args, "qemu-args", MERGE_APPEND,   \
					form_argument,                                             \
					"More arguments for QEMU, added at the end as they are. "  \
					"This program does not know what they do.")

const struct field machine_fields[] = {
	FIELD_STRING(struct machine_conf, name, "name", form_own_name, 0, "the file's name",
			"The machine's name, which must be that of its file."),
	FIELD_STRING(struct machine_conf, description, "description", form_text_line, 0, NULL,
			"One line for the reader, in lists and in the unit; patterns may use it."),
	FIELD_STRING(struct machine_conf, id, "id", form_uuid, 0, NULL,
			"UUID of the machine, which the guest sees and from which its other "
			"identifiers are derived. Without it they are derived from the name alone, "
			"and the guest sees no UUID."),
	DEFINITION_FIELDS,
	{},
};

const struct field tag_fields[] = { DEFINITION_FIELDS, {} };

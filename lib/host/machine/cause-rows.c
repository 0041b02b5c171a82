/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages that tell why something failed, and what they mean.
 *
 * QEMU's are those of its version 7.2 (error_setg() and error_report() in its source), systemd's
 * those of version 252 (src/core/execute.c, service.c), the others' those of their programs.
 */
#include "host/machine/cause.h"
#include "util/mem.h"

#define HOOK SPEAKER_HOOK
#define PROGRAM SPEAKER_PROGRAM
#define SYSTEMD SPEAKER_SYSTEMD
/* systemd's own, before it becomes the program: also as the unit's user, whom journal_tail() takes
 * for the program. */
#define CHILD (SYSTEMD | PROGRAM)
#define ANY (HOOK | PROGRAM | SYSTEMD)

/* Behind the unit's name, of which any part may stand before it. */
#define NOT_EXECUTED                                                                               \
	"[^:]*: Failed (at step EXEC spawning|to locate executable|to execute) ([^:]+): (.*)"
#define NOT_PERMITTED                                                                              \
	"Failed (at step EXEC spawning|to locate executable|to execute) ([^:]+): (Permission "     \
	"denied)"
#define NOT_RUN "the program '%2' could not be run: %3"

#define LOCKED_ADVICE                                                                              \
	"'fuser -v' or 'lslocks' shows who has it, if it is not the machine itself by another "    \
	"path (a link); two must not write one disk"

const struct cause_row cause_rows[] = {
	/* ---- disks ---- */
	{ "disk-locked", PROGRAM, "Is another process using the image \\[(.*)\\]",
			"the disk '%1' is in use by another process", LOCKED_ADVICE },
	{ "disk-locked", PROGRAM, "Failed to get .*lock", "a disk is in use by another process: %0",
			LOCKED_ADVICE, .weak = true },
	{ "disk-corrupt", PROGRAM, "Image is corrupt|image is corrupt", NULL,
			"'qemu-img check -r all' repairs what can be repaired, after a copy" },
	{ "disk-format", PROGRAM,
			"not in qcow2 format|Unsupported qcow2 version|Could not read qcow2", NULL,
			"'qemu-img info' shows what the file is; \"type\" of its pool must say the "
			"same" },
	{ "disk-format", HOOK, "a qcow2 image of|not a qcow2 image", NULL,
			"'qemu-img info' shows what the file is" },
	{ "disk-io", PROGRAM, "Could not (open|read|write) .*Input/output error", NULL,
			"look for the device's errors in the kernel's log: journalctl -k" },

	/* ---- accelerator, processor, memory ---- */
	{ "kvm-missing", PROGRAM,
			"Could not access KVM kernel module: (.*)|failed to initialize kvm: (.*)",
			"KVM is not to be had: %1%2",
			"load the module (modprobe kvm_intel or kvm_amd), switch virtualization on "
			"in the firmware, or set \"accel\" to \"tcg\"; 'machina doctor' looks for "
			"the reason" },
	/* On a host that is a guest itself. An assertion follows the first one. */
	{ "kvm-processor", PROGRAM,
			"(failed to [sg]et MSR.*|kernel doesn't allow setting HyperV.*)",
			"KVM refuses the processor that QEMU asks it for: %1",
			"another \"model\" of \"cpu\" may do, or \"accel\" set to \"tcg\", which "
			"is slower; 'machina doctor' tries what the machine has" },
	{ "accelerator-invalid", PROGRAM, "invalid accelerator (.*)", NULL,
			"'qemu-system-x86_64 -accel help' lists those that there are" },
	{ "machine-type", PROGRAM, "unsupported machine type|No machine specified", NULL,
			"'qemu-system-x86_64 -machine help' lists the types of this QEMU; \"type\" "
			"of \"machine\" names one" },
	{ "cpu-model", PROGRAM, "unable to find CPU model '(.*)'",
			"this QEMU knows no processor model '%1'",
			"'qemu-system-x86_64 -cpu help' lists them" },
	{ "cpu-feature", PROGRAM,
			"doesn't support requested feature|Host doesn't support|requires a host "
			"CPU",
			NULL, "choose an older \"model\" of \"cpu\", or leave the feature out" },
	{ "cpu-count", PROGRAM, "Invalid CPU topology|Invalid SMP CPUs|[Mm]aximum CPUs", NULL,
			"look at \"cores\", \"threads\" and \"sockets\" of \"cpu\"" },
	/* Of QEMU 8.2 and later. */
	{ "cpu-count", PROGRAM, "APIC ID [0-9]+ requires x2APIC", NULL,
			"so many processors take \"x2apic\" among the \"features\" of \"cpu\"; "
			"give it that, or less than 255 of them" },
	{ "hugepages-missing", PROGRAM,
			"unable to map backing store for guest RAM|insufficient free host memory",
			"there are not enough huge pages for the guest's memory: %0",
			"reserve more of them (sysctl vm.nr_hugepages), or set \"hugepages\" to "
			"false; 'machina doctor' counts them" },
	/* A limit on locked memory is not a lack of memory. */
	{ "vfio-group", PROGRAM, "group [0-9]+ is not viable", NULL,
			"all devices of one IOMMU group go together: 'machina doctor' shows it" },
	/* QEMU calls it by its own functions' names: those of 7.2, and of 10.0. */
	{ "vfio-memory", PROGRAM,
			"(VFIO_MAP_DMA|vfio_(container_)?dma_map).*Cannot allocate memory", NULL,
			"the unit's LimitMEMLOCK= is too small for the guest's memory" },
	{ "vfio-address", PROGRAM, "VFIO_MAP_DMA|vfio_(container_)?dma_map", NULL,
			"the host's IOMMU cannot map all of the guest's memory: 'journalctl -k "
			"--grep \"DMAR|AMD-Vi|vfio\"' may say more" },
	{ "vfio-iommu", PROGRAM, "ailed to set iommu|No available IOMMU models", NULL,
			"the kernel keeps its IOMMU from the device: 'journalctl -k --grep "
			"\"vfio|RMRR|remapping\"' says why (interrupts that cannot be remapped, "
			"memory that the firmware has reserved)" },
	{ "memory-short", PROGRAM,
			"cannot set up guest memory|[Cc]annot allocate memory|failed to allocate",
			"the host has not enough memory for the guest: %0",
			"lower \"ram\" of \"memory\", stop other machines, or raise the unit's "
			"limits" },
	{ "memory-size", PROGRAM, "must be (a multiple of|aligned to) (the )?page size", NULL,
			"choose \"ram\" of \"memory\" accordingly" },

	/* ---- what QEMU is told ---- */
	{ "option-unknown", PROGRAM, "(-[^ :]+): invalid option", "this QEMU has no option '%1'",
			"look at \"qemu-args\" of the machine" },
	{ "module-missing", PROGRAM, "There is no option group '([^']*)'",
			"this QEMU has no '%1': its module is missing",
			"install it (Debian 13: package qemu-system-modules-spice; earlier: "
			"qemu-system-common)" },
	{ "device-unknown", PROGRAM, "'?([^' ]+)'? is not a valid device model name",
			"this QEMU has no device '%1'",
			"look at \"qemu-args\"; 'qemu-system-x86_64 -device help' lists the "
			"devices of this QEMU; some are in packages of their own" },
	{ "unit-old", PROGRAM, "serial number can't be longer than",
			"the unit was written for an older QEMU: %0",
			"'machina generate' writes it anew, and the guest's hardware stays" },
	/* Where QEMU finds it out before await does. */
	{ "unit-unread", PROGRAM, "File descriptor '[^']*' is not a socket",
			"QEMU got other descriptors than its arguments tell it, since the unit on "
			"disk is not the one that systemd has started: %0",
			"'systemctl daemon-reload' has systemd read it; then start the machine" },
	{ "id-twice", PROGRAM,
			"[Dd]uplicate ID|duplicate property|Duplicate node-name|Duplicate nodes",
			NULL, "something of \"qemu-args\" has the name of what is there already" },
	{ "slot-taken", PROGRAM, "PCI: slot .* not available|PCI: no slot/function available", NULL,
			"choose another \"addr\" in \"qemu-args\"" },
	{ "property-unknown", PROGRAM, "Property '[^']*-cpu\\.([^']*)' not found",
			"the processors of this QEMU have no feature '%1': %0",
			"look at \"features\" of \"cpu\"" },
	{ "property-unknown", PROGRAM,
			"Property '([^']*)' not found|Invalid parameter '([^']*)'|Parameter "
			"'([^']*)' is unexpected",
			"this QEMU does not know '%1%2%3': %0", "look at \"qemu-args\"" },
	{ "reference-unknown", PROGRAM,
			"Bus '[^']*' not found|can't find value '|Property .* can't find|Cannot "
			"find device|[Nn]o '[^']*' bus found",
			NULL, "what \"qemu-args\" speaks of is not there" },
	{ "firmware-missing", PROGRAM, "could not load PC BIOS '(.*)'",
			"QEMU's firmware '%1' is missing",
			"install it (Debian: packages seabios and ovmf)" },
	{ "rom-missing", PROGRAM, "failed to find romfile \"([^\"]*)\"",
			"a device's firmware '%1' is missing",
			"install it (Debian: packages ipxe-qemu and seabios)" },
	{ "kernel-faulty", PROGRAM,
			"could not load kernel|error loading uncompressed kernel|could not open "
			"kernel|invalid kernel header",
			NULL,
			"\"kernel\" of \"boot\" must be a kernel of the guest's architecture" },
	{ "initrd-faulty", PROGRAM, "initrd", NULL, "look at \"initrd\" of \"boot\"" },
	{ "saved-state", PROGRAM,
			"load of migration failed|Unknown savevm section|Missing section footer",
			NULL,
			"the saved state is damaged, or not for this QEMU; 'machina start "
			"--discard-saved' boots the machine without it" },

	/* ---- beside QEMU ---- */
	/* QEMU's words for all that swtpm has failed at. */
	{ "tpm-init", PROGRAM, "TPM result for CMD_INIT", "swtpm could not start the TPM: %0",
			"journalctl -u 'machina-swtpm-*' says why: a file that it may not open is "
			"as good as before, and damaged state needs a copy of it put back" },
	{ "tpm-state", PROGRAM,
			"TPM_INIT failed|Need a valid TPM state|Could not "
			"open TPMSTATE|Error: .*TPM2_.*state|integrity",
			"the state of the TPM cannot be used: %0",
			"put back a copy of it; without one only a new TPM helps, which has not "
			"what the guest kept in the old one" },
	{ "tpm-state", HOOK, "TPM in '|'swtpm_setup'|has a TPM", NULL, NULL },
	{ "tpm-gone", PROGRAM, "tpm-emulator: ", NULL,
			"look at the TPM's own unit: journalctl -u 'machina-swtpm-*'" },
	{ "passt-failed", PROGRAM,
			"Couldn't (create|open|enter|configure|pick)|no routable interface", NULL,
			"look at the unit 'machina-passt-...' and at the host's own network" },
	{ "port-taken", PROGRAM, "Could not set up host forwarding rule '(tcp|udp):([^']*)-",
			"QEMU can't listen at the host's %1 port %2, which the network's "
			"\"forward\" names",
			"'ss -lnptu' shows whether another program has it; those below "
			"net.ipv4.ip_unprivileged_port_start are for root alone" },
	{ "vfio", PROGRAM, "vfio [0-9a-f:.]+: |/dev/vfio/", NULL,
			"'machina doctor' says what the host lacks for PCI devices" },

	/* ---- what any program meets ---- */
	{ "library-missing", PROGRAM, "error while loading shared libraries: ([^:]+)",
			"a library of the program is missing: '%1'",
			"install the program's packages anew" },
	{ "port-taken", ANY, "Address already in use", NULL,
			"'ss -lptn' shows who has it; choose another \"port\", or stop that "
			"program" },
	{ "disk-full", ANY, "No space left on device", NULL,
			"make room there; 'df -h' shows how much there is" },
	{ "quota", ANY, "Disk quota exceeded|File too large", NULL, NULL },
	{ "too-many-files", ANY, "Too many open files", NULL,
			"raise the unit's LimitNOFILE= in a drop-in" },
	{ "read-only", ANY, "Read-only file system", NULL,
			"the file system is mounted for reading alone, or the unit's sandbox has "
			"no such path" },
	{ "assertion", PROGRAM, "Assertion .* failed", "QEMU has a fault of its own: %0",
			"look for this message in QEMU's bug tracker; 'coredumpctl info' tells "
			"more" },

	/* ---- our hooks ---- */
	{ "bridge-missing", HOOK, "bridge '[^']*' does not exist|is not a bridge", NULL, NULL },
	{ "file-missing", HOOK, "does not exist|No such file or directory", NULL, NULL },
	{ "file-odd", HOOK,
			"^volume .*(is a directory|is a FIFO|is no (regular )?file|not a regular "
			"file)",
			NULL, "look at the pool and \"name\" of the volume" },
	{ "file-odd", HOOK, "is a directory|is a FIFO|is no (regular )?file|not a regular file",
			NULL, NULL },
	{ "file-unreadable", HOOK, "cannot be read by the user", NULL, NULL },
	{ "direct-io", HOOK, "without direct access", NULL, NULL },
	{ "tap-taken", HOOK,
			"interface '[^']*' (exists|is there|belongs)|(interface|tap) '.*: Device "
			"or resource busy",
			NULL,
			"somebody else has it: 'ip -d link' shows the interfaces of the host" },
	{ "socket-taken", HOOK, "cannot listen at", NULL, "another program has this place" },
	{ "script-failed", HOOK, "has failed with status|was ended by signal|by signal [0-9]", NULL,
			"run the script by hand: it gets the interface's name" },
	{ "plan-faulty", HOOK, "is not understood|plan of machine|the unit of machine", NULL,
			"the unit was edited or is of another version: 'machina generate' writes "
			"it anew" },
	{ "answer-late", HOOK, "did not greet|does not greet|has not answered", NULL,
			"QEMU hangs, or its monitor is held by another program" },

	/* ---- systemd ---- */
	{ "oom", SYSTEMD, "systemd-oomd killed",
			"memory ran short, and systemd-oomd has ended the machine for it",
			"give it or its slice more, or stop something else; "
			"\"ManagedOOMPreference\" of \"limits\" can spare a machine, and "
			"'journalctl -u systemd-oomd' shows what was measured" },
	{ "oom", SYSTEMD, "killed by the OOM killer|result 'oom-kill'",
			"memory ran out, and the kernel has killed a process of the machine for it",
			"give the unit more (MemoryMax= must leave room beside \"ram\"), lower "
			"\"ram\", or stop something else; 'journalctl -k' shows the kernel's "
			"count" },
	{ "exec", CHILD, NOT_PERMITTED, NOT_RUN,
			"its mode forbids it, or NoExecPaths= of the unit, which lets QEMU and "
			"what the machine needs be run: ExecPaths= in a drop-in allows another" },
	{ "exec", CHILD, "machina-qemu-" NOT_EXECUTED, NOT_RUN,
			"install it; \"qemu\" of \"machine\" says which one is used",
			.of_main = true },
	{ "exec", CHILD, "machina-swtpm-" NOT_EXECUTED, NOT_RUN,
			"install it (Debian: package swtpm)", .of_main = true },
	{ "exec", CHILD, "machina-passt-" NOT_EXECUTED, NOT_RUN,
			"install it (Debian: package passt)", .of_main = true },
	{ "exec", CHILD, "machina-virtiofsd-" NOT_EXECUTED, NOT_RUN,
			"install it; \"program\" of the share says which one is used",
			.of_main = true },
	{ "exec", CHILD, "machina-network-" NOT_EXECUTED, NOT_RUN,
			"install it (Debian: package dnsmasq-base)", .of_main = true },
	{ "exec", CHILD, NOT_EXECUTED, NOT_RUN,
			"install it, or take it out: 'systemctl cat' shows the line of the unit or "
			"of its drop-ins that runs it" },
	{ "namespace", SYSTEMD, "Failed to set up mount namespacing: (/run/systemd/unit-root)?(.*)",
			"the unit's sandbox could not be made: %2",
			"a path of a drop-in or of the config is missing: 'systemctl cat' shows "
			"the unit with its drop-ins" },
	{ "user", SYSTEMD, "Failed to determine user credentials: (.*)",
			"the user or group of the unit is not known: %1",
			"'systemctl cat' shows User=, Group= and SupplementaryGroups= of the unit "
			"and of its drop-ins; User= of a share's unit is the share's \"user\"" },
	{ "credentials", SYSTEMD, "Failed to set up credentials: (.*)",
			"a credential of the unit could not be read: %1",
			"'systemctl cat' shows LoadCredential= of the unit and of its drop-ins" },
	{ "directory", SYSTEMD, "Changing to the requested working directory failed: (.*)",
			"the unit's working directory cannot be entered: %1",
			"'systemctl cat' shows WorkingDirectory= and the drop-in it is from" },
	{ "environment", SYSTEMD, "Failed to load environment files: (.*)",
			"a file of the unit's EnvironmentFile= could not be read: %1",
			"'systemctl cat' shows which drop-in names it" },
	{ "resources", SYSTEMD, "Failed to run '[^']*' task: (.*)",
			"systemd could not begin to run the unit: %1", NULL },
	{ "exec-step", CHILD, "Failed at step ([A-Z_]+) spawning ([^:]+): (.*)",
			"systemd could not start '%2': step %1: %3",
			"'systemctl cat' shows the settings of the unit and of its drop-ins; "
			"systemd.exec(5) explains the step" },
	{ "condition", SYSTEMD, "condition check|was skipped because", NULL,
			"a condition of the unit does not hold: 'systemctl cat' shows it" },
	{ "start-late", SYSTEMD, "^[^:]*:? ?start(-pre|-post)? operation timed out",
			"the start took longer than the unit allows (TimeoutStartSec=)",
			"the journal shows where it stood; a guest with much memory or with passed "
			"PCI devices may need more" },
	{ "run-time", SYSTEMD, "Service reached runtime time limit",
			"it has run for as long as the unit allows (RuntimeMaxSec=), and systemd "
			"has ended it",
			"'systemctl cat' shows the drop-in that sets the limit" },
	{ "stop-late", SYSTEMD,
			"(State '(final-sig|stop)[^']*'|[Ss]top[a-z-]* operation|Stopping) timed "
			"out",
			"the stop took longer than the unit allows, and systemd has ended it by "
			"force (TimeoutStopSec=)",
			"the guest did not shut down in time, see its own log; \"shutdown\" in the "
			"machine's config sets the time" },
	{ "watchdog", SYSTEMD, "[Ww]atchdog timeout", "it gave no sign of life in time", NULL },
	{ "file-limit", SYSTEMD, "code=(killed|dumped), status=25/XFSZ",
			"the program was ended for a file that it had grow beyond the unit's "
			"LimitFSIZE=",
			"'systemctl cat' shows which drop-in has that; raise it there, or take it "
			"out" },
	{ "crash", SYSTEMD, "Main process exited, code=dumped, status=([0-9]+)/([A-Z]+)",
			"the program has crashed (signal %1/%2, a core dump was made)",
			"'coredumpctl info' shows where; look for the fault at the program's, with "
			"its version" },
	{ "crash", SYSTEMD,
			"Main process exited, code=killed, "
			"status=(11|6|7|4|8)/(SEGV|ABRT|BUS|ILL|FPE)",
			"the program has crashed (signal %1/%2)",
			"look for the fault at the program's, with its version" },
	{ "forbidden-call", SYSTEMD, "code=(killed|dumped), status=31/SYS",
			"the program was ended for a system call that the unit's filter forbids",
			"'journalctl -k' may name the call; a drop-in with SystemCallFilter= can "
			"allow it" },
	{ "killed", SYSTEMD, "Main process exited, code=killed, status=9/KILL",
			"it was killed (signal 9/KILL): by a person, a program, or the kernel when "
			"memory ran out",
			"'journalctl -k' shows whether it was the kernel", .weak = true },
	{ "killed", SYSTEMD, "Main process exited, code=killed, status=([0-9]+)/([A-Z0-9]+)",
			"it was ended by signal %1/%2", NULL, .weak = true },
	{ "start-stopped", SYSTEMD, "Control process exited, code=killed, status=15/TERM",
			"one of its commands was ended (signal 15/TERM), as it is when a unit is "
			"stopped before it has come up",
			NULL, .weak = true },
	{ "start-limit", SYSTEMD, "Start request repeated too quickly",
			"it was started too often in a short time, and failed each time",
			"put right what the journal shows of the tries before; 'machina start' "
			"begins to count anew" },
};

const size_t n_cause_rows = ARRAY_SIZE(cause_rows);

const char *const cause_found_ids[] = {
	[CAUSE_CONDITION] = "condition",
	[CAUSE_DEPENDENCY] = "dependency",
	[CAUSE_DISK_FULL] = "disk-full",
	[CAUSE_DISK_IO] = "disk-io",
	[CAUSE_END_ASKED] = "end-asked",
	[CAUSE_END_FORCED] = "end-forced",
	[CAUSE_END_GUEST] = "end-guest",
	[CAUSE_END_SIGNAL] = "end-signal",
	[CAUSE_END_STOPPED] = "end-stopped",
	[CAUSE_GUEST_PANICKED] = "guest-panicked",
	[CAUSE_INTERNAL_ERROR] = "internal-error",
	[CAUSE_IO_ERROR] = "io-error",
	[CAUSE_KILLED] = "killed",
	[CAUSE_MONITOR] = "monitor",
	[CAUSE_NO_MACHINE] = "no-machine",
	[CAUSE_NO_UNIT] = "no-unit",
	[CAUSE_PAUSED] = "paused",
	[CAUSE_PRELAUNCH] = "prelaunch",
	[CAUSE_SAVED] = "saved",
	[CAUSE_WATCHDOG] = "watchdog",
};

void cause_list_ids(struct strv *ret)
{
	for (size_t i = 0; i < n_cause_rows; i++)
		strv_push(ret, cause_rows[i].id);
	for (size_t i = 0; i < CAUSE_FOUND_N; i++)
		strv_push(ret, cause_found_ids[i]);
	strv_sort_unique(ret);
}

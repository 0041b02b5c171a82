/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What confines a process of ours. */
#include "unit/sandbox.h"

#define IO_URING "io_uring_enter io_uring_register io_uring_setup"

/*
 * systemd.exec(5) and systemd.resource-control(5). QEMU makes filters of its own inside these, for
 * which it needs the call "seccomp", which is in no set that the lists below would let through.
 *
 * What is asked for through a ring passes by the filter: IORING_OP_SOCKET makes a socket of any
 * family, whatever RestrictAddressFamilies= says. QEMU waits for events in another way without.
 */
static const char settings[] =
		"UMask=0077\n"
		"LimitCORE=0\n"
		"LimitNOFILE=65536\n"
		"NoNewPrivileges=yes\n"
		"CapabilityBoundingSet=\n"
		"AmbientCapabilities=\n"
		"ProtectSystem=strict\n"
		"ProtectHome=yes\n"
		"PrivateTmp=yes\n"
		"PrivateDevices=yes\n"
		"PrivateIPC=yes\n"
		"PrivateUsers=yes\n"
		"PrivateMounts=yes\n"
		"ProtectClock=yes\n"
		"ProtectHostname=yes\n"
		"ProtectKernelLogs=yes\n"
		"ProtectKernelModules=yes\n"
		"ProtectKernelTunables=yes\n"
		"ProtectControlGroups=yes\n"
		"ProtectProc=invisible\n"
		"ProcSubset=pid\n"
		"LockPersonality=yes\n"
		"MemoryDenyWriteExecute=yes\n"
		"RestrictRealtime=yes\n"
		"RestrictSUIDSGID=yes\n"
		"RestrictNamespaces=yes\n"
		"SystemCallArchitectures=native\n"
		"SystemCallFilter=@system-service seccomp\n"
		"SystemCallFilter=~@privileged @resources @clock @cpu-emulation @debug @module "
		"@mount @obsolete @raw-io @reboot @swap " IO_URING "\n"
		"SystemCallErrorNumber=EPERM\n"
		"RemoveIPC=yes\n"
		"KeyringMode=private\n"
		"NoExecPaths=/\n";

/*
 * Root of such a namespace has power over nothing but the one user that it stands for. systemd's
 * own (PrivateUsers=) would have the host's root in it as well. QEMU's own virtiofsd reads
 * /proc/sys/fs/file-max. The last lines of a key count, or are added.
 */
static const char user_namespace_settings[] =
		"PrivateUsers=no\n"
		"ProcSubset=all\n"
		"RestrictNamespaces=user mnt\n"
		"SystemCallFilter=move_mount unshare\n"
		"SystemCallFilter=capset chroot setgid setgroups setresgid setresuid setuid\n"
		"SystemCallFilter=@chown\n";

/* What a program needs that shuts itself in, as passt does. */
static const char own_namespaces_settings[] =
		"RestrictNamespaces=user mnt ipc uts pid\n"
		"SystemCallFilter=mount umount2 pivot_root unshare capset setgroups setresgid "
		"setresuid setgid setuid\n";

/*
 * A profile for the program, as Ubuntu's package of swtpm and SUSE's of dnsmasq have one, knows the
 * places of other programs' files, and these have their own. "-": where AppArmor does not know the
 * word, the program starts all the same. Whoever has a profile for this unit names it in a drop-in.
 */
static const char profile_settings[] = "AppArmorProfile=-unconfined\n";

void sandbox_add(struct unitfile *u, const struct sandbox *sandbox)
{
	unitfile_add_lines(u, settings);
	unitfile_set_words(u, "ExecPaths", sandbox->exec_paths);

	if (sandbox->capabilities) {
		unitfile_comment(u, sandbox->capability_reason);
		unitfile_set(u, "CapabilityBoundingSet", sandbox->capabilities);
		unitfile_set(u, "AmbientCapabilities", sandbox->capabilities);
		/* They count for nothing in a user namespace of their own. */
		unitfile_set(u, "PrivateUsers", "no");
	}

	if (sandbox->enters_user_namespace) {
		unitfile_comment(u, "It becomes root of the user namespace that prepare makes, and "
				    "mounts its directory.");
		unitfile_add_lines(u, user_namespace_settings);
	}
	if (sandbox->makes_namespaces) {
		unitfile_comment(u, "It shuts itself in, in namespaces that it makes.");
		unitfile_add_lines(u, own_namespaces_settings);
	}
	if (sandbox->leaves_profile)
		unitfile_add_lines(u, profile_settings);
	if (!sandbox->own_network)
		unitfile_add_lines(u, "PrivateNetwork=yes\n");
	if (sandbox->address_reason)
		unitfile_comment(u, sandbox->address_reason);
	unitfile_set(u, "RestrictAddressFamilies", sandbox->address_families);
	if (sandbox->io_uring_reason) {
		unitfile_comment(u, sandbox->io_uring_reason);
		unitfile_set(u, "SystemCallFilter", IO_URING);
	}
	if (sandbox->hears_kernel) {
		unitfile_comment(u, "\"devices\": QEMU's libusb does not start without. In a "
				    "network of its own it hears nothing.");
		unitfile_set(u, "RestrictAddressFamilies", "AF_NETLINK");
	}
	if (!sandbox->ip_any)
		unitfile_add_lines(u, "IPAddressDeny=any\n");
	if (sandbox->ip_localhost)
		unitfile_add_lines(u, "IPAddressAllow=localhost\n");
	if (sandbox->ip_allowed && sandbox->ip_reason)
		unitfile_comment(u, sandbox->ip_reason);
	if (sandbox->ip_allowed)
		unitfile_set(u, "IPAddressAllow", sandbox->ip_allowed);
}

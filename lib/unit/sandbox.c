/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What confines a process of ours. */
#include "unit/sandbox.h"

#include "util/cleanup.h"

/*
 * systemd.exec(5) and systemd.resource-control(5). QEMU makes filters of its own inside these, for
 * which it needs the call "seccomp", which is in no set that the lists below would let through.
 */
static const char *const settings[][2] = {
	{ "UMask", "0077" },
	{ "LimitCORE", "0" },
	{ "LimitNOFILE", "65536" },
	{ "NoNewPrivileges", "yes" },
	{ "CapabilityBoundingSet", "" },
	{ "AmbientCapabilities", "" },
	{ "ProtectSystem", "strict" },
	{ "ProtectHome", "yes" },
	{ "PrivateTmp", "yes" },
	{ "PrivateDevices", "yes" },
	{ "PrivateIPC", "yes" },
	{ "PrivateUsers", "yes" },
	{ "PrivateMounts", "yes" },
	{ "ProtectClock", "yes" },
	{ "ProtectHostname", "yes" },
	{ "ProtectKernelLogs", "yes" },
	{ "ProtectKernelModules", "yes" },
	{ "ProtectKernelTunables", "yes" },
	{ "ProtectControlGroups", "yes" },
	{ "ProtectProc", "invisible" },
	{ "ProcSubset", "pid" },
	{ "LockPersonality", "yes" },
	{ "MemoryDenyWriteExecute", "yes" },
	{ "RestrictRealtime", "yes" },
	{ "RestrictSUIDSGID", "yes" },
	{ "RestrictNamespaces", "yes" },
	{ "SystemCallArchitectures", "native" },
	{ "SystemCallFilter", "@system-service seccomp" },
	{ "SystemCallFilter", "~@privileged @resources @clock @cpu-emulation @debug @module @mount "
			      "@obsolete @raw-io @reboot @swap" },
	{ "SystemCallErrorNumber", "EPERM" },
	{ "RemoveIPC", "yes" },
	{ "KeyringMode", "private" },
};

void sandbox_add(struct unitfile *u, const struct sandbox *sandbox)
{
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		unitfile_set(u, settings[i][0], settings[i][1]);
	unitfile_set(u, "NoExecPaths", "/");
	unitfile_set_words(u, "ExecPaths", sandbox->exec_paths);

	if (!sandbox->own_network)
		unitfile_set(u, "PrivateNetwork", "yes");
	if (sandbox->address_reason)
		unitfile_comment(u, sandbox->address_reason);
	unitfile_set(u, "RestrictAddressFamilies", sandbox->address_families);
	if (!sandbox->ip_any)
		unitfile_set(u, "IPAddressDeny", "any");
	if (sandbox->ip_localhost)
		unitfile_set(u, "IPAddressAllow", "localhost");
}

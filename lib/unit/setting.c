/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which setting of a unit file is read in which way. */
#include "unit/setting.h"

#include <string.h>

/* clang-format off */
static const char *const plain[] = {
	/* systemd.unit(5) */
	"CollectMode", "DefaultDependencies", "FailureAction", "IgnoreOnIsolate", "JobRunningTimeoutSec",
	"JobTimeoutAction", "JobTimeoutSec", "OnFailureJobMode", "RefuseManualStart", "RefuseManualStop",
	"StartLimitAction", "StartLimitBurst", "StartLimitIntervalSec", "StopWhenUnneeded", "SuccessAction",
	/* systemd.service(5) */
	"ExitType", "FileDescriptorStoreMax", "NotifyAccess", "OOMPolicy", "RemainAfterExit", "Restart",
	"RestartForceExitStatus", "RestartPreventExitStatus", "RestartSec", "RuntimeMaxSec",
	"SuccessExitStatus", "TimeoutAbortSec", "TimeoutSec", "TimeoutStartFailureMode", "TimeoutStartSec",
	"TimeoutStopFailureMode", "TimeoutStopSec", "Type", "WatchdogSec",
	/* systemd.kill(5) */
	"FinalKillSignal", "KillMode", "KillSignal", "RestartKillSignal", "SendSIGHUP", "SendSIGKILL",
	"WatchdogSignal",
	/* systemd.exec(5) */
	"AmbientCapabilities", "CPUAffinity", "CPUSchedulingPolicy", "CPUSchedulingPriority",
	"CPUSchedulingResetOnFork", "CapabilityBoundingSet", "CoredumpFilter", "DynamicUser",
	"IOSchedulingClass", "IOSchedulingPriority", "IgnoreSIGPIPE", "KeyringMode", "LimitAS", "LimitCORE",
	"LimitCPU", "LimitDATA", "LimitFSIZE", "LimitLOCKS", "LimitMEMLOCK", "LimitMSGQUEUE", "LimitNICE",
	"LimitNOFILE", "LimitNPROC", "LimitRSS", "LimitRTPRIO", "LimitRTTIME", "LimitSIGPENDING",
	"LimitSTACK", "LockPersonality", "LogLevelMax", "LogRateLimitBurst", "LogRateLimitIntervalSec",
	"MemoryDenyWriteExecute", "MountAPIVFS", "MountFlags", "NUMAMask", "NUMAPolicy", "Nice",
	"NoNewPrivileges", "OOMScoreAdjust", "PrivateDevices", "PrivateIPC", "PrivateMounts",
	"PrivateNetwork", "PrivateTmp", "PrivateUsers", "ProcSubset", "ProtectClock",
	"ProtectControlGroups", "ProtectHome", "ProtectHostname", "ProtectKernelLogs",
	"ProtectKernelModules", "ProtectKernelTunables", "ProtectProc", "ProtectSystem", "RemoveIPC",
	"RestrictAddressFamilies", "RestrictFileSystems", "RestrictNamespaces", "RestrictRealtime",
	"RestrictSUIDSGID", "RuntimeDirectoryMode", "RuntimeDirectoryPreserve", "SecureBits",
	"StandardInput", "StateDirectoryMode", "SyslogFacility", "SyslogLevel", "SyslogLevelPrefix",
	"SystemCallArchitectures", "SystemCallErrorNumber", "SystemCallFilter", "SystemCallLog",
	"TimerSlackNSec", "UMask",
	/* systemd.resource-control(5) */
	"AllowedCPUs", "AllowedMemoryNodes", "CPUAccounting", "CPUQuota", "CPUQuotaPeriodSec", "CPUWeight",
	"Delegate", "DevicePolicy", "DisableControllers", "IOAccounting", "IOWeight", "IPAccounting",
	"IPAddressAllow", "IPAddressDeny", "ManagedOOMMemoryPressure", "ManagedOOMMemoryPressureLimit",
	"ManagedOOMPreference", "ManagedOOMSwap", "MemoryAccounting", "MemoryHigh", "MemoryLow",
	"MemoryMax", "MemoryMin", "MemorySwapMax", "MemoryZSwapMax", "RestrictNetworkInterfaces",
	"SocketBindAllow", "SocketBindDeny", "StartupAllowedCPUs", "StartupAllowedMemoryNodes",
	"StartupCPUWeight", "StartupIOWeight", "TasksAccounting", "TasksMax",
	/* systemd.socket(5) */
	"Accept", "Backlog", "BindIPv6Only", "DirectoryMode", "FlushPending", "FreeBind", "KeepAlive",
	"MaxConnections", "NoDelay", "RemoveOnStop", "SocketMode", "TriggerLimitBurst",
	"TriggerLimitIntervalSec", "Writable",
	NULL,
};

static const char *const text[] = {
	"AppArmorProfile", "AssertPathExists", "ConditionPathExists", "ConditionPathIsDirectory",
	"ConditionVirtualization", "Description", "FileDescriptorName", "Group", "IPCNamespacePath",
	"ListenDatagram", "ListenFIFO", "ListenStream", "LoadCredential", "LoadCredentialEncrypted",
	"LogNamespace", "NetworkNamespacePath", "PIDFile", "RootDirectory", "SELinuxContext", "Service",
	"Slice", "SocketGroup", "SocketUser", "SourcePath", "StandardError", "StandardOutput",
	"SyslogIdentifier", "User", "WorkingDirectory",
	NULL,
};

static const char *const names[] = {
	"Alias", "Also", "Documentation", "RequiredBy", "Sockets", "SupplementaryGroups",
	"TemporaryFileSystem", "WantedBy",
	NULL,
};

static const char *const units[] = {
	"After", "Before", "BindsTo", "Conflicts", "JoinsNamespaceOf", "OnFailure", "OnSuccess", "PartOf",
	"PropagatesReloadTo", "PropagatesStopTo", "ReloadPropagatedFrom", "Requires", "Requisite",
	"StopPropagatedFrom", "Upholds", "Wants",
	NULL,
};

static const char *const words[] = {
	"Environment", "ExecPaths", "InaccessiblePaths", "LogExtraFields", "NoExecPaths",
	"PassEnvironment", "ReadOnlyPaths", "ReadWritePaths", "RequiresMountsFor", "Symlinks",
	"UnsetEnvironment",
	NULL,
};

static const char *const directories[] = {
	"CacheDirectory", "ConfigurationDirectory", "LogsDirectory", "RuntimeDirectory", "StateDirectory",
	NULL,
};

static const char *const bind[] = { "BindPaths", "BindReadOnlyPaths", NULL };

static const char *const device[] = {
	"DeviceAllow", "IODeviceLatencyTargetSec", "IODeviceWeight", "IOReadBandwidthMax", "IOReadIOPSMax",
	"IOWriteBandwidthMax", "IOWriteIOPSMax",
	NULL,
};

static const char *const glob[] = { "EnvironmentFile", NULL };

static const char *const exec[] = {
	"ExecCondition", "ExecReload", "ExecStart", "ExecStartPost", "ExecStartPre", "ExecStop",
	"ExecStopPost", "ExecStopPre",
	NULL,
};
/* clang-format on */

const struct setting_group setting_groups[] = {
	{ SETTING_PLAIN, plain },
	{ SETTING_TEXT, text },
	{ SETTING_NAMES, names },
	{ SETTING_UNITS, units },
	{ SETTING_WORDS, words },
	{ SETTING_DIRECTORIES, directories },
	{ SETTING_BIND, bind },
	{ SETTING_DEVICE, device },
	{ SETTING_GLOB, glob },
	{ SETTING_EXEC, exec },
	{},
};

enum setting_syntax setting_find(const char *key)
{
	for (const struct setting_group *group = setting_groups; group->keys; group++)
		for (const char *const *at = group->keys; *at; at++)
			if (!strcmp(*at, key))
				return group->syntax;
	return SETTING_UNKNOWN;
}

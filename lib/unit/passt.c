/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The unit of passt, which gives a connection of mode user its network. */
#include <inttypes.h>

#include "qemu/argv.h"
#include "unit/parts.h"
#include "util/mem.h"

#define PASST "/usr/bin/passt"

/* passt's own AppArmor profile, which Debian and Ubuntu have in force, lets it make its socket only
 * in /tmp and in home directories. */
#define SOCKET_PLACE "/tmp"

char *unit_passt_name(const char *machine, size_t i)
{
	CLEANUP(freep) char *instance = xasprintf("%s@%zu", machine, i);
	return unit_name(UNIT_PASST, instance);
}

/* "-t 127.0.0.1/2222:22". Where nothing is said of UDP, passt forwards the ports of TCP for it,
 * too. */
static void add_forwards(const struct vm_nic *nic, enum forward_protocol protocol,
		const char *option, struct strv *ret)
{
	size_t before = ret->n;
	for (size_t i = 0; i < nic->n_forward; i++) {
		const struct forward_conf *f = &nic->forward[i];
		if (f->protocol != (int)protocol)
			continue;
		strv_push(ret, option);
		strv_pushf(ret, "%s/%" PRId64 ":%" PRId64, f->address, f->port, f->to_port);
	}
	if (ret->n > before)
		return;
	strv_push(ret, option);
	strv_push(ret, "none");
}

/*
 * The addresses are those of QEMU's own user-mode network. What passt would take from the host's
 * interfaces is all given, so that it starts on a host without any: packets find their way by the
 * host's routes when they are sent.
 */
static void passt_argv(const struct vm_nic *nic, struct strv *ret)
{
	static const char *const words[] = {
		PASST,
		"--quiet",
		"--ipv4-only",
		"--interface",
		"lo",
		"--address",
		"10.0.2.15",
		"--netmask",
		"24",
		"--gateway",
		"10.0.2.2",
		"--mac-addr",
		"52:55:0a:00:02:02",
		"--dns-forward",
		"10.0.2.3",
		"--socket",
		SOCKET_PLACE "/socket",
	};
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		strv_push(ret, words[i]);
	add_forwards(nic, FORWARD_TCP, "--tcp-ports", ret);
	add_forwards(nic, FORWARD_UDP, "--udp-ports", ret);
}

static void add_service(struct unitfile *u, const struct unit_input *in, size_t i)
{
	CLEANUP(strv_done) struct strv argv = {}, exec_paths = {};
	CLEANUP(freep) char *dir = plan_passt_dir(in->plan->run_dir, i);
	CLEANUP(freep) char *user = vm_passt_user_name(in->vm->name, i);
	passt_argv(&in->vm->nics[i], &argv);
	/* In the background it is only when it has its socket and all ports. */
	unitfile_set(u, "Type", "forking");
	unitfile_exec_long(u, "ExecStart", &argv, qemu_option_length);
	unitfile_set(u, "TimeoutStartSec", "1min");
	unitfile_set(u, "TimeoutStopSec", "10s");
	unitfile_set(u, "Slice", "machine.slice");
	unitfile_set(u, "DynamicUser", "yes");
	unitfile_set(u, "User", user);
	unitfile_setf(u, "RuntimeDirectory", "machina-passt/%s@%zu", in->vm->name, i);
	unitfile_set(u, "RuntimeDirectoryMode", "0700");
	/* Not under the name that it has on the host. */
	unitfile_bind(u, "BindPaths", dir, SOCKET_PLACE);
	unitfile_set(u, "DevicePolicy", "closed");
	/* It replaces itself by the variant for the processor that it finds. */
	unit_exec_paths(&exec_paths, PASST);
	strv_push(&exec_paths, "-" PASST ".avx2");
	sandbox_add(u, &(struct sandbox){
				       .own_network = true,
				       .ip_any = true,
				       .address_families = "AF_UNIX AF_INET AF_INET6 AF_NETLINK",
				       .address_reason = "It talks to the network, as the host.",
				       .makes_namespaces = true,
				       .exec_paths = &exec_paths,
		       });
}

int unit_build_passt(const struct unit_input *in, size_t i, struct units *ret, struct error *err)
{
	CLEANUP(unitfile_done) struct unitfile u = {};
	CLEANUP(freep) char *instance = xasprintf("%s@%zu", in->vm->name, i);
	CLEANUP(freep) char *qemu = unit_name(UNIT_QEMU, in->vm->name);
	unit_begin(&u, in->sources);
	unitfile_section(&u, "Unit");
	unitfile_setf(&u, "Description", "Network of connection '%s' of virtual machine %s",
			in->vm->nics[i].name, in->vm->name);
	unitfile_set(&u, "Documentation", "man:machina(8)");
	unitfile_set(&u, "After", "network.target");
	/* It starts with the machine, ends with its QEMU and starts again with the next one, also
	 * when that is told to restart: as often as that may. */
	unitfile_set(&u, "PartOf", qemu);
	unitfile_set(&u, "StopWhenUnneeded", "yes");
	unitfile_set(&u, "StartLimitIntervalSec", "0");

	unitfile_section(&u, "Service");
	add_service(&u, in, i);
	return units_add(ret, &u, UNIT_PASST, instance, err);
}

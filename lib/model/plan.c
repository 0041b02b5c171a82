/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a machine to the plan of its host's side. */
#include "model/plan.h"

#include <inttypes.h>
#include <string.h>

#include "util/mem.h"
#include "util/parse.h"

void plan_done(struct plan *plan)
{
	arena_done(&plan->arena);
	*plan = (struct plan){};
}

char *plan_qmp_path(const char *run_dir, const char *machine, const char *socket_name)
{
	return xasprintf("%s/%s/qmp/%s.qmp.socket", run_dir, machine, socket_name);
}

bool plan_is_device(const char *path)
{
	return !strncmp(path, "/dev/", strlen("/dev/")) &&
	       strncmp(path, "/dev/shm/", strlen("/dev/shm/")) != 0;
}

size_t plan_n_queues(const struct plan *plan, size_t i)
{
	size_t n = 1;
	while (i + n < plan->n_fds && plan->fds[i + n].kind == PLAN_FD_QUEUE)
		n++;
	return n;
}

int plan_shutdown_sec(const struct plan *plan)
{
	return plan->stop_sec > PLAN_QUIT_SEC ? plan->stop_sec - PLAN_QUIT_SEC : VM_SHUTDOWN_SEC;
}

bool plan_has_filter(const struct plan *plan)
{
	for (size_t i = 0; i < plan->n_fds; i++)
		if (plan->fds[i].filter)
			return true;
	return false;
}

const struct plan_fd *plan_find(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->n_fds; i++)
		if (!strcmp(plan->fds[i].name, name))
			return &plan->fds[i];
	return NULL;
}

bool plan_fd_has_set(enum plan_fd_kind kind)
{
	return kind == PLAN_FD_FILE || kind == PLAN_FD_SEED || kind == PLAN_FD_LOG ||
	       kind == PLAN_FD_USB;
}

char *plan_pci_variable(size_t i, size_t function)
{
	return xasprintf("MACHINA_PCI_%zu_%zu", i, function);
}

const struct plan_fd *plan_usb_fd(const struct plan *plan, size_t i)
{
	CLEANUP(freep) char *name = xasprintf("usb.%zu", i);
	return plan_find(plan, name);
}

/* The arrays get room for all that a machine can ask for; the counts then say what was used. */
static struct plan_fd *add_fd(struct plan *plan, enum plan_fd_kind kind, const char *name)
{
	struct plan_fd *fd = &plan->fds[plan->n_fds];
	*fd = (struct plan_fd){
		.kind = kind,
		.name = name,
		.number = PLAN_FD_FIRST + (int)plan->n_fds,
		.set = -1,
	};
	if (plan_fd_has_set(kind))
		fd->set = (int)++plan->n_sets;
	plan->n_fds++;
	return fd;
}

static void add_volume_fd(struct plan *plan, enum plan_fd_kind kind, const char *name,
		const struct vm_volume *volume)
{
	struct plan_fd *fd = add_fd(plan, kind, name);
	fd->path = volume->path;
	fd->writable = kind == PLAN_FD_FILE && !volume->readonly;
	fd->direct = kind == PLAN_FD_FILE &&
		     (volume->cache == DISK_CACHE_NONE || volume->cache == DISK_CACHE_DIRECTSYNC);
	fd->format = volume->type && volume->type->format == VM_FORMAT_QCOW2 ? PLAN_FORMAT_QCOW2
									     : PLAN_FORMAT_RAW;
	fd->volume = volume->pool ? volume->name : NULL;
	fd->pool = volume->pool;
}

static void add_path_fd(
		struct plan *plan, enum plan_fd_kind kind, const char *name, const char *path)
{
	add_fd(plan, kind, name)->path = path;
}

static void add_passt(struct plan *plan, const struct vm_nic *nic, size_t i)
{
	CLEANUP(freep) char *dir = plan_passt_dir(plan->run_dir, i);
	struct plan_fd *fd =
			add_fd(plan, PLAN_FD_CONNECT, arena_printf(&plan->arena, "net.%zu", i));
	fd->path = arena_printf(&plan->arena, "%s/socket", dir);
	fd->connection = nic->name;
	fd->network = nic->network;
	CLEANUP(buf_done) struct buf forward = {};
	for (size_t k = 0; k < nic->n_forward; k++) {
		const struct forward_conf *f = &nic->forward[k];
		buf_printf(&forward, "%s%s:%s:%" PRId64 "-:%" PRId64, k ? " " : "",
				forward_protocol_names[f->protocol], f->address, f->port,
				f->to_port);
	}
	fd->forward = forward.len ? arena_strdup(&plan->arena, buf_text(&forward)) : NULL;
	fd->disconnected = nic->disconnected;
}

static void add_taps(struct plan *plan, const struct vm *vm)
{
	for (size_t i = 0; i < vm->n_nics; i++) {
		const struct vm_nic *nic = &vm->nics[i];
		if (nic->passt)
			add_passt(plan, nic, i);
		if (!vm_nic_has_link(nic))
			continue;
		bool is_macvtap = nic->mode == NETWORK_MACVTAP;
		struct plan_fd *fd = add_fd(plan, is_macvtap ? PLAN_FD_MACVTAP : PLAN_FD_TAP,
				arena_printf(&plan->arena, "net.%zu", i));
		fd->link = nic->link;
		fd->connection = nic->name;
		fd->network = nic->network;
		fd->bridge = nic->join ? nic->bridge : NULL;
		fd->device = nic->device;
		fd->macvtap_mode = nic->macvtap_mode;
		char *mac = arena_strdup(&plan->arena, nic->mac);
		mac_use_colons(mac);
		fd->mac = mac;
		fd->up = nic->up;
		fd->down = nic->down;
		fd->disconnected = nic->disconnected;
		fd->mtu = nic->mtu;
		fd->protect = nic->managed && network_has_bridge(nic->mode);
		fd->isolate = nic->isolate;
		fd->own = nic->managed && network_owns_bridge(nic->mode);
		fd->vlan = nic->vlan;
		fd->filter = nic->filter;
		for (int k = 1; k < nic->queues; k++)
			add_fd(plan, PLAN_FD_QUEUE, arena_printf(&plan->arena, "net.%zu.%d", i, k))
					->link = fd->link;
	}
}

static void add_netdevs(struct plan *plan, const struct vm *vm)
{
	plan->netdevs = arena_array(&plan->arena, vm->n_nics, sizeof(*plan->netdevs));
	for (size_t i = 0; i < vm->n_nics; i++) {
		const struct vm_nic *nic = &vm->nics[i];
		if ((nic->mode != NETWORK_USER && nic->mode != NETWORK_VHOST_USER) || nic->passt)
			continue;
		plan->netdevs[plan->n_netdevs++] = (struct plan_netdev){
			.name = arena_printf(&plan->arena, "net.%zu", i),
			.connection = nic->name,
			.network = nic->network,
			.disconnected = nic->disconnected,
		};
	}
}

/* They can be missing, and must not move others. */
static void add_vhost(struct plan *plan, const struct vm *vm)
{
	static const char device[] = "/dev/vhost-net";
	struct arena *a = &plan->arena;
	for (size_t i = 0; i < vm->n_nics; i++) {
		if (!vm->nics[i].vhost)
			continue;
		add_path_fd(plan, PLAN_FD_VHOST, arena_printf(a, "vhost.%zu", i), device);
		for (int k = 1; k < vm->nics[i].queues; k++)
			add_path_fd(plan, PLAN_FD_VHOST, arena_printf(a, "vhost.%zu.%d", i, k),
					device);
	}
}

static void add_vsock(struct plan *plan, const struct vm *vm)
{
	struct plan_fd *fd = add_fd(plan, PLAN_FD_VSOCK, PLAN_VSOCK);
	fd->path = "/dev/vhost-vsock";
	fd->cid = vm->vsock.cid;
}

static void add_disks(struct plan *plan, const struct vm *vm)
{
	if (vm->firmware_code)
		add_volume_fd(plan, PLAN_FD_FILE, "firmware.code", vm->firmware_code);
	if (vm->firmware_vars)
		add_volume_fd(plan, PLAN_FD_FILE, "firmware.vars", vm->firmware_vars);
	for (size_t i = 0; i < vm->n_volumes; i++) {
		const struct vm_volume *v = &vm->volumes[i];
		if (v->type->bus == VM_BUS_TPM)
			continue;
		if (v->type->format == VM_FORMAT_VVFAT)
			plan->directories[plan->n_directories++] = (struct plan_directory){
				.path = v->path,
				.volume = v->name,
				.pool = v->pool,
			};
		else
			add_volume_fd(plan, PLAN_FD_FILE, arena_printf(&plan->arena, "disk.%zu", i),
					v);
	}
	if (vm->kernel)
		add_volume_fd(plan, PLAN_FD_COPY, "kernel", vm->kernel);
	if (vm->initrd)
		add_volume_fd(plan, PLAN_FD_COPY, "initrd", vm->initrd);
}

static void add_credentials(struct plan *plan, const struct vm *vm)
{
	for (size_t i = 0; i < vm->n_credentials; i++) {
		struct plan_fd *fd = add_fd(plan, PLAN_FD_CREDENTIAL,
				arena_printf(&plan->arena, "credential.%zu", i));
		fd->path = vm->credentials[i].path;
		fd->credential = vm->credentials[i].name;
	}
}

static void add_seed(struct plan *plan, const struct vm *vm)
{
	if (!vm->n_seed)
		return;
	add_fd(plan, PLAN_FD_SEED, PLAN_SEED);
	plan->seed = vm->seed;
	plan->n_seed = vm->n_seed;
}

static void add_sockets(struct plan *plan, const struct vm *vm, const char *run_dir)
{
	struct arena *a = &plan->arena;
	for (size_t i = 0; i < vm->n_qmp; i++) {
		CLEANUP(freep) char *own = plan_qmp_path(run_dir, vm->name, vm->qmp[i].name);
		add_path_fd(plan, PLAN_FD_LISTEN, arena_printf(a, PLAN_MONITOR "%zu", i),
				arena_strdup(a, vm->qmp[i].path[0] ? vm->qmp[i].path : own));
	}
	if (vm->agent.enabled && vm->agent.port)
		add_fd(plan, PLAN_FD_LISTEN_TCP, "agent")->port = vm->agent.port;
	else if (vm->agent.enabled)
		add_path_fd(plan, PLAN_FD_LISTEN, "agent",
				arena_printf(a, "%s/agent.socket", plan->run_dir));
	if (vm->serial) {
		add_path_fd(plan, PLAN_FD_LISTEN, "console",
				arena_printf(a, "%s/console.socket", plan->run_dir));
		add_path_fd(plan, PLAN_FD_LOG, "console.log",
				arena_printf(a, "%s/console.log", plan->run_dir));
	}
}

static const char *tpm_socket(struct plan *plan, const struct vm *vm)
{
	return vm->tpm.socket[0] ? vm->tpm.socket
				 : arena_printf(&plan->arena, "%s/swtpm/control.socket",
						   plan->run_dir);
}

static void add_devices(struct plan *plan, const struct vm *vm)
{
	plan->mdevs = vm->mdevs;
	plan->n_mdevs = vm->n_mdevs;
	plan->pcis = vm->pcis;
	plan->n_pcis = vm->n_pcis;
	plan->usbs = vm->usbs;
	plan->n_usbs = vm->n_usbs;
}

/* QEMU opens the file of a ROM by its path. */
static void add_roms(struct plan *plan)
{
	for (size_t i = 0; i < plan->n_pcis; i++)
		if (plan->pcis[i].rom)
			add_path_fd(plan, PLAN_FD_COPY, arena_printf(&plan->arena, "rom.%zu", i),
					plan->pcis[i].rom);
}

static void add_usb_nodes(struct plan *plan)
{
	for (size_t i = 0; i < plan->n_usbs; i++)
		add_fd(plan, PLAN_FD_USB, arena_printf(&plan->arena, "usb.%zu", i));
}

static void add_screens(struct plan *plan, const struct vm *vm)
{
	const struct {
		const char *name;
		const struct vm_remote *remote;
	} screens[] = { { "spice", &vm->spice }, { "vnc", &vm->vnc } };

	plan->sockets = arena_array(
			&plan->arena, ARRAY_SIZE(screens) + vm->n_nics, sizeof(*plan->sockets));
	for (size_t i = 0; i < ARRAY_SIZE(screens); i++)
		if (screens[i].remote->enabled)
			plan->sockets[plan->n_sockets++] = (struct plan_socket){
				.name = screens[i].name,
				.path = arena_printf(&plan->arena, "%s/%s", plan->socket_dir,
						screens[i].name),
				.port = screens[i].remote->port,
			};
}

char *plan_net_path(const char *socket_dir, const char *machine, const char *connection)
{
	return xasprintf("%s/%s/net.%s", socket_dir, machine, connection);
}

/* Of mode vhost-user: QEMU talks to the switch by itself, for it takes no descriptor for that
 * (net_vhost_claim_chardev() in net/vhost-user.c). */
static void add_switches(struct plan *plan, const struct vm *vm, const char *run_dir)
{
	struct arena *a = &plan->arena;
	CLEANUP(freep) char *socket_dir = xasprintf("%s-qemu", run_dir);
	plan->peers = arena_array(a, vm->n_nics, sizeof(*plan->peers));
	for (size_t i = 0; i < vm->n_nics; i++) {
		const struct vm_nic *nic = &vm->nics[i];
		if (nic->mode != NETWORK_VHOST_USER)
			continue;
		const char *name = arena_printf(a, "net.%zu", i);
		CLEANUP(freep) char *own = plan_net_path(socket_dir, vm->name, nic->name);
		if (nic->socket)
			plan->peers[plan->n_peers++] = (struct plan_peer){
				.name = name,
				.path = nic->socket,
				.group = vm->accel == VM_ACCEL_KVM ? VM_KVM_GROUP : NULL,
				.connection = nic->name,
				.network = nic->network,
				.queues = nic->queues > 1 ? nic->queues : 0,
				.emulator = vm->emulator,
			};
		else
			plan->sockets[plan->n_sockets++] = (struct plan_socket){ .name = name,
				.path = arena_strdup(a, own) };
	}
}

char *plan_share_path(const char *run_dir, const char *machine, const char *share)
{
	return xasprintf("%s/%s/share/%s", run_dir, machine, share);
}

static const char *share_socket(
		struct plan *plan, const char *run_dir, const char *machine, const char *share)
{
	CLEANUP(freep) char *path = plan_share_path(run_dir, machine, share);
	return arena_strdup(&plan->arena, path);
}

const char *plan_share_of(const struct plan_fd *fd)
{
	if (fd->kind != PLAN_FD_CONNECT || strncmp(fd->name, "share.", strlen("share.")) != 0)
		return NULL;
	return strrchr(fd->path, '/') + 1;
}

char *plan_passt_dir(const char *run_dir, size_t i)
{
	const char *machine = strrchr(run_dir, '/');
	return xasprintf("%.*s-passt%s@%zu", (int)(machine - run_dir), run_dir, machine, i);
}

bool plan_is_passt(const struct plan_fd *fd)
{
	return fd->kind == PLAN_FD_CONNECT && fd->connection;
}

bool plan_is_companion(const struct plan *plan)
{
	return plan->tpm_data || plan->share;
}

static void add_shares(struct plan *plan, const struct vm *vm, const char *run_dir)
{
	for (size_t i = 0; i < vm->n_shares; i++)
		add_path_fd(plan, PLAN_FD_CONNECT, arena_printf(&plan->arena, "share.%zu", i),
				share_socket(plan, run_dir, vm->name, vm->shares[i].name));
}

static void begin(struct plan *plan, const struct vm *vm, const char *run_dir)
{
	/* Two firmware images, two boot files, agent, console and its log, TPM, vsock, seed. */
	size_t n_fds = vm->n_volumes + vm->n_shares + vm->n_qmp + vm->n_pcis + vm->n_usbs +
		       vm->n_credentials + 10;
	/* Each queue and its vhost; and what has none. */
	for (size_t i = 0; i < vm->n_nics; i++)
		n_fds += 2 * (size_t)(vm->nics[i].queues > 1 ? vm->nics[i].queues : 1);

	*plan = (struct plan){};
	plan->machine = vm->name;
	plan->user = vm->user;
	plan->run_dir = arena_printf(&plan->arena, "%s/%s", run_dir, vm->name);
	plan->socket_dir = arena_printf(&plan->arena, "%s-qemu/%s", run_dir, vm->name);
	plan->fds = arena_array(&plan->arena, n_fds, sizeof(*plan->fds));
	plan->directories = arena_array(&plan->arena, vm->n_volumes, sizeof(*plan->directories));
}

void plan_build(const struct vm *vm, const char *run_dir, struct plan *ret)
{
	begin(ret, vm, run_dir);
	ret->stop_sec = vm->shutdown_sec + PLAN_QUIT_SEC;
	add_taps(ret, vm);
	add_netdevs(ret, vm);
	add_disks(ret, vm);
	if (vm->tpm.enabled)
		add_path_fd(ret, PLAN_FD_CONNECT, "tpm", tpm_socket(ret, vm));
	add_shares(ret, vm, run_dir);
	add_sockets(ret, vm, run_dir);
	add_devices(ret, vm);
	add_roms(ret);
	add_usb_nodes(ret);
	add_credentials(ret, vm);
	add_seed(ret, vm);
	if (vm->vsock.enabled)
		add_vsock(ret, vm);
	add_vhost(ret, vm);
	add_screens(ret, vm);
	add_switches(ret, vm, run_dir);
}

void plan_build_tpm(const struct vm *vm, const char *run_dir, struct plan *ret)
{
	begin(ret, vm, run_dir);
	CLEANUP(freep) char *user = vm_tpm_user_name(vm->name);
	ret->user = arena_strdup(&ret->arena, user);
	ret->tpm_data = vm->tpm.data;
	add_path_fd(ret, PLAN_FD_LISTEN, "control", tpm_socket(ret, vm));
	add_path_fd(ret, PLAN_FD_STATE, "state",
			arena_printf(&ret->arena, "%s/state", vm->tpm.data));
}

void plan_build_share(const struct vm *vm, size_t i, const char *run_dir, struct plan *ret)
{
	const struct vm_share *share = &vm->shares[i];
	begin(ret, vm, run_dir);
	ret->user = share->user;
	ret->share = share->name;
	add_path_fd(ret, PLAN_FD_LISTEN, "control",
			share_socket(ret, run_dir, vm->name, share->name));
	add_path_fd(ret, PLAN_FD_TREE, "tree", share->path);
	ret->fds[ret->n_fds - 1].writable = !share->readonly;
	add_fd(ret, PLAN_FD_USERNS, "users");
}

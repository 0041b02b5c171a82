/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network interfaces: taps, and QEMU's user-mode network. */
#include <inttypes.h>
#include <string.h>

#include "qemu/parts.h"

/* "fd=3"; of several queues "fds=3:4". @first: in the plan */
static void add_fds(struct props *p, const struct plan *plan, const struct plan_fd *first)
{
	CLEANUP(buf_done) struct buf text = {};
	size_t n = plan_n_queues(plan, (size_t)(first - plan->fds));
	for (size_t i = 0; i < n; i++)
		buf_printf(&text, "%s%d", i ? ":" : "", first[i].number);
	props_add(p, n > 1 ? "fds" : "fd", buf_text(&text));
}

/* For QEMU to open by itself. */
static void add_queues(struct props *p, const struct vm_nic *nic)
{
	if (nic->queues > 1)
		props_addf(p, "queues", "%d", nic->queues);
}

/* The bridge and scripts are the plan's matter: QEMU may not run programs.
 *
 * @fd: its name in the plan */
static void add_tap(struct assembly *a, const struct vm_nic *nic, const char *id, const char *fd)
{
	CLEANUP(props_done) struct props p = {};
	props_init(&p, "tap");
	props_add(&p, "id", id);
	/* QEMU can't open a macvtap by its name: whoever starts it has to. */
	if (a->form == QEMU_FORM_UNIT || nic->mode == NETWORK_MACVTAP) {
		add_fds(&p, a->plan, assembly_fd(a, fd));
	} else {
		props_add(&p, "ifname", nic->link);
		props_add(&p, "script", "no");
		props_add(&p, "downscript", "no");
		add_queues(&p, nic);
	}
	assembly_option(a, SECTION_NETDEV, "-netdev", &p);
}

/* "tcp:127.0.0.1:2222-:22" */
static void add_forward(struct props *p, const struct forward_conf *f)
{
	props_addf(p, "hostfwd", "%s:%s:%" PRId64 "-:%" PRId64, forward_protocol_names[f->protocol],
			f->address, f->port, f->to_port);
}

static void add_user(struct assembly *a, const struct vm_nic *nic, const char *id)
{
	CLEANUP(props_done) struct props p = {};
	props_init(&p, "user");
	props_add(&p, "id", id);
	for (size_t i = 0; i < nic->n_forward; i++)
		add_forward(&p, &nic->forward[i]);
	assembly_option(a, SECTION_NETDEV, "-netdev", &p);
}

/* The other end is passt, in a unit of its own. Since QEMU 7.2 (qapi/net.json,
 * NetdevStreamOptions). */
static void add_passt(struct assembly *a, const char *id, const char *fd)
{
	CLEANUP(props_done) struct props p = {};
	props_init(&p, "stream");
	props_add(&p, "id", id);
	props_add(&p, "server", "off");
	props_add(&p, "addr.type", "fd");
	props_addf(&p, "addr.str", "%d", assembly_fd(a, fd)->number);
	assembly_option(a, SECTION_NETDEV, "-netdev", &p);
}

/* The card sees the guest's MAC address; QEMU only hands the function over. */
static void add_vf(struct assembly *a, size_t i)
{
	const struct vm *vm = a->vm;
	struct topology *t = &a->topology;
	struct device *d = topology_add_behind(
			t, topology_add_port(t), "vfio-pci", arena_printf(&t->arena, "nic.%zu", i));
	for (size_t k = 0; k < vm->n_pcis; k++)
		if (!vm->pcis[k].class_name && vm->pcis[k].index == i)
			device_put_host(a, d, k, 0);
	assembly_check_room(a, arena_printf(&t->arena, "/connections/%zu", i));
}

static const char *peer_path(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->n_peers; i++)
		if (!strcmp(plan->peers[i].name, name))
			return plan->peers[i].path;
	return NULL;
}

/*
 * A switch that goes away is waited for by both: it or QEMU connects again. How QEMU is told to
 * depends on its version, and no word is good for all. In a shell it is left out.
 */
static void add_vhost_user(struct assembly *a, const struct vm_nic *nic, const char *id)
{
	const char *path = peer_path(a->plan, id);
	const char *chardev = arena_printf(&a->topology.arena, "%s.socket", id);
	CLEANUP(props_done) struct props p = {};
	props_init(&p, "socket");
	props_add(&p, "id", chardev);
	props_add(&p, "path", path ? path : assembly_socket(a, id));
	if (!path) {
		props_add(&p, "server", "on");
		props_add(&p, "wait", "off");
	} else if (a->form == QEMU_FORM_UNIT) {
		props_add_variable(&p, PLAN_RECONNECT);
	}
	assembly_option(a, SECTION_CHARDEV, "-chardev", &p);
	props_init(&p, "vhost-user");
	props_add(&p, "id", id);
	props_add(&p, "chardev", chardev);
	add_queues(&p, nic);
	assembly_option(a, SECTION_NETDEV, "-netdev", &p);
}

/* Each queue has an interrupt for each direction; two are the device's own (virtio_net_get_config()
 * and the control queue, in hw/net/virtio-net.c). */
static void add_card_queues(struct props *p, const struct vm_nic *nic)
{
	if (nic->queues <= 1)
		return;
	props_add(p, "mq", "on");
	props_addf(p, "vectors", "%d", 2 * nic->queues + 2);
}

void network_add(struct assembly *a)
{
	struct topology *t = &a->topology;
	for (size_t i = 0; i < a->vm->n_nics; i++) {
		const struct vm_nic *nic = &a->vm->nics[i];
		if (nic->mode == NETWORK_VF) {
			add_vf(a, i);
			continue;
		}
		const char *fd = arena_printf(&t->arena, "net.%zu", i);
		CLEANUP(freep) char *id = plan_netdev_id(a->plan, fd);
		if (nic->passt && a->form == QEMU_FORM_UNIT)
			add_passt(a, id, fd);
		else if (nic->mode == NETWORK_USER)
			add_user(a, nic, id);
		else if (nic->mode == NETWORK_VHOST_USER)
			add_vhost_user(a, nic, id);
		else
			add_tap(a, nic, id, fd);

		struct device *d = topology_add_behind(t, topology_add_port(t), "virtio-net-pci",
				arena_printf(&t->arena, "nic.%zu", i));
		props_add(&d->props, "mac", nic->mac);
		props_add(&d->props, "netdev", id);
		add_card_queues(&d->props, nic);
		assembly_check_room(a, arena_printf(&t->arena, "/connections/%zu", i));
	}
}

/* "netdev.net1.vhostfds=7:8", of the descriptors "vhost.1", "vhost.1.1". Returns how many. */
static size_t add_vhost_fds(const struct plan *plan, size_t first, struct strv *ret)
{
	const char *name = plan->fds[first].name, *index = strchr(name, '.') + 1;
	size_t len = strlen(name), n = 1;
	while (first + n < plan->n_fds && !strncmp(plan->fds[first + n].name, name, len) &&
			plan->fds[first + n].name[len] == '.')
		n++;
	CLEANUP(buf_done) struct buf numbers = {};
	for (size_t i = 0; i < n; i++)
		buf_printf(&numbers, "%s%d", i ? ":" : "", plan->fds[first + i].number);
	strv_push(ret, "-set");
	strv_pushf(ret, "netdev.net%s.vhost=on", index);
	strv_push(ret, "-set");
	strv_pushf(ret, "netdev.net%s.vhostfd%s=%s", index, n > 1 ? "s" : "", buf_text(&numbers));
	return n;
}

void qemu_vhost_args(const struct plan *plan, struct strv *ret)
{
	size_t i = 0;
	while (i < plan->n_fds)
		i += plan->fds[i].kind == PLAN_FD_VHOST ? add_vhost_fds(plan, i, ret) : 1;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What steps are called when they are shown. */
#include "host/prepare/prepare-text.h"

#include <inttypes.h>

/* " (volume 'os', pool 'guest-data')", or nothing */
static void add_volume(const char *volume, const char *pool, struct buf *ret)
{
	if (volume)
		buf_printf(ret, " (volume '%s', pool '%s')", volume, pool);
}

PREPARE_TEXT(forget)
{
	(void)plan, (void)i;
	buf_puts(ret, "take back what an earlier start has left with systemd");
}

PREPARE_TEXT(port)
{
	const struct plan_socket *screen = &plan->sockets[i];
	buf_printf(ret, "check that systemd listens at port %d of 127.0.0.1 (screen '%s')",
			screen->port, screen->name);
}

PREPARE_TEXT(directory)
{
	const struct plan_directory *d = &plan->directories[i];
	buf_printf(ret, "check that '%s' can read directory '%s'", plan->user, d->path);
	add_volume(d->volume, d->pool, ret);
}

PREPARE_TEXT(peer)
{
	const struct plan_peer *peer = &plan->peers[i];
	buf_printf(ret, "check that '%s' can connect to '%s' (connection '%s', network '%s')",
			plan->user, peer->path, peer->connection, peer->network);
}

PREPARE_TEXT(file)
{
	const struct plan_fd *fd = &plan->fds[i];
	buf_printf(ret, "open '%s' for %s", fd->path,
			fd->writable ? "reading and writing" : "reading");
	add_volume(fd->volume, fd->pool, ret);
}

PREPARE_TEXT(copy)
{
	const struct plan_fd *fd = &plan->fds[i];
	buf_printf(ret, "copy '%s' to memory", fd->path);
	add_volume(fd->volume, fd->pool, ret);
}

PREPARE_TEXT(run_dir)
{
	(void)i;
	buf_printf(ret, "make directory '%s'", plan->run_dir);
}

PREPARE_TEXT(undo_run_dir)
{
	(void)i;
	buf_printf(ret, "remove directory '%s'", plan->run_dir);
}

PREPARE_TEXT(socket_dir)
{
	(void)i;
	buf_printf(ret, "make directory '%s' for the sockets of QEMU's own", plan->socket_dir);
}

PREPARE_TEXT(undo_socket_dir)
{
	(void)i;
	buf_printf(ret, "remove directory '%s'", plan->socket_dir);
}

PREPARE_TEXT(tree)
{
	const struct plan_fd *fd = &plan->fds[i];
	buf_printf(ret, "open directory '%s' for %s by '%s' (share '%s')", fd->path,
			fd->writable ? "reading and writing" : "reading", plan->user, plan->share);
}

PREPARE_TEXT(userns)
{
	(void)i;
	buf_printf(ret, "make a user namespace whose root is '%s'", plan->user);
}

PREPARE_TEXT(state)
{
	buf_printf(ret, "make a TPM in '%s' if there is none, and give '%s' to '%s'",
			plan->tpm_data, plan->fds[i].path, plan->user);
}

PREPARE_TEXT(undo_state)
{
	buf_printf(ret, "give '%s' back to root", plan->fds[i].path);
}

PREPARE_TEXT(mdev)
{
	const struct vm_mdev *mdev = &plan->mdevs[i];
	buf_printf(ret, "make mediated device %s (device '%s', class '%s')", mdev->uuid, mdev->name,
			mdev->class_name);
}

PREPARE_TEXT(undo_mdev)
{
	const struct vm_mdev *mdev = &plan->mdevs[i];
	buf_printf(ret, "remove mediated device %s (device '%s')", mdev->uuid, mdev->name);
}

PREPARE_TEXT(undo_loans)
{
	(void)i;
	buf_printf(ret, "give back all devices of the host that machine '%s' has", plan->machine);
}

/* "0000:01:00.0 with function 1", "any 10de:2684" */
static void add_candidate(
		const struct vm_pci *pci, const struct vm_pci_candidate *c, struct buf *ret)
{
	if (vm_pci_is_virtual(c))
		buf_printf(ret, "a virtual function of %s",
				c->interface ? c->interface : c->address);
	else if (c->address)
		buf_puts(ret, c->address);
	else
		buf_printf(ret, "any %s:%s", c->vendor, c->device);
	for (size_t f = 0; f < pci->n_functions; f++)
		buf_printf(ret, "%s%" PRId64,
				f == 0 ? pci->n_functions > 1 ? " with functions "
							      : " with function "
				       : ", ",
				pci->functions[f]);
}

PREPARE_TEXT(lend)
{
	const struct vm_pci *pci = &plan->pcis[i];
	buf_puts(ret, vm_pci_is_fixed(pci) ? "take " : "look for one that is free and take it: ");
	for (size_t k = 0; k < pci->n_candidates; k++) {
		buf_puts(ret, k ? ", " : "");
		add_candidate(pci, &pci->candidates[k], ret);
	}
	for (size_t k = 0; k < pci->n_candidates; k++)
		if (pci->candidates[k].virtual_functions)
			buf_printf(ret, ", of which %" PRId64 " are made if there are none",
					pci->candidates[k].virtual_functions);
	if (pci->class_name)
		buf_printf(ret, " (device '%s', class '%s')", pci->name, pci->class_name);
	else
		buf_printf(ret, " (connection '%s', network '%s')", pci->name, pci->vf.network);
}

/* "give it the MAC address 52:54:00:12:34:56 and VLAN 20, " */
static void add_settings(const struct vm_pci *pci, struct buf *ret)
{
	if (!pci->vf.network)
		return;
	buf_printf(ret, "give it the MAC address %s", pci->vf.mac);
	if (pci->vf.vlan)
		buf_printf(ret, " and VLAN %d", pci->vf.vlan);
	buf_puts(ret, ", ");
}

PREPARE_TEXT(pci)
{
	const struct vm_pci *pci = &plan->pcis[i];
	add_settings(pci, ret);
	buf_printf(ret, "bind it to 'vfio-pci', reset it and give its group to '%s' (%s '%s')",
			plan->user, pci->class_name ? "device" : "connection", pci->name);
}

PREPARE_TEXT(usb)
{
	const struct vm_usb *usb = &plan->usbs[i];
	buf_puts(ret, usb->n_candidates == 1 ? "take " : "look for one that is free and take it: ");
	for (size_t k = 0; k < usb->n_candidates; k++) {
		const struct vm_usb_candidate *c = &usb->candidates[k];
		buf_printf(ret, "%sUSB device%s%s%s%s", k ? ", " : "", c->id ? " " : "",
				c->id ? c->id : "", c->port ? " at port " : "",
				c->port ? c->port : "");
	}
	buf_printf(ret, " (device '%s', class '%s')", usb->name, usb->class_name);
}

PREPARE_TEXT(filter)
{
	(void)i;
	const char *before = " ";
	buf_puts(ret, "install the packet filter of");
	for (size_t k = 0; k < plan->n_fds; k++) {
		if (!plan->fds[k].filter)
			continue;
		buf_printf(ret, "%s'%s'", before, plan->fds[k].link);
		before = ", ";
	}
}

PREPARE_TEXT(undo_filter)
{
	(void)i;
	buf_printf(ret, "remove the packet filter of machine '%s'", plan->machine);
}

PREPARE_TEXT(undo_links)
{
	(void)i;
	buf_printf(ret, "delete all interfaces of machine '%s'", plan->machine);
}

static void add_queues(const struct plan *plan, size_t i, struct buf *ret)
{
	size_t n = plan_n_queues(plan, i);
	if (n > 1)
		buf_printf(ret, " with %zu queues", n);
}

PREPARE_TEXT(tap)
{
	const struct plan_fd *fd = &plan->fds[i];
	buf_printf(ret, "make tap '%s'", fd->link);
	add_queues(plan, i, ret);
	if (fd->bridge && !fd->disconnected)
		buf_printf(ret, " on bridge '%s'", fd->bridge);
	buf_printf(ret, " (network '%s'%s)", fd->network,
			fd->disconnected ? ", not connected" : "");
	if (fd->up)
		buf_printf(ret, " and run '%s' with it", fd->up);
}

PREPARE_TEXT(undo_tap)
{
	const struct plan_fd *fd = &plan->fds[i];
	if (fd->down)
		buf_printf(ret, "run '%s' with tap '%s' and delete it", fd->down, fd->link);
	else
		buf_printf(ret, "delete tap '%s'", fd->link);
	buf_printf(ret, " (network '%s')", fd->network);
}

PREPARE_TEXT(macvtap)
{
	const struct plan_fd *fd = &plan->fds[i];
	buf_printf(ret, "make macvtap '%s'", fd->link);
	add_queues(plan, i, ret);
	buf_printf(ret, " on '%s' (network '%s')", fd->device, fd->network);
}

PREPARE_TEXT(undo_macvtap)
{
	const struct plan_fd *fd = &plan->fds[i];
	buf_printf(ret, "delete macvtap '%s' (network '%s')", fd->link, fd->network);
}

PREPARE_TEXT(listen)
{
	buf_printf(ret, "listen at '%s'", plan->fds[i].path);
}

PREPARE_TEXT(undo_listen)
{
	buf_printf(ret, "remove socket '%s'", plan->fds[i].path);
}

PREPARE_TEXT(listen_tcp)
{
	buf_printf(ret, "listen at port %d of 127.0.0.1", plan->fds[i].port);
}

PREPARE_TEXT(log)
{
	buf_printf(ret, "open '%s' for appending", plan->fds[i].path);
}

PREPARE_TEXT(connect)
{
	buf_printf(ret, "connect to '%s'", plan->fds[i].path);
}

PREPARE_TEXT(credential)
{
	const struct plan_fd *fd = &plan->fds[i];
	buf_printf(ret, "read the credential '%s' from '%s'", fd->credential, fd->path);
}

PREPARE_TEXT(seed)
{
	(void)i;
	const char *before = ", with ";
	buf_puts(ret, "make the CD for the guest's cloud-init");
	for (size_t k = 0; k < plan->n_seed; k++) {
		if (!vm_seed_is_path(plan->seed[k].kind))
			continue;
		buf_printf(ret, "%s'%s'", before, plan->seed[k].text);
		before = ", ";
	}
}

PREPARE_TEXT(vsock)
{
	const struct plan_fd *fd = &plan->fds[i];
	buf_printf(ret, "open '%s' for the guest's CID %" PRId64, fd->path, fd->cid);
}

PREPARE_TEXT(emulator)
{
	(void)i;
	buf_printf(ret, "ask '%s' for its version", plan->peers[0].emulator);
}

PREPARE_TEXT(vhost)
{
	(void)i;
	buf_printf(ret, "open '%s' if it is there", plan->fds[plan->n_fds - 1].path);
}

PREPARE_TEXT(store)
{
	(void)i;
	buf_puts(ret, "give descriptors to systemd:");
	for (size_t k = 0; k < plan->n_fds; k++)
		buf_printf(ret, "%s %d '%s'", k ? "," : "", plan->fds[k].number, plan->fds[k].name);
}

PREPARE_TEXT(undo_store)
{
	(void)plan, (void)i;
	buf_puts(ret, "take back the descriptors that systemd has");
}

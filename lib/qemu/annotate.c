/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An argument vector for the reader: its options, and what its descriptors are. */
#include <inttypes.h>
#include <string.h>

#include "qemu/argv.h"
#include "util/buf.h"
#include "util/mem.h"

static bool is_one_of(const char *word, const char *const *list)
{
	/* The letter behind the dash tells mostly. */
	while (*list && (word[1] != (*list)[1] || strcmp(word, *list) != 0))
		list++;
	return *list;
}

size_t qemu_option_length(const struct strv *argv, size_t i)
{
	static const char *const flags[] = { "-nodefaults", "-no-user-config", "-nographic", NULL };
	/* These take one text as it is, which may look like an option. */
	static const char *const texts[] = { "-append", "-kernel", "-initrd", NULL };

	const char *word = argv->items[i], *next = argv->items[i + 1];
	if (!next || word[0] != '-')
		return 1;
	if (next[0] == '-')
		return is_one_of(word, texts) ? 2 : 1;
	return is_one_of(word, flags) ? 1 : 2;
}

static void describe_tap(struct buf *row, const struct plan_fd *fd)
{
	buf_printf(row, "tap '%s' of network '%s'", fd->link, fd->network ? fd->network : "");
	if (fd->bridge)
		buf_printf(row, ", port of bridge '%s'", fd->bridge);
}

static void describe_file(struct buf *row, const struct plan_fd *fd, const char *how)
{
	buf_printf(row, "%s '%s'", how, fd->path);
	if (fd->volume && fd->pool)
		buf_printf(row, ", volume '%s' of storage pool '%s'", fd->volume, fd->pool);
}

static void describe(struct buf *row, const struct plan_fd *fd)
{
	switch (fd->kind) {
	case PLAN_FD_TAP:
		describe_tap(row, fd);
		break;
	case PLAN_FD_MACVTAP:
		buf_printf(row, "macvtap '%s' on '%s', of network '%s'", fd->link, fd->device,
				fd->network ? fd->network : "");
		break;
	case PLAN_FD_QUEUE:
		buf_printf(row, "one more queue of '%s'", fd->link);
		break;
	case PLAN_FD_FILE:
		describe_file(row, fd, fd->writable ? "read and write" : "read");
		break;
	case PLAN_FD_COPY:
		describe_file(row, fd, "copy in memory of");
		break;
	case PLAN_FD_CREDENTIAL:
		describe_file(row, fd, "credential from");
		break;
	case PLAN_FD_SEED:
		buf_puts(row, "CD for the guest's cloud-init, made in memory");
		break;
	case PLAN_FD_LISTEN:
		describe_file(row, fd, "listen on");
		break;
	case PLAN_FD_LISTEN_TCP:
		buf_printf(row, "listen on 127.0.0.1:%d", fd->port);
		break;
	case PLAN_FD_CONNECT:
		describe_file(row, fd, "connected to");
		break;
	case PLAN_FD_LOG:
		describe_file(row, fd, "append to");
		break;
	case PLAN_FD_STATE:
		describe_file(row, fd, "directory");
		break;
	case PLAN_FD_TREE:
		describe_file(row, fd, fd->writable ? "read and write in" : "read in");
		break;
	case PLAN_FD_USERNS:
		buf_puts(row, "user namespace");
		break;
	case PLAN_FD_USB:
		buf_puts(row, "USB device that is found at the start");
		break;
	case PLAN_FD_VSOCK:
		buf_printf(row, "'%s' for the guest's CID %" PRId64, fd->path, fd->cid);
		break;
	case PLAN_FD_VHOST:
		describe_file(row, fd, "if it is there,");
		break;
	}
}

void qemu_annotate(const struct plan *plan, struct strv *ret_rows)
{
	for (size_t i = 0; i < plan->n_fds; i++) {
		const struct plan_fd *fd = &plan->fds[i];
		CLEANUP(buf_done) struct buf row = {};
		buf_printf(&row, "fd %d", fd->number);
		if (fd->set >= 0)
			buf_printf(&row, " (set %d)", fd->set);
		buf_printf(&row, " %s: ", fd->name);
		describe(&row, fd);
		strv_push(ret_rows, buf_text(&row));
	}
}

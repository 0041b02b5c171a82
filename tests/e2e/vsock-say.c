/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vsock-say CID PORT [TEXT]: what systemd does to tell something to its vmm.notify_socket: one
 * connection, one text; fails if nobody listens there.
 *
 * vsock-say hold CID: keeps the number of a guest, as a virtual machine of somebody else's would.
 */
#include <arpa/inet.h> /* struct sockaddr, without which linux/vm_sockets.h can't be read */
#include <err.h>
#include <fcntl.h>
#include <linux/vhost.h>
#include <linux/vm_sockets.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int hold(const char *number)
{
	uint64_t cid = strtoull(number, NULL, 10);
	int fd = open("/dev/vhost-vsock", O_RDWR | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, VHOST_VSOCK_SET_GUEST_CID, &cid) < 0)
		err(1, "cannot have the number %s", number);
	puts("held");
	fflush(stdout);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "hold"))
		return hold(argv[2]);
	if (argc < 3)
		errx(2, "usage: vsock-say CID PORT [TEXT], vsock-say hold CID");
	const struct sockaddr_vm address = {
		.svm_family = AF_VSOCK,
		.svm_cid = (unsigned)strtoul(argv[1], NULL, 10),
		.svm_port = (unsigned)strtoul(argv[2], NULL, 10),
	};
	const char *text = argc > 3 ? argv[3] : "";
	int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		err(1, "cannot connect to port %s of %s", argv[2], argv[1]);
	/* Who is not believed may not be heard to the end. */
	if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		warn("cannot say '%s'", text);
	return 0;
}

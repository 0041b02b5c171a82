/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vsock-serve PORT PROGRAM [ARG...]: a program for each connection to a vsock port, as inetd does
 * it. Closes descriptor 3 when it listens, for whoever waits for that.
 */
#include <arpa/inet.h> /* struct sockaddr, without which linux/vm_sockets.h can't be read */
#include <err.h>
#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define READY_FD 3

int main(int argc, char **argv)
{
	if (argc < 3)
		errx(2, "usage: vsock-serve PORT PROGRAM [ARG...]");
	const struct sockaddr_vm address = {
		.svm_family = AF_VSOCK,
		.svm_port = (unsigned)atoi(argv[1]),
		.svm_cid = VMADDR_CID_ANY,
	};
	int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* Its number may be that one. */
	if (fd == READY_FD)
		fd = fcntl(fd, F_DUPFD_CLOEXEC, READY_FD + 1);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
			listen(fd, 8) < 0)
		err(1, "cannot listen at port %s", argv[1]);
	close(READY_FD);
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		int peer = accept(fd, NULL, NULL);
		/* Who called may have lost patience. */
		if (peer < 0) {
			warn("cannot accept");
			continue;
		}
		if (fork() == 0) {
			signal(SIGCHLD, SIG_DFL);
			dup2(peer, STDIN_FILENO);
			dup2(peer, STDOUT_FILENO);
			close(peer);
			execv(argv[2], argv + 2);
			err(127, "cannot execute '%s'", argv[2]);
		}
		close(peer);
	}
}

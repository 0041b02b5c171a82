/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opening the host's side of a vsock device where there is none. */
#include "host/os/clock.h"
#include "host/os/vsock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scratch.h"
#include "test.h"

static void check_refused(const char *path, int code, const char *text)
{
	struct error err = {};
	int fd = -1;
	CHECK_INT(vsock_open_device(scratch_path(path), 7, 0, &fd, &err), -code);
	CHECK_INT(fd, -1);
	CHECK_STR(without_scratch(err.text), text);
}

TEST(a_kernel_without_it_is_told_what_to_load)
{
	scratch_begin();
	check_refused("vhost-vsock", ENOENT,
			"cannot open 'DIR/vhost-vsock' (attrs.vsock): load its kernel module with "
			"'modprobe vhost_vsock': No such file or directory");
	scratch_end();
}

TEST(what_is_no_such_device_is_refused)
{
	scratch_begin();
	put_file("vhost-vsock", "");
	check_refused("vhost-vsock", ENOTTY,
			"cannot have the vsock CID 7 at 'DIR/vhost-vsock': Inappropriate ioctl for "
			"device");
	scratch_end();
}

/* Number 0 is the hypervisor's, which is no guest. */
TEST(where_no_guest_is_none_is_found)
{
	struct error err = {};
	int fd = -1, r = vsock_connect(0, 22, USEC_PER_SEC, &fd, &err);
	CHECK_INT(fd, -1);
	if (r == -EAFNOSUPPORT)
		CHECK_STR(err.text, "this kernel has no sockets to guests: load the module with "
				    "'modprobe vhost_vsock'");
	else
		CHECK(r > VSOCK_DONE);
}

TEST(a_descriptor_goes_through_a_socket)
{
	int pair[2], pipes[2];
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec part = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct error err = {};
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	CHECK(pipe2(pipes, O_CLOEXEC) == 0);
	CHECK_INT(vsock_hand_over(pair[0], pipes[1], &err), 0);
	CHECK_INT(recvmsg(pair[1], &message, 0), 1);
	const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	int got = -1;
	if (header)
		memcpy(&got, CMSG_DATA(header), sizeof(got));
	CHECK_INT(write(got, "x", 1), 1);
	CHECK_INT(read(pipes[0], &byte, 1), 1);
	CHECK_INT(byte, 'x');
	/* ssh closes the socket when it gives up. */
	close(pair[1]);
	CHECK_INT(vsock_hand_over(pair[0], pipes[1], &err), -EPIPE);
	CHECK_INT(vsock_hand_over(pipes[1], pipes[0], &err), -ENOTSOCK);
	close(got);
	close(pair[0]);
	close(pipes[0]);
	close(pipes[1]);
}

TEST_MAIN()

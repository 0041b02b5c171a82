/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opening the host's side of a vsock device where there is none. */
#include "host/vsock.h"

#include <errno.h>
#include <sys/stat.h>

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

TEST_MAIN()

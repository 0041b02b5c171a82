/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files in memory that nobody can change. */
#include "host/os/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "util/file.h"

/* In /proc/PID/fd. */
#define NAME "machina"

/* It need not be executed, which kernels may insist on hearing (since 6.3). */
int memory_new(void)
{
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#endif
	const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd = memfd_create(NAME, flags | MFD_NOEXEC_SEAL);
	return fd < 0 && errno == EINVAL ? memfd_create(NAME, flags) : fd;
}

int memory_seal(int fd)
{
	const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	return lseek(fd, 0, SEEK_SET) < 0 || fcntl(fd, F_ADD_SEALS, seals) < 0 ? -errno : 0;
}

int memory_file(const char *what, const void *data, size_t len, int *ret_fd, struct error *err)
{
	CLEANUP(closep) int fd = memory_new();
	int r = fd < 0 ? -errno : write_all(fd, data, len);
	if (r == 0)
		r = memory_seal(fd);
	if (r < 0)
		return error_code(err, r, "%s cannot be kept in memory", what);
	*ret_fd = take_fd(&fd);
	return 0;
}

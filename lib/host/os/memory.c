/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files in memory that nobody can change. */
#include "host/os/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/os/clock.h"
#include "util/file.h"

/* In /proc/PID/fd. */
#define NAME "machina"

#define SEAL_USEC (10 * USEC_PER_SEC)
#define SEAL_AGAIN_USEC (20 * USEC_PER_MSEC)

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

/* What was written may be in use in the kernel for a moment longer, which itself waits for 0.2 s:
 * not enough on a host that is busy. */
int memory_seal(int fd)
{
	const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	const uint64_t until = clock_deadline_usec(SEAL_USEC);
	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	while (fcntl(fd, F_ADD_SEALS, seals) < 0) {
		if (errno != EBUSY || clock_now_usec() >= until)
			return -errno;
		clock_pause(SEAL_AGAIN_USEC);
	}
	return 0;
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

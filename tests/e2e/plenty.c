/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For LD_PRELOAD: a program finds SEEMING times the space that a file system has, so that it begins
 * what the file system has no space for. One that is full still has next to none.
 */
#include <errno.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

#define SEEMING 16

/* Programs call it by either name, which are of one size where off_t has 64 bits. */
int statvfs64(const char *path, struct statvfs64 *ret)
{
	struct statfs64 fs;
	if (statfs64(path, &fs) < 0)
		return -1;
	*ret = (struct statvfs64){
		.f_bsize = (unsigned long)fs.f_bsize,
		.f_frsize = (unsigned long)fs.f_frsize,
		.f_blocks = fs.f_blocks * SEEMING,
		.f_bfree = fs.f_bfree * SEEMING,
		.f_bavail = fs.f_bavail * SEEMING,
	};
	return 0;
}

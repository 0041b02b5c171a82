/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading the head of a qcow2 image. */
#include "host/storage/qcow2.h"

#include <endian.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

/* Positions in the header; all numbers are big-endian. */
#define HEAD_LEN 80
#define MAGIC "QFI\xfb"
#define MAGIC_LEN 4
#define AT_VERSION 4
#define AT_BACKING_OFFSET 8
#define AT_BACKING_LEN 16
#define AT_CRYPT_METHOD 32
#define AT_INCOMPATIBLE 72 /* from version 3 on */
#define INCOMPATIBLE_DATA_FILE (UINT64_C(1) << 2)
/* The format's own limit. */
#define BACKING_LEN_MAX 1023

static uint32_t number32(const unsigned char *at)
{
	uint32_t n;
	memcpy(&n, at, sizeof(n));
	return be32toh(n);
}

static uint64_t number64(const unsigned char *at)
{
	uint64_t n;
	memcpy(&n, at, sizeof(n));
	return be64toh(n);
}

bool qcow2_is_one(int fd)
{
	char magic[MAGIC_LEN];
	return pread(fd, magic, sizeof(magic), 0) == sizeof(magic) &&
	       !memcmp(magic, MAGIC, sizeof(magic));
}

static int refuse_backing(int fd, uint64_t offset, uint32_t len, struct error *err)
{
	char name[BACKING_LEN_MAX + 1] = "";
	if (len <= BACKING_LEN_MAX && offset <= INT64_MAX &&
			pread(fd, name, len, (off_t)offset) == (ssize_t)len)
		name[len] = '\0';
	return error_set(err, ENOTSUP,
			"it has a backing file ('%s'), which is not supported; make it stand alone "
			"with: qemu-img convert -O qcow2",
			name);
}

int qcow2_check(int fd, struct error *err)
{
	unsigned char head[HEAD_LEN] = {};
	ssize_t n = pread(fd, head, sizeof(head), 0);
	if (n < 0)
		return error_errno(err, "the image cannot be read");
	if (n < AT_INCOMPATIBLE || memcmp(head, MAGIC, MAGIC_LEN) != 0)
		return error_set(err, EINVAL, "not a qcow2 image, as the type of its pool says");
	uint32_t version = number32(head + AT_VERSION);
	if (version != 2 && version != 3)
		return error_set(err, EINVAL, "a qcow2 image of version %u, not 2 or 3", version);
	uint64_t backing = number64(head + AT_BACKING_OFFSET);
	if (backing)
		return refuse_backing(fd, backing, number32(head + AT_BACKING_LEN), err);
	if (number32(head + AT_CRYPT_METHOD))
		return error_set(err, ENOTSUP,
				"it is encrypted, which is not supported; the guest can encrypt "
				"what it keeps in a plain one");
	if (version == 3 && number64(head + AT_INCOMPATIBLE) & INCOMPATIBLE_DATA_FILE)
		return error_set(err, ENOTSUP,
				"it keeps its data in another file, which is not supported; make "
				"it stand alone with: qemu-img convert -O qcow2");
	return 0;
}

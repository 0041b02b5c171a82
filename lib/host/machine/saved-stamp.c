/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stamps of disks: what host/machine/saved.h says of them. */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/machine/saved-meta.h"
#include "host/storage/swtpm.h"
#include "util/hash.h"
#include "util/mem.h"
#include "util/parse.h"

#define HEAD_FILE ((uint64_t)64 << 10)
#define HEAD_DEVICE ((uint64_t)2 << 20)
#define TAIL_DEVICE ((uint64_t)64 << 10)
#define SAMPLES 256
#define SAMPLE_LEN 4096
#define DIGEST_LEN 16
/* Of a TPM's state, which has some dozens of KiB, and is all read. */
#define TPM_MAX ((off_t)16 << 20)

static bool has_stamp(const struct plan_fd *fd)
{
	/* The firmware's code comes with the host's updates; QEMU has its own in the stream. */
	return fd->kind == PLAN_FD_FILE &&
	       (fd->writable || strncmp(fd->name, "firmware.", strlen("firmware.")) != 0);
}

void saved_files(const struct saved_machine *machine, const struct saved_meta *meta,
		struct arena *arena, struct plan_fd **ret, size_t *ret_n)
{
	const struct plan *plan = machine->plan;
	const struct saved_medium *media = meta->media.items;
	size_t n = 0;
	*ret = (struct plan_fd *)arena_array(arena, plan->n_fds + meta->media.n + 1, sizeof(**ret));
	for (size_t i = 0; i < plan->n_fds; i++)
		if (has_stamp(&plan->fds[i]))
			(*ret)[n++] = plan->fds[i];
	for (size_t i = 0; i < meta->media.n; i++)
		if (media[i].path && media[i].path[0])
			(*ret)[n++] = (struct plan_fd){
				.kind = PLAN_FD_FILE,
				.name = media[i].drive,
				.path = media[i].path,
			};
	if (machine->tpm_data)
		(*ret)[n++] = (struct plan_fd){
			.kind = PLAN_FD_STATE,
			.name = "tpm",
			.path = arena_printf(
					arena, "%s/" SWTPM_STATE "/" SWTPM_FILE, machine->tpm_data),
			.writable = true,
		};
	*ret_n = n;
}

/* Feed @len bytes from @begin on, or what is there of them. */
static int feed(struct shake *s, int fd, uint64_t begin, uint64_t len)
{
	char block[SAMPLE_LEN];
	while (len > 0) {
		ssize_t n = pread(
				fd, block, len < sizeof(block) ? len : sizeof(block), (off_t)begin);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		shake_feed(s, block, (size_t)n);
		begin += (uint64_t)n;
		len -= (uint64_t)n;
	}
	return 0;
}

static int feed_device(struct shake *s, int fd, uint64_t size)
{
	/* Another host may have written to it: nothing of the past is to be believed. */
	(void)!posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	int r = feed(s, fd, 0, HEAD_DEVICE);
	for (uint64_t i = 0; r == 0 && i < SAMPLES; i++)
		r = feed(s, fd, size / SAMPLES * i / SAMPLE_LEN * SAMPLE_LEN, SAMPLE_LEN);
	if (r == 0 && size > TAIL_DEVICE)
		r = feed(s, fd, size - TAIL_DEVICE, TAIL_DEVICE);
	return r;
}

static int digest(int fd, bool is_device, uint64_t size, uint64_t head, char **ret)
{
	unsigned char bytes[DIGEST_LEN];
	CLEANUP(shake_done) struct shake s;
	shake_init(&s);
	int r = is_device ? feed_device(&s, fd, size) : feed(&s, fd, 0, head);
	if (r < 0)
		return r;
	shake_read(&s, bytes, sizeof(bytes));
	*ret = xmalloc(2 * sizeof(bytes) + 1);
	format_hex(bytes, sizeof(bytes), HEX_LOWER, *ret);
	return 0;
}

/* The file of a TPM is in a directory of swtpm's user: it may be anything. */
static int check_tpm(const char *path, const struct stat *st, struct error *err)
{
	if (S_ISREG(st->st_mode) && st->st_size <= TPM_MAX)
		return 0;
	return error_set(err, EINVAL, "'%s' is not the state of a TPM", path);
}

int saved_stamp(const struct plan_fd *disk, bool sync, struct arena *arena, struct saved_disk *ret,
		struct error *err)
{
	bool is_tpm = disk->kind == PLAN_FD_STATE;
	CLEANUP(closep)
	int fd = open(disk->path,
			O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | (is_tpm ? O_NOFOLLOW : 0));
	CLEANUP(freep) char *text = NULL;
	struct stat st;
	if (fd < 0)
		return error_errno(err, "cannot open '%s'", disk->path);
	if (fstat(fd, &st) < 0)
		return error_errno(err, "cannot look at '%s'", disk->path);
	int r = is_tpm ? check_tpm(disk->path, &st, err) : 0;
	if (r < 0)
		return r;
	if (sync && fsync(fd) < 0)
		return error_errno(err, "cannot write '%s' to its disk", disk->path);
	bool is_device = S_ISBLK(st.st_mode);
	off_t size = is_device ? lseek(fd, 0, SEEK_END) : st.st_size;
	r = size < 0 ? -errno
		     : digest(fd, is_device, (uint64_t)size, is_tpm ? (uint64_t)size : HEAD_FILE,
				       &text);
	if (r < 0)
		return error_code(err, r, "cannot read '%s'", disk->path);
	*ret = (struct saved_disk){
		.name = arena_strdup(arena, disk->name),
		.path = arena_strdup(arena, disk->path),
		.writable = disk->writable,
		.size_bytes = (int64_t)size,
		.digest = arena_strdup(arena, text),
	};
	if (!is_device && !is_tpm)
		ret->changed = arena_printf(arena, "%" PRId64 ".%09ld", (int64_t)st.st_mtim.tv_sec,
				st.st_mtim.tv_nsec);
	return 0;
}

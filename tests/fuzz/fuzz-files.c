/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target of files that others have written: the head of a disk image (host/storage/qcow2.h),
 * what is kept of a saved machine and of a host that was drained, a line of the journal.
 */
#include "fuzz/fuzz.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/machine/drained.h"
#include "host/machine/saved-meta.h"
#include "host/machine/saved.h"
#include "host/storage/qcow2.h"
#include "host/systemd/journal.h"
#include "util/file.h"
#include "util/mem.h"

static char *dir;

static void remove_dir(void)
{
	CLEANUP(freep) char *meta = path_join(dir, SAVED_META);
	CLEANUP(freep) char *drained = path_join(dir, DRAINED_FILE);
	unlink(meta);
	unlink(drained);
	rmdir(dir);
	freep(&dir);
}

static void make_dir(void)
{
	const char *parent = getenv("TMPDIR");
	dir = xasprintf("%s/machina-fuzz-XXXXXX", parent ? parent : "/tmp");
	FUZZ_CHECK(mkdtemp(dir) && atexit(remove_dir) == 0);
}

static void put(const char *name, const uint8_t *data, size_t size)
{
	CLEANUP(freep) char *path = path_join(dir, name);
	FILE *f = fopen(path, "we");
	FUZZ_CHECK(f && fwrite(data, 1, size, f) == size && fclose(f) == 0);
}

static void check_image(const uint8_t *data, size_t size)
{
	struct error err = {};
	CLEANUP(closep) int fd = memfd_create("image", MFD_CLOEXEC);
	FUZZ_CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	const int r = qcow2_check(fd, &err);
	FUZZ_CHECK(r == 0 || ((r == -EINVAL || r == -ENOTSUP) && err.code == -r && *err.text));
	/* One that stands alone has no name of another file (docs/interop/qcow2.txt). */
	FUZZ_CHECK(r != 0 || (size >= 16 && !memcmp(data, "QFI\xfb", 4) &&
					     !memcmp(data + 8, "\0\0\0\0\0\0\0", 8)));
}

static void check_saved(const uint8_t *data, size_t size)
{
	struct error err = {}, more = {};
	CLEANUP(saved_meta_done) struct saved_meta meta = {};
	CLEANUP(strv_done) struct strv argv = {};
	put(SAVED_META, data, size);
	const int r = saved_meta_read(dir, &meta, &err);
	FUZZ_CHECK(r == 0 || (err.code == -r && *err.text));
	if (r < 0)
		return;
	const struct saved_disk *disks = meta.disks.items;
	for (size_t i = 0; i < meta.disks.n; i++)
		FUZZ_CHECK(disks[i].name && disks[i].path && disks[i].digest &&
				disks[i].size_bytes >= 0);
	strv_push(&argv, "/usr/bin/qemu");
	FUZZ_CHECK(saved_check_argv(&meta, &argv, &more) <= 0);
}

static void check_drained(const uint8_t *data, size_t size)
{
	struct error err = {};
	CLEANUP(drained_done) struct drained drained = {};
	put(DRAINED_FILE, data, size);
	const int r = drained_load(dir, &drained, &err);
	FUZZ_CHECK(r == 0 || (r < 0 && *err.text));
	for (size_t i = 0; r == 0 && i < drained.machines.n; i++)
		FUZZ_CHECK(*drained.machines.items[i] && !strchr(drained.machines.items[i], '/'));
}

static void check_line(const uint8_t *data, size_t size)
{
	CLEANUP(freep) char *line = xstrndup((const char *)data, size);
	struct journal_words words;
	journal_split(line, &words);
	FUZZ_CHECK(words.speaker >= line &&
			words.speaker + words.speaker_len <= line + strlen(line));
	FUZZ_CHECK(words.message >= line && words.message <= line + strlen(line));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	if (!dir)
		make_dir();
	check_image(data, size);
	check_saved(data, size);
	check_drained(data, size);
	check_line(data, size);
	return 0;
}

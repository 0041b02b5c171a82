/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What has to be known of QEMU before it is started. */
#include "host/os/emulator.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/os/confine.h"
#include "host/os/process.h"
#include "util/buf.h"
#include "util/file.h"

/* Where a host starts hundreds of machines at once, it may take long. */
#define LIMIT_SECONDS 60
#define OUTPUT_MAX ((size_t)1 << 16)

int emulator_read_version(const char *text, struct emulator_version *ret)
{
	struct emulator_version v;
	const char *version = strstr(text, "version ");
	if (!version || sscanf(version, "version %d.%d", &v.major, &v.minor) != 2)
		return -EINVAL;
	*ret = v;
	return 0;
}

static int put_on(const void *data, struct error *err)
{
	const struct confine confine = {
		.user = geteuid() == 0 ? data : NULL,
		.death_signal = SIGKILL,
	};
	/* Goes on counting in the program that takes the place of this process. */
	alarm(LIMIT_SECONDS);
	return confine_self(&confine, err);
}

static int ask_version(
		const char *path, const struct account *user, struct buf *ret, struct error *err)
{
	CLEANUP(closep) int fd = memfd_create("output", MFD_CLOEXEC);
	if (fd < 0)
		return error_errno(err, "cannot have memory for the output of '%s'", path);
	const char *const argv[] = { path, "--version", NULL };
	const struct process process = {
		.argv = argv,
		.prepare = put_on,
		.data = user,
		.output_fd = &fd,
	};
	int r = process_run(&process, err);
	if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
		r = error_errno(err, "cannot read the output of '%s'", path);
	return r < 0 ? r : file_read_fd(fd, path, OUTPUT_MAX, ret, err);
}

/* "reconnect-ms" came with 9.2, and "reconnect" is gone in later ones (qapi/char.json). */
int emulator_reconnect(
		const char *path, const struct account *user, const char **ret, struct error *err)
{
	CLEANUP(buf_done) struct buf text = {};
	struct emulator_version v;
	int r = ask_version(path, user, &text, err);
	if (r < 0)
		return error_wrap(err, "asking QEMU for its version");
	bool is_old = emulator_read_version(buf_text(&text), &v) == 0 &&
		      (v.major < 9 || (v.major == 9 && v.minor < 2));
	*ret = is_old ? "reconnect=1" : "reconnect-ms=1000";
	return 0;
}

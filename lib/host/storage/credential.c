/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a guest's systemd is told in secret. */
#include "host/storage/credential.h"

#include <errno.h>

#include "host/os/memory.h"
#include "util/base64.h"
#include "util/file.h"
#include "util/mem.h"

#define PREFIX "io.systemd.credential.binary:"

static int refuse_size(const char *what, struct error *err)
{
	return error_set(err, EFBIG,
			"%s: all credentials of a machine together can have about %d KiB, which is "
			"what there is room for in its SMBIOS tables",
			what, CREDENTIALS_TEXT_MAX / 4 * 3 / 1024);
}

int credential_open(const char *name, const struct storage_file *file, size_t n_used, int *ret_fd,
		size_t *ret_len, struct error *err)
{
	CLEANUP(freep) char *what = xasprintf("credential '%s'", name);
	CLEANUP(buf_done) struct buf data = {}, text = {};
	CLEANUP(closep) int fd = -1;
	int r = storage_open_file(file, &fd, err);
	if (r == 0)
		r = file_read_fd(fd, file->path, CREDENTIALS_TEXT_MAX, &data, err);
	if (r == -EFBIG)
		return refuse_size(what, err);
	if (r < 0)
		return error_wrap(err, "%s", what);
	buf_printf(&text, PREFIX "%s=", name);
	base64_add(&text, data.text, data.len);
	if (text.len + n_used > CREDENTIALS_TEXT_MAX)
		return refuse_size(what, err);
	r = memory_file(what, text.text, text.len, ret_fd, err);
	*ret_len = text.len;
	return r;
}

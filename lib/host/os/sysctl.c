/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Settings of the running kernel. */
#include "host/os/sysctl.h"

#include <fcntl.h>
#include <stdarg.h>
#include <string.h>

#include "util/file.h"
#include "util/mem.h"

#define ROOT "/proc/sys/"
#define VALUE_MAX 4096

bool sysctl_exists(const char *path)
{
	CLEANUP(freep) char *full = path_join(ROOT, path);
	return access(full, F_OK) == 0;
}

static bool is_value(const char *full, const char *value)
{
	CLEANUP(buf_done) struct buf text = {};
	if (file_read(full, VALUE_MAX, &text, NULL) < 0)
		return false;
	size_t len = strcspn(buf_text(&text), "\n");
	return strlen(value) == len && !strncmp(buf_text(&text), value, len);
}

static char *PRINTF(1, 0) path_of(const char *format, va_list ap)
{
	CLEANUP(freep) char *path = xvasprintf(format, ap);
	return path_join(ROOT, path);
}

bool sysctl_is_on(const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	CLEANUP(freep) char *full = path_of(format, ap);
	va_end(ap);
	return is_value(full, "1");
}

int sysctl_set(const char *value, struct error *err, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	CLEANUP(freep) char *full = path_of(format, ap);
	va_end(ap);
	if (is_value(full, value))
		return 0;
	CLEANUP(closep) int fd = open(full, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		return error_errno(err, "cannot write '%s' to '%s'", value, full);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The program of an Exec line under test: appends what it was started with to the file named by
 * $ARGV_DUMP, the number of arguments and then each of them, all with a NUL at the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/buf.h"

int main(int argc, char **argv)
{
	CLEANUP(buf_done) struct buf b = {};
	const char *path = getenv("ARGV_DUMP");

	buf_printf(&b, "%d", argc);
	buf_putc(&b, '\0');
	for (int i = 0; i < argc; i++)
		buf_add(&b, argv[i], strlen(argv[i]) + 1);

	CLEANUP(closep) int fd = path ? open(path, O_WRONLY | O_APPEND | O_CLOEXEC) : -1;
	if (fd < 0 || write(fd, b.text, b.len) != (ssize_t)b.len) {
		fprintf(stderr, "argv-dump: cannot write '%s': %s\n", path ? path : "",
				strerror(errno));
		return 1;
	}
	return 0;
}

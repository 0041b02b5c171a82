/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a question to QEMU can't undercut: "qmp-floor PATH COMMAND" connects to a monitor, reads its
 * greeting, negotiates, sends one command and writes the line with its answer to standard output.
 * Lines are taken as they come and not understood.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void read_line(FILE *from, char *line, size_t size)
{
	do
		if (!fgets(line, (int)size, from))
			die("the monitor has closed");
	while (strstr(line, "\"event\""));
}

int main(int argc, char **argv)
{
	static char line[1 << 16];
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	if (argc != 3 || strlen(argv[1]) >= sizeof(address.sun_path)) {
		fputs("usage: qmp-floor PATH COMMAND\n", stderr);
		return 2;
	}
	memcpy(address.sun_path, argv[1], strlen(argv[1]) + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		die(argv[1]);
	FILE *from = fdopen(fd, "r");
	if (!from)
		die(argv[1]);
	read_line(from, line, sizeof(line));
	const char *const commands[] = { "qmp_capabilities", argv[2] };
	for (size_t i = 0; i < 2; i++) {
		if (dprintf(fd, "{\"execute\":\"%s\"}\n", commands[i]) < 0)
			die("write");
		read_line(from, line, sizeof(line));
	}
	fputs(line, stdout);
	fclose(from);
	return strstr(line, "\"return\"") ? 0 : 1;
}

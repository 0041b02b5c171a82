/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A line of our own in the journal of a unit. */
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "host/systemd/journal.h"
#include "util/buf.h"

void journal_note(const char *unit, const char *invocation_id, const char *text)
{
	static const struct sockaddr_un journal = { .sun_family = AF_UNIX,
		.sun_path = "/run/systemd/journal/socket" };
	CLEANUP(buf_done) struct buf entry = {};
	CLEANUP(closep) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	buf_printf(&entry,
			"PRIORITY=5\nSYSLOG_IDENTIFIER=machina\nUNIT=%s\n"
			"OBJECT_SYSTEMD_UNIT=%s\n",
			unit, unit);
	if (*invocation_id)
		buf_printf(&entry, "INVOCATION_ID=%s\n", invocation_id);
	buf_printf(&entry, "MESSAGE=%s\n", text);
	/* Where no journal is, nobody will look. */
	if (fd >= 0)
		(void)!sendto(fd, entry.text, entry.len, MSG_NOSIGNAL | MSG_DONTWAIT,
				(const struct sockaddr *)&journal, sizeof(journal));
}

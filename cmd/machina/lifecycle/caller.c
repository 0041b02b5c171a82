/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The person on whose behalf a command runs. */
#include "lifecycle/caller.h"

#include <pwd.h>
#include <stdint.h>
#include <unistd.h>

#include "util/file.h"
#include "util/mem.h"
#include "util/parse.h"

/* Of a number in /proc. */
#define USER_MAX 32

char *caller_name(void)
{
	CLEANUP(buf_done) struct buf text = {};
	struct error unused;
	int uid = (int)getuid();
	if (file_read("/proc/self/loginuid", USER_MAX, &text, &unused) == 0 &&
			parse_int(buf_text(&text), 0, INT32_MAX, &uid) < 0)
		uid = (int)getuid();
	const struct passwd *user = getpwuid((uid_t)uid);
	return user ? xstrdup(user->pw_name) : xasprintf("%d", uid);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libsystemd, loaded when it is needed. */
#include "host/systemd/libsystemd.h"

#include <errno.h>
#include <stdbool.h>

#include "util/library.h"

#define LIBRARY "libsystemd.so.0"

struct libsystemd libsystemd;

#define NAME_AND_PLACE(name) { #name, &(name) },
static const struct library_function functions[] = { LIBSYSTEMD_FUNCTIONS(NAME_AND_PLACE) };

int libsystemd_load(struct error *err)
{
	static bool loaded;
	if (loaded)
		return 0;
	/* It stays until the process ends: connections and journals point into it. */
	const char *lacks;
	const char *reason = library_load(LIBRARY, functions, ARRAY_SIZE(functions), &lacks);
	if (lacks)
		return error_set(err, ENOPKG, LIBRARY " is too old for this program: it lacks '%s'",
				lacks);
	if (reason)
		return error_set(err, ENOPKG,
				"cannot load libsystemd, which speaks with systemd: %s", reason);
	loaded = true;
	return 0;
}

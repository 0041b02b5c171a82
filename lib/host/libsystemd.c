/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libsystemd, loaded when it is needed. */
#include "host/libsystemd.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* The name by which every program that is linked with it finds it. */
#define LIBRARY "libsystemd.so.0"

struct libsystemd libsystemd;

#define NAME_AND_PLACE(name) { #name, &(name) },
static const struct {
	const char *name;
	void *place; /* of a pointer to the function */
} functions[] = { LIBSYSTEMD_FUNCTIONS(NAME_AND_PLACE) };

int libsystemd_load(struct error *err)
{
	static bool loaded;
	if (loaded)
		return 0;
	/* It stays until the process ends: connections and journals point into it. */
	void *library = dlopen(LIBRARY, RTLD_NOW);
	if (!library)
		return error_set(err, ENOPKG,
				"cannot load libsystemd, which speaks with systemd: %s", dlerror());
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		void *function = dlsym(library, functions[i].name);
		if (!function) {
			dlclose(library);
			return error_set(err, ENOPKG,
					LIBRARY " is too old for this program: it lacks '%s'",
					functions[i].name);
		}
		/* As dlsym(3) tells to: C knows no conversion from one pointer to the other. */
		memcpy(functions[i].place, &function, sizeof(function));
	}
	loaded = true;
	return 0;
}

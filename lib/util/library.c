/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Libraries that are loaded when they are needed. */
#include "util/library.h"

#include <dlfcn.h>
#include <string.h>

const char *library_load(const char *name, const struct library_function *functions, size_t n,
		const char **ret_lacks)
{
	if (ret_lacks)
		*ret_lacks = NULL;
	/* Most of what a library calls in others it does not call for us. */
	void *library = dlopen(name, RTLD_LAZY);
	if (!library)
		return dlerror();
	for (size_t i = 0; i < n; i++) {
		void *function = dlsym(library, functions[i].name);
		if (!function) {
			if (ret_lacks)
				*ret_lacks = functions[i].name;
			return dlerror();
		}
		/* As dlsym(3) tells to: C knows no conversion from one pointer to the other. */
		memcpy(functions[i].place, &function, sizeof(function));
	}
	return NULL;
}

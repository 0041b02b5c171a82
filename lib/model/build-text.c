/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts of the config as texts of the machine. */
#include "model/build.h"

#include <string.h>

#include "util/file.h"
#include "util/mem.h"

const char *build_text(struct build *b, const char *text)
{
	return text && text[0] ? arena_strdup(&b->vm->arena, text) : "";
}

const char *build_socket_path(struct build *b, const char *text, const char *pointer)
{
	CLEANUP(freep) char *path = path_join("/", text);
	if (strlen(path) <= SOCKET_PATH_MAX)
		return build_text(b, path);
	BUILD_ERROR(b, pointer, "the socket's path is %zu bytes long; the kernel takes %zu",
			strlen(path), SOCKET_PATH_MAX);
	return NULL;
}

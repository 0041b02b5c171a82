/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ownership by attribute: a local variable releases itself at the end of its scope.
 *
 *	CLEANUP(freep) char *path = xasprintf("%s/%s", dir, name);
 *	CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
 *
 * A function that hands such a value to its caller takes it out with take_ptr() or take_fd().
 */
#pragma once

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* To clang 14 a variable is unused even if its end is all that it is there for. */
#define CLEANUP(fn) __attribute__((cleanup(fn), unused))
#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF(at, first) __attribute__((format(printf, at, first)))
#define NONNULL(...) __attribute__((nonnull(__VA_ARGS__)))
#define PURE __attribute__((pure))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Move a pointer out of a variable, which becomes NULL. */
#define take_ptr(var)                                                                              \
	({                                                                                         \
		__typeof__(var) *take_from_ = &(var);                                              \
		__typeof__(var) take_value_ = *take_from_;                                         \
		*take_from_ = NULL;                                                                \
		take_value_;                                                                       \
	})

/* Move a descriptor out of a variable, which becomes -1. */
static inline int take_fd(int *fd)
{
	int value = *fd;
	*fd = -1;
	return value;
}

/* @p: address of a pointer to heap memory. Keeps errno. */
static inline void freep(void *p)
{
	int saved = errno;
	free(*(void **)p);
	errno = saved;
}

/* @fd: address of a descriptor or -1. Keeps errno; close(2) frees it even when it fails. */
static inline void closep(int *fd)
{
	int saved = errno;
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

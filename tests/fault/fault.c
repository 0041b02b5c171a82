/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A library to preload that lets the nth call of a kind fail, also inside other libraries.
 *
 *	FAULT_KIND=memory|io FAULT_NTH=7 FAULT_FILE=PATH LD_PRELOAD=libfault.so machina ...
 *
 * When that call comes, its name is written to FAULT_FILE and it fails: memory with ENOMEM, input
 * and output with EIO, and those that take space with ENOSPC. If it never comes, the file stays as
 * it is. FAULT_KIND=short lets the nth read or write handle one byte only; FAULT_KIND=eintr has it
 * interrupted. Neither is an error: the program has to go on.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static const char *kind;
static const char *file;
static long nth;
static long count;
static bool armed;

/* Not before main(): what the loader does is not the program's doing. */
__attribute__((constructor)) static void arm(void)
{
	const char *text = getenv("FAULT_NTH");
	kind = getenv("FAULT_KIND");
	file = getenv("FAULT_FILE");
	nth = text ? strtol(text, NULL, 10) : 0;
	armed = kind && file && nth > 0;
}

#define REAL(name) static __typeof__(name) *real_##name
#define FIND(name)                                                                                 \
	do {                                                                                       \
		if (!real_##name)                                                                  \
			*(void **)(&real_##name) = dlsym(RTLD_NEXT, #name);                        \
	} while (0)

/* Is it this call's turn? */
static bool fires(const char *wanted, const char *name)
{
	if (!armed || strcmp(kind, wanted) != 0 || ++count != nth)
		return false;
	armed = false;
	int fd = creat(file, 0600);
	if (fd >= 0) {
		ssize_t r = write(fd, name, strlen(name));
		(void)r;
		close(fd);
	}
	return true;
}

#define FAIL(code, result)                                                                         \
	do {                                                                                       \
		errno = code;                                                                      \
		return result;                                                                     \
	} while (0)

/* glibc's own names: dlsym() allocates, so memory calls can't look theirs up. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);

void *malloc(size_t size)
{
	if (fires("memory", "malloc"))
		FAIL(ENOMEM, NULL);
	return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	if (fires("memory", "calloc"))
		FAIL(ENOMEM, NULL);
	return __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	if (fires("memory", "realloc"))
		FAIL(ENOMEM, NULL);
	return __libc_realloc(p, size);
}

void *reallocarray(void *p, size_t n, size_t size)
{
	size_t product;
	if (__builtin_mul_overflow(n, size, &product) || fires("memory", "reallocarray"))
		FAIL(ENOMEM, NULL);
	return __libc_realloc(p, product);
}

/* Calls with the same shape: one row each. */
#define WRAP(code, type, name, params, args)                                                       \
	REAL(name);                                                                                \
	type name params                                                                           \
	{                                                                                          \
		FIND(name);                                                                        \
		if (fires("io", #name))                                                            \
			FAIL(code, -1);                                                            \
		return real_##name args;                                                           \
	}

WRAP(EIO, int, fsync, (int fd), (fd))
WRAP(EIO, int, fdatasync, (int fd), (fd))
WRAP(EIO, int, syncfs, (int fd), (fd))
WRAP(EIO, int, fchmod, (int fd, mode_t mode), (fd, mode))
WRAP(EIO, int, ftruncate, (int fd, off_t len), (fd, len))
WRAP(ENOSPC, int, rename, (const char *from, const char *to), (from, to))
WRAP(ENOSPC, int, renameat, (int a, const char *from, int b, const char *to), (a, from, b, to))
WRAP(ENOSPC, int, linkat, (int a, const char *from, int b, const char *to, int flags),
		(a, from, b, to, flags))
WRAP(EIO, int, unlink, (const char *path), (path))
WRAP(EIO, int, unlinkat, (int fd, const char *path, int flags), (fd, path, flags))
WRAP(ENOSPC, int, mkdir, (const char *path, mode_t mode), (path, mode))
WRAP(ENOSPC, int, mkdirat, (int fd, const char *path, mode_t mode), (fd, path, mode))
WRAP(ENOMEM, int, memfd_create, (const char *name, unsigned flags), (name, flags))
WRAP(EIO, int, fstat, (int fd, struct stat *st), (fd, st))
WRAP(EIO, int, fstatat, (int fd, const char *path, struct stat *st, int flags),
		(fd, path, st, flags))
WRAP(EIO, off_t, lseek, (int fd, off_t offset, int whence), (fd, offset, whence))
/* The same calls, as programs with 64-bit offsets name them. */
WRAP(EIO, int, ftruncate64, (int fd, off64_t len), (fd, len))
WRAP(EIO, int, fstat64, (int fd, struct stat64 *st), (fd, st))
WRAP(EIO, int, fstatat64, (int fd, const char *path, struct stat64 *st, int flags),
		(fd, path, st, flags))
WRAP(EIO, off64_t, lseek64, (int fd, off64_t offset, int whence), (fd, offset, whence))

/* Reads and writes can also be cut short or interrupted. */
#define WRAP_TRANSFER(code, name, params, args, short_args)                                        \
	REAL(name);                                                                                \
	ssize_t name params                                                                        \
	{                                                                                          \
		FIND(name);                                                                        \
		if (fires("io", #name))                                                            \
			FAIL(code, -1);                                                            \
		if (fires("eintr", #name))                                                         \
			FAIL(EINTR, -1);                                                           \
		if (len > 1 && fires("short", #name))                                              \
			return real_##name short_args;                                             \
		return real_##name args;                                                           \
	}

WRAP_TRANSFER(EIO, read, (int fd, void *data, size_t len), (fd, data, len), (fd, data, 1))
WRAP_TRANSFER(EIO, pread, (int fd, void *data, size_t len, off_t at), (fd, data, len, at),
		(fd, data, 1, at))
WRAP_TRANSFER(ENOSPC, write, (int fd, const void *data, size_t len), (fd, data, len), (fd, data, 1))
WRAP_TRANSFER(ENOSPC, pwrite, (int fd, const void *data, size_t len, off_t at), (fd, data, len, at),
		(fd, data, 1, at))

WRAP_TRANSFER(EIO, pread64, (int fd, void *data, size_t len, off64_t at), (fd, data, len, at),
		(fd, data, 1, at))
WRAP_TRANSFER(ENOSPC, pwrite64, (int fd, const void *data, size_t len, off64_t at),
		(fd, data, len, at), (fd, data, 1, at))

/* With a mode only when a file may be made. */
#define WRAP_OPEN(name, params, args_mode, args)                                                   \
	REAL(name);                                                                                \
	int name params                                                                            \
	{                                                                                          \
		FIND(name);                                                                        \
		if (fires("io", #name))                                                            \
			FAIL(flags &O_CREAT ? ENOSPC : EIO, -1);                                   \
		if (!(flags & (O_CREAT | O_TMPFILE)))                                              \
			return real_##name args;                                                   \
		va_list ap;                                                                        \
		va_start(ap, flags);                                                               \
		mode_t mode = va_arg(ap, mode_t);                                                  \
		va_end(ap);                                                                        \
		return real_##name args_mode;                                                      \
	}

WRAP_OPEN(open, (const char *path, int flags, ...), (path, flags, mode), (path, flags))
WRAP_OPEN(openat, (int fd, const char *path, int flags, ...), (fd, path, flags, mode),
		(fd, path, flags))
WRAP_OPEN(open64, (const char *path, int flags, ...), (path, flags, mode), (path, flags))
WRAP_OPEN(openat64, (int fd, const char *path, int flags, ...), (fd, path, flags, mode),
		(fd, path, flags))

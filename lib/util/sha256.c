/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SHA-256 by libgcrypt, which is loaded with the first one. */
#include "util/hash.h"

#include <gcrypt.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "util/library.h"
#include "util/mem.h"

#define LIBRARY "libgcrypt.so.20"

static struct {
	typeof(gcry_check_version) *check_version;
	typeof(gcry_control) *control;
	typeof(gcry_md_open) *open;
	typeof(gcry_md_close) *close;
	typeof(gcry_md_write) *write;
	typeof(gcry_md_read) *read;
} gcry;

static const struct library_function functions[] = {
	{ "gcry_check_version", &gcry.check_version },
	{ "gcry_control", &gcry.control },
	{ "gcry_md_open", &gcry.open },
	{ "gcry_md_close", &gcry.close },
	{ "gcry_md_write", &gcry.write },
	{ "gcry_md_read", &gcry.read },
};

/* As ld.so(8) does for a program that is linked with it: nothing can go on without. */
static void __attribute__((noreturn)) cannot_load(const char *reason)
{
	static const char text[] = "machina: error: cannot load libgcrypt, which makes "
				   "checksums: ";
	ssize_t r = write(STDERR_FILENO, text, sizeof(text) - 1);
	r = write(STDERR_FILENO, reason, strlen(reason));
	r = write(STDERR_FILENO, "\n", 1);
	(void)r;
	_exit(1);
}

/*
 * Nothing here is secret: locked memory is not wanted. FIPS mode is turned off because its self
 * tests cost a tenth of a second and may end the process, to protect what these are not: keys.
 * Whoever has set the library up before (libsystemd may) is left alone.
 */
static void load(void)
{
	static bool loaded;
	if (loaded)
		return;
	const char *reason = library_load(LIBRARY, functions, ARRAY_SIZE(functions), NULL);
	if (reason)
		cannot_load(reason);
	if (!gcry.control(GCRYCTL_INITIALIZATION_FINISHED_P)) {
		gcry.control(GCRYCTL_NO_FIPS_MODE, 0);
		gcry.check_version(NULL);
		gcry.control(GCRYCTL_DISABLE_SECMEM, 0);
		gcry.control(GCRYCTL_INITIALIZATION_FINISHED, 0);
	}
	loaded = true;
}

static void open_digest(gcry_md_hd_t *ret, int algorithm)
{
	load();
	/* Of an algorithm that the library has, without FIPS mode, only memory can be missing. */
	if (gcry.open(ret, algorithm, 0) != 0)
		out_of_memory();
}

void sha256_init(struct sha256 *s)
{
	gcry_md_hd_t handle;
	open_digest(&handle, GCRY_MD_SHA256);
	*s = (struct sha256){ .handle = handle };
}

void sha256_done(struct sha256 *s)
{
	if (s->handle)
		gcry.close(s->handle);
	*s = (struct sha256){};
}

void sha256_feed(struct sha256 *s, const void *data, size_t len)
{
	gcry.write(s->handle, data, len);
}

void sha256_read(struct sha256 *s, uint8_t ret[SHA256_LEN])
{
	memcpy(ret, gcry.read(s->handle, GCRY_MD_SHA256), SHA256_LEN);
}

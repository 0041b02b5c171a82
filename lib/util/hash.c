/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Digests. */
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
	typeof(gcry_md_reset) *reset;
	typeof(gcry_md_write) *write;
	typeof(gcry_md_read) *read;
	typeof(gcry_md_extract) *extract;
} gcry;

static const struct library_function functions[] = {
	{ "gcry_check_version", &gcry.check_version },
	{ "gcry_control", &gcry.control },
	{ "gcry_md_open", &gcry.open },
	{ "gcry_md_close", &gcry.close },
	{ "gcry_md_reset", &gcry.reset },
	{ "gcry_md_write", &gcry.write },
	{ "gcry_md_read", &gcry.read },
	{ "gcry_md_extract", &gcry.extract },
};

/* As ld.so(8) does for a program that is linked with it: nothing can go on without. */
static void __attribute__((noreturn)) cannot_load(const char *reason)
{
	static const char text[] =
			"machina: error: cannot load libgcrypt, which makes stable identifiers: ";
	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	(void)!write(STDERR_FILENO, reason, strlen(reason));
	(void)!write(STDERR_FILENO, "\n", 1);
	_exit(1);
}

/*
 * The first digest is the first thing that needs the library: with the one that it needs in turn it
 * would take each process that makes no identifier a quarter of a millisecond.
 *
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

static gcry_md_hd_t open_digest(int algorithm)
{
	gcry_md_hd_t handle;
	load();
	/* Of an algorithm that the library has, without FIPS mode, only memory can be missing. */
	if (gcry.open(&handle, algorithm, 0) != 0)
		out_of_memory();
	return handle;
}

/* Each machine has several identifiers, and to make a handle takes as long as to use it. */
static gcry_md_hd_t spare_shake;

void shake_init(struct shake *s)
{
	*s = (struct shake){ .handle = spare_shake ? spare_shake : open_digest(GCRY_MD_SHAKE128) };
	spare_shake = NULL;
}

void shake_done(struct shake *s)
{
	if (spare_shake) {
		gcry.close(s->handle);
	} else {
		gcry.reset(s->handle);
		spare_shake = s->handle;
	}
	*s = (struct shake){};
}

void shake_feed(struct shake *s, const void *data, size_t len)
{
	gcry.write(s->handle, data, len);
}

void shake_read(struct shake *s, void *ret, size_t len)
{
	gcry.extract(s->handle, GCRY_MD_SHAKE128, ret, len);
}

void sha3_224(const void *data, size_t len, uint8_t ret[28])
{
	gcry_md_hd_t handle = open_digest(GCRY_MD_SHA3_224);
	gcry.write(handle, data, len);
	memcpy(ret, gcry.read(handle, GCRY_MD_SHA3_224), 28);
	gcry.close(handle);
}

void sha256_init(struct sha256 *s)
{
	*s = (struct sha256){ .handle = open_digest(GCRY_MD_SHA256) };
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

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two digests from which stable identifiers are made. */
#include "util/hash.h"

#include <gcrypt.h>
#include <string.h>

#include "util/mem.h"

/*
 * Opening a digest is the first thing that needs the library, so commands that make no identifier
 * do not pay for it (50 us, most of it for finding out what the CPU can do).
 *
 * Nothing here is secret: locked memory is not wanted. FIPS mode is turned off because its self
 * tests cost a tenth of a second and may end the process, to protect what these are not: keys.
 * Whoever has set the library up before (libsystemd may) is left alone.
 */
static void open_digest(gcry_md_hd_t *ret, int algorithm)
{
	if (!gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P)) {
		gcry_control(GCRYCTL_NO_FIPS_MODE, 0);
		gcry_check_version(NULL);
		gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
		gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
	}
	/* Of an algorithm that the library has, without FIPS mode, only memory can be missing. */
	if (gcry_md_open(ret, algorithm, 0) != 0)
		out_of_memory();
}

void shake_init(struct shake *s)
{
	gcry_md_hd_t handle;
	open_digest(&handle, GCRY_MD_SHAKE128);
	*s = (struct shake){ .handle = handle };
}

void shake_done(struct shake *s)
{
	gcry_md_close(s->handle);
	*s = (struct shake){};
}

void shake_feed(struct shake *s, const void *data, size_t len)
{
	gcry_md_write(s->handle, data, len);
}

void shake_read(struct shake *s, void *ret, size_t len)
{
	gcry_md_extract(s->handle, GCRY_MD_SHAKE128, ret, len);
}

void sha3_224(const void *data, size_t len, uint8_t ret[28])
{
	gcry_md_hd_t handle;
	open_digest(&handle, GCRY_MD_SHA3_224);
	gcry_md_write(handle, data, len);
	memcpy(ret, gcry_md_read(handle, GCRY_MD_SHA3_224), 28);
	gcry_md_close(handle);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* File systems of CDs, by libisofs. */
/* What libisofs.h asks about: its types come of <stdint.h>, and it has what it shares with libburn
 * itself, which is not needed. */
#define HAVE_STDINT_H 1
#define LIBISOFS_WITHOUT_LIBBURN

#include "util/iso9660.h"

#include <libisofs/libisofs.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>

#include "util/library.h"
#include "util/mem.h"

#define LIBRARY "libisofs.so.6"
#define PACKAGE "libisofs6"

/* What is read at a time, since a part of the last piece would not come. */
#define SECTOR 2048

/* The time of everything, in both forms that the library takes. */
#define EPOCH 0
#define EPOCH_TEXT "1970010100000000"

#define FUNCTIONS(X)                                                                               \
	X(init)                                                                                    \
	X(set_msgs_severities)                                                                     \
	X(error_to_msg)                                                                            \
	X(image_new)                                                                               \
	X(image_unref)                                                                             \
	X(image_get_root)                                                                          \
	X(image_create_burn_source)                                                                \
	X(memory_stream_new)                                                                       \
	X(stream_unref)                                                                            \
	X(tree_add_new_file)                                                                       \
	X(write_opts_new)                                                                          \
	X(write_opts_free)                                                                         \
	X(write_opts_set_rockridge)                                                                \
	X(write_opts_set_relaxed_vol_atts)                                                         \
	X(write_opts_set_pvd_times)                                                                \
	X(write_opts_set_default_timestamp)                                                        \
	X(write_opts_set_replace_timestamps)                                                       \
	X(write_opts_set_default_dir_mode)                                                         \
	X(write_opts_set_default_file_mode)                                                        \
	X(write_opts_set_default_uid)                                                              \
	X(write_opts_set_default_gid)                                                              \
	X(write_opts_set_replace_mode)

static struct {
#define POINTER(name) typeof(iso_##name) *name;
	FUNCTIONS(POINTER)
} iso;

static const struct library_function functions[] = {
#define ROW(name) { "iso_" #name, &iso.name },
	FUNCTIONS(ROW)
};

int iso9660_check(struct error *err)
{
	static bool loaded;
	if (loaded)
		return 0;
	const char *reason = library_load(LIBRARY, functions, ARRAY_SIZE(functions), NULL);
	if (reason)
		return error_set(err, ENOENT,
				"cannot load libisofs, which makes CDs: %s (package '" PACKAGE "')",
				reason);
	if (iso.init() < 0)
		return error_set(err, ENOMEM, "libisofs cannot be set up");
	/* What is the matter comes as a number; nothing is printed. */
	static char never[] = "NEVER", nobody[] = "";
	iso.set_msgs_severities(never, never, nobody);
	loaded = true;
	return 0;
}

/* Of a result of the library, which is negative for what has failed. */
static int check(int result, const char *what, struct error *err)
{
	return result >= 0 ? 0
			   : error_set(err, EIO, "libisofs cannot %s: %s", what,
					     iso.error_to_msg(result));
}

static void unref_image(IsoImage **image)
{
	if (*image)
		iso.image_unref(*image);
}

static void free_options(IsoWriteOpts **options)
{
	if (*options)
		iso.write_opts_free(*options);
}

/* Ends the writer, too. */
static void free_source(struct burn_source **source)
{
	if (!*source)
		return;
	(*source)->free_data(*source);
	free(*source);
}

static int add_file(IsoImage *image, const struct iso9660_file *file, struct error *err)
{
	/* The stream's own from now on; one of no bytes needs a place, too. */
	unsigned char *data = xmalloc(file->len + 1);
	memcpy(data, file->data, file->len);
	IsoStream *stream = NULL;
	int r = check(iso.memory_stream_new(data, file->len, &stream), "take a file", err);
	if (r < 0) {
		free(data);
		return r;
	}
	r = iso.tree_add_new_file(iso.image_get_root(image), file->name, stream, NULL);
	if (r < 0)
		iso.stream_unref(stream);
	return check(r, "take a file", err);
}

static int set_options(IsoWriteOpts *options, struct error *err)
{
	static char epoch[] = EPOCH_TEXT;
	enum { DEFAULT = 2 }; /* in place of what a file has */
	const int results[] = {
		iso.write_opts_set_rockridge(options, 1),
		/* The label as it is, not in upper case. */
		iso.write_opts_set_relaxed_vol_atts(options, 1),
		iso.write_opts_set_pvd_times(options, EPOCH, EPOCH, 0, 0, epoch),
		iso.write_opts_set_default_timestamp(options, EPOCH),
		iso.write_opts_set_replace_timestamps(options, DEFAULT),
		iso.write_opts_set_default_dir_mode(options, 0500),
		iso.write_opts_set_default_file_mode(options, 0400),
		iso.write_opts_set_default_uid(options, 0),
		iso.write_opts_set_default_gid(options, 0),
		iso.write_opts_set_replace_mode(options, DEFAULT, DEFAULT, DEFAULT, DEFAULT),
	};
	int r = 0;
	for (size_t i = 0; i < ARRAY_SIZE(results) && r == 0; i++)
		r = check(results[i], "be set up", err);
	return r;
}

static int read_all(struct burn_source *source, struct buf *ret, struct error *err)
{
	unsigned char sector[SECTOR];
	for (;;) {
		/* How libburn tells which of the two there is. */
		int n = source->read ? source->read(source, sector, SECTOR)
				     : source->read_xt(source, sector, SECTOR);
		if (n < 0)
			return error_set(err, EIO, "libisofs cannot make the CD");
		if (n == 0)
			return 0;
		buf_add(ret, sector, (size_t)n);
	}
}

int iso9660_write(const char *label, const struct iso9660_file *files, size_t n, struct buf *ret,
		struct error *err)
{
	CLEANUP(unref_image) IsoImage *image = NULL;
	CLEANUP(free_options) IsoWriteOpts *options = NULL;
	CLEANUP(free_source) struct burn_source *source = NULL;
	int r = iso9660_check(err);
	if (r == 0)
		r = check(iso.image_new(label, &image), "begin a CD", err);
	for (size_t i = 0; i < n && r == 0; i++)
		r = add_file(image, &files[i], err);
	if (r == 0)
		r = check(iso.write_opts_new(&options, 0), "be set up", err);
	if (r == 0)
		r = set_options(options, err);
	if (r == 0)
		r = check(iso.image_create_burn_source(image, options, &source), "make the CD",
				err);
	return r == 0 ? read_all(source, ret, err) : r;
}

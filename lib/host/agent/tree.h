/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A directory and all that is in it, as a list, on its way between this host and a guest.
 *
 * What a guest says is not trusted: of a list that is taken from it every name is a plain path
 * beneath the directory, each stands behind the directory that it is in, and nothing else is made
 * on this host than directories, files and links that stay beneath it. On the host no link is
 * followed: each path is walked from a descriptor of the directory, name by name.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/buf.h"
#include "util/cleanup.h"
#include "util/error.h"
#include "util/strv.h"

/* Deeper ones are an attack, or a mistake. */
#define TREE_DEPTH_MAX 128
#define TREE_ENTRIES_MAX 500000

enum tree_type {
	TREE_DIRECTORY,
	TREE_FILE,
	TREE_LINK,
	/* Left out: a socket, a FIFO, a device, a link that leads out, and what a guest agent can't
	 * be told of, as its name is not UTF-8. */
	TREE_OTHER,
};

struct tree_entry {
	char *path; /* "a/b"; "" for the directory itself, which is the first one */
	enum tree_type type;
	mode_t mode;   /* the bits of rwx alone */
	uint64_t size; /* of a file */
	char *target;  /* of a link */
	size_t parent; /* the index of its directory */
};

struct tree {
	struct tree_entry *entries; /* each behind its directory */
	size_t n;
	size_t n_alloc;
};

void tree_done(struct tree *tree);

/* @mode: st_mode */
enum tree_type tree_type_of(mode_t mode) PURE;

/* How long all files are together; UINT64_MAX: more than can be counted. */
uint64_t tree_size(const struct tree *tree) PURE;

/* ---- of a guest ---- */

/*
 * What find(1) prints of a directory: `find ROOT -print0`.
 *
 * @root: as find was told it; each name begins with it
 *
 * Errors: EPROTO: it is no such list; E2BIG; EILSEQ: a name that its agent can't be told
 */
MUST_CHECK int tree_read_names(
		struct tree *tree, const char *root, const struct buf *list, struct error *err);

/*
 * What stat(1) prints of the entries from @begin to before @end: `stat -c '%f %s'`, mode and size.
 * To be called for all of them, in order.
 */
MUST_CHECK int tree_read_stats(struct tree *tree, size_t begin, size_t end, const struct buf *text,
		struct error *err);

/* Where the links lead, in their order, each with a NUL behind it. */
MUST_CHECK int tree_read_targets(struct tree *tree, const struct buf *text, struct error *err);

/*
 * Make TREE_OTHER of the links that could lead out of the directory: absolute ones, and those with
 * ".." behind a name or for more directories than they are deep in.
 */
void tree_drop_links(struct tree *tree);

/* ---- of this host ---- */

/*
 * Read a directory of this host, sorted by name. Other file systems that are mounted in it are left
 * out, but for the directories that they are mounted on.
 */
MUST_CHECK int tree_read(int root_fd, struct tree *ret, struct error *err);

/* Open a file in it to be read. ELOOP, ENOTDIR, ENXIO: it is no file any more. */
MUST_CHECK int tree_open_file(int root_fd, const char *path, int *ret_fd, struct error *err);

/* Make a file that is not there, for its owner alone. */
MUST_CHECK int tree_make_file(int root_fd, const char *path, int *ret_fd, struct error *err);

/* Make all directories, for their owner alone; or all links. */
MUST_CHECK int tree_make_directories(int root_fd, const struct tree *tree, struct error *err);
MUST_CHECK int tree_make_links(int root_fd, const struct tree *tree, struct error *err);

/* Give the directories their modes, less @mask: when all that they hold is there. */
MUST_CHECK int tree_set_modes(int root_fd, const struct tree *tree, mode_t mask, struct error *err);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Directories into a guest and out of it. */
#include "guest/copy-tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/output.h"
#include "host/agent/agent-file.h"
#include "host/agent/tree.h"
#include "lifecycle/lifecycle.h"
#include "util/file.h"
#include "util/mem.h"

/* A program of the guest is given so many names at a time, of so many bytes together: a kernel
 * takes 128 KiB at least. */
#define WORDS_MAX 1000
#define WORDS_BYTES_MAX ((size_t)64 << 10)
/* Of what is left out, so many are named. */
#define NAMED_MAX 5

static char *below(const char *root, const char *path)
{
	return *path ? xasprintf("%s/%s", root, path) : xstrdup(root);
}

/* Returns COPY_DONE, or COPY_INCOMPLETE if anything was. */
static int tell_left_out(const struct tree *tree)
{
	CLEANUP(buf_done) struct buf text = {};
	size_t n = 0;
	for (size_t i = 0; i < tree->n; i++) {
		if (tree->entries[i].type != TREE_OTHER)
			continue;
		if (n < NAMED_MAX)
			buf_printf(&text, "%s'%s'", n ? ", " : "", tree->entries[i].path);
		n++;
	}
	if (n)
		complain("left out: %zu that are no files, whose names are not UTF-8, or links "
			 "that lead out of the directory: %s%s",
				n, buf_text(&text), n > NAMED_MAX ? ", ..." : "");
	return n ? COPY_INCOMPLETE : COPY_DONE;
}

/* The entries from @begin that fit behind the words, as paths of the guest; their end. */
static size_t add_paths(const struct tree *tree, const char *root, size_t begin, struct strv *words)
{
	size_t bytes = 0, i = begin;
	for (; i < tree->n && i - begin < WORDS_MAX && bytes < WORDS_BYTES_MAX; i++) {
		strv_push_take(words, below(root, tree->entries[i].path));
		bytes += strlen(words->items[words->n - 1]) + 1;
	}
	return i;
}

/* ---- out of the guest ---- */

/* What is in a directory of the guest, by find, stat and readlink. */
static int list_guest(struct copying *c, const char *root, struct tree *tree, struct error *err)
{
	CLEANUP(buf_done) struct buf names = {}, targets = {};
	bool has_links = false;
	int r = copy_must_tell(c, (const char *const[]){ "find", root, "-xdev", "-print0", NULL },
			&names, err);
	if (r == 0)
		r = tree_read_names(tree, root, &names, err);
	for (size_t begin = 0, end; r == 0 && begin < tree->n; begin = end) {
		CLEANUP(strv_done) struct strv words = {};
		CLEANUP(buf_done) struct buf stats = {};
		strv_push(&words, "stat");
		strv_push(&words, "-c");
		strv_push(&words, "%f %s");
		strv_push(&words, "--");
		end = add_paths(tree, root, begin, &words);
		r = copy_must_tell(c, (const char *const *)words.items, &stats, err);
		if (r == 0)
			r = tree_read_stats(tree, begin, end, &stats, err);
		if (r == 0)
			r = copy_advance(c, 0, err);
	}
	for (size_t i = 0; i < tree->n; i++)
		has_links |= tree->entries[i].type == TREE_LINK;
	if (r < 0 || !has_links)
		return r;
	r = copy_must_tell(c,
			(const char *const[]){ "find", root, "-xdev", "-type", "l", "-exec",
					"readlink", "-n", "{}", ";", "-exec", "printf", "\\000",
					";", NULL },
			&targets, err);
	if (r == 0)
		r = tree_read_targets(tree, &targets, err);
	if (r == 0)
		tree_drop_links(tree);
	return r;
}

/* Where all is zero, nothing is written: what is behind the end of a file is zero as well. */
static int write_piece(int fd, const struct buf *piece, struct error *err)
{
	const char *text = piece->text;
	bool is_hole = text[0] == '\0' && !memcmp(text, text + 1, piece->len - 1);
	if (is_hole ? lseek(fd, (off_t)piece->len, SEEK_CUR) < 0
		    : write_all(fd, text, piece->len) < 0)
		return error_errno(err, "cannot write a file of the copy");
	return 0;
}

/* As long as it was when it was listed: a log may have grown. */
static int receive_content(struct copying *c, struct agent_file *file,
		const struct tree_entry *entry, int fd, struct error *err)
{
	for (uint64_t left = entry->size; left > 0;) {
		CLEANUP(buf_done) struct buf piece = {};
		int r = agent_file_read(file, copy_deadline(), &piece, err);
		if (r != AGENT_DONE)
			return copy_fails(r, err);
		if (piece.len == 0)
			return error_set(err, EIO, "'%s' ends early", file->path);
		if (piece.len > left)
			buf_truncate(&piece, (size_t)left);
		left -= piece.len;
		r = write_piece(fd, &piece, err);
		if (r == 0)
			r = copy_advance(c, piece.len, err);
		if (r < 0)
			return r;
	}
	return ftruncate(fd, (off_t)entry->size) < 0
			       ? error_errno(err, "cannot write a file of the copy")
			       : 0;
}

static int receive_one(struct copying *c, const char *root, const struct tree_entry *entry,
		int root_fd, mode_t mask, struct error *err)
{
	CLEANUP(closep) int fd = -1;
	CLEANUP(freep) char *path = below(root, entry->path);
	struct agent_file file;
	int r = tree_make_file(root_fd, entry->path, &fd, err);
	if (r == 0 && entry->size > 0) {
		r = agent_file_open(c->guest.agent, path, "r", copy_deadline(), &file, err);
		if (r != AGENT_DONE)
			return copy_fails(r, err);
		r = receive_content(c, &file, entry, fd, err);
		int closed = agent_file_close(&file, copy_deadline(), r == 0 ? err : NULL);
		r = r < 0 ? r : copy_fails(closed, err);
	}
	if (r == 0 && fchmod(fd, entry->mode & ~mask) < 0)
		r = error_errno(err, "cannot set the mode of '%s'", entry->path);
	return r == 0 ? copy_advance(c, 0, err) : r;
}

static int receive_all(struct copying *c, const char *root, const struct tree *tree, int root_fd,
		struct error *err)
{
	mode_t mask = umask(0);
	umask(mask);
	int r = tree_make_directories(root_fd, tree, err);
	for (size_t i = 0; r == 0 && i < tree->n; i++)
		if (tree->entries[i].type == TREE_FILE)
			r = receive_one(c, root, &tree->entries[i], root_fd, mask, err);
	if (r == 0)
		r = tree_make_links(root_fd, tree, err);
	if (r == 0)
		r = tree_set_modes(root_fd, tree, mask, err);
	if (r == 0 && syncfs(root_fd) < 0)
		r = error_errno(err, "cannot write '%s'", c->local_path);
	return r;
}

int copy_tree_out(struct copying *c, struct error *err)
{
	CLEANUP(tree_done) struct tree tree = {};
	struct stat st;
	/* What find is told ends in "/.": a directory or a link to one, and no option of find's. */
	CLEANUP(freep)
	char *root = xasprintf("%s%s/.", c->guest_path[0] == '-' ? "./" : "", c->guest_path);
	if (lstat(c->local_path, &st) == 0)
		return error_set(err, EEXIST, "'%s' exists; no directory is replaced",
				c->local_path);
	int r = list_guest(c, root, &tree, err);
	if (r < 0)
		return r;
	c->total_bytes = tree_size(&tree);
	/* Of copies that were killed. */
	file_remove_stale_of(c->local_path);
	CLEANUP(freep) char *temporary = file_temporary_directory(c->local_path);
	if (!temporary)
		return error_errno(err, "cannot make a directory beside '%s'", c->local_path);
	CLEANUP(closep) int fd = open(temporary, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	r = fd < 0 ? error_errno(err, "cannot open '%s'", temporary)
		   : copy_check_room(c, fd, tree.n, err);
	if (r == 0)
		r = receive_all(c, root, &tree, fd, err);
	if (r == 0 && renameat2(AT_FDCWD, temporary, AT_FDCWD, c->local_path, RENAME_NOREPLACE) < 0)
		r = error_errno(err, "cannot put '%s' in its place", c->local_path);
	if (r < 0 && remove_tree(temporary, NULL) < 0)
		complain("'%s' may be left", temporary);
	return r < 0 ? r : tell_left_out(&tree);
}

/* ---- into the guest ---- */

/* A program of the guest on all entries of a type and mode. @mode: of all if it is -1 */
static int run_for_each(struct copying *c, const struct strv *command, const char *root,
		const struct tree *tree, enum tree_type type, int mode, struct error *err)
{
	struct tree some = { .entries = xcalloc(tree->n, sizeof(*some.entries)) };
	int r = 0;
	for (size_t i = 1; i < tree->n; i++)
		if (tree->entries[i].type == type &&
				(mode < 0 || tree->entries[i].mode == (mode_t)mode))
			some.entries[some.n++] = tree->entries[i];
	for (size_t begin = 0; r == 0 && begin < some.n;) {
		CLEANUP(strv_done) struct strv words = {};
		strv_extend(&words, command);
		begin = add_paths(&some, root, begin, &words);
		r = copy_must_run(c, (const char *const *)words.items, err);
		if (r == 0)
			r = copy_advance(c, 0, err);
	}
	free(some.entries);
	return r;
}

static int make_guest_directories(
		struct copying *c, const char *root, const struct tree *tree, struct error *err)
{
	CLEANUP(strv_done) struct strv command = {};
	strv_push(&command, "mkdir");
	strv_push(&command, "--");
	return run_for_each(c, &command, root, tree, TREE_DIRECTORY, -1, err);
}

static int make_guest_links(
		struct copying *c, const char *root, const struct tree *tree, struct error *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < tree->n; i++) {
		const struct tree_entry *entry = &tree->entries[i];
		if (entry->type != TREE_LINK)
			continue;
		CLEANUP(freep) char *path = below(root, entry->path);
		r = copy_must_run(c,
				(const char *const[]){
						"ln", "-s", "--", entry->target, path, NULL },
				err);
		if (r == 0)
			r = copy_advance(c, 0, err);
	}
	return r;
}

/* All modes that there are, once each; the directories last, as they may not be entered then. */
static int set_guest_modes(
		struct copying *c, const char *root, const struct tree *tree, struct error *err)
{
	static const enum tree_type types[] = { TREE_FILE, TREE_DIRECTORY };
	int r = 0;
	for (size_t t = 0; t < ARRAY_SIZE(types); t++)
		for (int mode = 0; r == 0 && mode <= 0777; mode++) {
			CLEANUP(strv_done) struct strv command = {};
			strv_push(&command, "chmod");
			strv_pushf(&command, "%04o", (unsigned)mode);
			strv_push(&command, "--");
			r = run_for_each(c, &command, root, tree, types[t], mode, err);
		}
	CLEANUP(freep) char *own = xasprintf("%04o", (unsigned)tree->entries[0].mode);
	return r < 0 ? r
		     : copy_must_run(c, (const char *const[]){ "chmod", own, "--", root, NULL },
				       err);
}

static int send_content(struct copying *c, struct agent_file *file, const struct tree_entry *entry,
		int fd, struct error *err)
{
	CLEANUP(freep) char *piece = xmalloc(AGENT_CHUNK);
	for (uint64_t left = entry->size; left > 0;) {
		ssize_t n = read(fd, piece, left < AGENT_CHUNK ? (size_t)left : AGENT_CHUNK);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, "cannot read '%s'", entry->path);
		if (n == 0)
			return error_set(err, EIO, "'%s' ends early", entry->path);
		left -= (uint64_t)n;
		int r = agent_file_write(file, piece, (size_t)n, copy_deadline(), err);
		if (r != AGENT_DONE)
			return copy_fails(r, err);
		r = copy_advance(c, (size_t)n, err);
		if (r < 0)
			return r;
	}
	return copy_advance(c, 0, err);
}

static int send_one(struct copying *c, const char *root, const struct tree_entry *entry,
		int root_fd, struct error *err)
{
	CLEANUP(closep) int fd = -1;
	CLEANUP(freep) char *path = below(root, entry->path);
	struct agent_file file;
	int r = tree_open_file(root_fd, entry->path, &fd, err);
	if (r < 0)
		return r;
	r = agent_file_open(c->guest.agent, path, "w", copy_deadline(), &file, err);
	if (r != AGENT_DONE)
		return copy_fails(r, err);
	r = send_content(c, &file, entry, fd, err);
	int closed = agent_file_close(&file, copy_deadline(), r == 0 ? err : NULL);
	return r < 0 ? r : copy_fails(closed, err);
}

static int send_all(struct copying *c, const char *root, const struct tree *tree, int root_fd,
		struct error *err)
{
	int r = make_guest_directories(c, root, tree, err);
	for (size_t i = 0; r == 0 && i < tree->n; i++)
		if (tree->entries[i].type == TREE_FILE)
			r = send_one(c, root, &tree->entries[i], root_fd, err);
	if (r == 0)
		r = make_guest_links(c, root, tree, err);
	return r == 0 ? set_guest_modes(c, root, tree, err) : r;
}

int copy_tree_in(struct copying *c, int root_fd, struct error *err)
{
	CLEANUP(tree_done) struct tree tree = {};
	CLEANUP(freep) char *temporary = NULL;
	int r = tree_read(root_fd, &tree, err);
	if (r == 0)
		r = copy_temporary(c->guest_path, &temporary, err);
	if (r != 0)
		return r;
	c->total_bytes = tree_size(&tree);
	r = copy_must_run(c, (const char *const[]){ "mkdir", "-m", "0700", "--", temporary, NULL },
			err);
	if (r < 0)
		return r;
	r = send_all(c, temporary, &tree, root_fd, err);
	if (r == 0)
		r = copy_must_run(c,
				(const char *const[]){ "mv", "--", temporary, c->guest_path, NULL },
				err);
	if (r < 0)
		copy_remove_in_guest(c, "-rf", temporary);
	return r < 0 ? r : tell_left_out(&tree);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina copy: files and directories into a guest or out of it, by its agent. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/complete.h"
#include "cli/output.h"
#include "guest/copy-tree.h"
#include "guest/copying.h"
#include "host/agent/agent-file.h"
#include "host/os/clock.h"
#include "lifecycle/lifecycle.h"
#include "util/file.h"
#include "util/mem.h"

/* Of a guest's file that is said to have no length (/proc), so much is taken. */
#define UNKNOWN_SIZE_MAX ((uint64_t)16 << 20)
#define MODE_STREAM 0644

static void copying_done(struct copying *c)
{
	guest_done(&c->guest);
	free(c->guest_path_made);
	sha256_done(&c->sum);
	*c = (struct copying){};
}

/* ---- out of the guest ---- */

/* A temporary file beside the one to come, or a copy of the standard output. */
static int open_local(const struct copying *c, char **ret_temporary, int *ret_fd, struct error *err)
{
	struct stat st;
	if (!strcmp(c->local_path, "-")) {
		*ret_fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
		return *ret_fd < 0 ? error_errno(err, "cannot use the standard output") : 0;
	}
	if (!c->options->force && lstat(c->local_path, &st) == 0)
		return error_set(err, EEXIST, "'%s' exists; --force replaces it", c->local_path);
	/* Of copies that were killed. */
	file_remove_stale_of(c->local_path);
	*ret_fd = file_temporary(AT_FDCWD, c->local_path, getpid(), 0600, ret_temporary);
	return *ret_fd < 0 ? error_code(err, *ret_fd, "cannot make a file beside '%s'",
					     c->local_path)
			   : 0;
}

static int receive_all(struct copying *c, struct agent_file *file, int fd, struct error *err)
{
	const bool is_known = c->total_bytes > 0;
	while (!is_known || c->done_bytes < c->total_bytes) {
		CLEANUP(buf_done) struct buf piece = {};
		int r = agent_file_read(file, copy_deadline(), &piece, err);
		if (r != AGENT_DONE)
			return copy_fails(r, err);
		if (piece.len == 0)
			break;
		if (!is_known && piece.len > UNKNOWN_SIZE_MAX - c->done_bytes)
			return error_set(err, EFBIG,
					"'%s' is said to have no length, and has more than %" PRIu64
					" MiB",
					c->guest_path, UNKNOWN_SIZE_MAX >> 20);
		/* A log that grows is taken as long as it was at the beginning. */
		if (is_known)
			buf_truncate(&piece, c->total_bytes - c->done_bytes);
		if (write_all(fd, piece.text, piece.len) < 0)
			return error_errno(err, "cannot write '%s'", c->local_path);
		sha256_feed(&c->sum, piece.text, piece.len);
		r = copy_advance(c, piece.len, err);
		if (r < 0)
			return r;
	}
	if (c->done_bytes < c->total_bytes)
		return error_set(err, EIO, "'%s' ends early", c->guest_path);
	return 0;
}

static int receive_file(struct copying *c, int fd, struct error *err)
{
	struct agent_file file;
	int r = agent_file_open(c->guest.agent, c->guest_path, "r", copy_deadline(), &file, err);
	if (r != AGENT_DONE)
		return copy_fails(r, err);
	/* What cannot be sought in has no length: a pipe, a device. */
	r = agent_file_size(&file, copy_deadline(), &c->total_bytes, err);
	if (r == AGENT_REFUSED)
		r = 0;
	r = copy_fails(r, err);
	if (r == 0)
		r = copy_check_room(c, fd, 0, err);
	if (r == 0)
		r = receive_all(c, &file, fd, err);
	int closed = agent_file_close(&file, copy_deadline(), r == 0 ? err : NULL);
	r = r < 0 ? r : copy_fails(closed, err);
	/* Of what is made when it is read, there is another the next time. */
	return r == 0 && c->total_bytes ? copy_compare(c, c->guest_path, err) : r;
}

/* Whole or not at all: the name is given at the end. */
static int put_in_place(struct copying *c, const char *temporary, int fd, struct error *err)
{
	if (fchmod(fd, copy_mode(c)) < 0 || fsync(fd) < 0)
		return error_errno(err, "cannot write '%s'", c->local_path);
	int r = c->options->force ? rename(temporary, c->local_path)
				  : renameat2(AT_FDCWD, temporary, AT_FDCWD, c->local_path,
						    RENAME_NOREPLACE);
	return r < 0 ? error_errno(err, "cannot put '%s' in its place", c->local_path) : 0;
}

static int refuse_directory(const char *path, struct error *err)
{
	return error_set(err, EISDIR, "'%s' is a directory; --recursive copies it", path);
}

/* Only what could not be copied is looked at: a look takes away what a pipe of the guest holds. */
static int explain_failure(struct copying *c, struct error *err)
{
	enum there there = THERE_FILE;
	struct error unused;
	const bool may_be_one = !c->done_bytes && err->code != ECANCELED;
	if (may_be_one && copy_look_in_guest(c, c->guest_path, &there, &unused) == 0 &&
			there == THERE_DIRECTORY)
		return refuse_directory(c->guest_path, err);
	return -err->code;
}

static int copy_file_out(struct copying *c, struct error *err)
{
	CLEANUP(freep) char *temporary = NULL;
	CLEANUP(closep) int fd = -1;
	int r = open_local(c, &temporary, &fd, err);
	if (r == 0) {
		r = receive_file(c, fd, err);
		r = r < 0 ? explain_failure(c, err) : r;
	}
	if (r == 0 && temporary)
		r = put_in_place(c, temporary, fd, err);
	if (r < 0 && temporary)
		unlink(temporary);
	return r;
}

static int copy_out(struct copying *c, struct error *err)
{
	enum there there = THERE_FILE;
	if (c->options->recursive) {
		int r = copy_look_in_guest(c, c->guest_path, &there, err);
		if (r < 0)
			return r;
	}
	if (there == THERE_DIRECTORY && !strcmp(c->local_path, "-"))
		return error_set(err, EISDIR, "'%s' is a directory: name one to copy it to",
				c->guest_path);
	return there == THERE_DIRECTORY ? copy_tree_out(c, err) : copy_file_out(c, err);
}

/* ---- into the guest ---- */

/* "web:/tmp" and "web:/tmp/" take the file's own name. */
static int complete_guest_path(struct copying *c, bool for_tree, struct error *err)
{
	const size_t len = strlen(c->guest_path);
	const char *slash = strrchr(c->local_path, '/');
	const char *name = slash ? slash + 1 : c->local_path;
	enum there there = THERE_DIRECTORY;
	int r = len > 0 && c->guest_path[len - 1] == '/'
				? 0
				: copy_look_in_guest(c, c->guest_path, &there, err);
	if (r == 0 && there == THERE_DIRECTORY) {
		if (!strcmp(c->local_path, "-"))
			return error_set(err, EISDIR, "'%s' is a directory: name a file in it",
					c->guest_path);
		c->guest_path_made = xasprintf("%s%s%s", c->guest_path,
				len > 0 && c->guest_path[len - 1] == '/' ? "" : "/", name);
		c->guest_path = c->guest_path_made;
		r = copy_look_in_guest(c, c->guest_path, &there, err);
	}
	if (r < 0)
		return r;
	if (for_tree && there != THERE_NOTHING)
		return error_set(err, EEXIST, "'%s' exists in '%s'; no directory is replaced",
				c->guest_path, c->guest.plan.machine);
	if (there == THERE_DIRECTORY)
		return error_set(err, EISDIR, "'%s' is a directory", c->guest_path);
	if (there == THERE_FILE && !c->options->force)
		return error_set(err, EEXIST, "'%s' exists in '%s'; --force replaces it",
				c->guest_path, c->guest.plan.machine);
	return 0;
}

static int send_all(struct copying *c, struct agent_file *file, int fd, struct error *err)
{
	CLEANUP(freep) char *piece = xmalloc(AGENT_CHUNK);
	for (;;) {
		int r = copy_wait(c, fd, err);
		if (r < 0)
			return r;
		ssize_t n = read(fd, piece, AGENT_CHUNK);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return error_errno(err, "cannot read '%s'", c->local_path);
		if (n == 0)
			return 0;
		sha256_feed(&c->sum, piece, (size_t)n);
		r = agent_file_write(file, piece, (size_t)n, copy_deadline(), err);
		if (r != AGENT_DONE)
			return copy_fails(r, err);
		r = copy_advance(c, (size_t)n, err);
		if (r < 0)
			return r;
	}
}

static int send_into(
		struct copying *c, const char *path, const char *mode, int fd, struct error *err)
{
	struct agent_file file;
	int r = agent_file_open(c->guest.agent, path, "w", copy_deadline(), &file, err);
	if (r != AGENT_DONE)
		return copy_fails(r, err);
	/* Before there is anything to read in it. */
	if (mode)
		r = copy_must_run(c, (const char *const[]){ "chmod", mode, "--", path, NULL }, err);
	if (r == 0)
		r = send_all(c, &file, fd, err);
	int closed = agent_file_close(&file, copy_deadline(), r == 0 ? err : NULL);
	return r < 0 ? r : copy_fails(closed, err);
}

/*
 * Under another name first, which takes programs of the guest. Where they may not be run, into the
 * file itself.
 */
static int send_file(struct copying *c, int fd, mode_t mode, struct error *err)
{
	CLEANUP(freep) char *temporary = NULL;
	int r = copy_run_in_guest(c, (const char *const[]){ "true", NULL }, err);
	if (r > 0) {
		complain("'%s' is written in place, with a mode of the agent's choice: %s",
				c->guest_path, err->text);
		*err = (struct error){};
		return send_into(c, c->guest_path, NULL, fd, err);
	}
	if (r < 0)
		return r;
	r = copy_temporary(c->guest_path, &temporary, err);
	if (r < 0)
		return r;
	CLEANUP(freep) char *mode_text = xasprintf("%04o", (unsigned)mode & 07777);
	r = send_into(c, temporary, mode_text, fd, err);
	if (r == 0 && c->done_bytes)
		r = copy_compare(c, temporary, err);
	if (r == 0)
		r = copy_must_run(c,
				(const char *const[]){
						"mv", "-f", "--", temporary, c->guest_path, NULL },
				err);
	if (r < 0)
		copy_remove_in_guest(c, "-f", temporary);
	return r;
}

static int copy_in(struct copying *c, struct error *err)
{
	struct stat st = { .st_mode = MODE_STREAM };
	const bool is_stream = !strcmp(c->local_path, "-");
	CLEANUP(closep)
	int fd = is_stream ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
			   : open(c->local_path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || (!is_stream && fstat(fd, &st) < 0))
		return error_errno(err, "cannot open '%s'", c->local_path);
	if (S_ISDIR(st.st_mode) && !c->options->recursive)
		return refuse_directory(c->local_path, err);
	if (S_ISDIR(st.st_mode)) {
		int r = complete_guest_path(c, true, err);
		return r == 0 ? copy_tree_in(c, fd, err) : r;
	}
	c->total_bytes = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	int r = complete_guest_path(c, false, err);
	return r == 0 ? send_file(c, fd, st.st_mode & 0777, err) : r;
}

/* ---- the command ---- */

/* "web:/etc/motd"; what has a slash before a colon is of this host, as with scp(1). */
static const char *find_guest_path(const char *word)
{
	const char *colon = strchr(word, ':'), *slash = strchr(word, '/');
	return colon && colon > word && (!slash || slash > colon) ? colon + 1 : NULL;
}

static char *without_slashes(const char *path)
{
	size_t len = strlen(path);
	while (len > 0 && path[len - 1] == '/')
		len--;
	return xstrndup(path, len);
}

static bool has_name(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	return *name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static int copy_run(const struct call *call, struct error *err)
{
	const char *from = call->words.items[0], *to = call->words.items[1];
	const char *guest_from = find_guest_path(from), *guest_to = find_guest_path(to);
	if (!guest_from == !guest_to)
		return misuse(call->command, "one of SOURCE and DESTINATION has to be "
					     "MACHINE:PATH, the other one a file of this host");
	const char *word = guest_from ? from : to;
	CLEANUP(copying_done)
	struct copying c = {
		.options = call->options,
		.guest_path = guest_from ? guest_from : guest_to,
		.local_path = guest_from ? to : from,
	};
	if (c.guest_path[0] == '\0')
		return misuse(call->command, "'%s' names no file of the guest", word);
	CLEANUP(freep) char *machine = xstrndup(word, (size_t)(strchr(word, ':') - word));
	CLEANUP(freep) char *into = NULL, *source = NULL;
	struct stat st;
	/* A directory has its name also with a slash behind it. */
	if (c.options->recursive) {
		source = without_slashes(guest_from ? guest_from : from);
		if (!has_name(source))
			return misuse(call->command, "'%s' has no name of its own for the copy",
					from);
		guest_from = guest_from ? source : NULL;
		*(guest_from ? &c.guest_path : &c.local_path) = source;
	} else if (guest_from && !has_name(guest_from)) {
		return refuse_directory(guest_from, err);
	}
	/* A directory of this host takes the file's own name. */
	if (guest_from && stat(to, &st) == 0 && S_ISDIR(st.st_mode)) {
		const char *slash = strrchr(guest_from, '/');
		into = xasprintf("%s/%s", to, slash ? slash + 1 : guest_from);
		c.local_path = into;
	}
	int r = guest_open(
			&call->paths, machine, clock_deadline_usec(AGENT_OPEN_USEC), &c.guest, err);
	copy_stop_in_order();
	sha256_init(&c.sum);
	if (r == 0)
		r = guest_from ? copy_out(&c, err) : copy_in(&c, err);
	progress_clear();
	/* As cp(1) and scp(1) do it: all the rest has been copied, and the status says that it is
	 * not all. */
	return r == COPY_INCOMPLETE ? STATUS_FAILURE : r;
}

static const struct argument arguments[] = {
	{ .name = "SOURCE", .complete = complete_copy },
	{ .name = "DESTINATION", .complete = complete_copy },
	{},
};

static const struct option_spec options[] = {
	{ 'f', "force", NULL, OPT_FLAG(struct copy_options, force),
			"Replace a file that is there" },
	{ 'q', "quiet", NULL, OPT_FLAG(struct copy_options, quiet), "Show no progress" },
	{ 'r', "recursive", NULL, OPT_FLAG(struct copy_options, recursive),
			"Copy a directory with all that is in it" },
	{},
};

static const struct example examples[] = {
	{ "machina copy web:/etc/fstab .", "Take a file out of web." },
	{ "machina copy --force app.conf web:/etc/app/", "Put one into a directory of web." },
	{ "machina copy -r web:/var/log .", "Take the directory log out of web." },
	{ "tar c site | machina copy - web:/tmp/site.tar", "Put what a program writes into web." },
	{},
};

const struct command cmd_copy = {
	.name = "copy",
	.group = GROUP_GUEST,
	.flags = COMMAND_FILES | COMMAND_LIVE,
	.arguments = arguments,
	.summary = "Copy files into a guest or out of it",
	.description = "One of the two is MACHINE:PATH, the other one a file of this host, or '-' "
		       "for a standard stream. QEMU's guest agent reads and writes the guest's "
		       "file, as root; no network is needed. A path of the guest is best absolute: "
		       "another begins where the agent was started.\n\n"
		       "The file gets its name when all of it is there. In the guest that takes "
		       "chmod and mv, run by guest-exec; where that is forbidden the file is "
		       "written in place, and a message says so. Both ways it has the mode that it "
		       "had (0644 from a stream), here less what your umask takes; there it is the "
		       "agent's user's. What went over is compared with the guest's file by its "
		       "SHA-256, where the guest has sha256sum, before the file gets its name. A "
		       "file that is there is replaced only with --force.\n\n"
		       "With --recursive SOURCE may be a directory. Directories, files and "
		       "symbolic links are copied with their modes, but for setuid, setgid and the "
		       "sticky bit; owners, times and hard links are not kept, and of what is "
		       "mounted in the directory there is only the mount point. A file is copied "
		       "as long as it was when the directory was listed. Sockets, pipes and "
		       "devices are left out, and so are names on the way into a guest that are "
		       "not UTF-8, all that its agent can be told, and links of a guest that could "
		       "lead out of the directory: all else is copied, a message names them, and "
		       "the exit status is 1. A guest's directory that has a name that is not "
		       "UTF-8 is not copied.\n\n"
		       "A directory is made under a name with a suffix, which only root may enter, "
		       "and gets its own name and mode when all of it is there: a copy that fails "
		       "or is interrupted removes what it made, and one that is killed leaves that "
		       "name. A directory that is there is never replaced, not even with --force. "
		       "The guest needs find, stat, readlink and printf (to copy out of it) or "
		       "mkdir, chmod, ln, mv and rm (into it), and its agent has to allow "
		       "guest-exec. Many small files are quicker in one: pack them, as in the last "
		       "example, and unpack with 'machina exec'.\n\n"
		       "A guest that is not trusted decides what it sends: no more than it has "
		       "announced, and than there is room for, is taken; of a directory, nothing "
		       "with a name that leads out of it.",
	.options = options,
	.options_size = sizeof(struct copy_options),
	.examples = examples,
	.run = copy_run,
};

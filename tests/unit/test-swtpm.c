/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state of a TPM: made once by the real swtpm_setup, lent to a user, given back. */
#include "host/storage/swtpm.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "lose-call.h"
#include "scratch.h"
#include "test.h"

/* The unit's user; systemd takes numbers from here (DynamicUser=). */
static const struct account user = { .uid = 64123, .gid = 64124 };

/* A name that options of swtpm and lines of its configuration would not survive. */
#define DATA "tank, dir=x/a b/${HOME}\"'"

/* NULL, or why there can be no TPM here. */
static const char *reason_to_skip(void)
{
	if (geteuid() != 0)
		return "only root makes a TPM";
	if (system("command -v swtpm_setup swtpm_localca certtool >/dev/null") != 0)
		return "swtpm_setup is not installed (package swtpm-tools)";
	pid_t child = fork();
	if (child == 0)
		_exit(unshare(CLONE_NEWNS) < 0);
	int status = -1;
	waitpid(child, &status, 0);
	return status == 0 ? NULL : "no mount namespace can be made";
}

/* What the tool says is no output of this test. */
static int prepare_quietly(int *ret_fd, struct error *err)
{
	int out = dup(STDOUT_FILENO), error = dup(STDERR_FILENO);
	int log = open(scratch_path("log"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	dup2(log, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	int r = swtpm_prepare(scratch_path(DATA), &user, ret_fd, err);
	dup2(out, STDOUT_FILENO);
	dup2(error, STDERR_FILENO);
	close(out);
	close(error);
	close(log);
	return r;
}

static uid_t owner_of(const char *name)
{
	struct stat st = { .st_uid = 7 };
	lstat(scratch_path(name), &st);
	return st.st_uid;
}

static void check_owner(const char *name, uid_t uid)
{
	if (owner_of(name) != uid)
		TEST_FAIL("%s belongs to %u, not %u", name, owner_of(name), uid);
}

static void check_config(enum swtpm_config config, const char *data, const char *expected)
{
	CLEANUP(buf_done) struct buf text = {};
	swtpm_config_text(config, data, &text);
	CHECK_STR(buf_text(&text), expected);
}

TEST(configuration_is_that_of_the_go_program)
{
	check_config(SWTPM_CONFIG_SETUP, "/x",
			"create_certs_tool = /usr/bin/swtpm_localca\n"
			"create_certs_tool_config = "
			"${RUNTIME_DIRECTORY}/config/swtpm-localca.conf\n"
			"create_certs_tool_options = "
			"${RUNTIME_DIRECTORY}/config/swtpm-localca.options\n"
			"active_pcr_banks = sha256\n");
	check_config(SWTPM_CONFIG_CA, "/tank/tpm/win11/tpm0",
			"statedir = /tank/tpm/win11/tpm0/authority/state\n"
			"signingkey = /tank/tpm/win11/tpm0/authority/signkey.pem\n"
			"issuercert = /tank/tpm/win11/tpm0/authority/issuercert.pem\n"
			"certserial = /tank/tpm/win11/tpm0/authority/certserial\n");
	check_config(SWTPM_CONFIG_OPTIONS, "/x",
			"--platform-manufacturer machina\n"
			"--platform-version 0.1\n"
			"--platform-model QEMU\n");
}

TEST(a_tpm_is_made_once_and_lent)
{
	const char *reason = reason_to_skip();
	if (reason)
		SKIP(reason);
	scratch_begin();
	/* The user may not even enter the directory above. */
	CHECK_INT(chmod(scratch_dir, 0700), 0);
	mode_t mask = umask(0077);
	struct error err = {};
	int fd = -1;
	if (prepare_quietly(&fd, &err) < 0)
		TEST_FAIL("%s", err.text);
	umask(mask);
	CHECK_INT(mode_at(DATA), S_IFDIR | 0700);
	CHECK_INT(mode_at(DATA "/state"), S_IFDIR | 0700);
	CHECK_INT(mode_at(DATA "/authority"), S_IFDIR | 0700);
	check_tree(DATA "/state", DATA "/state/tpm2-00.permall ");
	check_owner(DATA, 0);
	check_owner(DATA "/state", user.uid);
	check_owner(DATA "/state/tpm2-00.permall", user.uid);
	check_owner(DATA "/authority", 0);
	check_owner(DATA "/authority/signkey.pem", 0);
	check_owner(DATA "/authority/state", 0);
	/* What was made for the program alone is nowhere. */
	CHECK_INT(mode_at(DATA "/state.new"), 0);
	CHECK_INT(access("/tmp/tpm", F_OK), -1);
	struct stat opened = {}, state = {};
	CHECK_INT(fstat(fd, &opened), 0);
	CHECK_INT(stat(scratch_path(DATA "/state"), &state), 0);
	CHECK_INT(opened.st_ino, state.st_ino);
	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);

	CHECK_INT(swtpm_give_back(scratch_path(DATA), &err), 0);
	check_owner(DATA "/state", 0);
	check_owner(DATA "/state/tpm2-00.permall", 0);

	/* The second time it is there. Its contents are its identity. */
	struct stat before = {}, after = {};
	CHECK_INT(stat(scratch_path(DATA "/state/tpm2-00.permall"), &before), 0);
	CHECK(before.st_size > 1000);
	CHECK_INT(prepare_quietly(&fd, &err), 0);
	close(fd);
	CHECK_INT(stat(scratch_path(DATA "/state/tpm2-00.permall"), &after), 0);
	CHECK_INT(after.st_ino, before.st_ino);
	CHECK_INT(after.st_mtime, before.st_mtime);
	check_owner(DATA "/state/tpm2-00.permall", user.uid);
	scratch_end();
}

TEST(a_tpm_of_the_go_program_is_taken_over)
{
	if (geteuid() != 0)
		SKIP("only root makes a TPM");
	scratch_begin();
	put_file(DATA "/state/tpm2-00.permall", "as it was");
	put_file(DATA "/state/.lock", "");
	put_file(DATA "/authority/signkey.pem", "key");
	struct error err = {};
	int fd = -1;
	CHECK_INT(prepare_quietly(&fd, &err), 0);
	close(fd);
	check_file(DATA "/state/tpm2-00.permall", "as it was");
	check_owner(DATA "/state/tpm2-00.permall", user.uid);
	check_owner(DATA "/state/.lock", user.uid);
	check_owner(DATA "/authority/signkey.pem", 0);
	scratch_end();
}

/* Whether there is one is hard to tell in some containers. */
TEST(a_tpm_is_not_replaced)
{
	if (geteuid() != 0)
		SKIP("only root makes a TPM");
	scratch_begin();
	put_file(DATA "/state/tpm2-00.permall", "as it was");
	pid_t child = fork();
	if (child == 0) {
		int fd = -1;
		struct error err = {};
		_exit(!lose_call(SYS_faccessat2, EPERM) || prepare_quietly(&fd, &err) < 0);
	}
	int status = -1;
	CHECK_INT(waitpid(child, &status, 0), child);
	CHECK_INT(status, 0);
	check_file(DATA "/state/tpm2-00.permall", "as it was");
	scratch_end();
}

TEST(a_tpm_that_was_half_made_is_made_anew)
{
	const char *reason = reason_to_skip();
	if (reason)
		SKIP(reason);
	scratch_begin();
	put_file(DATA "/state.new/tpm2-00.permall", "half");
	put_file(DATA "/state/notes", "kept");
	make_directory(DATA "/authority");
	CHECK_INT(chown(scratch_path(DATA "/authority"), user.uid, user.gid), 0);
	struct error err = {};
	int fd = -1;
	if (prepare_quietly(&fd, &err) < 0)
		TEST_FAIL("%s", err.text);
	close(fd);
	struct stat st = {};
	CHECK_INT(stat(scratch_path(DATA "/state/tpm2-00.permall"), &st), 0);
	CHECK(st.st_size > 1000);
	check_file(DATA "/state/notes", "kept");
	check_owner(DATA "/authority", 0);
	CHECK_INT(mode_at(DATA "/state.new"), 0);
	scratch_end();
}

TEST(a_tool_that_fails_leaves_no_tpm)
{
	const char *reason = reason_to_skip();
	if (reason)
		SKIP(reason);
	/* The program does not see what is below "/tmp". */
	CLEANUP(freep) char *tmp = xstrdup_null(getenv("TMPDIR"));
	setenv("TMPDIR", "/var/tmp", 1);
	scratch_begin();
	if (tmp)
		setenv("TMPDIR", tmp, 1);
	else
		unsetenv("TMPDIR");
	CLEANUP(freep) char *path = xstrdup(getenv("PATH"));
	CLEANUP(freep) char *with_tool = xasprintf("%s/bin:%s", scratch_dir, path);
	CHECK_INT(chmod(scratch_dir, 0755), 0);
	put_file("bin/swtpm_setup", "#!/bin/sh\necho half >/tmp/tpm/state/tpm2-00.permall\n"
				    "echo key >/tmp/tpm/authority/key\nexit 3\n");
	CHECK_INT(chmod(scratch_path("bin/swtpm_setup"), 0755), 0);
	setenv("PATH", with_tool, 1);
	struct error err = {};
	int fd = -1;
	CHECK_INT(prepare_quietly(&fd, &err), -EIO);
	CLEANUP(freep)
	char *text = xasprintf(
			"TPM in '%s': 'swtpm_setup' has failed with status 3", scratch_path(DATA));
	CHECK_STR(err.text, text);
	setenv("PATH", path, 1);
	CHECK_INT(fd, -1);
	CHECK_INT(mode_at(DATA "/state/tpm2-00.permall"), 0);
	CHECK_INT(mode_at(DATA "/state.new"), 0);
	check_owner(DATA "/authority", 0);
	CHECK_INT(swtpm_give_back(scratch_path(DATA), &err), 0);
	check_owner(DATA "/state", 0);
	scratch_end();
}

/* Whoever was that user before, or has broken into swtpm, gets no file of root's from us. */
TEST(only_what_is_the_tpms_changes_hands)
{
	if (geteuid() != 0)
		SKIP("only root changes owners");
	scratch_begin();
	put_file("victim", "");
	put_file("victims/file", "");
	put_file(DATA "/state/tpm2-00.permall", "");
	CHECK_INT(symlink(scratch_path("victim"), scratch_path(DATA "/state/link")), 0);
	CHECK_INT(symlink(scratch_path("victims"), scratch_path(DATA "/state/dir")), 0);
	CHECK_INT(link(scratch_path("victim"), scratch_path(DATA "/state/hard")), 0);
	CHECK_INT(mkfifo(scratch_path(DATA "/state/fifo"), 0600), 0);
	struct error err = {};
	int fd = -1;
	CHECK_INT(prepare_quietly(&fd, &err), 0);
	close(fd);
	check_owner(DATA "/state/tpm2-00.permall", user.uid);
	check_owner("victim", 0);
	check_owner("victims", 0);
	check_owner("victims/file", 0);
	scratch_end();
}

TEST(a_link_in_place_of_a_part_is_not_followed)
{
	static const char *const parts[] = { DATA "/state", DATA "/authority" };
	if (geteuid() != 0)
		SKIP("only root gives away directories");
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		struct error err = {};
		int fd = -1;
		scratch_begin();
		make_directory(DATA);
		make_directory("other");
		CHECK_INT(chmod(scratch_path("other"), 0750), 0);
		CHECK_INT(symlink(scratch_path("other"), scratch_path(parts[i])), 0);
		CHECK_INT(prepare_quietly(&fd, &err), -ENOTDIR);
		CHECK_INT(swtpm_give_back(scratch_path(DATA), &err), -ENOTDIR);
		check_owner("other", 0);
		CHECK_INT(mode_at("other"), S_IFDIR | 0750);
		scratch_end();
	}
}

TEST(nothing_to_give_back)
{
	scratch_begin();
	struct error err = {};
	CHECK_INT(swtpm_give_back(scratch_path(DATA), &err), 0);
	check_tree("", "");
	scratch_end();
}

TEST_MAIN()

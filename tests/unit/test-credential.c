/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Credentials as texts in memory. */
#include "host/storage/credential.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scratch.h"
#include "test.h"

static int open_credential(
		const char *file, size_t n_used, int *ret_fd, size_t *ret_len, struct error *err)
{
	CLEANUP(freep) char *path = xstrdup(scratch_path(file));
	const struct storage_file storage = { .path = path };
	return credential_open("a.b", &storage, n_used, ret_fd, ret_len, err);
}

static void check_text(const char *data, const char *expected)
{
	struct error err = {};
	CLEANUP(closep) int fd = -1;
	size_t len = 0;
	char text[100] = "";
	put_file("x", data);
	CHECK_INT(open_credential("x", 0, &fd, &len, &err), 0);
	CHECK_INT(len, strlen(expected));
	CHECK_INT(read(fd, text, sizeof(text) - 1), strlen(expected));
	CHECK_STR(text, expected);
	CHECK_INT(fcntl(fd, F_GET_SEALS) & F_SEAL_WRITE, F_SEAL_WRITE);
}

TEST(a_file_becomes_a_string_that_nobody_can_change)
{
	scratch_begin();
	check_text("secret\n", "io.systemd.credential.binary:a.b=c2VjcmV0Cg==");
	check_text("", "io.systemd.credential.binary:a.b=");
	scratch_end();
}

static void check_refused(const char *file, size_t n_used, int code, const char *text)
{
	struct error err = {};
	int fd = -1;
	size_t len = 0;
	CHECK_INT(open_credential(file, n_used, &fd, &len, &err), -code);
	CHECK_INT(fd, -1);
	CHECK_INT(len, 0);
	CHECK_STR(without_scratch(err.text), text);
}

TEST(what_is_no_file_is_refused)
{
	scratch_begin();
	make_directory("d");
	check_refused("d", 0, EINVAL, "credential 'a.b': 'DIR/d' is a directory, not a file");
	check_refused("x", 0, ENOENT, "credential 'a.b': 'DIR/x' does not exist");
	scratch_end();
}

TEST(there_is_a_limit_for_all_together)
{
	static const char text[] = "credential 'a.b': all credentials of a machine together can "
				   "have about 45 KiB, which is what there is room for in its "
				   "SMBIOS tables";
	const size_t len = strlen("io.systemd.credential.binary:a.b=c2VjcmV0Cg==");
	struct error err = {};
	CLEANUP(closep) int fd = -1;
	size_t got = 0;
	scratch_begin();
	put_file("x", "secret\n");
	CHECK_INT(open_credential("x", CREDENTIALS_TEXT_MAX - len, &fd, &got, &err), 0);
	check_refused("x", CREDENTIALS_TEXT_MAX - len + 1, EFBIG, text);
	if (truncate(scratch_path("x"), CREDENTIALS_TEXT_MAX + 1) < 0)
		TEST_FAIL("cannot make it longer: %m");
	check_refused("x", 0, EFBIG, text);
	scratch_end();
}

TEST_MAIN()

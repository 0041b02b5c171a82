/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of util/error.h. */
#include "util/error.h"

#include "test.h"
#include "util/mem.h"

TEST(set)
{
	struct error err = {};
	CHECK_INT(error_set(&err, ENODEV, "no '%s'", "tap0"), -ENODEV);
	CHECK_INT(err.code, ENODEV);
	CHECK_STR(err.text, "no 'tap0'");
	CHECK_INT(err.at.line, 0);
}

TEST(errno_and_codes_end_with_their_text)
{
	struct error err = {};
	errno = ENOENT;
	CHECK_INT(error_errno(&err, "cannot open '%s'", "f"), -ENOENT);
	CHECK_STR(err.text, "cannot open 'f': No such file or directory");
	CHECK_INT(error_code(&err, -EACCES, "cannot ask"), -EACCES);
	CHECK_STR(err.text, "cannot ask: Permission denied");
	/* A call that failed without saying why still is a failure. */
	errno = 0;
	CHECK_INT(error_errno(&err, "x"), -EIO);
	CHECK_INT(err.code, EIO);
	CHECK_INT(error_code(&err, 0, "x"), -EIO);
}

TEST(context_goes_in_front)
{
	struct error err = {};
	error_set(&err, EBUSY, "the link is in use");
	CHECK_INT(error_wrap(&err, "connecting '%s'", "lan"), -EBUSY);
	CHECK_INT(error_wrap(&err, "%s", "machine 'web'"), -EBUSY);
	CHECK_STR(err.text, "machine 'web': connecting 'lan': the link is in use");
	CHECK_INT(err.code, EBUSY);
	/* Its own text may be an argument. */
	CHECK_INT(error_set(&err, EINVAL, "%s", err.text), -EINVAL);
	CHECK_STR(err.text, "machine 'web': connecting 'lan': the link is in use");
}

TEST(place_in_a_file)
{
	struct error err = {};
	struct where at = { .file = "web.conf.json", .line = 12, .column = 19 };
	error_set(&err, EINVAL, "x");
	CHECK_INT(error_at(&err, at), -EINVAL);
	CHECK_INT(error_wrap(&err, "y"), -EINVAL);
	CHECK_STR(err.at.file, "web.conf.json");
	CHECK_INT(err.at.line, 12);
	CHECK_INT(err.at.column, 19);
	/* A new failure does not keep the place of the last. */
	error_set(&err, EINVAL, "z");
	CHECK(err.at.file == NULL && err.at.line == 0);
}

TEST(long_text_is_cut_and_says_so)
{
	struct error err = {};
	CLEANUP(freep)
	char *fits = xcalloc(1, ERROR_TEXT_MAX), *text = xcalloc(3, ERROR_TEXT_MAX);
	memset(fits, 'x', ERROR_TEXT_MAX - 1);
	memset(text, 'x', 3 * ERROR_TEXT_MAX - 1);
	error_set(&err, EINVAL, "%s", fits);
	CHECK_STR(err.text, fits);
	memset(fits + ERROR_TEXT_MAX - 4, '.', 3);
	CHECK_INT(error_wrap(&err, "context"), -EINVAL);
	CHECK_INT(strlen(err.text), ERROR_TEXT_MAX - 1);
	CHECK(!strncmp(err.text, "context: xxx", 12));
	CHECK_STR(err.text + ERROR_TEXT_MAX - 5, "x...");
	error_set(&err, EINVAL, "%s", text);
	CHECK_STR(err.text, fits);
	CHECK_INT(error_wrap(&err, "%s", text), -EINVAL);
	CHECK_STR(err.text, fits);
	errno = ENOENT;
	CHECK_INT(error_errno(&err, "%s", text), -ENOENT);
	CHECK_STR(err.text, fits);
}

TEST(nobody_may_want_to_know)
{
	CHECK_INT(error_set(NULL, ENODEV, "x"), -ENODEV);
	errno = EPERM;
	CHECK_INT(error_errno(NULL, "x"), -EPERM);
	CHECK_INT(error_code(NULL, -EBUSY, "x"), -EBUSY);
	CHECK_INT(error_wrap(NULL, "x"), -EIO);
	CHECK_INT(error_at(NULL, (struct where){}), -EIO);
}
TEST_MAIN()

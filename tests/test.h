/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unit tests: small functions named after what they claim, reported as TAP (testanything.org).
 *
 *	TEST(comma_is_doubled)
 *	{
 *		CHECK_STR(quoted, "a,,b");
 *	}
 *	TEST_MAIN()
 *
 * A failed check prints file, line, what was expected and what came, and the test goes on.
 */
#pragma once

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct test {
	const char *name;
	void (*run)(void);
	struct test *next;
};

static struct test *test_first;
static struct test **test_last = &test_first;
static unsigned test_failures;
/* Not every program that shares something with tests has one. */
__attribute__((unused)) static const char *test_skip_reason;

static inline void test_register(struct test *t)
{
	*test_last = t;
	test_last = &t->next;
}

#define TEST(id)                                                                                   \
	static void test_##id(void);                                                               \
	static struct test test_row_##id = { .name = #id, .run = test_##id };                      \
	__attribute__((constructor)) static void test_register_##id(void)                          \
	{                                                                                          \
		test_register(&test_row_##id);                                                     \
	}                                                                                          \
	static void test_##id(void)

/* Explain something, in as many lines as the text has: each of them a comment of TAP. */
__attribute__((format(printf, 1, 2))) static inline void test_note(const char *format, ...)
{
	char *text = NULL;
	va_list ap;
	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0)
		abort();
	va_end(ap);
	char *rest = text;
	for (const char *line; (line = strsep(&rest, "\n")) != NULL;)
		if (*line || rest)
			printf("# %s\n", line);
	free(text);
}

/* A directory of its own, for the caller to remove; the path is freed by the caller. */
static inline char *test_directory(void)
{
	const char *parent = getenv("TMPDIR");
	char *path = NULL;
	if (asprintf(&path, "%s/machina-test-XXXXXX", parent ? parent : "/tmp") < 0)
		abort();
	if (!mkdtemp(path)) {
		perror(path);
		exit(1);
	}
	return path;
}

#define TEST_FAIL(format, ...)                                                                     \
	do {                                                                                       \
		test_failures++;                                                                   \
		test_note("%s:%d: " format, __FILE__, __LINE__, ##__VA_ARGS__);                    \
	} while (0)

#define CHECK(claim)                                                                               \
	do {                                                                                       \
		if (!(claim))                                                                      \
			TEST_FAIL("does not hold: %s", #claim);                                    \
	} while (0)

#define CHECK_INT(got, expected)                                                                   \
	do {                                                                                       \
		intmax_t got_ = (intmax_t)(got), expected_ = (intmax_t)(expected);                 \
		if (got_ != expected_)                                                             \
			TEST_FAIL("%s: expected %jd, got %jd", #got, expected_, got_);             \
	} while (0)

#define CHECK_STR(got, expected)                                                                   \
	do {                                                                                       \
		const char *got_ = (got), *expected_ = (expected);                                 \
		if (!got_ || !expected_ ? got_ != expected_ : strcmp(got_, expected_) != 0)        \
			TEST_FAIL("%s: expected \"%s\", got \"%s\"", #got,                         \
					expected_ ? expected_ : "(null)", got_ ? got_ : "(null)"); \
	} while (0)

/* End this test as skipped; the reason is what this machine lacks. */
#define SKIP(reason)                                                                               \
	do {                                                                                       \
		test_skip_reason = (reason);                                                       \
		return;                                                                            \
	} while (0)
/* Skip the test, unless the reason is NULL. */
#define SKIP_BECAUSE(reason)                                                                       \
	do {                                                                                       \
		const char *reason_ = (reason);                                                    \
		if (reason_)                                                                       \
			SKIP(reason_);                                                             \
	} while (0)

#define TEST_MAIN()                                                                                \
	int main(void)                                                                             \
	{                                                                                          \
		unsigned n = 0, failed = 0;                                                        \
		setvbuf(stdout, NULL, _IOLBF, 0);                                                  \
		for (struct test *t = test_first; t; t = t->next)                                  \
			n++;                                                                       \
		printf("1..%u\n", n);                                                              \
		n = 0;                                                                             \
		for (struct test *t = test_first; t; t = t->next) {                                \
			test_failures = 0;                                                         \
			test_skip_reason = NULL;                                                   \
			t->run();                                                                  \
			failed += test_failures > 0;                                               \
			printf("%sok %u - %s%s%s\n", test_failures ? "not " : "", ++n, t->name,    \
					test_skip_reason ? " # SKIP " : "",                        \
					test_skip_reason ? test_skip_reason : "");                 \
		}                                                                                  \
		return failed ? 1 : 0;                                                             \
	}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of util/mem.h: what is given, and how the process ends when there is none. */
#include "util/mem.h"

#include <stdint.h>
#include <sys/wait.h>

#include "test.h"
#include "util/arena.h"
#include "util/buf.h"

TEST(nothing_is_something)
{
	CLEANUP(freep)
	void *a = xmalloc(0), *b = xcalloc(0, 4), *c = xcalloc(4, 0),
	     *d = xreallocarray(NULL, 0, 4);
	CHECK(a && b && c && d);
}

TEST(texts)
{
	CLEANUP(freep)
	char *copy = xstrdup("abc"), *part = xstrndup("abc", 2), *all = xstrndup("abc", 9),
	     *null = xstrdup_null(NULL), *not_null = xstrdup_null("x"),
	     *made = xasprintf("%d%s", 1, "z");
	CHECK_STR(copy, "abc");
	CHECK_STR(part, "ab");
	CHECK_STR(all, "abc");
	CHECK_STR(null, NULL);
	CHECK_STR(not_null, "x");
	CHECK_STR(made, "1z");
}

TEST(array_grows_before_it_is_full)
{
	CLEANUP(freep) int *items = NULL;
	size_t n_alloc = 0;
	for (size_t n = 0; n < 1000; n++) {
		items = grow_array(items, &n_alloc, n, sizeof(*items));
		CHECK(n_alloc > n);
		items[n] = (int)n;
	}
	for (size_t n = 0; n < 1000; n++)
		if (items[n] != (int)n)
			TEST_FAIL("element %zu is %d", n, items[n]);
}

static void calloc_too_much(void)
{
	CLEANUP(freep) void *p = xcalloc(SIZE_MAX / 2, 4);
}

static void realloc_too_much(void)
{
	CLEANUP(freep) void *p = xreallocarray(NULL, SIZE_MAX / 2, 4);
}

static void arena_too_much(void)
{
	CLEANUP(arena_done) struct arena a = {};
	arena_array(&a, SIZE_MAX / 2, 4);
}

static void arena_size_too_large(void)
{
	CLEANUP(arena_done) struct arena a = {};
	arena_alloc(&a, SIZE_MAX);
}

static void buf_too_much(void)
{
	CLEANUP(buf_done) struct buf b = {};
	buf_putc(&b, 'x');
	buf_reserve(&b, SIZE_MAX);
}

/* In a child: what it writes to standard error, and that it ends with 1. */
static void check_ends(void (*run)(void))
{
	int ends[2], status = 0;
	char text[100] = {};
	if (pipe(ends) < 0) {
		TEST_FAIL("pipe: %m");
		return;
	}
	pid_t pid = fork();
	if (pid == 0) {
		dup2(ends[1], STDERR_FILENO);
		run();
		_exit(0);
	}
	close(ends[1]);
	CHECK(read(ends[0], text, sizeof(text) - 1) >= 0);
	close(ends[0]);
	waitpid(pid, &status, 0);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	CHECK_STR(text, "machina: error: out of memory\n");
}

/* There in a program with the address sanitizer. */
void __asan_init(void) __attribute__((weak));

TEST(sizes_that_overflow_end_the_process)
{
	check_ends(arena_too_much);
	check_ends(arena_size_too_large);
	check_ends(buf_too_much);
	/* The sanitizer's allocator ends the process in its own way; those above do not get there.
	 */
	if (!__asan_init) {
		check_ends(calloc_too_much);
		check_ends(realloc_too_much);
	}
}
TEST_MAIN()

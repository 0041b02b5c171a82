/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of util/arena.h; that all is released, the address sanitizer and valgrind see. */
#include "util/arena.h"

#include <stddef.h>
#include <stdint.h>

#include "test.h"
#include "util/mem.h"

static bool all_zero(const unsigned char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i])
			return false;
	return true;
}

/* Every size around the size of a block, each filled, so that an overlap would be seen. */
TEST(pieces_are_zeroed_aligned_and_apart)
{
	CLEANUP(arena_done) struct arena a = {};
	static const size_t sizes[] = { 0, 1, 15, 16, 17, 100, 1008, 1023, 1024, 1025, 1, 1024,
		4000, 1007, 1, 100000, 1, 1024, 17, 1009 };
	unsigned char *pieces[ARRAY_SIZE(sizes)];

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		pieces[i] = arena_alloc(&a, sizes[i]);
		CHECK_INT((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
		CHECK(all_zero(pieces[i], sizes[i]));
		memset(pieces[i], (int)i + 1, sizes[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		for (size_t j = 0; j < sizes[i]; j++)
			if (pieces[i][j] != i + 1) {
				TEST_FAIL("piece %zu is overwritten at %zu", i, j);
				break;
			}
}

TEST(texts)
{
	CLEANUP(arena_done) struct arena a = {};
	CLEANUP(freep) char *text = xcalloc(1, 20001);
	memset(text, 'x', 20000);
	CHECK_STR(arena_strdup(&a, ""), "");
	CHECK_STR(arena_strdup(&a, text), text);
	CHECK_STR(arena_strndup(&a, "abcdef", 3), "abc");
	CHECK_STR(arena_strndup(&a, "ab", 3), "ab");
	/* No NUL behind it. */
	CHECK_STR(arena_strndup(&a, (const char[]){ 'a', 'b' }, 2), "ab");
	CHECK_STR(arena_printf(&a, "%d-%s", 7, "z"), "7-z");
	CHECK_STR(arena_printf(&a, "%s", text), text);
	CHECK_STR(arena_join(&a, "ab", "-", "cd"), "ab-cd");
	CHECK_STR(arena_join(&a, "", "", ""), "");
	int *number = ARENA_NEW(&a, int);
	CHECK_INT(*number, 0);
}

TEST(moved_pieces_stay_where_they_are)
{
	CLEANUP(arena_done) struct arena a = {}, b = {}, empty = {};
	const char *in_a[60], *in_b[60];
	for (size_t i = 0; i < ARRAY_SIZE(in_a); i++) {
		in_a[i] = arena_printf(&a, "%0100zu", i);
		in_b[i] = arena_printf(&b, "%0100zu", i + 1000);
	}
	arena_move(&a, &empty);
	arena_move(&a, &b);
	CHECK(b.blocks == NULL);
	arena_strdup(&a, "more");
	arena_move(&b, &a);
	for (size_t i = 0; i < ARRAY_SIZE(in_a); i++) {
		CHECK_INT(strtoul(in_a[i], NULL, 10), i);
		CHECK_INT(strtoul(in_b[i], NULL, 10), i + 1000);
	}
}

TEST(done_leaves_an_empty_arena)
{
	struct arena a = {};
	arena_done(&a);
	arena_strdup(&a, "x");
	arena_done(&a);
	CHECK(a.blocks == NULL && a.used == 0);
	CHECK_STR(arena_strdup(&a, "again"), "again");
	arena_done(&a);
}
TEST_MAIN()

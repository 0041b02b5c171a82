/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of util/strv.h. */
#include "util/strv.h"

#include "test.h"
#include "util/mem.h"

TEST(list_ends_with_null_at_every_length)
{
	CLEANUP(strv_done) struct strv v = {};
	for (size_t i = 0; i < 100; i++) {
		strv_pushf(&v, "%zu", i);
		CHECK_INT(v.n, i + 1);
		CHECK(v.items[i + 1] == NULL);
	}
	CHECK_STR(v.items[0], "0");
	CHECK_STR(v.items[99], "99");
}

TEST(static_texts_are_not_copied)
{
	static const char text[] = "-device";
	CLEANUP(strv_done) struct strv a = {}, b = {};
	strv_push(&a, "b");
	strv_push_static(&a, text);
	strv_move(&b, &a);
	CHECK_INT(b.n, 2);
	CHECK(b.items[1] == text && !b.items[2]);
	strv_sort(&b);
	CHECK(b.items[0] == text);
}

TEST(push_copies)
{
	CLEANUP(strv_done) struct strv v = {};
	char text[] = "text";
	char *mine = xstrdup("mine");
	strv_push(&v, text);
	strv_push_take(&v, mine);
	text[0] = 'T';
	CHECK_STR(v.items[0], "text");
	CHECK_STR(v.items[1], "mine");
	strv_push_join(&v, "a", "=", "b");
	CHECK_STR(v.items[2], "a=b");
	/* An element of the list itself. */
	for (size_t i = 0; i < 20; i++)
		strv_push(&v, v.items[0]);
	CHECK_STR(v.items[22], "text");
}

TEST(clear_and_done)
{
	struct strv v = {};
	strv_clear(&v);
	strv_done(&v);
	strv_push(&v, "a");
	strv_clear(&v);
	CHECK_INT(v.n, 0);
	CHECK(v.items[0] == NULL);
	strv_push(&v, "b");
	CHECK_STR(v.items[0], "b");
	strv_done(&v);
	CHECK(v.items == NULL && v.n == 0 && v.n_alloc == 0);
	strv_done(&v);
}

TEST(extend)
{
	CLEANUP(strv_done) struct strv a = {}, b = {}, empty = {};
	strv_push(&a, "1");
	strv_push(&b, "2");
	strv_push(&b, "3");
	strv_extend(&a, &b);
	strv_extend(&a, &empty);
	CHECK_INT(a.n, 3);
	CHECK_STR(a.items[2], "3");
	CHECK_INT(b.n, 2);
	strv_extend(&a, &a);
	CHECK_INT(a.n, 6);
	CHECK_STR(a.items[5], "3");
	CHECK(a.items[6] == NULL);
}

TEST(move_empties_the_source)
{
	CLEANUP(strv_done) struct strv a = {}, b = {};
	strv_move(&a, &b);
	CHECK(a.n == 0 && b.n == 0);
	for (int i = 0; i < 50; i++)
		strv_pushf(i % 2 ? &b : &a, "%d", i);
	strv_move(&a, &b);
	CHECK(b.n == 0 && !b.items);
	CHECK_INT(a.n, 50);
	CHECK_STR(a.items[24], "48");
	CHECK_STR(a.items[49], "49");
	CHECK(a.items[50] == NULL);
	/* Both go on as before. */
	strv_push(&b, "b");
	strv_move(&a, &b);
	strv_push(&a, "c");
	CHECK_STR(a.items[50], "b");
	CHECK_STR(a.items[51], "c");
	strv_move(&b, &a);
	CHECK(b.n == 52 && a.n == 0);
}

TEST(contains)
{
	CLEANUP(strv_done) struct strv v = {};
	CHECK(!strv_contains(&v, ""));
	strv_push(&v, "abc");
	strv_push(&v, "");
	CHECK(strv_contains(&v, "abc"));
	CHECK(strv_contains(&v, ""));
	CHECK(!strv_contains(&v, "ab"));
	CHECK(!strv_contains(&v, "ABC"));
}

TEST(sort_is_by_byte)
{
	static const char *const names[] = { "b", "a", "\xc3\xa4", "B", "", "a.", "aa", "a" };
	static const char *const sorted[] = { "", "B", "a", "a", "a.", "aa", "b", "\xc3\xa4" };
	CLEANUP(strv_done) struct strv v = {};
	strv_sort(&v);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		strv_push(&v, names[i]);
	strv_sort(&v);
	for (size_t i = 0; i < ARRAY_SIZE(sorted); i++)
		CHECK_STR(v.items[i], sorted[i]);
	CHECK(v.items[ARRAY_SIZE(sorted)] == NULL);
}

TEST(sort_leaves_one_of_those_that_are_equal)
{
	static const char *const names[] = { "b", "a", "b", "", "a", "" };
	CLEANUP(strv_done) struct strv v = {};
	strv_sort_unique(&v);
	CHECK_INT((int)v.n, 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		strv_push(&v, names[i]);
	strv_sort_unique(&v);
	CHECK_INT((int)v.n, 3);
	CHECK_STR(v.items[0], "");
	CHECK_STR(v.items[1], "a");
	CHECK_STR(v.items[2], "b");
	CHECK(v.items[3] == NULL);
}
TEST_MAIN()

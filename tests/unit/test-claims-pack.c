/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Claims that another process has made are as if they had been made here. */
#include "model/claims.h"
#include "test.h"
#include "util/mem.h"

static void put(struct claims *claims, const char *name, bool selected, const struct claim *items,
		size_t n)
{
	struct vm vm = { .name = name };
	claims_add(claims, &vm, selected);
	for (size_t i = 0; i < n; i++) {
		claims->items = grow_array(
				claims->items, &claims->n_alloc, claims->n, sizeof(*claims->items));
		claims->items[claims->n] = items[i];
		claims->items[claims->n++].machine = (uint32_t)(claims->names.n - 1);
	}
}

TEST(unpacked_claims_follow_those_that_are_there)
{
	static const struct claim first[] = { { .hash = 1 },
		{ .hash = UINT64_MAX, .shared = true } };
	CLEANUP(claims_done) struct claims here = {}, there = {};
	CLEANUP(buf_done) struct buf packed = {};
	put(&here, "a", false, first, 1);
	put(&there, "b", true, first, 2);
	put(&there, "c", false, NULL, 0);
	for (int i = 0; i < 100; i++)
		put(&there, "d", i % 2, first, 1);
	claims_pack(&there, &packed);
	buf_puts(&packed, "rest");
	CHECK_STR(claims_unpack(&here, packed.text), "rest");

	CHECK_INT(here.names.n, 103);
	CHECK_STR(here.names.items[0], "a");
	CHECK_STR(here.names.items[1], "b");
	CHECK_STR(here.names.items[102], "d");
	CHECK(!here.selected[0] && here.selected[1] && !here.selected[2] && !here.selected[3] &&
			here.selected[4]);
	CHECK_INT(here.n, 103);
	CHECK(here.items[1].hash == 1 && !here.items[1].shared);
	CHECK(here.items[2].hash == UINT64_MAX && here.items[2].shared);
	CHECK_INT(here.items[0].machine, 0);
	CHECK_INT(here.items[2].machine, 1);
	CHECK_INT(here.items[3].machine, 3);
	CHECK_INT(here.items[102].machine, 102);
}

TEST(no_claims)
{
	CLEANUP(claims_done) struct claims here = {}, there = {};
	CLEANUP(buf_done) struct buf packed = {};
	claims_pack(&there, &packed);
	CHECK(claims_unpack(&here, packed.text) == packed.text + packed.len);
	CHECK(here.n == 0 && here.names.n == 0);
}
TEST_MAIN()

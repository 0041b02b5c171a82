/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file system as CDs have it, read by who knows no more than the standard (ECMA-119, Rock Ridge).
 */
#include "util/iso9660.h"

#include <stdint.h>

#include "test.h"
#include "util/mem.h"

#define SECTOR 2048
#define FILES_MAX 8
#define NAME_LEN 30

static const unsigned char *at(const struct buf *image, size_t offset)
{
	return (const unsigned char *)image->text + offset;
}

/* A number that is there twice, in both orders of its bytes. */
static uint32_t both(const unsigned char *p, int n_bytes)
{
	uint32_t little = 0, big = 0;
	for (int i = 0; i < n_bytes; i++) {
		little |= (uint32_t)p[i] << 8 * i;
		big = big << 8 | p[n_bytes + i];
	}
	CHECK_INT(little, big);
	return little;
}

/* "NAME (ROCK RIDGE NAME): CONTENT; " of all files, in their order. */
static void list(const struct buf *image, struct buf *ret)
{
	const unsigned char *root = at(image, 16 * SECTOR + 156);
	const unsigned char *record = at(image, both(root + 2, 4) * SECTOR);
	const unsigned char *end = record + both(root + 10, 4);
	for (; record < end && record[0]; record += record[0]) {
		const unsigned char *more = record + 33 + record[32] + (record[32] % 2 == 0);
		CHECK_INT(record[0] % 2, 0);
		if (record[25] & 2)
			continue;
		buf_add(ret, record + 33, record[32]);
		for (; more + 4 <= record + record[0] && more[2]; more += more[2])
			if (more[0] == 'N')
				buf_printf(ret, " (%.*s)", more[2] - 5, (const char *)more + 5);
		buf_puts(ret, ": ");
		buf_add(ret, at(image, both(record + 2, 4) * SECTOR), both(record + 10, 4));
		buf_puts(ret, "; ");
	}
}

/* Each time, also in the same process, whose library counts what it makes. */
TEST(each_file_is_where_its_record_says)
{
	CLEANUP(buf_done) struct buf image = {}, again = {}, text = {}, big = {};
	for (int i = 0; i < 2049; i++)
		buf_putc(&big, 'x');
	const struct iso9660_file files[] = {
		{ "user-data", "#cloud", 6 },
		{ "big", big.text, big.len },
		{ "meta.data", "", 0 },
		{ "z", "last", 4 },
	};
	CHECK_INT(iso9660_write("cidata", files, ARRAY_SIZE(files), &image, NULL), 0);
	CHECK_INT(iso9660_write("cidata", files, ARRAY_SIZE(files), &again, NULL), 0);
	CHECK(image.len == again.len && !memcmp(image.text, again.text, image.len));
	CHECK_INT(image.len % SECTOR, 0);
	CHECK_INT(both(at(&image, 16 * SECTOR + 80), 4), image.len / SECTOR);
	CHECK(!memcmp(at(&image, 16 * SECTOR), "\1CD001\1", 7));
	CHECK(!memcmp(at(&image, 16 * SECTOR + 40), "cidata      ", 12));
	list(&image, &text);
	CLEANUP(freep) char *big_one = xasprintf(" (big): %s; ", big.text);
	CHECK(strstr(buf_text(&text), big_one));
	CHECK(strstr(buf_text(&text), " (meta.data): ; "));
	CHECK(strstr(buf_text(&text), " (user-data): #cloud; "));
	CHECK(strstr(buf_text(&text), " (z): last; "));
}

TEST(as_many_files_with_names_as_long_as_can_be)
{
	char names[FILES_MAX][NAME_LEN + 1];
	struct iso9660_file files[FILES_MAX];
	CLEANUP(buf_done) struct buf image = {}, text = {};
	for (int i = 0; i < FILES_MAX; i++) {
		memset(names[i], 'a' + i, NAME_LEN);
		names[i][NAME_LEN] = '\0';
		files[i] = (struct iso9660_file){ names[i], names[i], 3 };
	}
	CHECK_INT(iso9660_write("12345678901234567890123456789012", files, FILES_MAX, &image, NULL),
			0);
	list(&image, &text);
	for (int i = 0; i < FILES_MAX; i++) {
		CLEANUP(freep) char *expected = xasprintf("(%s): %.3s; ", names[i], names[i]);
		CHECK(strstr(buf_text(&text), expected));
	}
}

TEST(without_files_there_is_a_root)
{
	CLEANUP(buf_done) struct buf image = {}, text = {};
	CHECK_INT(iso9660_write("x", NULL, 0, &image, NULL), 0);
	list(&image, &text);
	CHECK_STR(buf_text(&text), "");
	CHECK(!memcmp(at(&image, 16 * SECTOR), "\1CD001\1", 7));
}

TEST_MAIN()

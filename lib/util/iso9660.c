/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file system as CDs have it. */
#include "util/iso9660.h"

#include <assert.h>
#include <ctype.h>
#include <stdint.h>
#include <string.h>

#define SECTOR 2048
/* Where what is: the sectors before the first one are the system's (ECMA-119, 6.2.1). */
enum { AT_DESCRIPTOR = 16, AT_END, AT_PATHS_LITTLE, AT_PATHS_BIG, AT_ROOT, AT_FILES };

#define PATH_TABLE_LEN 10
#define RECORD_LEN 33
#define FLAG_DIRECTORY 2
#define MODE_DIRECTORY 040500u
#define MODE_FILE 0100400u

/* ---- numbers: least byte first, greatest byte first, and both ---- */

static void put_little(struct buf *b, uint32_t value, int n_bytes)
{
	for (int i = 0; i < n_bytes; i++)
		buf_putc(b, (char)(value >> 8 * i));
}

static void put_big(struct buf *b, uint32_t value, int n_bytes)
{
	for (int i = n_bytes; i-- > 0;)
		buf_putc(b, (char)(value >> 8 * i));
}

static void put_both(struct buf *b, uint32_t value, int n_bytes)
{
	put_little(b, value, n_bytes);
	put_big(b, value, n_bytes);
}

/* ---- pieces ---- */

static void put_times(struct buf *b, char c, size_t n)
{
	memset(buf_reserve(b, n), c, n);
	b->len += n;
	b->text[b->len] = '\0';
}

static void fill_sector(struct buf *b, size_t start)
{
	size_t over = (b->len - start) % SECTOR;
	if (over)
		put_times(b, '\0', SECTOR - over);
}

/* Text with spaces up to its field's end. */
static void put_field(struct buf *b, const char *text, size_t size)
{
	size_t len = strlen(text);
	buf_add(b, text, len);
	put_times(b, ' ', size - len);
}

static uint32_t n_sectors(size_t len)
{
	return (uint32_t)((len + SECTOR - 1) / SECTOR);
}

/* ---- Rock Ridge: what follows the name of a record ---- */

/* The use of the fields below, and whose they are; in the first record of the root. */
static void put_system_use(struct buf *b)
{
	static const char known[] = "RRIP_1991A";
	buf_add(b, "SP\7\1\xbe\xef\0", 7);
	buf_add(b, "ER", 2);
	buf_putc(b, (char)(8 + strlen(known)));
	buf_putc(b, 1);
	buf_putc(b, (char)strlen(known));
	buf_add(b, "\0\0\1", 3);
	buf_puts(b, known);
}

static void put_owner(struct buf *b, uint32_t mode)
{
	buf_add(b, "PX\x24\1", 4);
	put_both(b, mode, 4);
	put_both(b, mode == MODE_DIRECTORY ? 2 : 1, 4);
	put_both(b, 0, 4);
	put_both(b, 0, 4);
}

static void put_name(struct buf *b, const char *name)
{
	buf_add(b, "NM", 2);
	buf_putc(b, (char)(5 + strlen(name)));
	buf_add(b, "\1\0", 2);
	buf_puts(b, name);
}

/* ---- directory records (ECMA-119, 9.1) ---- */

struct record {
	const char *id;
	size_t id_len;
	uint32_t sector;
	uint32_t len;
	bool is_directory;
	const struct buf *more; /* system use; NULL: none */
};

static void put_record(struct buf *b, const struct record *r)
{
	/* Each field begins at an even place. */
	size_t name_len = r->id_len + (r->id_len % 2 == 0);
	size_t more_len = r->more ? r->more->len : 0, pad = more_len % 2;
	assert(RECORD_LEN + name_len + more_len + pad < 256);
	buf_putc(b, (char)(RECORD_LEN + name_len + more_len + pad));
	buf_putc(b, 0);
	put_both(b, r->sector, 4);
	put_both(b, r->len, 4);
	/* 1980-01-01 */
	buf_add(b, "\x50\1\1\0\0\0\0", 7);
	buf_putc(b, r->is_directory ? FLAG_DIRECTORY : 0);
	buf_add(b, "\0\0", 2);
	put_both(b, 1, 2);
	buf_putc(b, (char)r->id_len);
	buf_add(b, r->id, r->id_len);
	put_times(b, '\0', name_len - r->id_len);
	if (more_len)
		buf_add(b, r->more->text, more_len);
	put_times(b, '\0', pad);
}

static void put_root(struct buf *b, char id, const struct buf *more)
{
	put_record(b, &(struct record){ &id, 1, AT_ROOT, SECTOR, true, more });
}

static void put_file(struct buf *b, const struct iso9660_file *file, uint32_t sector)
{
	CLEANUP(buf_done) struct buf id = {}, more = {};
	assert(strlen(file->name) <= ISO9660_NAME_MAX);
	for (const char *c = file->name; *c; c++)
		buf_putc(&id, (char)toupper((unsigned char)*c));
	if (!strchr(file->name, '.'))
		buf_putc(&id, '.');
	buf_puts(&id, ";1");
	put_owner(&more, MODE_FILE);
	put_name(&more, file->name);
	put_record(b, &(struct record){
				      id.text, id.len, sector, (uint32_t)file->len, false, &more });
}

/* They stand in the order of their names (ECMA-119, 9.3): @order is filled with indices. */
static void sort(const struct iso9660_file *files, size_t n, size_t order[])
{
	for (size_t i = 0; i < n; i++) {
		size_t k = i;
		for (; k > 0 && strcmp(files[order[k - 1]].name, files[i].name) > 0; k--)
			order[k] = order[k - 1];
		order[k] = i;
	}
}

static void put_directory(
		struct buf *b, const struct iso9660_file *files, const size_t order[], size_t n)
{
	CLEANUP(buf_done) struct buf self = {}, parent = {};
	size_t start = b->len;
	uint32_t sector = AT_FILES;
	put_system_use(&self);
	put_owner(&self, MODE_DIRECTORY);
	put_owner(&parent, MODE_DIRECTORY);
	put_root(b, 0, &self);
	put_root(b, 1, &parent);
	for (size_t i = 0; i < n; i++) {
		put_file(b, &files[order[i]], sector);
		sector += n_sectors(files[order[i]].len);
	}
	fill_sector(b, start);
	assert(b->len - start == SECTOR);
}

/* The volume as a whole (ECMA-119, 8.4). */
static void put_descriptor(struct buf *b, const char *label, uint32_t n)
{
	size_t start = b->len;
	buf_add(b, "\1CD001\1\0", 8);
	put_field(b, "", 32);
	put_field(b, label, ISO9660_LABEL_MAX);
	put_times(b, '\0', 8);
	put_both(b, n, 4);
	put_times(b, '\0', 32);
	put_both(b, 1, 2);
	put_both(b, 1, 2);
	put_both(b, SECTOR, 2);
	put_both(b, PATH_TABLE_LEN, 4);
	put_little(b, AT_PATHS_LITTLE, 4);
	put_little(b, 0, 4);
	put_big(b, AT_PATHS_BIG, 4);
	put_big(b, 0, 4);
	put_root(b, 0, NULL);
	/* Set, publisher, preparer, application; three names of files. */
	for (int i = 0; i < 4; i++)
		put_field(b, "", 128);
	for (int i = 0; i < 3; i++)
		put_field(b, "", 37);
	/* Made, changed, expires, effective: not given. */
	for (int i = 0; i < 4; i++) {
		put_times(b, '0', 16);
		buf_putc(b, 0);
	}
	buf_putc(b, 1);
	fill_sector(b, start);
}

static void put_path_table(struct buf *b, void (*put)(struct buf *, uint32_t, int))
{
	size_t start = b->len;
	buf_add(b, "\1\0", 2);
	put(b, AT_ROOT, 4);
	put(b, 1, 2);
	buf_add(b, "\0\0", 2);
	fill_sector(b, start);
}

void iso9660_write(const char *label, const struct iso9660_file *files, size_t n, struct buf *ret)
{
	size_t order[ISO9660_FILES_MAX];
	uint32_t end = AT_FILES;
	assert(n <= ISO9660_FILES_MAX && strlen(label) <= ISO9660_LABEL_MAX);
	for (size_t i = 0; i < n; i++)
		end += n_sectors(files[i].len);
	sort(files, n, order);

	put_times(ret, '\0', (size_t)AT_DESCRIPTOR * SECTOR);
	put_descriptor(ret, label, end);
	size_t start = ret->len;
	buf_add(ret, "\377CD001\1", 7);
	fill_sector(ret, start);
	put_path_table(ret, put_little);
	put_path_table(ret, put_big);
	put_directory(ret, files, order, n);
	for (size_t i = 0; i < n; i++) {
		start = ret->len;
		buf_add(ret, files[order[i]].data, files[order[i]].len);
		fill_sector(ret, start);
	}
}

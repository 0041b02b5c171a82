/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a guest's cloud-init is told. */
#include "host/storage/cloud-init.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config/cloud-init.h"
#include "host/os/memory.h"
#include "host/storage/storage.h"
#include "json/jtree.h"
#include "json/jwrite.h"
#include "util/file.h"
#include "util/iso9660.h"
#include "util/mem.h"
#include "util/unicode.h"

/* A hash of crypt(5) is one line; the longest has about 130 bytes. */
#define HASH_MAX 512

const char *const cloud_init_file_names[] = {
	[CLOUD_INIT_META_DATA] = "meta-data",
	[CLOUD_INIT_USER_DATA] = "user-data",
	[CLOUD_INIT_NETWORK_CONFIG] = "network-config",
	[CLOUD_INIT_VENDOR_DATA] = "vendor-data",
	NULL,
};

void cloud_init_done(struct cloud_init *data)
{
	for (size_t i = 0; i < CLOUD_INIT_N_FILES; i++)
		buf_done(&data->files[i]);
	*data = (struct cloud_init){};
}

/* ---- files of the host ---- */

static int read_file(const char *path, size_t max, struct buf *ret, struct error *err)
{
	const struct storage_file file = { .path = path };
	CLEANUP(closep) int fd = -1;
	int r = storage_open_file(&file, &fd, err);
	if (r == 0)
		r = file_read_fd(fd, path, max, ret, err);
	return r == -EFBIG ? error_set(err, EFBIG, "'%s' is longer than %zu bytes", path, max) : r;
}

static int read_hash(const char *path, struct json_object *user, struct error *err)
{
	CLEANUP(buf_done) struct buf data = {};
	int r = read_file(path, HASH_MAX, &data, err);
	if (r < 0)
		return r;
	const char *text = buf_text(&data);
	size_t len = strcspn(text, "\r\n");
	/* crypt(5): "$6$SALT$HASH". */
	bool is_hash = text[0] == '$' && len > 8 && memchr(text + 1, '$', len - 1) &&
		       strspn(text + len, "\r\n") == data.len - len;
	for (size_t i = 0; i < len && is_hash; i++)
		is_hash = text[i] > ' ' && text[i] <= '~' && !strchr(":;*!\\\"", text[i]);
	if (!is_hash)
		return error_set(err, EINVAL,
				"'%s' does not hold the hash of a password, such as 'openssl "
				"passwd -6' prints it",
				path);
	jtree_set(user, "passwd", jtree_string_len(text, len));
	jtree_set(user, "lock_passwd", jtree_bool(false));
	return 0;
}

/* A line that sshd would take, as far as that shows without knowing all kinds of keys. */
static bool is_key(const char *line, size_t len)
{
	for (size_t i = 0, n; i < len; i += n) {
		uint32_t c = unicode_decode(line + i, len - i, &n);
		if ((c == UNICODE_REPLACEMENT && n == 1) || (c != '\t' && !unicode_printable(c)))
			return false;
	}
	return line[0] != '-' && memchr(line, ' ', len);
}

static int read_keys(const char *path, struct json_object *keys, struct error *err)
{
	CLEANUP(buf_done) struct buf data = {};
	size_t n = 0;
	int r = read_file(path, CLOUD_INIT_FILE_MAX, &data, err);
	if (r < 0)
		return r;
	const char *line = buf_text(&data), *end = line + data.len;
	for (size_t len; line < end; line += len + 1) {
		const char *stop = memchr(line, '\n', (size_t)(end - line));
		len = stop ? (size_t)(stop - line) : (size_t)(end - line);
		size_t used = len && line[len - 1] == '\r' ? len - 1 : len;
		size_t blank = strspn(line, " \t");
		if (blank >= used || line[blank] == '#')
			continue;
		if (!is_key(line, used))
			return error_set(err, EINVAL,
					"'%s' does not hold public keys alone, a line each, as "
					"authorized_keys does",
					path);
		jtree_push(keys, jtree_string_len(line, used));
		n++;
	}
	return n ? 0 : error_set(err, EINVAL, "'%s' holds no public key", path);
}

/* ---- what is made of the items ---- */

/* What YAML 1.1 takes for the end of a line, or does not take at all. */
static bool is_special(uint32_t c)
{
	return (c >= 0x80 && c < 0xa0) || c == 0x2028 || c == 0x2029 || c == 0xfeff;
}

/* JSON, in which that stands in strings alone, as YAML. */
static void put_yaml(struct buf *to, const char *json)
{
	size_t left = strlen(json), len;
	for (; left; json += len, left -= len) {
		uint32_t c = unicode_decode(json, left, &len);
		if (is_special(c))
			buf_printf(to, "\\u%04x", c);
		else
			buf_add(to, json, len);
	}
	buf_putc(to, '\n');
}

static void put_document(struct buf *to, struct json_object *value)
{
	CLEANUP(buf_done) struct buf json = {};
	jwrite(&json, value, JWRITE_PRETTY);
	put_yaml(to, buf_text(&json));
}

/* What stands in the user data and the meta data. */
struct making {
	struct json_object *user, *groups, *keys, *packages, *run, *meta;
	bool upgrade;
};

static void making_done(struct making *m)
{
	json_object_put(m->user);
	json_object_put(m->groups);
	json_object_put(m->keys);
	json_object_put(m->packages);
	json_object_put(m->run);
	json_object_put(m->meta);
}

static int take_file(struct cloud_init *data, enum cloud_init_file file, const char *path,
		struct error *err)
{
	data->has[file] = true;
	return read_file(path, CLOUD_INIT_FILE_MAX, &data->files[file], err);
}

static int take_item(struct making *m, struct cloud_init *data, const struct vm_seed_item *item,
		struct error *err)
{
	switch (item->kind) {
	case VM_SEED_INSTANCE_ID:
		jtree_set(m->meta, "instance-id", jtree_string(item->text));
		return 0;
	case VM_SEED_HOSTNAME:
		jtree_set(m->meta, "local-hostname", jtree_string(item->text));
		return 0;
	case VM_SEED_USER:
		jtree_set(m->user, "name", jtree_string(item->text));
		return 0;
	case VM_SEED_SUDO:
		/* A key that is there keeps that of the image away. */
		jtree_set(m->user, "sudo",
				strcmp(item->text, CLOUD_INIT_NO_SUDO) ? jtree_string(item->text)
								       : NULL);
		return 0;
	case VM_SEED_GROUP:
		jtree_push(m->groups, jtree_string(item->text));
		return 0;
	case VM_SEED_SHELL:
		jtree_set(m->user, "shell", jtree_string(item->text));
		return 0;
	case VM_SEED_PASSWORD_FILE:
		return read_hash(item->text, m->user, err);
	case VM_SEED_KEY:
		jtree_push(m->keys, jtree_string(item->text));
		return 0;
	case VM_SEED_KEY_FILE:
		return read_keys(item->text, m->keys, err);
	case VM_SEED_PACKAGE:
		jtree_push(m->packages, jtree_string(item->text));
		return 0;
	case VM_SEED_UPGRADE:
		m->upgrade = true;
		return 0;
	case VM_SEED_RUN:
		jtree_push(m->run, jtree_string(item->text));
		return 0;
	case VM_SEED_NETWORK:
		data->has[CLOUD_INIT_NETWORK_CONFIG] = true;
		put_yaml(&data->files[CLOUD_INIT_NETWORK_CONFIG], item->text);
		return 0;
	case VM_SEED_USER_DATA:
		return take_file(data, CLOUD_INIT_USER_DATA, item->text, err);
	case VM_SEED_META_DATA:
		return take_file(data, CLOUD_INIT_META_DATA, item->text, err);
	case VM_SEED_NETWORK_CONFIG:
		return take_file(data, CLOUD_INIT_NETWORK_CONFIG, item->text, err);
	case VM_SEED_VENDOR_DATA:
		return take_file(data, CLOUD_INIT_VENDOR_DATA, item->text, err);
	}
	return 0;
}

static void put_list(struct json_object *to, const char *key, struct json_object *list)
{
	if (json_object_array_length(list))
		jtree_set(to, key, json_object_get(list));
}

/*
 * "user" changes the image's own account, which is as its distribution wants it, and "users" is
 * left alone, whose standard is that account.
 */
static void put_user_data(const struct making *m, struct buf *to)
{
	CLEANUP(jtree_putp) struct json_object *root = jtree_object();
	put_list(m->user, "groups", m->groups);
	if (json_object_object_length(m->user))
		jtree_set(root, "user", json_object_get(m->user));
	put_list(root, "ssh_authorized_keys", m->keys);
	if (m->upgrade)
		jtree_set(root, "package_upgrade", jtree_bool(true));
	put_list(root, "packages", m->packages);
	put_list(root, "runcmd", m->run);
	buf_puts(to, "#cloud-config\n");
	put_document(to, root);
}

int cloud_init_make(const struct vm_seed_item *items, size_t n, struct cloud_init *ret,
		struct error *err)
{
	*ret = (struct cloud_init){};
	CLEANUP(making_done)
	struct making m = {
		.user = jtree_object(),
		.groups = jtree_list(),
		.keys = jtree_list(),
		.packages = jtree_list(),
		.run = jtree_list(),
		.meta = jtree_object(),
	};
	for (size_t i = 0; i < n; i++) {
		int r = take_item(&m, ret, &items[i], err);
		if (r < 0)
			return error_wrap(err, "cloud-init: \"%s\"", vm_seed_key(items[i].kind));
	}
	if (!ret->has[CLOUD_INIT_USER_DATA])
		put_user_data(&m, &ret->files[CLOUD_INIT_USER_DATA]);
	if (!ret->has[CLOUD_INIT_META_DATA])
		put_document(&ret->files[CLOUD_INIT_META_DATA], m.meta);
	ret->has[CLOUD_INIT_USER_DATA] = ret->has[CLOUD_INIT_META_DATA] = true;
	return 0;
}

/* ---- the CD ---- */

int cloud_init_pack(const struct cloud_init *data, struct buf *ret, struct error *err)
{
	struct iso9660_file files[CLOUD_INIT_N_FILES];
	size_t n = 0;
	for (size_t i = 0; i < CLOUD_INIT_N_FILES; i++)
		if (data->has[i])
			files[n++] = (struct iso9660_file){
				.name = cloud_init_file_names[i],
				.data = buf_text(&data->files[i]),
				.len = data->files[i].len,
			};
	return iso9660_write(CLOUD_INIT_LABEL, files, n, ret, err);
}

int cloud_init_open(const struct vm_seed_item *items, size_t n, int *ret_fd, struct error *err)
{
	CLEANUP(cloud_init_done) struct cloud_init data = {};
	CLEANUP(buf_done) struct buf image = {};
	CLEANUP(closep) int fd = -1;
	char path[32];
	int r = cloud_init_make(items, n, &data, err);
	if (r == 0)
		r = cloud_init_pack(&data, &image, err);
	if (r == 0)
		r = memory_file("the CD for cloud-init", image.text, image.len, &fd, err);
	if (r < 0)
		return r;
	/* QEMU takes a descriptor from a set by the mode that it wants. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	*ret_fd = open(path, O_RDONLY | O_CLOEXEC);
	return *ret_fd < 0 ? error_errno(err, "the CD for cloud-init cannot be opened") : 0;
}

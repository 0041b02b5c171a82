/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looking up users and groups. */
#include "host/os/account.h"

#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "json/jtree.h"
#include "json/jwrite.h"
#include "util/buf.h"
#include "util/file.h"
#include "util/hash.h"

/* An answer is a record of some hundred bytes. */
#define REPLY_MAX ((size_t)65536)
/* PID 1 answers at once, unless it has hundreds of units to start: it looks at nothing else before
 * it has forked for all that may begin, and what it has forked takes the processors from it. Less
 * than the time that units have to start. */
#define REPLY_SECONDS 90

/* Users that are made up. */
#define MADE_UP_FIRST 0x70000000
#define MADE_UP_MASK 0x00ffffff
/* The overflow user of the kernel (user_namespaces(7)), which owns no files. */
#define NOBODY 65534
#define MAP_SIZE_MAX ((size_t)65536)

int account_operators(gid_t *ret)
{
	const struct group *group = geteuid() == 0 ? getgrnam(ACCOUNT_OPERATORS) : NULL;
	if (!group)
		return 1;
	*ret = group->gr_gid;
	return 0;
}

static int no_user(const char *user, struct error *err)
{
	return error_set(err, ESRCH, "there is no user '%s'", user);
}

/* Varlink: a JSON object and a NUL, both ways. */
static void build_request(const char *user, struct buf *ret)
{
	struct json_object *request = jtree_object(), *parameters = jtree_object();

	jtree_set(request, "method", jtree_string("io.systemd.UserDatabase.GetUserRecord"));
	jtree_set(request, "parameters", parameters);
	jtree_set(parameters, "userName", jtree_string(user));
	jtree_set(parameters, "service", jtree_string("io.systemd.DynamicUser"));
	jwrite(ret, request, JWRITE_LINE);
	buf_putc(ret, '\0');
	json_object_put(request);
}

/* The number under "parameters", "record", @key; -1 for none. */
static int64_t record_number(struct json_object *reply, const char *key)
{
	struct json_object *at = reply;
	const char *const path[] = { "parameters", "record", key };

	for (size_t i = 0; i < ARRAY_SIZE(path); i++)
		if (!json_object_object_get_ex(at, path[i], &at))
			return -1;
	if (!json_object_is_type(at, json_type_int))
		return -1;
	int64_t number = json_object_get_int64(at);
	/* The last one means "no user" to every system call. */
	return number >= 0 && number < UINT32_MAX ? number : -1;
}

static int parse_reply(const char *text, const char *user, struct account *ret, struct error *err)
{
	struct json_object *reply = json_tokener_parse(text);
	bool refused = json_object_object_get_ex(reply, "error", NULL);
	int64_t uid = record_number(reply, "uid");
	int64_t gid = record_number(reply, "gid");
	json_object_put(reply);

	if (refused)
		return no_user(user, err);
	if (uid < 0 || gid < 0)
		return error_set(err, EPROTO, "systemd's answer about user '%s' is not understood",
				user);
	*ret = (struct account){ .uid = (uid_t)uid, .gid = (gid_t)gid };
	return 0;
}

static int read_reply(int fd, struct buf *ret)
{
	while (!ret->len || ret->text[ret->len - 1] != '\0') {
		if (ret->len > REPLY_MAX)
			return -EMSGSIZE;
		ssize_t n = recv(fd, buf_reserve(ret, 4096), 4096, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ECONNRESET;
		ret->len += (size_t)n;
	}
	return 0;
}

int account_find_dynamic(
		const char *socket_path, const char *user, struct account *ret, struct error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	if (strlen(socket_path) >= sizeof(address.sun_path))
		return error_set(err, ENAMETOOLONG, "'%s' is too long", socket_path);
	strcpy(address.sun_path, socket_path);

	CLEANUP(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct timeval limit = { .tv_sec = REPLY_SECONDS };
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0)
		return error_errno(err, "cannot make a socket");
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		if (errno == ENOENT || errno == ECONNREFUSED)
			return no_user(user, err);
		return error_errno(err, "cannot ask systemd for user '%s'", user);
	}

	CLEANUP(buf_done) struct buf request = {}, reply = {};
	build_request(user, &request);
	/* Far less than a socket takes at once. */
	ssize_t n = send(fd, request.text, request.len, MSG_NOSIGNAL);
	int r = n < 0 ? -errno : (size_t)n < request.len ? -EIO : read_reply(fd, &reply);
	if (r < 0)
		return error_code(err, r, "cannot ask systemd for user '%s'", user);
	return parse_reply(reply.text, user, ret, err);
}

int account_find(const char *user, struct account *ret, struct error *err)
{
	/* systemd first: it answers sooner, and knows no user that the database has as well. */
	int r = account_find_dynamic(ACCOUNT_DYNAMIC_SOCKET, user, ret, err);
	if (r != -ESRCH)
		return r;
	/* A signal that came while it was looked for says nothing of it (getpwnam(3)). */
	const struct passwd *entry;
	do {
		errno = 0;
		entry = getpwnam(user);
	} while (!entry && errno == EINTR);
	if (!entry)
		return no_user(user, err);
	*ret = (struct account){ .uid = entry->pw_uid, .gid = entry->pw_gid };
	return 0;
}

bool account_map_has(const char *map, uint32_t id)
{
	for (const char *line = map; line; line = strchr(line, '\n')) {
		uint32_t inside, outside, count;
		if (*line == '\n')
			line++;
		if (sscanf(line, "%" SCNu32 " %" SCNu32 " %" SCNu32, &inside, &outside, &count) ==
						3 &&
				id >= inside && id - inside < count)
			return true;
	}
	return false;
}

/* Directory services of companies reach far into the numbers. */
static bool is_taken(uint32_t id)
{
	return getpwuid(id) || getgrgid(id);
}

int account_make_up(const char *user, struct account *ret, struct error *err)
{
	static const char *const maps[] = { "/proc/self/uid_map", "/proc/self/gid_map" };
	uint8_t digest[28];
	uint32_t id;

	sha3_224(user, strlen(user), digest);
	memcpy(&id, digest, sizeof(id));
	id = MADE_UP_FIRST | (id & MADE_UP_MASK);
	while (is_taken(id))
		id = MADE_UP_FIRST | ((id + 1) & MADE_UP_MASK);
	*ret = (struct account){ .uid = id, .gid = id };
	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		CLEANUP(buf_done) struct buf map = {};
		int r = file_read(maps[i], MAP_SIZE_MAX, &map, err);
		if (r < 0)
			return r;
		if (!account_map_has(buf_text(&map), id))
			*ret = (struct account){ .uid = NOBODY, .gid = NOBODY };
	}
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Users by name, and what a peer in systemd's place may answer. */
#include "host/os/account.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/os/listen.h"
#include "scratch.h"
#include "test.h"

/* A process that answers one request with @reply (its NUL included) and keeps the request. */
static pid_t serve(const char *reply, size_t len)
{
	int fd = -1;
	struct error err = {};
	if (listen_unix(scratch_path("socket"), &(struct sharing){}, &fd, &err) < 0)
		TEST_FAIL("%s", err.text);
	pid_t child = fork();
	if (child == 0) {
		char request[1024];
		int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
		ssize_t n = recv(client, request, sizeof(request), 0);
		if (n <= 0)
			_exit(1);
		put_bytes("request", request, (size_t)n);
		_exit(send(client, reply, len, MSG_NOSIGNAL) == (ssize_t)len ? 0 : 1);
	}
	close(fd);
	return child;
}

static int ask(const char *reply, size_t len, struct account *ret, struct error *err)
{
	pid_t child = serve(reply, len);
	int r = account_find_dynamic(scratch_path("socket"), "machina-web", ret, err);
	waitpid(child, NULL, 0);
	return r;
}

#define ASK(reply, ret, err) ask(reply, sizeof(reply), ret, err)

TEST(systemds_record_is_understood)
{
	scratch_begin();
	struct account account = {};
	struct error err = {};
	CHECK_INT(ASK("{\"parameters\":{\"record\":{\"userName\":\"machina-web\",\"uid\":61764,"
		      "\"gid\":61765,\"service\":\"io.systemd.DynamicUser\"}}}",
				  &account, &err),
			0);
	CHECK_INT(account.uid, 61764);
	CHECK_INT(account.gid, 61765);
	check_file("request", "{\"method\":\"io.systemd.UserDatabase.GetUserRecord\","
			      "\"parameters\":{\"userName\":\"machina-web\","
			      "\"service\":\"io.systemd.DynamicUser\"}}");
	CHECK_INT(ASK("{\"error\":\"io.systemd.UserDatabase.NoRecordFound\",\"parameters\":{}}",
				  &account, &err),
			-ESRCH);
	CHECK_STR(err.text, "there is no user 'machina-web'");
	scratch_end();
}

TEST(nonsense_is_no_user)
{
	scratch_begin();
	static const char *const replies[] = {
		"",
		"{",
		"[]",
		"7",
		"{}",
		"{\"parameters\":7}",
		"{\"parameters\":{\"record\":[]}}",
		"{\"parameters\":{\"record\":{\"uid\":1}}}",
		"{\"parameters\":{\"record\":{\"uid\":\"1\",\"gid\":\"1\"}}}",
		"{\"parameters\":{\"record\":{\"uid\":-1,\"gid\":1}}}",
		"{\"parameters\":{\"record\":{\"uid\":4294967295,\"gid\":1}}}",
		"{\"parameters\":{\"record\":{\"uid\":1,\"gid\":4294967296}}}",
		"{\"parameters\":{\"record\":{\"uid\":1.5,\"gid\":1}}}",
	};
	for (size_t i = 0; i < ARRAY_SIZE(replies); i++) {
		struct account account = { .uid = 7 };
		struct error err = {};
		CHECK_INT(ask(replies[i], strlen(replies[i]) + 1, &account, &err), -EPROTO);
		CHECK_STR(err.text, "systemd's answer about user 'machina-web' is not understood");
		CHECK_INT(account.uid, 7);
	}
	scratch_end();
}

TEST(an_answer_that_breaks_off_is_none)
{
	scratch_begin();
	struct account account = {};
	struct error err = {};
	static const char reply[] = "{\"parameters\":{\"record\":{\"uid\":1,\"gid\":1}}}";
	CHECK_INT(ask(reply, sizeof(reply) - 1, &account, &err), -ECONNRESET);
	CHECK_STR(err.text, "cannot ask systemd for user 'machina-web': Connection reset by peer");

	CLEANUP(freep) char *endless = xcalloc(1, 200000);
	memset(endless, ' ', 200000);
	CHECK_INT(ask(endless, 200000, &account, &err), -EMSGSIZE);
	scratch_end();
}

/* How long an answer is waited for. */
static struct timeval patience;

/* In place of that of the C library. */
int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	if (level == SOL_SOCKET && name == SO_RCVTIMEO && len == sizeof(patience))
		memcpy(&patience, value, len);
	return (int)syscall(SYS_setsockopt, fd, level, name, value, len);
}

/* 400 machines at once on two processors: the last user was told of after 56 s. */
TEST(a_systemd_that_starts_hundreds_of_units_is_waited_for)
{
	scratch_begin();
	struct account account = {};
	struct error err = {};
	CHECK_INT(ASK("{\"error\":\"io.systemd.UserDatabase.NoRecordFound\"}", &account, &err),
			-ESRCH);
	CHECK(patience.tv_sec >= 60);
	/* Units of TPMs and shares have two minutes for their start. */
	CHECK(patience.tv_sec < 120);
	scratch_end();
}

TEST(without_systemd_there_are_no_dynamic_users)
{
	scratch_begin();
	struct account account = {};
	struct error err = {};
	CHECK_INT(account_find_dynamic(scratch_path("no"), "machina-web", &account, &err), -ESRCH);
	CHECK_STR(err.text, "there is no user 'machina-web'");
	scratch_end();
}

TEST(users_of_the_database_are_found)
{
	struct account account = { .uid = 7, .gid = 7 };
	struct error err = {};
	CHECK_INT(account_find("root", &account, &err), 0);
	CHECK_INT(account.uid, 0);
	CHECK_INT(account.gid, 0);
	CHECK_INT(account_find("machina-no-such-user", &account, &err), -ESRCH);
}

TEST(maps_of_users_are_read)
{
	static const char whole[] = "         0          0 4294967295\n";
	static const char parts[] =
			"         0     100000      65536\n     70000       1000          1\n";
	CHECK(account_map_has(whole, 0));
	CHECK(account_map_has(whole, 0x70000000));
	CHECK(account_map_has(whole, 4294967294));
	CHECK(!account_map_has(whole, 4294967295));
	CHECK(account_map_has(parts, 65535));
	CHECK(!account_map_has(parts, 65536));
	CHECK(!account_map_has(parts, 69999));
	CHECK(account_map_has(parts, 70000));
	CHECK(!account_map_has(parts, 70001));
	CHECK(!account_map_has("", 0));
}

TEST(a_user_is_made_up_from_the_name)
{
	struct account web = {}, again = {}, other = {};
	struct error err = {};
	CHECK_INT(account_make_up("machina-web", &web, &err), 0);
	CHECK_INT(account_make_up("machina-web", &again, &err), 0);
	CHECK_INT(account_make_up("machina-db", &other, &err), 0);
	CHECK_INT(web.uid, again.uid);
	CHECK_INT(web.gid, web.uid);
	if (web.uid == 65534)
		SKIP("this user namespace has few users");
	CHECK(web.uid != other.uid);
	CHECK_INT(web.uid >> 24, 0x70);
	CHECK_INT(other.uid >> 24, 0x70);
}

TEST_MAIN()

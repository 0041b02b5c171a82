/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The record of a host that was drained. */
#include "host/machine/drained.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scratch.h"
#include "test.h"
#include "util/cleanup.h"
#include "util/file.h"
#include "util/mem.h"

TEST(what_was_stored_is_loaded)
{
	CLEANUP(drained_done) struct drained record = {}, again = {};
	CLEANUP(freep) char *dir = NULL;
	struct error err = {};
	struct stat st;
	scratch_begin();
	dir = path_join(scratch_dir, "var/lib/machina");
	CHECK_INT(drained_load(dir, &again, &err), 1);
	record.since = xstrdup("2026-11-21 18:04:05 UTC");
	strv_push(&record.machines, "web");
	strv_push(&record.machines, "a.b-c_d");
	CHECK_INT(drained_store(dir, &record, &err), 0);
	CHECK_INT(drained_store(dir, &record, &err), 0);
	CHECK_INT(drained_load(dir, &again, &err), 0);
	CHECK_STR(again.since, record.since);
	CHECK_INT(again.machines.n, 2);
	CHECK_STR(again.machines.items[1], "a.b-c_d");
	CHECK_INT(again.enabled.n, 0);

	CLEANUP(freep) char *path = path_join(dir, DRAINED_FILE);
	CHECK(stat(path, &st) == 0 && (st.st_mode & 07777) == 0644);
	CHECK_INT(drained_forget(dir, &err), 0);
	CHECK(stat(path, &st) < 0 && errno == ENOENT);
	CHECK_INT(drained_forget(dir, &err), 0);
	scratch_end();
}

/* Empty, or half of one. */
TEST(what_a_killed_drain_has_left_goes)
{
	CLEANUP(drained_done) struct drained record = { .since = xstrdup("now") };
	struct error err = {};
	scratch_begin();
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	CHECK_INT(waitpid(pid, NULL, 0), pid);
	CLEANUP(freep) char *left = xasprintf("." DRAINED_FILE ".tmp-%d-0", pid);
	put_file(left, "");
	put_file(".other.tmp-1-0", "");
	CHECK_INT(drained_store(scratch_dir, &record, &err), 0);
	CHECK(access(scratch_path(left), F_OK) < 0);
	put_file(left, "");
	CHECK_INT(drained_forget(scratch_dir, &err), 0);
	CHECK(access(scratch_path(left), F_OK) < 0);
	CHECK_INT(access(scratch_path(".other.tmp-1-0"), F_OK), 0);
	scratch_end();
}

TEST(damaged_records)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "", "is damaged (line 1: " },
		{ "{ \"since\": \"x\"", "is damaged (line 1: " },
		{ "{}", "the key \"since\" is missing" },
		{ "{ \"since\": \"x\",\n\"machines\": [\"a/b\"] }", "is damaged (line 2: " },
		{ "{ \"since\": \"x\", \"machine\": [] }", "unknown key \"machine\"" },
		{ "[]", "is damaged (line 1: " },
	};
	scratch_begin();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(drained_done) struct drained record = {};
		struct error err = {};
		put_file(DRAINED_FILE, rows[i].text);
		CHECK_INT(drained_load(scratch_dir, &record, &err), -EINVAL);
		if (!strstr(err.text, rows[i].why))
			TEST_FAIL("%s: %s", rows[i].text, err.text);
	}
	scratch_end();
}

TEST(names_are_added_once)
{
	CLEANUP(strv_done) struct strv list = {}, more = {};
	strv_push(&list, "a");
	strv_push(&more, "b");
	strv_push(&more, "a");
	strv_push(&more, "b");
	drained_add(&list, &more);
	CHECK_INT(list.n, 2);
	CHECK_STR(list.items[1], "b");
}
TEST_MAIN()

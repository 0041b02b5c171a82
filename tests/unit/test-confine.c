/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a process has left when it has given up its privileges. */
#include "host/os/confine.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "scratch.h"
#include "test.h"

#define SOMEBODY 0x70000001
#define GROUP 4711

/* In the scratch directory: the child's own account of itself. */
static void confess(void)
{
	CLEANUP(buf_done) struct buf status = {};
	CLEANUP(buf_done) struct buf text = {};
	static const char *const wanted[] = {
		"Uid:", "Gid:", "Groups:", "CapInh:", "CapPrm:", "CapEff:", "CapAmb:", "NoNewPrivs:"
	};
	int signal_number = 0;
	if (file_read("/proc/self/status", 1 << 16, &status, NULL) < 0)
		_exit(1);
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		const char *line = strstr(buf_text(&status), wanted[i]);
		size_t len = line ? strcspn(line, "\n") : 0;
		for (size_t k = 0; k < len; k++)
			buf_putc(&text, line[k] == '\t' ? ' ' : line[k]);
		buf_putc(&text, '\n');
	}
	prctl(PR_GET_PDEATHSIG, &signal_number);
	CLEANUP(freep) char *cwd = getcwd(NULL, 0);
	buf_printf(&text, "umask %03o, in %s, signal %d\n", umask(0), cwd, signal_number);
	put_file("out", buf_text(&text));
}

static void run(const struct confine *confine)
{
	struct error err = {};
	CHECK_INT(chmod(scratch_dir, 0777), 0);
	pid_t child = fork();
	if (child == 0) {
		test_failures = 0;
		if (confine_self(confine, &err) < 0) {
			test_note("%s", err.text);
			fflush(stdout);
			_exit(1);
		}
		confess();
		_exit(test_failures ? 1 : 0);
	}
	int status = -1;
	waitpid(child, &status, 0);
	CHECK_INT(status, 0);
}

TEST(root_becomes_somebody_without_rights)
{
	if (geteuid() != 0)
		SKIP("only root can become somebody else");
	struct account map_has = {};
	struct error err = {};
	if (account_make_up("machina-web", &map_has, &err) < 0 || map_has.uid == 65534)
		SKIP("this user namespace has few users");
	scratch_begin();
	const struct account user = { .uid = SOMEBODY, .gid = SOMEBODY + 1 };
	const gid_t groups[] = { GROUP };
	run(&(struct confine){
			.user = &user, .groups = groups, .n_groups = 1, .death_signal = SIGTERM });
	check_file("out", "Uid: 1879048193 1879048193 1879048193 1879048193\n"
			  "Gid: 1879048194 1879048194 1879048194 1879048194\n"
			  "Groups: 4711 \n"
			  "CapInh: 0000000000000000\n"
			  "CapPrm: 0000000000000000\n"
			  "CapEff: 0000000000000000\n"
			  "CapAmb: 0000000000000000\n"
			  "NoNewPrivs: 1\n"
			  "umask 077, in /, signal 15\n");
	scratch_end();
}

TEST(anybody_stays_who_they_are)
{
	scratch_begin();
	run(&(struct confine){ .death_signal = SIGKILL });
	CLEANUP(buf_done) struct buf text = {};
	CHECK_INT(file_read(scratch_path("out"), 1 << 16, &text, NULL), 0);
	CLEANUP(freep) char *uid = xasprintf("Uid: %u ", getuid());
	CHECK(strstr(buf_text(&text), uid));
	CHECK(strstr(buf_text(&text), "CapEff: 0000000000000000\n"));
	CHECK(strstr(buf_text(&text), "NoNewPrivs: 1\numask 077, in /, signal 9\n"));
	scratch_end();
}

TEST_MAIN()

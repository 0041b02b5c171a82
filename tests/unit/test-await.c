/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `machina await` where no process can be made: the guest is shut down all the same. */
#include "hook/await-ready.h"

#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "cli/output.h"
#include "test.h"

#define BECAME_SHUTDOWN 42
/* Nobody's. */
#define LONELY_USER 64999

void complain(const char *format, ...)
{
	(void)format;
}

/* In place of the command: the process has executed itself. */
__attribute__((constructor)) static void be_shutdown(int argc, char **argv)
{
	if (argc > 2 && !strcmp(argv[1], "shutdown") && !strcmp(argv[2], "--system"))
		_exit(BECAME_SHUTDOWN);
}

/* As where the unit's TasksMax= is reached. */
static bool forbid_processes(void)
{
	const struct rlimit one = { 1, 1 };
	if (geteuid() == 0 && setresuid(LONELY_USER, LONELY_USER, LONELY_USER) < 0)
		return false;
	if (setrlimit(RLIMIT_NPROC, &one) < 0)
		return false;
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	return pid < 0;
}

TEST(a_guest_is_shut_down_also_where_no_process_can_be_made)
{
	struct error err = {};
	int status = -1, qemufd = pidfd_open(getpid(), 0);
	if (qemufd < 0)
		SKIP("there is no pidfd_open(2)");
	close(qemufd);
	pid_t qemu = getpid(), pid = fork();
	if (pid == 0) {
		const struct ready ready = { .when = VM_READY_AGENT };
		const struct plan plan = { .machine = "web" };
		const struct await_ready request = {
			.ready = &ready, .plan = &plan, .main_pid = qemu
		};
		if (!forbid_processes())
			_exit(1);
		if (await_ready_begin(&err) == 0)
			(void)!await_ready(&request, &err);
		_exit(2);
	}
	CHECK_INT(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 1)
		SKIP("processes can't be forbidden here");
	CHECK(WIFEXITED(status));
	CHECK_INT(WEXITSTATUS(status), BECAME_SHUTDOWN);
}

TEST_MAIN()

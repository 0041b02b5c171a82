/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loans as files, and the lock of devices that may be lent. */
#include "host/device/loan.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "host/os/clock.h"
#include "scratch.h"
#include "test.h"

/* In place of the C library's: a second is SPEED of them. */
#define SPEED 50

int clock_gettime(clockid_t clock, struct timespec *ret)
{
	int r = (int)syscall(SYS_clock_gettime, clock, ret);
	int64_t nsec = (int64_t)ret->tv_nsec * SPEED;
	ret->tv_sec = ret->tv_sec * SPEED + nsec / 1000000000;
	ret->tv_nsec = nsec % 1000000000;
	return r;
}

/* Another machine has it for so long. Returns when it has. */
static pid_t hold(const struct device_host *host, unsigned seconds)
{
	int ready[2];
	char byte;
	CHECK_INT(pipe(ready), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct lock lock = {};
		if (loan_lock(host, &lock, NULL) < 0 || write(ready[1], "", 1) != 1)
			_exit(1);
		poll(NULL, 0, (int)seconds * 1000 / SPEED);
		lock_done(&lock);
		_exit(0);
	}
	close(ready[1]);
	CHECK_INT(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

/* A card may need a minute for its virtual functions. */
TEST(a_start_waits_for_another_one_that_makes_functions)
{
	scratch_begin();
	const struct device_host host = { .lock_dir = scratch_path("") };
	struct lock lock = {};
	struct error err = {};
	pid_t pid = hold(&host, 62);
	if (loan_lock(&host, &lock, &err) < 0)
		TEST_FAIL("%s", err.text);
	lock_done(&lock);
	CHECK_INT(waitpid(pid, NULL, 0), pid);
	scratch_end();
}

/* And not forever: systemd would end the hook, and nobody were told why. */
TEST(who_keeps_it_too_long_is_named)
{
	scratch_begin();
	const struct device_host host = { .lock_dir = scratch_path("") };
	struct lock lock = {};
	struct error err = {};
	pid_t pid = hold(&host, 100 * SPEED);
	CHECK_INT(loan_lock(&host, &lock, &err), -EBUSY);
	CLEANUP(freep) char *who = xasprintf("is held by process %d ('", pid);
	if (!strstr(err.text, who))
		TEST_FAIL("%s", err.text);
	kill(pid, SIGKILL);
	CHECK_INT(waitpid(pid, NULL, 0), pid);
	scratch_end();
}

/* ---- files ---- */

static void put_loan(const char *device, const char *text)
{
	CLEANUP(freep) char *name = xasprintf("run/.%s", device);
	put_file(name, text);
}

static struct device_host begin(void)
{
	scratch_begin();
	put_loan("pci:a", "machine=web\nfor=device gpu\nfunction=0\n");
	put_loan("pci:b", "machine=web\nfor=device net\n");
	put_loan("pci:c", "machine=mail\nfor=device gpu\n");
	put_loan("pci:d", "machine=web\n");
	put_loan("pci:e", "");
	put_loan("usb:a", "machine=web\nfor=device gpu\n");
	put_file("run/web", "no loan");
	return (struct device_host){ .lock_dir = xstrdup(scratch_path("run")) };
}

static void end(struct device_host *host)
{
	free((void *)(uintptr_t)host->lock_dir);
	scratch_end();
}

static void check_list(const struct device_host *host, const char *machine, const char *owner,
		const char *expected)
{
	CLEANUP(strv_done) struct strv devices = {};
	CLEANUP(buf_done) struct buf text = {};
	struct error err = {};
	CHECK_INT(loan_list(host, LOAN_PCI, machine, owner, &devices, &err), 0);
	for (size_t i = 0; i < devices.n; i++)
		buf_printf(&text, "%s ", devices.items[i]);
	CHECK_STR(buf_text(&text), expected);
}

TEST(loans_are_found_by_machine_and_by_what_they_are_for)
{
	struct device_host host = begin();
	check_list(&host, NULL, NULL, "pci:a pci:b pci:c pci:d pci:e ");
	check_list(&host, "web", NULL, "pci:a pci:b pci:d ");
	check_list(&host, NULL, "device gpu", "pci:a pci:c ");
	check_list(&host, "web", "device gpu", "pci:a ");
	check_list(&host, "we", NULL, "");
	end(&host);
}

TEST(what_is_set_aside_is_for_nothing_and_stays_the_machines)
{
	struct device_host host = begin();
	struct error err = {};
	CHECK_INT(loan_set_aside(&host, "pci:a", &err), 0);
	check_file("run/.pci:a", "machine=web\nfunction=0\n");
	/* Nothing is lent by it. */
	CHECK_INT(loan_set_aside(&host, "pci:x", &err), 0);
	CHECK_INT(mode_at("run/.pci:x"), 0);
	end(&host);
}

TEST(what_the_config_does_not_name_any_more_is_set_aside)
{
	struct device_host host = begin();
	CLEANUP(strv_done) struct strv owners = {};
	struct error err = {};
	strv_push(&owners, "device net");
	CHECK_INT(loan_keep(&host, LOAN_PCI, "web", &owners, &err), 0);
	check_file("run/.pci:a", "machine=web\nfunction=0\n");
	check_file("run/.pci:b", "machine=web\nfor=device net\n");
	check_file("run/.pci:c", "machine=mail\nfor=device gpu\n");
	check_file("run/.usb:a", "machine=web\nfor=device gpu\n");
	end(&host);
}

TEST(a_value_is_replaced_or_goes)
{
	struct device_host host = begin();
	CLEANUP(loan_done) struct loan loan = {};
	struct error err = {};
	CHECK_INT(loan_read(&host, "pci:x", &loan, &err), 1);
	CHECK_INT(loan_read(&host, "pci:a", &loan, &err), 0);
	loan_put(&loan, "machine", "mail");
	loan_put(&loan, "function", NULL);
	loan_put(&loan, "function-of", "b");
	CHECK_STR(loan_get(&loan, "machine"), "mail");
	CHECK(!loan_get(&loan, "function"));
	CHECK(!loan_get(&loan, "mach"));
	CHECK_INT(loan_write(&host, "pci:a", &loan, &err), 0);
	check_file("run/.pci:a", "for=device gpu\nmachine=mail\nfunction-of=b\n");
	CHECK_INT(loan_end(&host, "pci:a", &err), 0);
	CHECK_INT(loan_end(&host, "pci:a", &err), 0);
	CHECK_INT(loan_read(&host, "pci:a", &loan, &err), 1);
	end(&host);
}

TEST(nobody_gets_what_another_has)
{
	static const struct {
		const char *device, *machine, *owner;
		const char *text; /* NULL: it is free */
	} table[] = {
		{ "pci:x", "web", "device gpu", NULL },
		{ "pci:a", "web", "device gpu", NULL },
		{ "pci:a", "web", NULL, NULL },
		{ "pci:d", "web", "device gpu", NULL },
		{ "pci:e", "mail", "device gpu", NULL },
		{ "pci:a", "web", "device net", "A is another device of this machine" },
		{ "pci:a", "mail", "device gpu",
				"A is lent to machine 'web' ('machina teardown web' gives it back "
				"if that does not run)" },
		{ "pci:d", "mail", NULL,
				"A is lent to machine 'web' ('machina teardown web' gives it back "
				"if that does not run)" },
	};
	struct device_host host = begin();
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct error err = {};
		CHECK_INT(loan_check(&host, table[i].device, "A", table[i].machine, table[i].owner,
					  &err),
				table[i].text ? -EBUSY : 0);
		if (table[i].text)
			CHECK_STR(err.text, table[i].text);
	}
	end(&host);
}

/* Two of three fail. */
static int give_back(const struct device_host *host, const char *device, struct error *err)
{
	if (!strcmp(device, "pci:b"))
		return loan_end(host, device, err);
	return error_set(err, !strcmp(device, "pci:d") ? EIO : EBUSY, "%s stays", device);
}

TEST(all_is_given_back_that_can_be)
{
	struct device_host host = begin();
	CLEANUP(strv_done) struct strv failures = {};
	CHECK_INT(loan_give_back(&host, LOAN_PCI, "web", give_back, &failures), -EIO);
	CHECK_INT(failures.n, 2);
	CHECK_STR(failures.items[0], "pci:d stays");
	CHECK_STR(failures.items[1], "pci:a stays");
	check_list(&host, "web", NULL, "pci:a pci:d ");
	end(&host);
}

TEST(one_that_cannot_be_read_keeps_no_other)
{
	struct device_host host = begin();
	CLEANUP(strv_done) struct strv failures = {};
	CHECK_INT(mkdir(scratch_path("run/.pci:bad"), 0755), 0);
	CHECK_INT(loan_give_back(&host, LOAN_PCI, "web", loan_end, &failures), -EINVAL);
	CHECK_INT(failures.n, 1);
	CHECK_INT(mode_at("run/.pci:a"), 0);
	CHECK_INT(mode_at("run/.pci:b"), 0);
	CHECK(mode_at("run/.pci:c") != 0);
	CHECK_INT(mode_at("run/.pci:d"), 0);
	end(&host);
}

TEST(some_reasons_are_told_and_how_many_more)
{
	CLEANUP(strv_done) struct strv reasons = {};
	struct error err = {};
	strv_push(&reasons, "a");
	CHECK_INT(loan_refuse("card", &reasons, &err), -ENODEV);
	CHECK_STR(err.text, "a");
	for (int i = 0; i < 3; i++)
		strv_push(&reasons, "b");
	CHECK_INT(loan_refuse("card", &reasons, &err), -ENODEV);
	CHECK_STR(err.text, "no card is free: a; b; b; b");
	strv_push(&reasons, "c");
	CHECK_INT(loan_refuse("card", &reasons, &err), -ENODEV);
	CHECK_STR(err.text, "no card is free: a; b; b; b; and 1 more");
}

TEST_MAIN()

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lends PCI devices of the running kernel to a machine, and gives them back:
 *	lend take MACHINE ROW...	bind them, print their addresses
 *	lend look MACHINE ROW...	could the first be lent?
 *	lend back MACHINE
 * Rows are those of plans ("pci name=disk class=disk"). What fails is printed. */
#include <stdio.h>
#include <string.h>

#include "host/device/pci.h"
#include "util/mem.h"

static const struct device_host host = {
	.sys = "/sys",
	.dev = "/dev",
	.proc = "/proc",
	.udev = "/run/udev",
	.lock_dir = "/run/machina",
};

static int make_plan(char **rows, int n, const char *machine, struct plan *ret, struct error *err)
{
	CLEANUP(freep)
	char *first = xasprintf("machine name=%s user=root run-dir=/run/machina/%s "
				"socket-dir=/run/s",
			machine, machine);
	int r = 0;
	for (int i = -1; r == 0 && i < n; i++) {
		CLEANUP(strv_done) struct strv words = {};
		CLEANUP(freep) char *copy = xstrdup(i < 0 ? first : rows[i]);
		char *rest = copy;
		for (char *word; (word = strsep(&rest, " "));)
			strv_push(&words, word);
		r = plan_parse_row(ret, &words, err);
	}
	return r < 0 ? r : plan_parse_end(ret, err);
}

static int take(const struct plan *plan, struct error *err)
{
	CLEANUP(strv_done) struct strv addresses = {};
	int r = 0;
	for (size_t i = 0; r == 0 && i < plan->n_pcis; i++)
		r = pci_lend(&host, plan, i, err);
	for (size_t i = 0; r == 0 && i < plan->n_pcis; i++)
		r = pci_bind(&host, plan, i, 64000, &addresses, err);
	for (size_t i = 0; r == 0 && i < addresses.n; i++)
		printf("%s%s", i ? " " : "", addresses.items[i]);
	if (r == 0)
		putchar('\n');
	return r;
}

static int back(const char *machine)
{
	CLEANUP(strv_done) struct strv failures = {};
	int r = pci_give_back(&host, machine, &failures);
	for (size_t i = 0; i < failures.n; i++)
		puts(failures.items[i]);
	return r;
}

int main(int argc, char **argv)
{
	CLEANUP(plan_done) struct plan plan = {};
	struct error err = {};
	if (argc < 3)
		return 2;
	if (!strcmp(argv[1], "back"))
		return back(argv[2]) < 0;
	int r = make_plan(argv + 3, argc - 3, argv[2], &plan, &err);
	if (r == 0)
		r = !strcmp(argv[1], "take") ? take(&plan, &err) : pci_look(&host, &plan, 0, &err);
	if (r < 0)
		puts(err.text);
	return r < 0;
}

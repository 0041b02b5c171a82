/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What hooks do, for units of test-hook:
 *
 *	hook store NAME=FILE...		store files, the first one as descriptor 3
 *	hook forget NAME...		take them back, and wait until that is done
 *	hook account USER		print its numbers
 *	hook links			print the interfaces here, and those of the host's network
 */
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "host/os/account.h"
#include "host/os/clock.h"
#include "host/os/netns.h"
#include "host/systemd/fdstore.h"
#include "util/mem.h"

#define LIMIT_USEC (20 * USEC_PER_SEC)

static int open_store(struct fdstore *ret, struct error *err)
{
	return fdstore_open(getenv("NOTIFY_SOCKET"), ret, err);
}

static int store(char **words, size_t n, struct error *err)
{
	CLEANUP(fdstore_done) struct fdstore store = {};
	CLEANUP(freep) int *fds = xcalloc(n + 1, sizeof(*fds));
	CLEANUP(freep) const char **names = xcalloc(n + 1, sizeof(*names));

	for (size_t i = 0; i < n; i++) {
		char *equals = strchr(words[i], '=');
		if (!equals)
			return error_set(err, EINVAL, "'%s' is not NAME=FILE", words[i]);
		*equals = '\0';
		names[i] = words[i];
		fds[i] = open(equals + 1, O_RDONLY | O_CLOEXEC);
		if (fds[i] < 0)
			return error_errno(err, "cannot open '%s'", equals + 1);
	}
	int r = open_store(&store, err);
	return r < 0 ? r : fdstore_push_all(&store, fds, names, n, err);
}

static int forget(char **words, size_t n, struct error *err)
{
	CLEANUP(fdstore_done) struct fdstore store = {};
	int r = open_store(&store, err);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = fdstore_remove(&store, words[i], err);
	return r < 0 ? r : fdstore_barrier(&store, clock_deadline_usec(LIMIT_USEC), err);
}

static int account(char **words, size_t n, struct error *err)
{
	struct account a;
	int r = n ? account_find(words[0], &a, err) : -EINVAL;
	if (r == 0)
		printf("account %u %u\n", a.uid, a.gid);
	return r;
}

static void print_links(const char *where)
{
	struct if_nameindex *all = if_nameindex();
	printf("%s", where);
	for (struct if_nameindex *i = all; i && i->if_index; i++)
		printf(" %s", i->if_name);
	printf("\n");
	if_freenameindex(all);
}

static int links(char **words, size_t n, struct error *err)
{
	(void)words, (void)n;
	print_links("here");
	struct netns outside = {};
	int r = netns_enter(NETNS_HOST, &outside, err);
	if (r < 0)
		return r;
	print_links("host");
	netns_done(&outside);
	print_links("back");
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(char **words, size_t n, struct error *err);
	} verbs[] = {
		{ "store", store },
		{ "forget", forget },
		{ "account", account },
		{ "links", links },
	};
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(verbs); i++) {
		struct error err = {};
		if (strcmp(argv[1], verbs[i].name) != 0)
			continue;
		if (verbs[i].run(argv + 2, (size_t)argc - 2, &err) == 0)
			return 0;
		fprintf(stderr, "hook: %s\n", err.text);
		return 1;
	}
	return 2;
}

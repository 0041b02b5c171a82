/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Has a DHCP server an address left for a guest that comes anew? It says in the journal alone that
 * it has none, and the guest says that nobody answers.
 */
#include "host/doctor/doctor-lease.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "util/file.h"
#include "util/mem.h"

/* Nobody fills a larger one. */
#define RANGE_MAX 65536
#define LEASES_SIZE_MAX ((size_t)16 * 1024 * 1024)

/* A range, and which of its addresses are given away. */
struct range {
	uint32_t first, n;
	uint32_t n_taken;
	bool *taken;
};

static void range_done(struct range *range)
{
	free(range->taken);
}

static bool read_range(const char *text, struct range *ret)
{
	char first[INET_ADDRSTRLEN], last[INET_ADDRSTRLEN];
	struct in_addr a, b;
	if (!text || sscanf(text, "%15[0-9.]-%15[0-9.]", first, last) != 2 ||
			inet_pton(AF_INET, first, &a) != 1 || inet_pton(AF_INET, last, &b) != 1 ||
			ntohl(b.s_addr) < ntohl(a.s_addr) ||
			ntohl(b.s_addr) - ntohl(a.s_addr) >= RANGE_MAX)
		return false;
	*ret = (struct range){ .first = ntohl(a.s_addr),
		.n = ntohl(b.s_addr) - ntohl(a.s_addr) + 1 };
	ret->taken = xcalloc(ret->n, sizeof(*ret->taken));
	return true;
}

static void take(struct range *range, const char *ip)
{
	struct in_addr address;
	if (inet_pton(AF_INET, ip, &address) != 1 || ntohl(address.s_addr) < range->first ||
			ntohl(address.s_addr) - range->first >= range->n)
		return;
	bool *taken = &range->taken[ntohl(address.s_addr) - range->first];
	range->n_taken += !*taken;
	*taken = true;
}

static void take_reserved(const struct doctor *d, const char *network, struct range *range)
{
	for (size_t i = 0; i < d->n_machines; i++) {
		const struct vm *vm = d->machines[i].vm;
		for (size_t k = 0; k < vm->n_nics; k++)
			for (size_t a = 0; a < vm->nics[k].ip.n; a++)
				if (!strcmp(vm->nics[k].network, network))
					take(range, vm->nics[k].ip.items[a]);
	}
}

/* As dnsmasq writes it: "UNTIL MAC IP NAME CLIENT", a line each; 0 is for ever. */
static void take_lent(const char *path, struct range *range)
{
	CLEANUP(buf_done) struct buf text = {};
	struct error err = {};
	/* Nobody was here yet. */
	if (file_read(path, LEASES_SIZE_MAX, &text, &err) < 0)
		return;
	CLEANUP(freep) char *copy = buf_take(&text);
	char *rest = copy;
	time_t now = time(NULL);
	for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
		char ip[INET_ADDRSTRLEN];
		long long until;
		if (sscanf(line, "%lld %*s %15[0-9.]", &until, ip) == 2 &&
				(until == 0 || until > (long long)now))
			take(range, ip);
	}
}

void doctor_check_leases(struct doctor *d, const struct network_conf *conf)
{
	CLEANUP(range_done) struct range range = {};
	if (!d->state_dir || !read_range(conf->dhcp.range, &range))
		return;
	CLEANUP(freep)
	char *path = xasprintf("%s-network/%s/leases", d->state_dir, conf->name);
	take_reserved(d, conf->name, &range);
	take_lent(path, &range);
	if (range.n_taken < range.n)
		return;
	doctor_add(d, DOCTOR_WARNING,
			"network '%s' has no address left: all of %s are lent or reserved",
			conf->name, conf->dhcp.range);
	doctor_why(d, "a guest that comes anew, or from another MAC address, gets none");
	doctor_cure(d, "cat %s   # until when (in seconds since 1970), and to whom",
			doctor_quote(d, path));
	doctor_cure(d, "# make its \"range\" larger, then:");
	doctor_cure(d, "# machina generate --all && systemctl restart machina-network-%s.service",
			doctor_quote(d, conf->name));
}

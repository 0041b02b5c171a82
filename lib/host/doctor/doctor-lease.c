/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Has a DHCP server an address left for a guest that comes anew? It says in the journal alone that
 * it has none, and the guest says that nobody answers. And whose are those that ports lead to?
 */
#include "host/doctor/doctor-lease.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "model/filter.h"
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

/* With or without the length of a prefix, as machines have it. */
static bool read_ipv4(const char *text, uint32_t *ret)
{
	struct fw_range range;
	enum fw_family family;
	if (!text || !fw_address_read(text, &range, &family) || family != FW_IPV4)
		return false;
	*ret = 0;
	for (size_t i = 0; i < fw_address_size(FW_IPV4); i++)
		*ret = *ret << 8 | range.first[i];
	return true;
}

/* False also for "static", which is no range. */
static bool read_ends(const char *text, uint32_t *ret_first, uint32_t *ret_last)
{
	char first[INET_ADDRSTRLEN], last[INET_ADDRSTRLEN];
	return text && sscanf(text, "%15[0-9.]-%15[0-9.]", first, last) == 2 &&
	       read_ipv4(first, ret_first) && read_ipv4(last, ret_last) && *ret_last >= *ret_first;
}

static bool read_range(const char *text, struct range *ret)
{
	uint32_t first, last;
	if (!read_ends(text, &first, &last) || last - first >= RANGE_MAX)
		return false;
	*ret = (struct range){ .first = first, .n = last - first + 1 };
	ret->taken = xcalloc(ret->n, sizeof(*ret->taken));
	return true;
}

static void take(struct range *range, const char *ip)
{
	uint32_t address;
	if (!read_ipv4(ip, &address) || address < range->first ||
			address - range->first >= range->n)
		return;
	bool *taken = &range->taken[address - range->first];
	range->n_taken += !*taken;
	*taken = true;
}

/* Returns whether a machine of the network has no address that is reserved for it. */
static bool take_reserved(const struct doctor *d, const char *network, struct range *range)
{
	bool has_other = false;
	for (size_t i = 0; i < d->n_machines; i++) {
		const struct vm *vm = d->machines[i].vm;
		for (size_t k = 0; k < vm->n_nics; k++) {
			const struct vm_nic *nic = &vm->nics[k];
			uint32_t address;
			bool has_one = strcmp(nic->network, network) != 0;
			for (size_t a = 0; !strcmp(nic->network, network) && a < nic->ip.n; a++) {
				take(range, nic->ip.items[a]);
				has_one |= read_ipv4(nic->ip.items[a], &address);
			}
			has_other |= !has_one;
		}
	}
	return has_other;
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
	bool has_other = take_reserved(d, conf->name, &range);
	/* As large as it has to be: each machine has its own. */
	if (range.n_taken == range.n && !has_other)
		return;
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

static bool is_of_machine(const struct doctor *d, const char *network, uint32_t wanted)
{
	for (size_t i = 0; i < d->n_machines; i++) {
		const struct vm *vm = d->machines[i].vm;
		for (size_t k = 0; k < vm->n_nics; k++) {
			const struct vm_nic *nic = &vm->nics[k];
			uint32_t address;
			for (size_t a = 0; !strcmp(nic->network, network) && a < nic->ip.n; a++)
				if (read_ipv4(nic->ip.items[a], &address) && address == wanted)
					return true;
		}
	}
	return false;
}

/*
 * An address that is lent to anybody is today's guest's, and where none but reserved ones are
 * given, one that is reserved for none is nobody's. Others guests may have set up by themselves.
 */
static bool is_given(const struct network_conf *conf, uint32_t address)
{
	uint32_t first, last;
	return !strcmp(conf->dhcp.range, "static") ||
	       (read_ends(conf->dhcp.range, &first, &last) && address >= first && address <= last);
}

void doctor_check_targets(struct doctor *d, const struct network_conf *conf)
{
	const struct forward_conf *forwards = conf->forward.items;
	if (!conf->dhcp.range || d->is_partial || d->lacks_machines)
		return;
	for (size_t i = 0; i < conf->forward.n; i++) {
		const struct forward_conf *forward = &forwards[i];
		uint32_t to;
		if (!read_ipv4(forward->to, &to) || !is_given(conf, to) ||
				is_of_machine(d, conf->name, to))
			continue;
		doctor_add(d, DOCTOR_WARNING,
				"the host's %s port %d leads to '%s', which no machine has",
				forward->protocol == FORWARD_UDP ? "UDP" : "TCP",
				(int)forward->port, forward->to);
		doctor_why(d,
				"unless a guest of network '%s' takes that address by itself, "
				"nobody answers",
				conf->name);
		doctor_cure(d,
				"# \"ip\": \"%s\" in the connection of the machine that is meant, "
				"or its address as \"to\"",
				forward->to);
	}
}

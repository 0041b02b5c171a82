/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What two networks of a host can't both have. */
#include <string.h>

#include "json/jlocate.h"
#include "model/network.h"
#include "util/mem.h"

/* A network and another one that came before it. */
struct pair {
	const struct host *host;
	const struct network_conf *conf, *other;
	struct report *report;
};

static void report(const struct pair *p, const char *key, const char *what)
{
	CLEANUP(buf_done) struct buf at = {};
	buf_puts(&at, "/network");
	jpointer_push(&at, p->conf->name);
	jpointer_push(&at, key);
	if (p->conf == p->other)
		host_report(p->host, p->report, SEVERITY_ERROR, buf_text(&at),
				"this network has %s twice", what);
	else
		host_report(p->host, p->report, SEVERITY_ERROR, buf_text(&at),
				"network '%s' has %s, too", p->other->name, what);
}

static void check_bridges(const struct pair *p)
{
	if (!p->conf->device || !p->other->device || !p->conf->device[0] ||
			strcmp(p->conf->device, p->other->device) != 0)
		return;
	CLEANUP(freep) char *what = xasprintf("the bridge '%s'", p->conf->device);
	report(p, "device", what);
}

static bool overlap(const struct network_address *a, const struct network_address *b)
{
	size_t size = fw_address_size(a->family);
	return a->family == b->family && memcmp(a->block.first, b->block.last, size) <= 0 &&
	       memcmp(b->block.first, a->block.last, size) <= 0;
}

static void check_addresses(const struct pair *p)
{
	CLEANUP(arena_done) struct arena arena = {};
	for (size_t i = 0; i < p->conf->address.n; i++)
		for (size_t k = 0; k < p->other->address.n; k++) {
			struct network_address a, b;
			network_address_read(p->conf->address.items[i], &arena, &a);
			network_address_read(p->other->address.items[k], &arena, &b);
			if (!a.ip || !b.ip || !overlap(&a, &b))
				continue;
			CLEANUP(freep)
			char *what = xasprintf("addresses of %s", p->conf->address.items[i]);
			report(p, "address", what);
		}
}

static bool has_text(const char *text)
{
	return text && text[0];
}

/* Ports of user mode are sockets of a machine's QEMU: they are compared with all others. */
static void check_forwards(const struct pair *p)
{
	const struct forward_conf *ours = p->conf->forward.items, *theirs = p->other->forward.items;
	for (size_t i = 0; i < p->conf->forward.n; i++)
		for (size_t k = 0; k < p->other->forward.n; k++) {
			const struct forward_conf *a = &ours[i], *b = &theirs[k];
			bool same_address = network_forward_is_any(a->address) ||
					    network_forward_is_any(b->address) ||
					    !strcmp(a->address, b->address);
			bool same_family = !has_text(a->to) || !has_text(b->to) ||
					   !strchr(a->to, ':') == !strchr(b->to, ':');
			bool is_udp = a->protocol == FORWARD_UDP;
			if ((p->conf == p->other && i <= k) || a->port != b->port ||
					!same_address || !same_family ||
					is_udp != (b->protocol == FORWARD_UDP))
				continue;
			CLEANUP(freep)
			char *what = xasprintf("the host's %s port %d", is_udp ? "UDP" : "TCP",
					(int)a->port);
			report(p, "forward", what);
		}
}

void networks_check(const struct host *host, struct report *report_to)
{
	const struct network_conf *items = host->conf.network.items;
	for (size_t i = 0; i < host->conf.network.n; i++) {
		struct pair p = { .host = host, .conf = &items[i], .report = report_to };
		for (size_t k = 0; k <= i; k++) {
			p.other = &items[k];
			bool owns = network_owns_bridge(p.conf->mode);
			bool other_owns = network_owns_bridge(p.other->mode);
			if (i != k && (owns || other_owns))
				check_bridges(&p);
			if (i != k && owns && other_owns)
				check_addresses(&p);
			if (owns && other_owns)
				check_forwards(&p);
		}
	}
}

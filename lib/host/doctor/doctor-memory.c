/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory: that of the host against that of the guests which start with it; huge pages. */
#include <string.h>

#include "host/doctor/doctor.h"

static bool is_up_or_enabled(const struct doctor_machine *m)
{
	return m->enabled || m->running;
}

/* The machine of the group to do without next, that has most memory: of what is down, if there is
 * one, nobody misses anything. */
static const struct doctor_machine *find_next(
		const struct doctor *d, const struct strv *names, const struct strv *chosen)
{
	const struct doctor_machine *found = NULL;
	for (size_t i = 0; i < d->n_machines; i++) {
		const struct doctor_machine *m = &d->machines[i];
		if (!strv_contains(names, m->vm->name) || strv_contains(chosen, m->vm->name))
			continue;
		if (!found || (found->running && !m->running) ||
				(found->running == m->running &&
						m->vm->memory.ram_mib > found->vm->memory.ram_mib))
			found = m;
	}
	return found;
}

/* As many as it takes for @excess_mib. */
static void cure_memory(struct doctor *d, const struct strv *names, uint64_t excess_mib)
{
	CLEANUP(strv_done) struct strv chosen = {}, disable = {}, stop = {};
	const struct doctor_machine *m;
	uint64_t sum_mib = 0;
	while (sum_mib < excess_mib && (m = find_next(d, names, &chosen))) {
		sum_mib += (uint64_t)m->vm->memory.ram_mib;
		strv_push(&chosen, m->vm->name);
		if (m->enabled)
			strv_push(&disable, m->vm->name);
		if (m->running)
			strv_push(&stop, m->vm->name);
	}
	if (disable.n)
		doctor_cure(d, "machina disable%s", doctor_words(d, &disable));
	if (stop.n)
		doctor_cure(d, "machina stop%s", doctor_words(d, &stop));
	doctor_cure(d, "# or give guests less: \"memory\": { \"ram\": MIB }");
}

static void tell_memory(struct doctor *d, const struct doctor_group *group, uint64_t excess_mib,
		const char *what)
{
	doctor_add(d, DOCTOR_WARNING, "%s", what);
	doctor_why(d, "when guests use all that they have, the kernel kills one of them: %s",
			doctor_machines(d, &group->names));
	cure_memory(d, &group->names, excess_mib);
}

/* Somebody may have thought of another unit than MiB. */
static void check_giants(struct doctor *d, uint64_t total_mib)
{
	for (size_t i = 0; i < d->n_machines; i++) {
		const struct vm *vm = d->machines[i].vm;
		if (vm->memory.hugepages || (uint64_t)vm->memory.ram_mib <= total_mib)
			continue;
		doctor_add(d, DOCTOR_WARNING,
				"machine '%s' has %lld MiB of memory, and the host %llu", vm->name,
				(long long)vm->memory.ram_mib, (unsigned long long)total_mib);
		doctor_about(d, vm->name);
		doctor_why(d, "QEMU may not start, or the kernel may kill it");
		doctor_cure(d, "machina explain %s /attrs/memory/ram", doctor_quote(d, vm->name));
	}
}

void doctor_check_memory(struct doctor *d)
{
	CLEANUP(doctor_group_done) struct doctor_group all = {};
	CLEANUP(doctor_group_done) struct doctor_group down = {};
	uint64_t all_mib = 0, down_mib = 0;
	uint64_t total_mib = doctor_meminfo(d, "MemTotal") >> 10;
	uint64_t available_mib = doctor_meminfo(d, "MemAvailable") >> 10;
	if (!total_mib) {
		doctor_leave_out(d, "'%s/meminfo' does not tell the memory", d->proc);
		return;
	}
	for (size_t i = 0; i < d->n_machines; i++) {
		const struct doctor_machine *m = &d->machines[i];
		if (!is_up_or_enabled(m) || m->vm->memory.hugepages)
			continue;
		all_mib += (uint64_t)m->vm->memory.ram_mib;
		doctor_group_add(&all, m);
		if (m->running)
			continue;
		down_mib += (uint64_t)m->vm->memory.ram_mib;
		doctor_group_add(&down, m);
	}
	check_giants(d, total_mib);
	doctor_note(d, "%llu MiB for guests that start with the host, of %llu",
			(unsigned long long)all_mib, (unsigned long long)total_mib);
	/* What huge pages hold is not there for others. */
	uint64_t huge_mib =
			doctor_meminfo(d, "HugePages_Total") * doctor_meminfo(d, "Hugepagesize") >>
			10;
	uint64_t rest_mib = total_mib > huge_mib ? total_mib - huge_mib : 0;
	if (all_mib > rest_mib)
		tell_memory(d, &all, all_mib - rest_mib,
				arena_printf(&d->arena,
						"guests that are up or start with the host have "
						"%llu MiB of memory, the host has %llu%s",
						(unsigned long long)all_mib,
						(unsigned long long)rest_mib,
						huge_mib ? " without its huge pages" : ""));
	else if (down_mib > available_mib)
		tell_memory(d, &down, down_mib - available_mib,
				arena_printf(&d->arena,
						"guests that start with the host and are down have "
						"%llu MiB of memory, and %llu MiB are free",
						(unsigned long long)down_mib,
						(unsigned long long)available_mib));
}

/* ---- huge pages ---- */

static uint64_t pages_of(const struct vm *vm, uint64_t page_kib)
{
	return ((uint64_t)vm->memory.ram_mib * 1024 + page_kib - 1) / page_kib;
}

struct pages {
	struct doctor_group users, down;
	uint64_t all, down_need, held, largest;
};

static void pages_done(struct pages *p)
{
	doctor_group_done(&p->users);
	doctor_group_done(&p->down);
}

static void count_pages(const struct doctor *d, uint64_t page_kib, struct pages *p)
{
	for (size_t i = 0; i < d->n_machines; i++) {
		const struct doctor_machine *m = &d->machines[i];
		if (!m->vm->memory.hugepages)
			continue;
		uint64_t n = pages_of(m->vm, page_kib);
		doctor_group_add(&p->users, m);
		if (n > p->largest)
			p->largest = n;
		if (!is_up_or_enabled(m))
			continue;
		p->all += n;
		if (m->running) {
			p->held += n;
			continue;
		}
		p->down_need += n;
		doctor_group_add(&p->down, m);
	}
}

/* @total: that there are. The kernel takes what it can get for them, and leaves the rest of the
 * host without memory. */
static void cure_pages(struct doctor *d, uint64_t n, uint64_t total, uint64_t page_kib)
{
	uint64_t free_kib = doctor_meminfo(d, "MemAvailable");
	if (free_kib && (n - total) * page_kib > free_kib) {
		doctor_cure(d, "# the host has not that much memory: give guests less, \"memory\": "
			       "{ \"ram\": MIB }");
		return;
	}
	doctor_cure(d, "sysctl -w vm.nr_hugepages=%llu", (unsigned long long)n);
	doctor_cure(d, "echo 'vm.nr_hugepages = %llu' >/etc/sysctl.d/machina-hugepages.conf",
			(unsigned long long)n);
}

void doctor_check_hugepages(struct doctor *d)
{
	CLEANUP(pages_done) struct pages p = {};
	uint64_t page_kib = doctor_meminfo(d, "Hugepagesize");
	uint64_t total = doctor_meminfo(d, "HugePages_Total");
	uint64_t free_pages = doctor_meminfo(d, "HugePages_Free");
	count_pages(d, page_kib ? page_kib : 2048, &p);
	if (!p.users.names.n) {
		doctor_note(d, "no machine needs them");
		return;
	}
	if (!page_kib) {
		doctor_add(d, doctor_level_of(p.users.urgent), "this kernel has no huge pages");
		doctor_why(d, "%s cannot start", doctor_machines(d, &p.users.names));
		doctor_cure(d, "# take \"hugepages\" out of \"memory\" of these machines");
		return;
	}
	uint64_t others = total > free_pages + p.held ? total - free_pages - p.held : 0;
	uint64_t need = p.all > p.largest ? p.all : p.largest;
	doctor_note(d, "%llu of %llu pages for machines", (unsigned long long)p.all,
			(unsigned long long)total);
	if (need + others > total) {
		doctor_add(d, doctor_level_of(p.all + others > total),
				"machines need %llu huge pages of %llu KiB, and others use %llu; "
				"the host has %llu",
				(unsigned long long)need, (unsigned long long)page_kib,
				(unsigned long long)others, (unsigned long long)total);
		doctor_why(d, "QEMU does not start without its pages: %s",
				doctor_machines(d, &p.users.names));
		cure_pages(d, need + others, total, page_kib);
	} else if (p.down_need > free_pages) {
		doctor_add(d, DOCTOR_FAULT,
				"machines that start with the host and are down need %llu huge "
				"pages, and %llu are free",
				(unsigned long long)p.down_need, (unsigned long long)free_pages);
		doctor_why(d, "QEMU does not start without its pages: %s",
				doctor_machines(d, &p.down.names));
		cure_pages(d, total + p.down_need - free_pages, total, page_kib);
	}
}

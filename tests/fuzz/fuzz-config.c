/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target of the way from configs to units: the input is the host's file, drop-ins and last the
 * file of machine "web", separated by lines "---".
 *
 * Findings have a place in their file. A machine without findings has units, always the same; what
 * is read back out of them is what was put in; and the machine that is shown loads again as the
 * same.
 */
#include "fuzz/fuzz.h"

#include <string.h>

#include "config/load.h"
#include "firewall/policy.h"
#include "firewall/text.h"
#include "json/jwrite.h"
#include "model/claims.h"
#include "model/describe.h"
#include "model/explain.h"
#include "model/order.h"
#include "qemu/argv.h"
#include "unit/service.h"
#include "util/mem.h"

#define DOCS_MAX 4
#define RUN_DIR "/run/machina"

static const char separator[] = "\n---\n";

/* A machine, all the way. */
struct way {
	struct report report;
	struct machine machine;
	struct vm vm;
	struct plan plan;
	struct plan tpm_plan;
	struct plan share_plans[VM_SHARES_MAX];
	struct strv argv;
	struct units units;
};

static void way_done(struct way *w)
{
	units_done(&w->units);
	strv_done(&w->argv);
	plan_done(&w->tpm_plan);
	for (size_t i = 0; i < ARRAY_SIZE(w->share_plans); i++)
		plan_done(&w->share_plans[i]);
	plan_done(&w->plan);
	vm_done(&w->vm);
	machine_done(&w->machine);
	report_done(&w->report);
}

static void check_findings(const struct report *r)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct finding *f = &r->items[i];
		CLEANUP(buf_done) struct buf line = {};
		finding_format(f, &line);
		FUZZ_CHECK(f->file && f->line > 0 && f->column > 0 && f->text[0]);
		FUZZ_CHECK(fuzz_is_utf8(line.text, line.len) && !strchr(line.text, '\n'));
	}
}

/* The host's config and its firewall. */
struct base {
	struct host host;
	struct fw_policy policy;
};

static void base_done(struct base *base)
{
	fw_policy_done(&base->policy);
	host_done(&base->host);
}

/* A machine with findings is shown as well, and compared with others. */
static void show(const struct way *w)
{
	CLEANUP(explanation_done) struct explanation explanation = {};
	CLEANUP(claims_done) struct claims claims = {};
	CLEANUP(order_done) struct order order = {};
	CLEANUP(buf_done) struct buf text = {};
	struct error err = {};
	if (!w->machine.merged)
		return;
	FUZZ_CHECK(explain_machine(&w->machine, &w->vm, "", &explanation, &err) == 0);
	claims_add(&claims, &w->vm, true);
	order_add(&order, &w->vm, true);
	struct json_object *root = vm_describe(&w->machine, &w->vm);
	jwrite(&text, root, JWRITE_LINE);
	json_object_put(root);
}

/* Returns false when the machine has findings. */
static bool build(struct way *w, const struct base *base, const char *text, size_t len)
{
	const struct host *host = &base->host;
	CLEANUP(jdoc_done) struct jdoc doc = {};
	/* Findings leave what can be looked at, but for those that end the reading. */
	bool good = jdoc_parse("web", text, len, &doc, &w->report) == 0;
	good &= machine_take_doc(host, "web", &doc, &w->machine, &w->report) == 0;
	w->machine.has_flaws |= !good;
	if (w->machine.merged) {
		good &= vm_build(host, &w->machine, &w->vm, &w->report) == 0;
		good &= fw_check_machine(&base->policy, &w->machine, &w->vm, &w->report) == 0;
	}
	/* Where the host has faults, what is told of them is in its own report. */
	FUZZ_CHECK(host->has_flaws ? good <= !w->report.n_errors : good == !w->report.n_errors);
	if (!good || host->has_flaws) {
		show(w);
		return false;
	}
	plan_build(&w->vm, RUN_DIR, &w->plan);
	if (w->vm.tpm.enabled)
		plan_build_tpm(&w->vm, RUN_DIR, &w->tpm_plan);
	for (size_t i = 0; i < w->vm.n_shares; i++)
		plan_build_share(&w->vm, i, RUN_DIR, &w->share_plans[i]);
	good = qemu_argv(&w->vm, &w->plan, QEMU_FORM_UNIT, &w->machine, &w->report, &w->argv) == 0;
	FUZZ_CHECK(good == !w->report.n_errors);
	return good;
}

static void make_units(struct way *w)
{
	CLEANUP(strv_done) struct strv sources = {};
	struct error err = {};
	strv_push(&sources, "web");
	const struct unit_input input = {
		.vm = &w->vm,
		.plan = &w->plan,
		.tpm_plan = w->vm.tpm.enabled ? &w->tpm_plan : NULL,
		.share_plans = w->share_plans,
		.argv = &w->argv,
		.program = "/usr/bin/machina",
		.sources = &sources,
	};
	int r = units_build(&input, &w->units, &err);
	if (r < 0)
		fprintf(stderr, "%s\n", err.text);
	FUZZ_CHECK(r == 0);
}

static void check_argv(const struct strv *got, const struct strv *expected)
{
	FUZZ_CHECK(got->n == expected->n);
	for (size_t i = 0; i < got->n; i++)
		FUZZ_CHECK(!strcmp(got->items[i], expected->items[i]));
}

static void check_plan(const struct plan *got, const struct plan *expected)
{
	CLEANUP(buf_done) struct buf a = {}, b = {};
	plan_put_rows(got, &a);
	plan_put_rows(expected, &b);
	FUZZ_CHECK(buf_equal(&a, &b));
}

/* What a unit says is what it was made from. */
static void check_unit(const struct way *w)
{
	const struct unit *unit = &w->units.items[0];
	CLEANUP(unitdoc_done) struct unitdoc doc = {};
	CLEANUP(unit_exec_done) struct unit_exec exec = {};
	CLEANUP(plan_done) struct plan plan = {};
	struct error err = {};
	FUZZ_CHECK(unitfile_parse(unit->name, unit->text, unit->len, &doc, &err) == 0);
	const struct unitdoc_entry *start = unitdoc_get(&doc, "Service", "ExecStart");
	FUZZ_CHECK(start && unitfile_split_exec(start->value, &exec, &err) == 0);
	check_argv(&exec.argv, &w->argv);
	FUZZ_CHECK(unit_read_plan(unit->name, unit->text, unit->len, &plan, &err) == 0);
	check_plan(&plan, &w->plan);
}

static void check_same_units(const struct way *a, const struct way *b)
{
	FUZZ_CHECK(a->units.n == b->units.n);
	for (size_t i = 0; i < a->units.n; i++)
		FUZZ_CHECK(!strcmp(a->units.items[i].name, b->units.items[i].name) &&
				!strcmp(a->units.items[i].text, b->units.items[i].text));
}

/* The machine that is shown, without its tags, is the same machine, and is shown the same. */
static void check_described(const struct way *w, const struct base *base)
{
	CLEANUP(buf_done) struct buf first = {}, second = {};
	CLEANUP(way_done) struct way again = {};
	struct json_object *root = vm_describe(&w->machine, &w->vm);
	json_object_object_del(root, "tags");
	jwrite(&first, root, JWRITE_LINE);
	json_object_put(root);
	FUZZ_CHECK(build(&again, base, first.text, first.len));
	check_argv(&again.argv, &w->argv);
	root = vm_describe(&again.machine, &again.vm);
	jwrite(&second, root, JWRITE_LINE);
	json_object_put(root);
	FUZZ_CHECK(!strcmp(buf_text(&first), buf_text(&second)));
}

static void check_explained(const struct way *w)
{
	CLEANUP(explanation_done) struct explanation e = {};
	struct error err = {};
	FUZZ_CHECK(explain_machine(&w->machine, &w->vm, "", &e, &err) == 0);
	for (size_t i = 0; i < e.n; i++) {
		const struct explain_entry *entry = &e.items[i];
		bool counts = entry->n_origins && entry->origins[0].counts;
		FUZZ_CHECK(counts == (entry->source == EXPLAIN_SET));
	}
}

/* What comes first in the list of what is tried: kinds in their order, and among groups and rules
 * low priorities. */
static void check_order(const struct fw_entries *entries)
{
	int last = -1, last_priority = 0;
	for (size_t i = 0; i < entries->n; i++) {
		const struct fw_entry *e = &entries->items[i];
		bool is_locked = e->group && e->group->locked;
		int priority = e->group ? e->group->priority : e->rule ? e->rule->priority : 0;
		/* Groups and rules are of one rank, locked groups of one before theirs. */
		int rank = 2 * (e->kind == FW_ENTRY_RULE ? FW_ENTRY_GROUP : e->kind) + !is_locked;
		FUZZ_CHECK(rank >= last);
		FUZZ_CHECK(rank > last || priority >= last_priority);
		last = rank;
		last_priority = priority;
	}
	FUZZ_CHECK(entries->n && entries->items[entries->n - 1].kind == FW_ENTRY_DEFAULT);
}

/* A machine's filters are the same by its config and by its plan. */
static void check_filters(const struct way *w, const struct base *base)
{
	for (size_t i = 0, k = 0; i < w->vm.n_nics; i++) {
		CLEANUP(fw_port_done) struct fw_port ours = {}, planned = {};
		CLEANUP(buf_done) struct buf text = {};
		struct error err = {};
		if (w->vm.nics[i].mode == NETWORK_USER)
			continue;
		const struct plan_fd *fd = &w->plan.fds[k++];
		FUZZ_CHECK(!fd->filter == !w->vm.nics[i].filter);
		if (!fd->filter)
			continue;
		FUZZ_CHECK(fw_port_of_nic(&base->policy, &w->vm, &w->vm.nics[i], &ours, &err) == 0);
		FUZZ_CHECK(fw_port_of_plan(&base->policy, &w->plan, fd, &planned, &err) == 0);
		for (int d = 0; d < N_FW_DIRECTIONS; d++) {
			check_order(&ours.entries[d]);
			FUZZ_CHECK(ours.entries[d].n == planned.entries[d].n);
			FUZZ_CHECK(ours.defaults[d].action == planned.defaults[d].action);
		}
		for (size_t r = 0; r < fd->filter->n_rules; r++)
			fw_rule_put(&text, &fd->filter->rules[r]);
	}
}

static void run_machine(const struct base *base, const char *text, size_t len)
{
	CLEANUP(way_done) struct way first = {}, second = {};
	bool good = build(&first, base, text, len);
	check_findings(&first.report);
	FUZZ_CHECK(build(&second, base, text, len) == good);
	FUZZ_CHECK(first.report.n == second.report.n);
	if (!good)
		return;
	make_units(&first);
	make_units(&second);
	check_same_units(&first, &second);
	check_unit(&first);
	check_described(&first, base);
	check_filters(&first, base);
	check_explained(&first);

	CLEANUP(strv_done) struct strv standalone = {};
	FUZZ_CHECK(qemu_argv(&first.vm, &first.plan, QEMU_FORM_STANDALONE, &first.machine,
				   &first.report, &standalone) == 0);
	CLEANUP(claims_done) struct claims claims = {};
	claims_add(&claims, &first.vm, true);
}

/* The end of the document at @text: the next separator, or NULL if it is the last one. */
static const char *find_end(const char *text, const char *end)
{
	return end > text ? memmem(text, (size_t)(end - text), separator, strlen(separator)) : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[DOCS_MAX] = { "host", "drop1", "drop2", "drop3" };
	CLEANUP(report_done) struct report report = {};
	CLEANUP(base_done) struct base base = {};
	const char *text = (const char *)data, *end = text + size, *next;
	struct jdoc *docs = xcalloc(DOCS_MAX, sizeof(*docs));
	size_t n = 0;
	bool good = true;
	while (n < DOCS_MAX && (next = find_end(text, end))) {
		good &= jdoc_parse(names[n], text, (size_t)(next - text), &docs[n], &report) == 0;
		n++;
		text = next + strlen(separator);
	}
	if (!n)
		good = jdoc_parse(names[n++], "{}", 2, &docs[0], &report) == 0;
	good &= host_take_docs(docs, n, &base.host, &report) == 0;
	base.host.has_flaws |= !good;
	if (base.host.merged)
		host_check_tags(&base.host, &report);
	if (base.host.merged)
		base.host.has_flaws |= fw_policy_build(&base.host, &base.policy, &report) != 0;
	FUZZ_CHECK(base.host.has_flaws <= (report.n_errors > 0));
	check_findings(&report);
	if (base.host.merged)
		run_machine(&base, text, (size_t)(end - text));
	return 0;
}

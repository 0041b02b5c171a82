/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina doctor: what stands in the way of the machines of this host. */
#include <json-c/json_object.h>
#include <stdio.h>
#include <string.h>

#include "cli/output.h"
#include "cli/table.h"
#include "json/jtree.h"
#include "observe/doctor-config.h"

struct doctor_options {
	bool verbose;
	bool json;
};

struct check {
	const char *name;
	doctor_check *host;		       /* either this: of the running system */
	void (*config)(struct examination *x); /* or this: of files and units */
	bool needs_host;		       /* the host's config */
	bool needs_all;			       /* of no use for single machines */
	bool is_live;			       /* .config: not of files */
};

/* In the order in which one thing needs the other. */
static const struct check checks[] = {
	{ "config", .config = examine_config },
	{ "units", .config = examine_units },
	{ "systemd", doctor_check_systemd },
	{ "reload", doctor_check_reload },
	{ "drained", doctor_check_drained, .needs_all = true },
	{ "saved", doctor_check_saved, .needs_all = true },
	{ "kvm", doctor_check_kvm },
	{ "emulator", doctor_check_emulators },
	{ "start", doctor_check_start },
	{ "firmware", doctor_check_firmware },
	{ "tpm", doctor_check_tpm },
	{ "passt", doctor_check_passt },
	{ "cloud-init", doctor_check_cloud_init },
	{ "shares", doctor_check_shares },
	{ "pools", doctor_check_pools, .needs_host = true },
	{ "volumes", doctor_check_volumes },
	{ "space", doctor_check_space, .needs_host = true },
	{ "consoles", doctor_check_consoles },
	{ "memory", doctor_check_memory },
	{ "hugepages", doctor_check_hugepages },
	{ "devices", doctor_check_devices },
	{ "taps", doctor_check_tun },
	{ "vsock", doctor_check_vsock },
	{ "bridges", doctor_check_bridges },
	{ "connections", .config = examine_connections, .is_live = true },
	{ "networks", doctor_check_networks, .needs_host = true },
	{ "forwarding", doctor_check_forwarding },
	{ "firewall", doctor_check_firewall, .needs_host = true },
	{ "leftovers", doctor_check_links, .needs_all = true },
	{ "guests", .config = examine_guests, .is_live = true },
	{ "replaced", doctor_check_replaced },
	{ "groups", doctor_check_groups },
	{ "failed", doctor_check_failed },
};

#define RESULT_LEFT_OUT "left out"

/* What came of a check. */
struct result {
	const struct check *check;
	const char *note;
	const char *left_out;
	bool offline; /* because of --root, as asked for */
	enum doctor_level worst;
};

static void run_check(struct examination *x, const struct check *check, struct result *ret)
{
	struct doctor *d = &x->doctor;
	*ret = (struct result){ .check = check };
	doctor_begin(d, check->name);
	if (x->call->paths.offline && (!check->config || check->is_live)) {
		ret->offline = true;
		doctor_leave_out(d, "with --root only files are looked at");
	} else if (check->config) {
		check->config(x);
	} else if (check->needs_all && d->is_partial) {
		doctor_note(d, "not looked for with single machines");
	} else if (check->needs_host && !d->host) {
		doctor_leave_out(d, "the host's config has faults");
	} else {
		check->host(d);
	}
	ret->note = d->note;
	ret->left_out = d->left_out;
	ret->worst = doctor_worst(d, check->name);
}

static const char *result_name(const struct result *result)
{
	return result->left_out && result->worst == DOCTOR_OK ? RESULT_LEFT_OUT
							      : doctor_level_names[result->worst];
}

/* ---- text ---- */

static enum style style_of(enum doctor_level level)
{
	return level == DOCTOR_FAULT	 ? STYLE_BAD
	       : level == DOCTOR_WARNING ? STYLE_WARN
					 : STYLE_GOOD;
}

static void print_line(const char *indent, const char *text)
{
	fputs(indent, stdout);
	put_text(stdout, text);
	putchar('\n');
}

static void print_finding(const struct doctor_finding *f)
{
	style_begin(stdout, style_of(f->level));
	printf("%s:", doctor_level_names[f->level]);
	style_end(stdout, style_of(f->level));
	print_line(" ", f->what);
	if (f->why)
		print_line("  ", f->why);
	for (size_t i = 0; i < f->cures.n; i++)
		print_line("    ", f->cures.items[i]);
	putchar('\n');
}

/* A check may find the same of a thousand machines: what is of another kind must not drown. */
#define SHOWN_MAX 8

static void print_rest(enum doctor_level level, const char *check, size_t n)
{
	style_begin(stdout, style_of(level));
	printf("%s:", doctor_level_names[level]);
	style_end(stdout, style_of(level));
	printf(" and %zu more of check '%s'\n    machina doctor --json\n\n", n, check);
}

/* Findings of a check follow each other. */
static size_t print_level(const struct doctor *d, enum doctor_level level)
{
	size_t n = 0, n_of_check = 0;
	for (size_t i = 0; i < d->n; i++) {
		const struct doctor_finding *f = &d->findings[i];
		if (f->level == level && ++n_of_check <= SHOWN_MAX)
			print_finding(f);
		if (i + 1 < d->n && !strcmp(f->check, d->findings[i + 1].check))
			continue;
		if (n_of_check > SHOWN_MAX)
			print_rest(level, f->check, n_of_check - SHOWN_MAX);
		n += n_of_check;
		n_of_check = 0;
	}
	return n;
}

static void print_checks(const struct result *results)
{
	static const struct column columns[] = { {}, {}, {} };
	CLEANUP(table_done)
	struct table t = { .columns = columns, .n_columns = ARRAY_SIZE(columns) };
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		const struct result *r = &results[i];
		table_add(&t, r->left_out ? STYLE_DIM : style_of(r->worst), "%s", result_name(r));
		table_add(&t, STYLE_PLAIN, "%s", r->check->name);
		table_add(&t, STYLE_PLAIN, "%s",
				r->left_out			   ? r->left_out
				: r->note && r->worst == DOCTOR_OK ? r->note
								   : "");
	}
	table_print(&t, stdout);
	putchar('\n');
}

static void print_left_out(const struct result *results)
{
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		if (!results[i].left_out || results[i].offline)
			continue;
		printf("left out: %s: ", results[i].check->name);
		put_text(stdout, results[i].left_out);
		putchar('\n');
	}
}

static void print_result(const struct doctor *d, const struct result *results, bool verbose)
{
	size_t n_faults = print_level(d, DOCTOR_FAULT), n_warnings = print_level(d, DOCTOR_WARNING);
	if (verbose)
		print_checks(results);
	else
		print_left_out(results);
	if (!n_faults && !n_warnings)
		printf("nothing to complain about\n");
	else
		printf("%zu fault%s, %zu warning%s%s\n", n_faults, n_faults == 1 ? "" : "s",
				n_warnings, n_warnings == 1 ? "" : "s",
				n_warnings && doctor_is_lenient(d)
						? "; what stops a machine that is off and not "
						  "enabled is a warning"
						: "");
}

/* ---- JSON ---- */

static struct json_object *finding_json(const struct doctor_finding *f)
{
	struct json_object *o = jtree_object();
	jtree_set(o, "level", jtree_string(doctor_level_names[f->level]));
	jtree_set(o, "what", jtree_string(f->what));
	jtree_set_text(o, "why", f->why);
	jtree_set(o, "machines", jtree_strings(&f->machines));
	jtree_set(o, "commands", jtree_strings(&f->cures));
	return o;
}

static struct json_object *check_json(const struct doctor *d, const struct result *result)
{
	struct json_object *o = jtree_object(), *findings = jtree_list();
	jtree_set(o, "check", jtree_string(result->check->name));
	jtree_set(o, "result", jtree_string(result_name(result)));
	jtree_set_text(o, "left_out", result->left_out);
	jtree_set_text(o, "note", result->note);
	for (size_t i = 0; i < d->n; i++)
		if (!strcmp(d->findings[i].check, result->check->name))
			jtree_push(findings, finding_json(&d->findings[i]));
	jtree_set(o, "findings", findings);
	return o;
}

static void print_result_json(const struct doctor *d, const struct result *results)
{
	struct json_object *list = jtree_list();
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
		jtree_push(list, check_json(d, &results[i]));
	print_json(list);
	json_object_put(list);
}

static int doctor_run(const struct call *call, struct error *err)
{
	const struct doctor_options *options = call->options;
	CLEANUP(examination_done) struct examination x = {};
	struct result results[ARRAY_SIZE(checks)];
	int r = examination_begin(&x, call, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		progress_show("%s", checks[i].name);
		run_check(&x, &checks[i], &results[i]);
	}
	progress_clear();
	doctor_hold_restarts(&x.doctor);
	if (options->json)
		print_result_json(&x.doctor, results);
	else
		print_result(&x.doctor, results, options->verbose);
	return doctor_worst(&x.doctor, NULL) == DOCTOR_FAULT ? STATUS_FAILURE : STATUS_DONE;
}

static const struct option_spec options[] = {
	{ 'v', "verbose", NULL, OPT_FLAG(struct doctor_options, verbose),
			"List all checks, also those that found nothing" },
	OPTION_JSON(struct doctor_options, json),
	{},
};

static const struct example examples[] = {
	{ "machina doctor", "Look over the host, as root for all of it." },
	{ "machina doctor web", "Only web, and what it needs of the host." },
	{ "machina doctor --verbose", "List what was looked at, too." },
	{},
};

const struct command cmd_doctor = {
	.name = "doctor",
	.group = GROUP_LOOK,
	.flags = COMMAND_FILES | COMMAND_SELECTS,
	.arguments = arguments_machines_optional,
	.summary = "Look over the host: what stands in the way of its machines",
	.description = "Tries whether KVM runs guests, and looks at config, units, systemd, QEMU, "
		       "firmware, disks, memory, bridges and packet filters. Each finding says "
		       "what is wrong, what that means, and what mends it. Nothing is changed. "
		       "With MACHINE, only these machines and what they need are looked at.\n\n"
		       "What stops a machine that is up or starts with the host is a fault; the "
		       "rest are warnings. The exit status is 1 if there is a fault, else 0. "
		       "Checks that only root can do are left out for others, and say so. With "
		       "--root only config and units are looked at.",
	.options = options,
	.options_size = sizeof(struct doctor_options),
	.examples = examples,
	.run = doctor_run,
};

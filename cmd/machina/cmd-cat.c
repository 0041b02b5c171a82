/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina cat: a machine with all that its tags bring in. */
#include <inttypes.h>
#include <json-c/json_object.h>
#include <stdio.h>
#include <string.h>

#include "cli/output.h"
#include "json/jtree.h"
#include "model/describe.h"
#include "setup/built.h"
#include "setup/machines.h"
#include "util/mem.h"
#include "util/parse.h"

struct cat_options {
	bool json;
};

/* "  " for each level, the name, the value; all text through put_text(). */
static void line(unsigned level, const char *name, const char *value)
{
	printf("%*s%s: ", (int)level * 2, "", name);
	put_text(stdout, value);
	putchar('\n');
}

static void linef(unsigned level, const char *name, const char *format, ...) PRINTF(3, 4);

static void linef(unsigned level, const char *name, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	CLEANUP(freep) char *text = xvasprintf(format, ap);
	va_end(ap);
	line(level, name, text);
}

static void cat_names(const char *title, const struct jstrings *names)
{
	CLEANUP(buf_done) struct buf joined = {};
	for (size_t i = 0; i < names->n; i++)
		buf_printf(&joined, "%s%s", i ? "," : "", names->items[i]);
	if (names->n)
		line(1, title, buf_text(&joined));
}

static void cat_identity(const struct built *b)
{
	const struct vm *vm = &b->vm;
	const struct jstrings *tags = &b->machine.conf.tags;
	line(1, "Name", vm->name);
	if (vm->description[0])
		line(1, "Description", vm->description);
	if (vm->has_uuid) {
		char uuid[UUID_TEXT_MAX];
		format_uuid(vm->uuid, uuid);
		line(1, "ID", uuid);
	}
	cat_names("Tags", tags);
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct jpair *)a)->key, ((const struct jpair *)b)->key);
}

static void cat_vars(const struct built *b)
{
	const struct jpairs *vars = &b->machine.conf.vars;
	if (!vars->n)
		return;
	CLEANUP(freep) struct jpair *sorted = xcalloc(vars->n, sizeof(*sorted));
	memcpy(sorted, vars->items, vars->n * sizeof(*sorted));
	qsort(sorted, vars->n, sizeof(*sorted), by_key);
	puts("  Vars:");
	for (size_t i = 0; i < vars->n; i++)
		line(2, sorted[i].key, sorted[i].value);
}

/* "name: pool (wwn: .., serial: .., bootable)" */
static void cat_volume(unsigned level, const char *title, const struct volume_conf *conf,
		const struct vm_volume *vm)
{
	CLEANUP(buf_done) struct buf text = {};
	const char *separator = " (";
	buf_printf(&text, "%s%s%s: %s", title, title[0] ? ": " : "", conf->name ? conf->name : "",
			conf->storage ? conf->storage : "");
	/* What has findings may lack what is made from it. */
	if (vm && vm->wwn && vm->wwn[0]) {
		buf_printf(&text, "%swwn: %s", separator, vm->wwn);
		separator = ", ";
	}
	if (vm && vm->serial && vm->serial[0]) {
		buf_printf(&text, "%sserial: %s", separator, vm->serial);
		separator = ", ";
	}
	if (conf->bootable) {
		buf_printf(&text, "%sbootable", separator);
		separator = ", ";
	}
	if (vm && vm->boot != VM_BOOT_DEFAULT) {
		buf_printf(&text, "%sboot: %s", separator, volume_boot_names[conf->boot]);
		separator = ", ";
	}
	if (separator[0] == ',')
		buf_puts(&text, ")");
	printf("%*s", (int)level * 2, "");
	put_text(stdout, buf_text(&text));
	putchar('\n');
}

static void cat_processor(const struct built *b)
{
	const struct attrs_conf *attrs = &b->machine.conf.attrs;
	if (attrs->cpu.processor && attrs->cpu.processor[0])
		line(1, "Processor", attrs->cpu.processor);
	if (attrs->cpu.sockets)
		linef(1, "Sockets", "%" PRId64, attrs->cpu.sockets);
	if (attrs->cpu.cores)
		linef(1, "Cores", "%" PRId64, attrs->cpu.cores);
	if (attrs->cpu.threads)
		linef(1, "Threads Per Core", "%" PRId64, attrs->cpu.threads);
	if (attrs->memory.ram_mib)
		linef(1, "RAM", "%" PRId64 "M", attrs->memory.ram_mib);
	if (attrs->enlightenments.enabled)
		line(1, "Hyper-V Enlightenments", "Enabled");
}

/* The path of a descriptor, which a machine with findings may lack. */
static void cat_path(const char *title, const struct plan *plan, const char *name)
{
	const struct plan_fd *fd = plan_find(plan, name);
	if (fd)
		line(1, title, fd->path);
}

static void cat_tpm_and_qmp(const struct built *b)
{
	const struct attrs_conf *attrs = &b->machine.conf.attrs;
	const struct vm *vm = &b->vm;
	if (attrs->tpm.enabled) {
		line(1, "Trusted Platform Module", "Enabled");
		if (vm->tpm.data)
			cat_volume(1, "TPM Data Directory", &attrs->tpm.data, NULL);
		cat_path("TPM Socket Path", &b->tpm_plan, "control");
	}
	if (!attrs->qmp.enabled)
		return;
	line(1, "QMP", "Enabled");
	for (size_t i = 0; i < vm->n_qmp; i++) {
		CLEANUP(freep) char *name = xasprintf("qmp.%zu", i);
		cat_path("QMP Socket Path", &b->plan, name);
	}
}

static void cat_screens(const struct built *b)
{
	const struct vm *vm = &b->vm;
	if (vm->agent.enabled) {
		line(1, "QEMU Guest Agent", "Enabled");
		if (vm->agent.port)
			linef(1, "QEMU Guest Agent Port", "%u", vm->agent.port);
		else
			cat_path("QEMU Guest Agent Socket", &b->plan, "agent");
	}
	const struct {
		const struct vm_remote *remote;
		const char *name;
	} screens[] = { { &vm->spice, "Spice" }, { &vm->vnc, "VNC" } };
	for (size_t i = 0; i < ARRAY_SIZE(screens); i++) {
		if (!screens[i].remote->enabled)
			continue;
		printf("  %s Display: Enabled\n", screens[i].name);
		if (screens[i].remote->port)
			printf("  %s Port: %u\n", screens[i].name, screens[i].remote->port);
		else if (b->plan.socket_dir)
			printf("  %s Socket: %s/%s\n", screens[i].name, b->plan.socket_dir,
					i ? "vnc" : "spice");
	}
	if (vm->spice.enabled && b->machine.conf.attrs.spice_displays)
		linef(1, "Spice Display Count", "%" PRId64, b->machine.conf.attrs.spice_displays);
	if (vm->serial)
		cat_path("Console Socket", &b->plan, "console");
	if (vm->vsock.enabled)
		linef(1, "Vsock CID", "%" PRIu32, vm->vsock.cid);
}

static void cat_connection(const struct vm_nic *nic)
{
	CLEANUP(buf_done) struct buf ip = {};
	for (size_t i = 0; i < nic->ip.n; i++)
		buf_printf(&ip, "%s%s", i ? " " : "", nic->ip.items[i]);
	linef(2, nic->name, "%s (ip: %s, mac: %s)", nic->network, buf_text(&ip), nic->mac);
}

static void cat_pci(const struct vm_pci *pci)
{
	CLEANUP(buf_done) struct buf places = {};
	for (size_t i = 0; i < pci->n_candidates; i++) {
		const struct vm_pci_candidate *c = &pci->candidates[i];
		buf_puts(&places, i ? ", " : "");
		if (c->address)
			buf_puts(&places, c->address);
		else if (c->vendor && c->device)
			buf_printf(&places, "%s:%s", c->vendor, c->device);
	}
	linef(2, pci->name, "%s (%s)", pci->class_name, buf_text(&places));
}

/* "046d:c52b", "port 1-2", "046d:c52b at port 1-2" */
static void cat_usb(const struct vm_usb *usb)
{
	CLEANUP(buf_done) struct buf places = {};
	for (size_t i = 0; i < usb->n_candidates; i++) {
		const struct vm_usb_candidate *c = &usb->candidates[i];
		buf_printf(&places, "%s%s%s%s%s", i ? ", " : "", c->id ? c->id : "",
				c->id && c->port ? " at " : "", c->port ? "port " : "",
				c->port ? c->port : "");
	}
	linef(2, usb->name, "%s (%s)", usb->class_name, buf_text(&places));
}

/* "gpu: CLASS (0000:01:00.0)", in the order of the list. */
static void cat_devices(const struct vm *vm)
{
	size_t m = 0, p = 0, u = 0;
	/* Those of connections are shown there. */
	while (p < vm->n_pcis && !vm->pcis[p].class_name)
		p++;
	if (m < vm->n_mdevs || p < vm->n_pcis || u < vm->n_usbs)
		puts("  Devices:");
	for (size_t i = 0; m < vm->n_mdevs || p < vm->n_pcis || u < vm->n_usbs; i++) {
		if (m < vm->n_mdevs && vm->mdevs[m].index == i) {
			const struct vm_mdev *mdev = &vm->mdevs[m++];
			linef(2, mdev->name, "%s (%s)", mdev->class_name, mdev->uuid);
		}
		if (p < vm->n_pcis && vm->pcis[p].index == i)
			cat_pci(&vm->pcis[p++]);
		if (u < vm->n_usbs && vm->usbs[u].index == i)
			cat_usb(&vm->usbs[u++]);
	}
}

static void cat_lists(const struct built *b)
{
	const struct vm *vm = &b->vm;
	const struct volume_conf *volumes = b->machine.conf.volumes.items;
	if (vm->n_volumes)
		puts("  Volumes:");
	for (size_t i = 0; i < vm->n_volumes; i++)
		cat_volume(2, "", &volumes[i], &vm->volumes[i]);
	if (vm->n_nics)
		puts("  Connections:");
	for (size_t i = 0; i < vm->n_nics; i++)
		cat_connection(&vm->nics[i]);
	cat_devices(vm);
	if (vm->n_shares)
		puts("  Shares:");
	for (size_t i = 0; i < vm->n_shares; i++) {
		const struct vm_share *share = &vm->shares[i];
		linef(2, share->name, "%s (%s%s%s)", share->path,
				share->readonly ? "read-only" : "",
				share->readonly && share->user_exists ? ", " : "",
				share->user_exists ? share->user : "");
	}
}

/* When it starts and stops, where the config says more than nothing. */
static void cat_order(const struct built *b)
{
	const struct vm *vm = &b->vm;
	cat_names("Requires", &vm->requires);
	cat_names("After", &vm->after);
	if (vm->autostart != VM_AUTOSTART_OPEN)
		line(1, "Starts With the Host", vm->autostart == VM_AUTOSTART_YES ? "Yes" : "No");
	if (b->machine.conf.attrs.ready.when)
		linef(1, "Ready When", "%s", b->machine.conf.attrs.ready.when);
}

static void cat_text(const struct built *b)
{
	const struct attrs_conf *attrs = &b->machine.conf.attrs;
	cat_identity(b);
	cat_vars(b);
	linef(1, "File System Access Group", "%s:%u", b->vm.group_name, vm_group_id(&b->vm));
	if (volume_conf_is_named(&attrs->firmware.code))
		cat_volume(1, "Firmware Code (read-only)", &attrs->firmware.code, NULL);
	if (volume_conf_is_named(&attrs->firmware.vars))
		cat_volume(1, "Firmware Variables (read/write)", &attrs->firmware.vars, NULL);
	cat_processor(b);
	cat_tpm_and_qmp(b);
	cat_screens(b);
	cat_order(b);
	cat_lists(b);
}

/* Keys that begin so are free for notes: what is printed can still be read as a machine's file. */
static struct json_object *cat_json(const struct built *b)
{
	struct json_object *described = vm_describe(&b->machine, &b->vm);
	if (b->plan.machine)
		jtree_set(described, "x-stop-sec", jtree_int(b->plan.stop_sec));
	return described;
}

static int cat_run(const struct call *call, struct error *err)
{
	const struct cat_options *options = call->options;
	CLEANUP(config_done) struct config config = {};
	CLEANUP(strv_done) struct strv names = {};
	size_t n_failed = 0, n_shown = 0;
	int r = config_load(&config, &call->paths, err);
	if (r == 0)
		r = machines_select(call, &config.report, &names, err);
	if (r < 0) {
		print_report(stderr, &config.report);
		return r;
	}

	const bool one = machines_are_one(call);
	struct json_object *all = jtree_object();
	for (size_t i = 0; i < names.n; i++) {
		CLEANUP(built_done) struct built built = {};
		size_t before = config.report.n_errors_told;
		r = built_argv(&built, &config, names.items[i], QEMU_FORM_UNIT, NULL, err);
		if (r < 0)
			print_error(err);
		n_failed += r != 0 || config.report.n_errors_told > before;
		if (!built.machine.merged)
			continue;
		if (options->json)
			jtree_set(all, names.items[i], cat_json(&built));
		else if (names.n > 1)
			printf("%s----%s----\n", n_shown ? "\n" : "", names.items[i]);
		if (!options->json)
			cat_text(&built);
		n_shown++;
	}
	if (options->json && (n_shown || !one))
		print_json(one ? jtree_get(all, names.items[0]) : all);
	json_object_put(all);
	print_report(stderr, &config.report);
	return n_failed || config.report.n_errors ? STATUS_FAILURE : STATUS_DONE;
}

static const struct option_spec options[] = { OPTION_JSON(struct cat_options, json), {} };

static const struct example examples[] = {
	{ "machina cat web", "What web is, in short." },
	{ "machina cat --json web", "The merged machine as a config file would say it." },
	{},
};

const struct command cmd_cat = {
	.name = "cat",
	.group = GROUP_CONFIGURE,
	.flags = COMMAND_FILES | COMMAND_SELECTS,
	.arguments = arguments_machines,
	.summary = "Show machines with all that their tags bring in",
	.description = "With --json in the form of a config file, every derived identifier filled "
		       "in: the result can be used as a machine's file that needs no tags. "
		       "x-stop-sec is how many seconds a stop can take, for time-outs around "
		       "it. Several machines, and those of a pattern, --all or --tag, be it one "
		       "alone, become one object.\n\n"
		       "A machine whose parts don't fit together is shown as far as it goes, the "
		       "findings come with it, and the exit status is 1.",
	.options = options,
	.options_size = sizeof(struct cat_options),
	.examples = examples,
	.run = cat_run,
};

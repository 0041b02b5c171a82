/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the merged config to a machine. */
#include "model/build.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "config/forms.h"
#include "config/limits.h"
#include "json/jlocate.h"
#include "json/jtext.h"
#include "model/plan.h"
#include "util/file.h"
#include "util/mem.h"
#include "util/parse.h"

static void build_identity(struct build *b)
{
	struct vm *vm = b->vm;
	vm->name = build_text(b, b->conf->name);
	vm->description = build_text(b, b->conf->description);
	if (b->conf->id && parse_uuid(b->conf->id, vm->uuid) == 0)
		for (size_t i = 0; i < sizeof(vm->uuid); i++)
			vm->has_uuid |= vm->uuid[i] != 0;

	b->ident = (struct ident){ .machine_id = vm->uuid, .machine_name = vm->name };
	CLEANUP(freep) char *user = vm_user_name(vm->name);
	vm->user = build_text(b, user);
}

static void build_group(struct build *b)
{
	struct vm *vm = b->vm;
	const char *name = b->conf->privileges.filesystem.group.name;
	CLEANUP(freep) char *derived = ident_group_name(vm->name);
	vm->group_name = build_text(b, name && name[0] ? name : derived);
	vm->group_id = (uint32_t)b->conf->privileges.filesystem.group.id;
}

static void build_mainboard(struct build *b)
{
	const struct attrs_conf *attrs = &b->conf->attrs;
	struct vm *vm = b->vm;
	vm->machine_type = build_text(b, attrs->machine.type);
	if (!vm->machine_type[0])
		vm->machine_type = "q35";
	vm->layout = attrs->machine.layout ? (int)attrs->machine.layout : 1;
	vm->accel = attrs->machine.accel < 0 ? VM_ACCEL_KVM : (enum vm_accel)attrs->machine.accel;
	vm->spare_ports = (int)attrs->machine.spare_ports;

	const char *emulator = attrs->machine.qemu;
	if (!emulator || !emulator[0])
		emulator = "qemu-system-x86_64";
	vm->emulator = emulator[0] == '/' ? build_text(b, emulator)
					  : arena_printf(&vm->arena, "/usr/bin/%s", emulator);
}

/* The named one; else the first by name of those that are default; else the first by name. */
static const struct processor_conf *find_processor(struct build *b)
{
	const char *name = b->conf->attrs.cpu.processor;
	const struct processor_conf *items = b->host->conf.processor.items, *best = NULL;
	for (size_t i = 0; i < b->host->conf.processor.n; i++) {
		const struct processor_conf *p = &items[i];
		if (name && name[0]) {
			if (!strcmp(p->name, name))
				return p;
		} else if (!best || (p->is_default && !best->is_default) ||
				(p->is_default == best->is_default &&
						strcmp(p->name, best->name) < 0)) {
			best = p;
		}
	}
	if (name && name[0])
		build_unknown(b,
				&(struct reference){ NULL, NULL, "processor", "/attrs/cpu",
						"processor", name, "processor" },
				build_names(b, &b->host->conf.processor, sizeof(*best)),
				b->host->conf.processor.n);
	return best;
}

/*
 * -cpu is split at every comma and then at '=' (QEMU: target/i386/cpu.c,
 * x86_cpu_parse_featurestr); unlike in other options nothing can be doubled to stand for itself.
 */
static bool is_feature(const struct jpair *f)
{
	static const char name_chars[] =
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	const char *expected;
	return f->key[0] && f->key[0] != '-' && !f->key[strspn(f->key, name_chars)] &&
	       !strchr(f->value, ',') && form_text_line(f->value, &expected);
}

static void build_features(struct build *b)
{
	const struct jpairs *from = &b->conf->attrs.cpu.features;
	struct jpair *items = arena_array(&b->vm->arena, from->n, sizeof(*items));
	for (size_t i = 0; i < from->n; i++) {
		const char *value = from->items[i].value;
		items[i] = (struct jpair){
			.key = build_text(b, from->items[i].key),
			.value = !strcmp(value, "true")	   ? "on"
				 : !strcmp(value, "false") ? "off"
							   : build_text(b, value),
		};
		if (is_feature(&items[i]))
			continue;
		CLEANUP(buf_done) struct buf at = {}, key = {}, quoted = {};
		buf_puts(&at, "/attrs/cpu/features");
		jpointer_push(&at, items[i].key);
		text_quoted(&key, items[i].key);
		text_quoted(&quoted, items[i].value);
		BUILD_ERROR(b, buf_text(&at),
				"%s: %s can't be a CPU feature: a name consists of letters, "
				"digits, '-', '_' and '.', a value has neither a comma nor a "
				"control character",
				buf_text(&key), buf_text(&quoted));
	}
	b->vm->cpu.features = (struct jpairs){ .items = items, .n = from->n };
}

/* What QEMU's q35 takes has grown: 288 until 8.0, 1024 from 8.1 on, 4096 from 9.1 on. */
#define CPUS_MAX_OLD 288
#define CPUS_MAX 4096

static void check_cpu_count(struct build *b)
{
	int64_t n = vm_n_processors(b->vm);
	if (n > CPUS_MAX)
		BUILD_ERROR(b, "/attrs/cpu",
				"%" PRId64 " processors (sockets, cores and threads multiplied) "
				"are more than QEMU's %d",
				n, CPUS_MAX);
	else if (n > CPUS_MAX_OLD)
		BUILD_ADVICE(b, "/attrs/cpu",
				"%" PRId64 " processors need a newer QEMU than 8.0, which takes %d",
				n, CPUS_MAX_OLD);
}

/* "AuthenticAMD" is what /proc/cpuinfo says. */
static void advise_brand(struct build *b, const struct processor_conf *processor)
{
	CLEANUP(buf_done) struct buf at = {};
	jpointer_push(&at, "processor");
	jpointer_push(&at, processor->name);
	jpointer_push(&at, "brand");
	host_report(b->host, b->report, SEVERITY_ADVICE, buf_text(&at),
			"\"%s\" is neither \"AMD\" nor \"Intel\": guests get no CPU features that "
			"only one of these has",
			processor->brand);
}

static void build_cpu(struct build *b)
{
	const struct attrs_conf *attrs = &b->conf->attrs;
	struct vm *vm = b->vm;
	const struct processor_conf *processor = find_processor(b);
	const char *brand = processor && processor->brand ? processor->brand : "";

	vm->cpu.brand = !strcasecmp(brand, "amd")     ? VM_BRAND_AMD
			: !strcasecmp(brand, "intel") ? VM_BRAND_INTEL
						      : VM_BRAND_OTHER;
	if (brand[0] && vm->cpu.brand == VM_BRAND_OTHER)
		advise_brand(b, processor);
	vm->cpu.model = build_text(b, attrs->cpu.model);
	if (!vm->cpu.model[0])
		vm->cpu.model = vm->accel == VM_ACCEL_KVM ? "host" : "max";
	if (vm->accel != VM_ACCEL_KVM && !strcmp(vm->cpu.model, "host"))
		BUILD_ERROR(b, "/attrs/cpu/model",
				"the CPU model \"host\" needs KVM; with \"accel\": \"tcg\" use "
				"\"max\"");
	vm->cpu.sockets = (int)attrs->cpu.sockets;
	vm->cpu.cores = (int)attrs->cpu.cores;
	vm->cpu.threads = attrs->cpu.threads ? (int)attrs->cpu.threads
			  : processor	     ? (int)processor->threads
					     : 0;
	vm->cpu.enlightenments = attrs->enlightenments.enabled;
	if (vm->cpu.enlightenments && vm->accel != VM_ACCEL_KVM)
		BUILD_ERROR(b, "/attrs/enlightenments/enabled",
				"Hyper-V enlightenments need KVM, and \"accel\" is \"%s\"",
				vm_accel_names[vm->accel]);
	check_cpu_count(b);
	build_features(b);
}

static void build_memory(struct build *b)
{
	const struct attrs_conf *attrs = &b->conf->attrs;
	b->vm->memory.ram_mib = attrs->memory.ram_mib;
	b->vm->memory.hugepages = attrs->memory.hugepages;
	b->vm->memory.shared = attrs->memory.shared;
	if (!attrs->memory.ram_mib)
		BUILD_ERROR(b, "/attrs/memory/ram",
				"the machine has no memory: set \"attrs\": { \"memory\": { "
				"\"ram\": MiB } } in its file or in a tag");
}

/* A path may lead to where a socket with a name alone is. */
static bool is_socket(const struct vm *vm, const struct vm_qmp_socket *qmp, const char *path)
{
	if (qmp->path[0] || !path[0])
		return !strcmp(qmp->path, path);
	CLEANUP(freep) char *own = plan_qmp_path("/run/machina", vm->name, qmp->name);
	return !strcmp(own, path);
}

static bool has_socket(const struct vm *vm, const char *name, const char *path)
{
	for (size_t i = 0; i < vm->n_qmp; i++)
		if (path[0] ? is_socket(vm, &vm->qmp[i], path) : !strcmp(vm->qmp[i].name, name))
			return true;
	return false;
}

static void add_socket(struct vm *vm, const char *name, const char *path)
{
	if (!has_socket(vm, name, path))
		vm->qmp[vm->n_qmp++] = (struct vm_qmp_socket){ .name = name, .path = path };
}

/* Our own three come first. Customs follow as in the Go program, where they were enabled. */
static void build_qmp(struct build *b)
{
	static const char *const own[] = { "systemd.0", "command.0", "command.1" };
	const struct jstrings *names = &b->conf->attrs.qmp.sockets.names;
	const struct jstrings *paths = &b->conf->attrs.qmp.sockets.paths;
	struct vm *vm = b->vm;

	vm->qmp = arena_array(&vm->arena, ARRAY_SIZE(own) + names->n + paths->n, sizeof(*vm->qmp));
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		add_socket(vm, own[i], "");
	if (!b->conf->attrs.qmp.enabled)
		return;
	for (size_t i = 0; i < names->n; i++) {
		CLEANUP(freep) char *at = xasprintf("/attrs/qmp/sockets/names/%zu", i);
		size_t max = SOCKET_PATH_MAX - strlen("/run/machina//qmp/.qmp.socket") -
			     strlen(vm->name);
		if (strchr(names->items[i], '/') || !names->items[i][0])
			BUILD_ERROR(b, at,
					"'%s' can't be the name of a socket; use \"paths\" for a "
					"place outside the run directory",
					names->items[i]);
		else if (strlen(names->items[i]) > max)
			BUILD_ERROR(b, at,
					"the socket's name is %zu bytes long; there is room for "
					"%zu",
					strlen(names->items[i]), max);
		else
			add_socket(vm, build_text(b, names->items[i]), "");
	}
	for (size_t i = 0; i < paths->n; i++) {
		CLEANUP(freep) char *at = xasprintf("/attrs/qmp/sockets/paths/%zu", i);
		const char *path = build_socket_path(b, paths->items[i], at);
		if (path)
			add_socket(vm, path, path);
	}
}

/* Returns the port, or 0 when there is none. */
static uint16_t build_port(struct build *b, const struct port_conf *conf, const char *pointer)
{
	if (conf->port)
		return (uint16_t)conf->port;
	if (!conf->pattern || !conf->pattern[0])
		return 0;
	struct vars vars = build_port_vars(b);
	struct error err = {};
	uint16_t port = 0;
	if (vars_port(&vars, conf->pattern, &port, &err) < 0) {
		CLEANUP(freep) char *at = xasprintf("%s/port-pattern", pointer);
		BUILD_ERROR_WITH(b, "/vars", at, "%s", err.text);
	}
	return port;
}

static void build_displays(struct build *b)
{
	const struct attrs_conf *attrs = &b->conf->attrs;
	struct vm *vm = b->vm;
	vm->agent.enabled = attrs->agent.qemu.enabled;
	if (vm->agent.enabled)
		vm->agent.port = build_port(b, &attrs->agent.qemu, "/attrs/agent/qemu");
	vm->spice.enabled = attrs->spice.enabled;
	if (vm->spice.enabled)
		vm->spice.port = build_port(b, &attrs->spice, "/attrs/spice");
	vm->spice_displays = attrs->spice_displays > 4	 ? 4
			     : attrs->spice_displays < 1 ? 1
							 : (int)attrs->spice_displays;
	vm->vnc.enabled = attrs->vnc.enabled;
	if (vm->vnc.enabled)
		vm->vnc.port = build_port(b, &attrs->vnc, "/attrs/vnc");

	vm->display = attrs->display >= 0 ? (enum vm_display)attrs->display
		      : vm->spice.enabled ? VM_DISPLAY_QXL
		      : vm->vnc.enabled	  ? VM_DISPLAY_VIRTIO
					  : VM_DISPLAY_NONE;
	vm->serial = attrs->serial.enabled;
	vm->rng = attrs->rng.enabled;
	vm->balloon = attrs->balloon.enabled;
	vm->vsock.enabled = attrs->vsock.enabled;
	if (vm->vsock.enabled)
		vm->vsock.cid = attrs->vsock.cid ? (uint32_t)attrs->vsock.cid
						 : ident_cid(&b->ident);
	if (vm->vnc.port && vm->vnc.port < 5900)
		BUILD_ERROR(b, attrs->vnc.port ? "/attrs/vnc/port" : "/attrs/vnc/port-pattern",
				"the VNC port %u is below 5900, where VNC's displays begin",
				vm->vnc.port);
}

static struct jpairs copy_pairs(struct build *b, const struct jpairs *from)
{
	struct jpair *items = arena_array(&b->vm->arena, from->n, sizeof(*items));
	for (size_t i = 0; i < from->n; i++)
		items[i] = (struct jpair){ .key = build_text(b, from->items[i].key),
			.value = build_text(b, from->items[i].value) };
	return (struct jpairs){ .items = items, .n = from->n };
}

static void check_limits(struct build *b)
{
	for (size_t i = 0; i < b->vm->limits.n; i++) {
		const struct jpair *limit = &b->vm->limits.items[i];
		const char *expected;
		if (limit_valid(limit->key, limit->value, &expected))
			continue;
		CLEANUP(freep) char *at = xasprintf("/attrs/limits/%s", limit->key);
		CLEANUP(buf_done) struct buf found = {};
		text_quoted(&found, limit->value);
		BUILD_ERROR(b, at, "expected %s, found %s", expected, buf_text(&found));
	}
}

int build_seconds(const char *text, int standard)
{
	uint64_t usec;
	if (!text || !text[0] || parse_span(text, &usec) < 0)
		return standard;
	return (int)((usec + 999999) / 1000000);
}

static void build_unit(struct build *b)
{
	struct vm *vm = b->vm;
	vm->limits = copy_pairs(b, &b->conf->attrs.limits);
	check_limits(b);
	vm->cluster = b->conf->attrs.cluster;
	if (b->conf->attrs.shutdown.host >= 0)
		vm->host_end = (enum vm_host_end)b->conf->attrs.shutdown.host;
	vm->shutdown_sec = build_seconds(b->conf->attrs.shutdown.timeout, VM_SHUTDOWN_SEC);
	vm->qemu_args = build_texts(b, &b->conf->qemu_args);
}

static struct jstrings build_others(
		struct build *b, const struct jstrings *names, const char *pointer)
{
	for (size_t i = 0; i < names->n; i++) {
		CLEANUP(freep) char *at = xasprintf("%s/%zu", pointer, i);
		if (!strcmp(names->items[i], b->vm->name))
			BUILD_ERROR(b, at, "a machine can't wait for itself");
	}
	return build_texts(b, names);
}

static void build_order(struct build *b)
{
	b->vm->after = build_others(b, &b->conf->after, "/after");
	b->vm->requires = build_others(b, &b->conf->requires, "/requires");
	b->vm->autostart = b->conf->autostart < 0 ? VM_AUTOSTART_OPEN
			   : b->conf->autostart	  ? VM_AUTOSTART_YES
						  : VM_AUTOSTART_NO;
	if (b->vm->autostart == VM_AUTOSTART_YES && b->vm->cluster)
		BUILD_ERROR(b, "/autostart",
				"a cluster manager starts this machine (\"cluster\": true), the "
				"host can't");
}

int vm_build(const struct host *host, const struct machine *machine, struct vm *ret,
		struct report *report)
{
	*ret = (struct vm){};
	struct build b = {
		.host = host,
		.machine = machine,
		.conf = &machine->conf,
		.vm = ret,
		.report = report,
	};
	size_t before = report->n_errors_told;
	build_identity(&b);
	build_vars(&b);
	build_group(&b);
	build_mainboard(&b);
	build_cpu(&b);
	build_memory(&b);
	build_boot(&b);
	build_firmware(&b);
	build_tpm(&b);
	build_qmp(&b);
	build_displays(&b);
	build_volumes(&b);
	build_nics(&b);
	build_devices(&b);
	build_shares(&b);
	build_credentials(&b);
	build_cloud_init(&b);
	build_unit(&b);
	build_order(&b);
	build_ready(&b);
	return report->n_errors_told > before ? 1 : 0;
}

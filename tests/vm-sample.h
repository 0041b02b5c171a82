/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machines made by hand for the tests of lib/qemu: a small one to start from, and what QEMU is told
 * about it.
 *
 *	CLEANUP(sample_done) struct sample s;
 *	sample_init(&s);
 *	sample_volume(&s, "os", "raw");
 *	sample_build(&s, QEMU_FORM_UNIT);
 *	CHECK_STR(sample_value(&s, "-device", "id=scsi.0.0"), "scsi-hd,...");
 */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "model/plan.h"
#include "model/vm.h"
#include "qemu/argv.h"
#include "util/mem.h"

#define SAMPLE_MAX 300

struct sample {
	struct vm vm;
	struct plan plan;
	struct machine machine; /* a file with as many entries: where findings point */
	struct jdoc doc;
	struct layer layer;
	struct report report;
	struct strv argv;
	int result;
	const char *dir; /* of the volumes' files */
	const char *run_dir;
	struct vm_volume volumes[SAMPLE_MAX];
	struct vm_nic nics[SAMPLE_MAX];
	struct vm_mdev mdevs[SAMPLE_MAX];
	struct vm_pci pcis[8];
	struct vm_qmp_socket qmp[3];
	struct vm_volume files[4];
	struct forward_conf forwards[2];
};

static inline void sample_done(struct sample *s)
{
	strv_done(&s->argv);
	jdoc_done(&s->doc);
	plan_done(&s->plan);
	report_done(&s->report);
	vm_done(&s->vm);
}

/* "web": 128 MiB, no disk, no network. */
static inline void sample_init(struct sample *s)
{
	*s = (struct sample){
		.dir = "/tank/web",
		.run_dir = "/run/machina",
		.qmp = { { "systemd.0", "" }, { "command.0", "" }, { "command.1", "" } },
	};
	s->vm = (struct vm){
		.name = "web",
		.description = "",
		.machine_type = "q35",
		.layout = 1,
		.accel = VM_ACCEL_TCG,
		.emulator = "/usr/bin/qemu-system-x86_64",
		.cmdline = "",
		.cpu.model = "max",
		.memory.ram_mib = 128,
		.tpm = { .data = "/tank/tpm", .socket = "" },
		.qmp = s->qmp,
		.n_qmp = ARRAY_SIZE(s->qmp),
		.spice_displays = 1,
		.shutdown_sec = VM_SHUTDOWN_SEC,
		.volumes = s->volumes,
		.nics = s->nics,
		.mdevs = s->mdevs,
		.pcis = s->pcis,
		.user = "machina-web",
		.group_name = "machina-web",
	};
}

static inline void sample_fill_volume(
		struct sample *s, struct vm_volume *v, const char *name, const char *type)
{
	*v = (struct vm_volume){
		.name = name,
		.pool = "tank",
		.path = arena_printf(&s->vm.arena, "%s/%s.img", s->dir, name),
		.type = vm_storage_type_find(type),
		.serial = "",
		.wwn = "",
		.discard = DISK_DISCARD_UNMAP,
		.detect_zeroes = DISK_DETECT_ZEROES_UNMAP,
	};
	v->readonly = v->type->readonly;
}

static inline struct vm_volume *sample_volume(struct sample *s, const char *name, const char *type)
{
	struct vm_volume *v = &s->volumes[s->vm.n_volumes++];
	sample_fill_volume(s, v, name, type);
	return v;
}

/* @n volumes "NAME0", "NAME1", ... */
static inline void sample_volumes(struct sample *s, const char *name, const char *type, int n)
{
	for (int i = 0; i < n; i++)
		sample_volume(s, arena_printf(&s->vm.arena, "%s%d", name, i), type);
}

static inline struct vm_nic *sample_nic(struct sample *s, enum network_mode mode)
{
	size_t i = s->vm.n_nics++;
	s->nics[i] = (struct vm_nic){
		.name = arena_printf(&s->vm.arena, "%zu", i),
		.network = "lan",
		.mac = arena_printf(&s->vm.arena, "52:54:00:00:00:%02zx", i & 0xff),
		.link = arena_printf(&s->vm.arena, "web.%zu", i),
		.mode = mode,
		.bridge = mode == NETWORK_BRIDGE ? "br0" : "",
		.join = mode == NETWORK_BRIDGE,
	};
	return &s->nics[i];
}

static inline void sample_firmware(struct sample *s)
{
	s->vm.firmware_code = &s->files[0];
	s->vm.firmware_vars = &s->files[1];
	sample_fill_volume(s, s->vm.firmware_code, "code", "firmware");
	sample_fill_volume(s, s->vm.firmware_vars, "vars", "firmware");
	s->vm.firmware_code->readonly = true;
}

static inline void sample_kernel(struct sample *s)
{
	s->vm.kernel = &s->files[2];
	s->vm.initrd = &s->files[3];
	*s->vm.kernel = (struct vm_volume){ .name = "vmlinuz",
		.readonly = true,
		.path = arena_printf(&s->vm.arena, "%s/vmlinuz", s->dir) };
	*s->vm.initrd = (struct vm_volume){ .name = "initrd",
		.readonly = true,
		.path = arena_printf(&s->vm.arena, "%s/initrd", s->dir) };
	s->vm.cmdline = "console=ttyS0 a,b";
}

static inline void sample_list(struct buf *text, const char *key, size_t n)
{
	buf_printf(text, "\"%s\": [", key);
	for (size_t i = 0; i < n; i++)
		buf_printf(text, "%s{\"name\": \"%zu\", \"storage\": \"tank\", \"wwn\": \"x\"}",
				i ? ", " : "", i);
	buf_puts(text, "]");
}

static inline void sample_write_config(struct sample *s)
{
	CLEANUP(buf_done) struct buf text = {};
	buf_puts(&text, "{");
	sample_list(&text, "volumes", s->vm.n_volumes);
	buf_puts(&text, ", ");
	sample_list(&text, "connections", s->vm.n_nics);
	buf_puts(&text, ", ");
	sample_list(&text, "devices", s->vm.n_mdevs + s->vm.n_pcis);
	buf_puts(&text, ", \"attrs\": {\"machine\": {\"spare-ports\": 1}, \"rng\": {},"
			" \"balloon\": {}, \"vnc\": {}, \"enlightenments\": {\"enabled\": true}, "
			"\"cpu\": {\"features\": {\"x\": 1}}}}");
	jdoc_done(&s->doc);
	if (jdoc_parse("web.conf.json", text.text, text.len, &s->doc, &s->report) != 0)
		abort();
	s->layer = (struct layer){ .doc = &s->doc, .object = s->doc.root, .pointer = "" };
	s->machine.layers = &s->layer;
	s->machine.n_layers = 1;
}

static inline int sample_build(struct sample *s, enum qemu_form form)
{
	sample_write_config(s);
	plan_done(&s->plan);
	strv_clear(&s->argv);
	plan_build(&s->vm, s->run_dir, &s->plan);
	s->result = qemu_argv(&s->vm, &s->plan, form, &s->machine, &s->report, &s->argv);
	return s->result;
}

static inline bool sample_has_part(const char *value, const char *part)
{
	size_t len = strlen(part);
	for (const char *at = value; (at = strstr(at, part)); at++)
		if ((at == value || at[-1] == ',') && (at[len] == '\0' || at[len] == ','))
			return true;
	return false;
}

/* The value of the first @option one of whose parts between commas is @part; "" for any; NULL if
 * there is none. */
static inline const char *sample_value(const struct sample *s, const char *option, const char *part)
{
	for (size_t i = 0; i + 1 < s->argv.n; i++)
		if (!strcmp(s->argv.items[i], option) &&
				(!part[0] || sample_has_part(s->argv.items[i + 1], part)))
			return s->argv.items[i + 1];
	return NULL;
}

/* How many @option have the part. */
static inline size_t sample_count(const struct sample *s, const char *option, const char *part)
{
	size_t n = 0;
	for (size_t i = 0; i + 1 < s->argv.n; i++)
		n += !strcmp(s->argv.items[i], option) &&
		     (!part[0] || sample_has_part(s->argv.items[i + 1], part));
	return n;
}

/* The first finding: "POINTER: TEXT"; "" if there is none. Valid until the next call. */
static inline const char *sample_finding(struct sample *s)
{
	if (!s->report.n)
		return "";
	return arena_printf(&s->vm.arena, "%s: %s", s->report.items[0].pointer,
			s->report.items[0].text);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processors: -cpu and -smp. */
#include <string.h>

#include "json/jlocate.h"
#include "qemu/parts.h"

/* Of all guests with enlightenments, in the order of the Go program. */
static const char *const enlightenments[] = {
	"hv-relaxed",
	"hv-vapic",
	"hv-spinlocks=0x1fff",
	"hv-vpindex",
	"hv-runtime",
	"hv-time",
	"hv-synic",
	"hv-stimer",
	"hv-tlbflush",
	"hv-ipi",
	"hv-frequencies",
	"hv-reenlightenment",
	"hv-stimer-direct",
	"hv-emsr-bitmap",
	"hv-xmm-input",
	"hv-tlbflush-ext",
	"hv-tlbflush-direct",
};
static const char *const enlightenments_of_brand[] = {
	[VM_BRAND_OTHER] = NULL,
	[VM_BRAND_AMD] = "hv-avic=on",
	[VM_BRAND_INTEL] = "hv-evmcs",
};

/*
 * -cpu is split at every comma and then at '=' (QEMU: target/i386/cpu.c,
 * x86_cpu_parse_featurestr); unlike in other options nothing can be doubled to stand for itself.
 */
static bool is_feature(const struct jpair *f)
{
	static const char name_chars[] =
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	return f->key[0] && f->key[0] != '-' && !f->key[strspn(f->key, name_chars)] &&
	       !strchr(f->value, ',');
}

/* They come last: of two settings of one feature the later one counts. */
static void add_features(struct assembly *a, struct buf *cpu)
{
	for (size_t i = 0; i < a->vm->cpu.features.n; i++) {
		const struct jpair *f = &a->vm->cpu.features.items[i];
		if (is_feature(f)) {
			buf_printf(cpu, ",%s=%s", f->key, f->value);
			continue;
		}
		CLEANUP(buf_done) struct buf pointer = {};
		buf_puts(&pointer, "/attrs/cpu/features");
		jpointer_push(&pointer, f->key);
		assembly_error(a, buf_text(&pointer),
				"\"%s\": \"%s\" can't be a CPU feature: a name consists of "
				"letters, digits, '-', '_' and '.', a value has no comma",
				f->key, f->value);
	}
}

static void add_topology(struct assembly *a)
{
	const struct {
		const char *name;
		int count;
	} rows[] = {
		{ "sockets", a->vm->cpu.sockets },
		{ "cores", a->vm->cpu.cores },
		{ "threads", a->vm->cpu.threads },
	};
	CLEANUP(props_done) struct props p = {};
	bool any = false;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].count <= 0)
			continue;
		props_addf(&p, rows[i].name, "%d", rows[i].count);
		any = true;
	}
	if (any)
		assembly_option(a, SECTION_MACHINE, "-smp", &p);
}

static void add_enlightenments(struct assembly *a, struct buf *cpu)
{
	const struct vm *vm = a->vm;
	if (!vm->cpu.enlightenments)
		return;
	if (vm->accel != VM_ACCEL_KVM)
		assembly_error(a, "/attrs/enlightenments/enabled",
				"Hyper-V enlightenments need KVM, and \"accel\" is \"%s\"",
				vm_accel_names[vm->accel]);
	for (size_t i = 0; i < ARRAY_SIZE(enlightenments); i++)
		buf_printf(cpu, ",%s", enlightenments[i]);
	if (enlightenments_of_brand[vm->cpu.brand])
		buf_printf(cpu, ",%s", enlightenments_of_brand[vm->cpu.brand]);
}

void cpu_add(struct assembly *a)
{
	const struct vm *vm = a->vm;
	CLEANUP(buf_done) struct buf cpu = {};
	buf_puts(&cpu, vm->cpu.model);
	if (vm->cpu.threads > 1 && vm->cpu.brand == VM_BRAND_AMD)
		buf_puts(&cpu, ",topoext=on");
	add_enlightenments(a, &cpu);
	add_features(a, &cpu);
	assembly_word(a, SECTION_MACHINE, "-cpu", buf_text(&cpu));
	add_topology(a);
}

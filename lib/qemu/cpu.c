/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processors: -cpu and -smp. */
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

/* They come last: of two settings of one feature the later one counts. */
static void add_features(const struct vm *vm, struct buf *cpu)
{
	for (size_t i = 0; i < vm->cpu.features.n; i++)
		buf_printf(cpu, ",%s=%s", vm->cpu.features.items[i].key,
				vm->cpu.features.items[i].value);
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

static void add_enlightenments(const struct vm *vm, struct buf *cpu)
{
	if (!vm->cpu.enlightenments)
		return;
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
	add_enlightenments(vm, &cpu);
	add_features(vm, &cpu);
	assembly_word(a, SECTION_MACHINE, "-cpu", buf_text(&cpu));
	add_topology(a);
}

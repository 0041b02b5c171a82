/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which files make up a host and a machine, which tags it has, and what becomes of their values. */
#include "config/load.h"

#include "config-sample.h"
#include "config/forms.h"
#include "config/limits.h"
#include "scratch.h"

/* The layers of a machine: "machine web; tag a; tag b". */
static char *layers_of(const struct machine *m)
{
	CLEANUP(buf_done) struct buf text = {};
	for (size_t i = 0; i < m->n_layers; i++)
		buf_printf(&text, "%s%s", i ? "; " : "", m->layers[i].label);
	return buf_take(&text);
}

TEST(tags_are_followed_depth_first)
{
	static const struct {
		const char *tags, *machine, *expected;
	} rows[] = {
		{ "'a':{},'b':{}", "['b','a']", "machine w; tag b; tag a" },
		{ "'a':{'tags':['c']},'b':{},'c':{}", "['a','b']",
				"machine w; tag a; tag c; tag b" },
		/* A tag that is reached twice counts where it comes first. */
		{ "'a':{'tags':['c']},'b':{'tags':['c']},'c':{}", "['a','b']",
				"machine w; tag a; tag c; tag b" },
		{ "'a':{'tags':['b']},'b':{},'c':{}", "['b','a']", "machine w; tag b; tag a" },
		{ "'a':{'tags':['b','c']},'b':{'tags':['d']},'c':{'tags':['d','e']},'d':{},'e':{}",
				"['a','e']", "machine w; tag a; tag b; tag d; tag c; tag e" },
		{ "'a':{}", "['a','a','a']", "machine w; tag a" },
		{ "'a':{'tags':[]}", "[]", "machine w" },
		{ "'a':{'tags':null}", "['a']", "machine w; tag a" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(sample_done) struct sample s = {};
		CLEANUP(freep) char *host = xasprintf("{'tag':{%s}}", rows[i].tags);
		CLEANUP(freep) char *machine = xasprintf("{'tags':%s}", rows[i].machine);
		sample_host(&s, host);
		sample_machine(&s, "w", machine);
		CHECK_STR(sample_findings(&s), "");
		CLEANUP(freep) char *layers = layers_of(&s.machine);
		CHECK_STR(layers, rows[i].expected);
	}
}

/* As in the Go program: a key of the user's is there when it is written. */
TEST(a_tag_that_is_null_is_an_empty_one)
{
	CLEANUP(sample_done) struct sample s = {};
	sample_hosts(&s, (const char *const[]){ "{'tag':{'a':{'tags':['c']},'b':null,'c':{}}}",
					 "{'tag':{'a':null}}", NULL });
	sample_machine(&s, "w", "{'tags':['a','b']}");
	CHECK_STR(sample_findings(&s), "");
	CLEANUP(freep) char *layers = layers_of(&s.machine);
	CHECK_STR(layers, "machine w; tag a; tag b");
}

TEST(entries_of_the_host_that_are_null_are_empty_ones)
{
	CLEANUP(sample_done) struct sample s = {};
	sample_host(&s, "{'processor':{'b':{'brand':'AMD'},'a':null},'network':{'n':null},"
			"'mediated-device':{'g':{'classes':{'c':null}}},'pci-device':null,"
			"'tag':{'t':{'vars':{'x':null,'y':'t'}}}}");
	sample_machine(&s, "w", "{'tags':['t'],'vars':{'y':null}}");
	const struct processor_conf *processors = s.host.conf.processor.items;
	const struct mdev_conf *mdevs = s.host.conf.mediated_device.items;
	CHECK_STR(sample_findings(&s), "");
	CHECK_INT(s.host.conf.processor.n, 2);
	CHECK_STR(processors[1].name, "a");
	CHECK(!processors[1].brand);
	CHECK_INT(s.host.conf.network.n, 1);
	CHECK_INT(mdevs[0].classes.n, 1);
	CHECK_INT(s.host.conf.pci_device.n, 0);
	CHECK_INT(s.machine.conf.vars.n, 2);
	for (size_t i = 0; i < s.machine.conf.vars.n; i++)
		CHECK_STR(s.machine.conf.vars.items[i].value, "");
}

TEST(a_chain_tells_how_a_tag_was_reached)
{
	CLEANUP(sample_done) struct sample s = {};
	sample_host(&s, "{'tag':{'a':{'tags':['b']},'b':{'tags':['c']},'c':{}}}");
	sample_machine(&s, "web", "{'tags':['a']}");
	CHECK_STR(s.machine.layers[0].chain, "machine web");
	CHECK_STR(s.machine.layers[3].chain, "machine web, tag a, tag b, tag c");
	CHECK(machine_has_tag(&s.machine, "a") && machine_has_tag(&s.machine, "c"));
	CHECK(!machine_has_tag(&s.machine, "d") && !machine_has_tag(&s.machine, "web"));
	machine_report(&s.machine, &s.report, SEVERITY_ERROR, "/attrs", "nothing");
	CHECK_STR(sample_findings(&s), "web:1:1: /attrs: nothing");
}

TEST(a_finding_points_where_the_value_is_written)
{
	CLEANUP(sample_done) struct sample s = {};
	sample_hosts(&s, (const char *const[]){ "{'tag':{'a':{'tags':['b']}}}",
					 "{'tag':\n{'b':{'attrs':{'cpu':\n{'cores':2}}}}}", NULL });
	sample_machine(&s, "web", "{'tags':['a']}");
	machine_report(&s.machine, &s.report, SEVERITY_ERROR, "/attrs/cpu/cores", "few");
	CHECK_STR(sample_findings(&s),
			"drop1:3:10: /tag/b/attrs/cpu/cores: few (machine web, tag a, tag b)");
}

/* Where something is missing: in the entry that lacks it, or in the machine's own file. */
TEST(a_finding_about_what_is_missing)
{
	static const struct {
		const char *pointer, *expected;
	} rows[] = {
		{ "/attrs/memory/ram", "web:2:19: /attrs/memory/ram: x" },
		{ "/attrs/tpm/enabled", "web:2:9: /attrs/tpm/enabled: x" },
		{ "/volumes", "web:1:1: /volumes: x" },
		{ "/id", "web:1:1: /id: x" },
		{ "/connections/0/mac", "host:2:20: /tag/a/connections/0/mac: x "
					"(machine web, tag a)" },
		{ "/attrs/firmware/code/storage",
				"host:3:30: /tag/a/attrs/firmware/code/storage: x (machine web, "
				"tag a)" },
		{ "/vars/b", "host:4:9: /tag/a/vars/b: x (machine web, tag a)" },
		{ "/attrs/spice/port", "web:2:9: /attrs/spice/port: x" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(sample_done) struct sample s = {};
		sample_host(&s, "{'tag':{'a':{\n  'connections': [ {'name':'e'} ],\n"
				" 'attrs':{'firmware':{'code':{'name':'c'}},'spice':{'enabled':"
				"true}},\n"
				" 'vars':{'a':'1'}}}}");
		sample_machine(&s, "web", "{'tags':['a'],\n'attrs':{'memory':{'shared':true}}}");
		machine_report(&s.machine, &s.report, SEVERITY_ERROR, rows[i].pointer, "x");
		CHECK_STR(sample_findings(&s), rows[i].expected);
	}
}

TEST(a_finding_about_the_host)
{
	CLEANUP(sample_done) struct sample s = {};
	sample_hosts(&s, (const char *const[]){ "{'storage':{'a':{'path':'/x'},'b/c':{}}}",
					 "{'storage':\n{'a':{'path':'/y'}}}", NULL });
	host_report(&s.host, &s.report, SEVERITY_ERROR, "/storage/a/path", "1");
	host_report(&s.host, &s.report, SEVERITY_ERROR, "/storage/a/type", "2");
	host_report(&s.host, &s.report, SEVERITY_ERROR, "/storage/b~1c/type", "3");
	CHECK_STR(sample_findings(&s), "drop1:2:6: /storage/a/type: 2\n"
				       "drop1:2:14: /storage/a/path: 1\n"
				       "host:1:37: /storage/b~1c/type: 3");
}

/* One row for each way of merging: tags a, b, c in this order, the machine, what becomes of them.
 */
TEST(values_are_merged)
{
	static const struct {
		const char *tags, *machine, *expected;
	} rows[] = {
		/* vars: each key from the first that has it, an empty one too. */
		{ "'a':{'vars':{'x':'a','y':'a'}},'b':{'vars':{'y':'b','z':'b'}}",
				"'vars':{'x':''}", "'vars':{'x':'','y':'a','z':'b'}" },
		{ "'a':{'vars':{'x':'a'}}", "'vars':{'x':null}", "'vars':{'x':''}" },
		/* The group's name and id each on their own; 0 and "" are absent. */
		{ "'a':{'privileges':{'filesystem':{'group':{'name':'g','id':0}}}},"
		  "'b':{'privileges':{'filesystem':{'group':{'name':'h','id':7}}}}",
				"'privileges':{'filesystem':{'group':{'name':''}}}",
				"'privileges':{'filesystem':{'group':{'name':'g','id':7}}}" },
		/* Strings: the first that is not empty. */
		{ "'a':{'attrs':{'cpu':{'processor':'p'}}}", "'attrs':{'cpu':{'processor':''}}",
				"'attrs':{'cpu':{'processor':'p'}}" },
		/* Numbers: the first above 0. */
		{ "'a':{'attrs':{'cpu':{'cores':-1,'sockets':2}}},'b':{'attrs':{'cpu':{'cores':3}}"
		  "}",
				"'attrs':{'cpu':{'cores':0}}",
				"'attrs':{'cpu':{'sockets':2,'cores':3}}" },
		/* Booleans: the first that is written; false counts. */
		{ "'a':{'attrs':{'tpm':{'enabled':true}}}", "'attrs':{'tpm':{'enabled':false}}",
				"'attrs':{'tpm':{'enabled':false}}" },
		{ "'a':{'attrs':{'rng':{'enabled':false}}},'b':{'attrs':{'rng':{'enabled':true}}}",
				"'attrs':{'rng':{'enabled':null}}",
				"'attrs':{'rng':{'enabled':false}}" },
		/* Firmware and the TPM's data: whole, of the first that says anything. */
		{ "'a':{'attrs':{'firmware':{'code':{'name':'a','wwn':'x'},'vars':{}}}},"
		  "'b':{'attrs':{'firmware':{'code':{'name':'b','storage':'s'},'vars':{'storage':"
		  "'t'}}}}",
				"'attrs':{'firmware':{'code':{'bootable':true}}}",
				"'attrs':{'firmware':{'code':{'name':'a','wwn':'x'},'vars':{"
				"'storage':'t'}}}" },
		{ "'a':{'attrs':{'tpm':{'data':{'storage':'s'}}}},"
		  "'b':{'attrs':{'tpm':{'data':{'name':'n'},'socket':{'path':'/p'}}}}",
				"",
				"'attrs':{'tpm':{'data':{'storage':'s'},'socket':{'path':'/p'}}}" },
		{ "'a':{'attrs':{'boot':{'kernel':'/a'}}}", "'attrs':{'boot':{'kernel':''}}",
				"'attrs':{'boot':{'kernel':'/a'}}" },
		/* Sockets: last tag first, the machine last, without repeats. */
		{ "'a':{'attrs':{'qmp':{'sockets':{'names':['x','y']}}}},"
		  "'b':{'attrs':{'qmp':{'sockets':{'names':['y','z']}}}}",
				"'attrs':{'qmp':{'sockets':{'names':['m','x']}}}",
				"'attrs':{'qmp':{'sockets':{'names':['y','z','x','m']}}}" },
		/* Lists of things: of each name the first, whole, in this order. */
		{ "'a':{'volumes':[{'name':'y','storage':'a','serial':'1'},{'name':'z'}]},"
		  "'b':{'volumes':[{'name':'z','storage':'b'},{'name':'v'}]}",
				"'volumes':[{'name':'x'},{'name':'y','storage':'m'}]",
				"'volumes':[{'name':'x'},{'name':'y','storage':'m'},{'name':'z'},{'"
				"name':"
				"'v'}]" },
		/* All without a name have one name. */
		{ "'a':{'volumes':[{'storage':'a'}]},'b':{'volumes':[{'name':'','storage':'b'}]}",
				"", "'volumes':[{'storage':'a'}]" },
		/* remove: takes the inherited ones of the name away, and itself. */
		{ "'a':{'connections':[{'name':'x'},{'name':'y'}]},'b':{'connections':[{'name':'x'}"
		  "]}",
				"'connections':[{'name':'x','remove':true}]",
				"'connections':[{'name':'y'}]" },
		{ "'a':{'devices':[{'name':'x','remove':true}]},'b':{'devices':[{'name':'x'}]}",
				"'devices':[{'name':'x','remove':false}]",
				"'devices':[{'name':'x','remove':false}]" },
		{ "'a':{'devices':[{'name':'x','remove':true}]},'b':{'devices':[{'name':'x'}]}", "",
				"'devices':[]" },
		/* Limits and features: each key from the first that has it. */
		{ "'a':{'attrs':{'limits':{'Nice':1,'CPUWeight':2}}}",
				"'attrs':{'limits':{'Nice':-1}}",
				"'attrs':{'limits':{'Nice':-1,'CPUWeight':2}}" },
		{ "'a':{'attrs':{'cpu':{'features':{'x':true,'y':'1'}}}}",
				"'attrs':{'cpu':{'features':{'x':false}}}",
				"'attrs':{'cpu':{'features':{'x':false,'y':'1'}}}" },
		/* Arguments: all, the machine's last; repeats stay. */
		{ "'a':{'qemu-args':['-a','-b']},'b':{'qemu-args':['-c','-a']}",
				"'qemu-args':['-m']", "'qemu-args':['-c','-a','-a','-b','-m']" },
		/* A list of addresses is one value. */
		{ "'a':{'connections':[{'name':'x','ip':['1','2']}]}",
				"'connections':[{'name':'x','ip':'3'}]",
				"'connections':[{'name':'x','ip':'3'}]" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(sample_done) struct sample s = {};
		CLEANUP(freep)
		char *host = xasprintf("{'tag':{%s%s}}", rows[i].tags,
				strstr(rows[i].tags, "'b':{") ? "" : ",'b':{}");
		bool own = rows[i].machine[0];
		CLEANUP(freep)
		char *machine = xasprintf(
				"{'tags':['a','b']%s%s}", own ? "," : "", rows[i].machine);
		CLEANUP(freep)
		char *expected = xasprintf("{'tags':['a','b'],%s}", rows[i].expected);
		sample_host(&s, host);
		/* What the tags say is prepared for the second machine, and ready for the third. */
		for (size_t k = 0; k < 3; k++) {
			sample_machine(&s, "w", machine);
			CHECK_STR(sample_findings(&s), "");
			if (s.failed)
				break;
			CLEANUP(freep) char *merged = sample_merged(&s);
			CHECK_STR(merged, expected);
		}
	}
}

TEST(machines_with_the_same_tags_have_their_own_values)
{
	CLEANUP(sample_done) struct sample s = {};
	sample_host(&s, "{'tag':{'a':{'attrs':{'memory':{'ram':5},'cpu':{'cores':2}},"
			"'tags':['b']},'b':{'vars':{'x':'b'}}}}");
	for (int64_t i = 0; i < 4; i++) {
		CLEANUP(freep)
		char *own = xasprintf("{'tags':['a'],'description':'%d'%s}", (int)i,
				i < 2 ? ",'attrs':{'memory':{'ram':7}}" : "");
		CLEANUP(freep) char *description = xasprintf("%d", (int)i);
		sample_machine(&s, "w", own);
		CHECK_STR(sample_findings(&s), "");
		CHECK_STR(s.machine.conf.name, "w");
		CHECK_STR(s.machine.conf.description, description);
		CHECK_INT(s.machine.conf.attrs.memory.ram_mib, i < 2 ? 7 : 5);
		CHECK_INT(s.machine.conf.attrs.cpu.cores, 2);
		CHECK_INT(s.machine.conf.vars.n, 1);
		CHECK_INT(s.machine.conf.tags.n, 1);
		CHECK_INT(s.machine.n_layers, 3);
	}
	sample_machine(&s, "w", "{'tags':['a']}");
	CHECK(!s.machine.conf.description);
}

TEST(machines_with_ever_other_tags)
{
	CLEANUP(sample_done) struct sample s = {};
	CLEANUP(buf_done) struct buf host = {};
	buf_puts(&host, "{'tag':{'z':{}");
	for (unsigned i = 0; i < 100; i++)
		buf_printf(&host, ",'t%u':{'attrs':{'memory':{'ram':%u}}}", i, i + 1);
	buf_puts(&host, "}}");
	sample_host(&s, buf_text(&host));
	for (unsigned i = 0; i < 300; i++) {
		CLEANUP(freep) char *own = xasprintf("{'tags':['z','t%u']}", i % 100);
		sample_machine(&s, "w", own);
		CHECK_STR(sample_findings(&s), "");
		CHECK_INT(s.machine.conf.attrs.memory.ram_mib, i % 100 + 1);
	}
}

TEST(name_description_id_and_tags_are_the_machines_own)
{
	CLEANUP(sample_done) struct sample s = {};
	sample_host(&s, "{'tag':{'a':{'tags':['b']},'b':{}}}");
	sample_machine(&s, "w", "{'name':'','description':'d','tags':['a']}");
	CHECK_STR(s.machine.conf.name, "w");
	CHECK_STR(s.machine.conf.description, "d");
	CHECK_INT(s.machine.conf.tags.n, 1);
	CHECK(!s.machine.conf.id);
}

TEST(a_later_file_replaces_entries_whole)
{
	CLEANUP(sample_done) struct sample s = {};
	sample_hosts(&s, (const char *const[]){
					 "{'storage':{'a':{'path':'/1','type':'raw'},'b':{'path':'/"
					 "1'}},'network':{'n':{'device':'br1'}}}",
					 "{'storage':{'a':{'path':'/2'}},'network':null}",
					 "{'storage':{'c':{'path':'/3'},'b':null}}", NULL });
	const struct storage_conf *pools = s.host.conf.storage.items;
	CHECK_STR(sample_findings(&s), "");
	CHECK_INT(s.host.conf.storage.n, 3);
	CHECK_INT(s.host.conf.network.n, 1);
	for (size_t i = 0; i < s.host.conf.storage.n; i++) {
		const char *expected = !strcmp(pools[i].name, "a")   ? "/2"
				       : !strcmp(pools[i].name, "b") ? ""
								     : "/3";
		CHECK_STR(pools[i].path ? pools[i].path : "", expected);
		/* Nothing of the entry that was replaced is left. */
		CHECK(!pools[i].type);
	}
}

static void load_scratch_host(struct config_paths *paths, struct sample *s)
{
	struct error err = {};
	config_paths_init(paths, scratch_dir, NULL);
	int r = host_load(paths, &s->host, &s->report, &err);
	if (r < 0)
		TEST_FAIL("%s", err.text);
}

TEST(drop_ins_come_in_byte_order)
{
	CLEANUP(sample_done) struct sample s = {};
	CLEANUP(config_paths_done) struct config_paths paths = {};
	static const char *const names[] = { "9", "10", "a", "B", "Z", "~", "_" };
	scratch_begin();
	put_file("etc/machina/machina.conf.json", "{}");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		CLEANUP(freep)
		char *path = xasprintf("etc/machina/machina.conf.d/%s.conf.json", names[i]);
		put_file(path, "{}");
	}
	/* Not among them: hidden files, other endings, and what is nothing but the ending. */
	put_file("etc/machina/machina.conf.d/.hidden.conf.json", "x");
	put_file("etc/machina/machina.conf.d/note.conf.json~", "x");
	put_file("etc/machina/machina.conf.d/README", "x");
	put_file("etc/machina/machina.conf.d/.conf.json", "x");
	load_scratch_host(&paths, &s);
	CHECK_STR(sample_findings(&s), "");
	CLEANUP(buf_done) struct buf order = {};
	for (size_t i = 0; i < s.host.n_docs; i++) {
		const char *base = strrchr(s.host.docs[i].name, '/') + 1;
		buf_printf(&order, "%.*s ", (int)strcspn(base, "."), base);
	}
	CHECK_STR(buf_text(&order), "machina 10 9 B Z _ a ~ ");
	scratch_end();
}

TEST(machines_are_listed_by_their_files)
{
	CLEANUP(sample_done) struct sample s = {};
	CLEANUP(config_paths_done) struct config_paths paths = {};
	CLEANUP(strv_done) struct strv names = {};
	struct error err = {};
	scratch_begin();
	config_paths_init(&paths, scratch_dir, NULL);
	CHECK_INT(machine_list(&paths, &names, &s.report, &err), 0);
	CHECK_INT(names.n, 0);
	static const char *const files[] = { "web.conf.json", "Web.conf.json", "a.b.conf.json",
		"10.conf.json", "9.conf.json", "note.txt", ".conf.json", "a b.conf.json",
		"conf.json",
		/* An editor's lock and backup are no finding. */
		".#web.conf.json", ".web.conf.json",
		/* Their files are in another order. */
		"web-1.conf.json", "web.x.conf.json" };
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		CLEANUP(freep) char *path = xasprintf("etc/machina/machine.conf.d/%s", files[i]);
		put_file(path, "");
	}
	CHECK_INT(machine_list(&paths, &names, &s.report, &err), 0);
	CLEANUP(buf_done) struct buf all = {};
	for (size_t i = 0; i < names.n; i++)
		buf_printf(&all, "%s ", names.items[i]);
	CHECK_STR(buf_text(&all), "10 9 Web a.b web web-1 web.x ");
	CHECK_INT(s.report.n_errors, 1);
	scratch_end();
}

TEST(paths_of_a_host)
{
	static const struct {
		const char *root, *config_dir;
		const char *config, *machines, *units, *run;
		bool offline;
	} rows[] = {
		{ NULL, NULL, "/etc/machina", "/etc/machina/machine.conf.d", "/etc/systemd/system",
				"/run/machina", false },
		{ "", "", "/etc/machina", "/etc/machina/machine.conf.d", "/etc/systemd/system",
				"/run/machina", false },
		{ NULL, "conf", "conf", "conf/machine.conf.d", "/etc/systemd/system",
				"/run/machina", false },
		{ "/mnt", NULL, "/mnt/etc/machina", "/mnt/etc/machina/machine.conf.d",
				"/mnt/etc/systemd/system", "/mnt/run/machina", true },
		{ "/mnt/", "/c/", "/mnt/c", "/mnt/c/machine.conf.d", "/mnt/etc/systemd/system",
				"/mnt/run/machina", true },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(config_paths_done) struct config_paths paths;
		config_paths_init(&paths, rows[i].root, rows[i].config_dir);
		CHECK_STR(paths.config_dir, rows[i].config);
		CHECK_STR(paths.machine_dir, rows[i].machines);
		CHECK_STR(paths.unit_dir, rows[i].units);
		CHECK_STR(paths.run_dir, rows[i].run);
		CHECK_INT(paths.offline, rows[i].offline);
		CHECK_STR(paths.unit_dir + strlen(paths.root), "/etc/systemd/system");
	}
}

TEST(the_root_stands_in_front_of_each_path)
{
	static const char *const roots[] = { "/", ".", "./", "x/..", "..", "x", "/mnt//y/" };
	for (size_t i = 0; i < ARRAY_SIZE(roots); i++) {
		CLEANUP(config_paths_done) struct config_paths paths;
		config_paths_init(&paths, roots[i], NULL);
		CHECK_STR(paths.machine_dir + strlen(paths.root), "/etc/machina/machine.conf.d");
		CHECK_STR(paths.unit_dir + strlen(paths.root), "/etc/systemd/system");
	}
}

/* Each line: a form, texts that it takes, texts that it does not. */
TEST(forms_of_text)
{
	static const struct {
		const char *name;
		field_check *form;
		const char *good[8];
		const char *bad[10];
	} rows[] = {
		{ "machine name", form_machine_name, { "a", "0", "a-b_c.d", "A.b" },
				{ "", ".a", "-a", "_a", "a..b", "a/b", "a b", "a%", "é", "a\n" } },
		{ "own name", form_own_name, { "", "a" }, { "..", "a/b" } },
		{ "MAC", form_mac,
				{ "", "52:54:00:12:34:56", "52-54-00-ab-CD-ef",
						"52:54-00:12:34:56" },
				{ "52:54:00:12:34", "52:54:00:12:34:5", "52:54:00:12:34:567",
						"5254.0012.3456", "52:54:00:12:34:5g",
						"525400123456" } },
		{ "absolute path", form_absolute_path, { "", "/", "/a b", "/a\tb" },
				{ "a", "./a", "/a\nb", "/a\x7f" } },
		{ "emulator", form_emulator, { "", "qemu-system-x86_64", "/opt/q", "/opt/a b$%" },
				{ "a/b", "-a", "a b", "/a/", "/a\"b", "/a'b", "/a\\b", "/a\nb",
						"/" } },
		{ "machine type", form_machine_type, { "", "q35", "pc-q35-7.2" },
				{ "pc", "microvm", "q35,accel=tcg", "-q35" } },
		{ "CPU model", form_cpu_model, { "", "host", "EPYC-v4", "Skylake.Server" },
				{ "host,vmx=on", "+host", " host" } },
		{ "interface", form_interface, { "", "br0", "br-lan.100", "a@b" },
				{ ".", "..", "a/b", "a b", "a:b", "a\tb", "sixteen-bytes-it" } },
		{ "script", form_script, { "", "no", "/bin/a b" }, { "yes", "bin/up", "./up" } },
		{ "PCI address", form_pci_address, { "", "0000:c1:00.0", "ABCD:EF:1f.7" },
				{ "c1:00.0", "0000:c1:00.8", "0000:c1:00", "0000-c1-00.0",
						"0000:c1:00.0 " } },
		{ "IP", form_ip, { "", "127.0.0.1", "0.0.0.0", "::1" },
				{ "localhost", ":::1", "127.0.0.1:80", "127.1", "1.2.3.256",
						"::1/64" } },
		{ "interface address", form_interface_address,
				{ "10.0.0.1/8", "fd77::1/64", "1.2.3.4/32", "::/128" },
				{ "", "10.0.0.1", "10.0.0.1/", "10.0.0.1/33", "10.0.0.1/0",
						"::1/129", "10.0.0.1/8 ", "a/8" } },
		{ "DHCP range", form_dhcp_range, { "static", "10.0.0.2-10.0.0.9" },
				{ "", "10.0.0.2", "10.0.0.2-", "-10.0.0.2", "::1-::9",
						"10.0.0.2 - 10.0.0.9" } },
		{ "lease", form_lease, { "", "2min", "12h", "120" }, { "1min", "0", "x", "-1h" } },
		{ "time to shut down", form_shutdown_time, { "", "1s", "1", "85", "5min", "1h" },
				{ "0", "999ms", "61min", "3601", "-5s", "x", "5 min" } },
		{ "domain", form_domain, { "", "lan", "home.internal", "a-b.c1" },
				{ ".", "a.", ".a", "a..b", "-a", "a-", "a_b", "a b", "\u00e4" } },
		{ "VLANs", form_vlans, { "1", "4094", "30-39", "5-5" },
				{ "", "0", "4095", "39-30", "1-4095", "-1", "a" } },
		{ "line of text", form_text_line, { "", " ", "a\tb", "é", "\u2028", "\xc2\x80" },
				{ "a\n", "\r", "\x01", "\x7f", "\uffff", "\ufdd0", "\uffff" } },
		{ "argument", form_argument, { "-a", " ", "a,b" }, { "", "a\nb" } },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *expected = NULL;
		for (size_t k = 0; k < ARRAY_SIZE(rows[i].good) && rows[i].good[k]; k++)
			if (!rows[i].form(rows[i].good[k], &expected))
				TEST_FAIL("%s: '%s' is not taken", rows[i].name, rows[i].good[k]);
		for (size_t k = 0; k < ARRAY_SIZE(rows[i].bad) && rows[i].bad[k]; k++)
			if (rows[i].form(rows[i].bad[k], &expected) || !expected)
				TEST_FAIL("%s: '%s' is taken", rows[i].name, rows[i].bad[k]);
	}
	CLEANUP(freep) char *name = xasprintf("%064d", 0);
	const char *expected;
	CHECK(!form_machine_name(name, &expected));
	CHECK(form_machine_name(name + 1, &expected));
}

TEST(limits_are_sorted_and_checked)
{
	const char *expected = NULL;
	for (size_t i = 1; limit_names[i]; i++)
		if (strcmp(limit_names[i - 1], limit_names[i]) >= 0)
			TEST_FAIL("%s stands before %s", limit_names[i - 1], limit_names[i]);
	CHECK(limit_valid("CPUWeight", "idle", &expected));
	CHECK(!limit_valid("IOWeight", "idle", &expected));
	CHECK_STR(expected, "a weight from 1 to 10000");
	CHECK(!limit_valid("LimitNOFILE", "1", &expected));
}

TEST(what_has_no_faults_is_used)
{
	CLEANUP(sample_done) struct sample s = {};
	sample_host(&s, "{'storage':5}");
	CHECK(s.failed && s.host.merged && s.host.has_flaws);
	CHECK_INT(s.host.conf.storage.n, 0);
	CHECK(host_is_flawed(&s.host, "/storage/any") &&
			!host_is_flawed(&s.host, "/network/any/mode"));
	CHECK_STR(sample_findings(&s), "host:1:12: /storage: expected an object, found 5");

	CLEANUP(sample_done) struct sample t = {};
	sample_host(&t, "{}");
	sample_machine(&t, "w", "{'tags':['a'],'name':'v'}");
	CHECK(t.failed && t.machine.merged && t.machine.has_flaws);
	CHECK(machine_is_flawed(&t.machine, "/volumes") &&
			machine_is_flawed(&t.machine, "/attrs/memory/ram") &&
			!machine_is_flawed(&t.machine, "/name"));
	CHECK_STR(sample_findings(&t),
			"w:1:10: /tags/0: the host's config has no tag 'a'; it has none\n"
			"w:1:22: /name: expected \"w\", the name of the file, "
			"found \"v\"");

	CLEANUP(sample_done) struct sample u = {};
	sample_host(&u, "{");
	CHECK(u.failed && u.host.n_docs == 1);
}

TEST_MAIN()

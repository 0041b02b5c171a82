/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The merged machine in the config's shape, and where each of its values came from. */
#include "model/describe.h"
#include "model/explain.h"

#include "config-sample.h"
#include "json/jwrite.h"

#define RAM "'memory':{'ram':64}"

static char *single_quotes(char *text)
{
	for (char *p = text; *p; p++)
		*p = *p == '"' ? '\'' : *p;
	return text;
}

static bool build(struct sample *s, const char *host, const char *machine)
{
	sample_host(s, host);
	sample_machine(s, "web", machine);
	return sample_build(s);
}

static char *described(const struct sample *s)
{
	struct json_object *root = vm_describe(&s->machine, &s->vm);
	CLEANUP(buf_done) struct buf text = {};
	jwrite(&text, root, JWRITE_LINE);
	json_object_put(root);
	return single_quotes(buf_take(&text));
}

static void add_origin(struct buf *out, const struct explain_origin *o, const char *lead)
{
	buf_printf(out, "%s%s%s%s by %s at %s:%zu:%zu%s", lead, o->counts ? "" : "not ",
			o->ignored ? "(absent) " : "", o->removes ? "removed" : o->value, o->label,
			o->at.file, o->at.line, o->at.column, o->pointer);
}

/* "POINTER = VALUE: ORIGIN; not ORIGIN", a line each. */
static char *explained(const struct sample *s, const char *pointer)
{
	CLEANUP(explanation_done) struct explanation e = {};
	struct error err = {};
	CLEANUP(buf_done) struct buf out = {};
	if (explain_machine(&s->machine, &s->vm, pointer, &e, &err) < 0)
		return single_quotes(xstrdup(err.text));
	for (size_t i = 0; i < e.n; i++) {
		const struct explain_entry *entry = &e.items[i];
		buf_printf(&out, "%s%s = %s (%s)", i ? "\n" : "", entry->pointer,
				entry->value ? entry->value : "nothing",
				entry->because			   ? entry->because
				: entry->source == EXPLAIN_SET	   ? "set"
				: entry->source == EXPLAIN_DERIVED ? "derived"
								   : "default");
		for (size_t k = 0; k < entry->n_origins; k++)
			add_origin(&out, &entry->origins[k], k ? "; " : ": ");
	}
	return single_quotes(buf_take(&out));
}

static void check_explained(const struct sample *s, const char *pointer, const char *expected)
{
	CLEANUP(freep) char *got = explained(s, pointer);
	CHECK_STR(got, expected);
}

TEST(identifiers_are_filled_in)
{
	CLEANUP(sample_done) struct sample s = {};
	sample_host(&s, "{'storage':{'p':{'path':'/p','type':'raw'}},'network':{'n':{'mode':'user'}"
			"},'mdev':{'g':{'types':{'cad-standard':{}}}}}");
	sample_machine(&s, "test-vm",
			"{'id':'8B18191A234F45CEB43CB46E28CD2F70','attrs':{" RAM
			"},'volumes':[{'name':'os','storage':'p'},{'storage':'p',"
			"'wwn':'50:00:c5:00:a0:b1:c2:d3','serial':'S'}],"
			"'connections':[{'name':'0','network':'n'}],"
			"'devices':[{'name':'vgpu','class':'cad-standard'}]}");
	if (!sample_build(&s))
		return;
	CLEANUP(freep) char *got = described(&s);
	CHECK_STR(got, "{'name':'test-vm','id':'8b18191a-234f-45ce-b43c-b46e28cd2f70',"
		       "'privileges':{'filesystem':{'group':{'name':'machina-test-vm',"
		       "'id':2584257136}}},'attrs':{'memory':{'ram':64}},"
		       "'volumes':[{'name':'os','storage':'p','wwn':'0x5525400908FE6258',"
		       "'serial':'9IQ4PUV68QOCNS2C75OKUS04I4'},{'storage':'p','wwn':"
		       "'0x5000C500A0B1C2D3','serial':'S'}],'connections':[{'name':'0','network':"
		       "'n','mac':'52:54:00:26:77:fa','link':'test-vm.0'}],'devices':[{'name':"
		       "'vgpu','class':'cad-standard','id':"
		       "'3e2cee4d-1002-4989-af98-3e03b8ad3197'}]}");
}

TEST(a_described_machine_describes_itself_the_same)
{
	static const char host[] = "{'storage':{'p':{'path':'/p','type':'raw'}},'tag':{'t':{"
				   "'volumes':[{'name':'os','storage':'p'}],'vars':{'a':'b'},"
				   "'qemu-args':['-x'],'attrs':{'tpm':{'enabled':true}}}}}";
	CLEANUP(sample_done) struct sample s = {}, t = {};
	if (!build(&s, host,
			    "{'tags':['t'],'x-note':1,'attrs':{" RAM
			    ",'tpm':{'enabled':false},'cpu':{'cores':0}}}"))
		return;
	json_object_object_del(s.machine.merged, "tags");
	CLEANUP(freep) char *first = described(&s);
	if (!build(&t, host, first))
		return;
	CLEANUP(freep) char *second = described(&t);
	CHECK_STR(second, first);
}

TEST(values_are_explained)
{
	CLEANUP(sample_done) struct sample s = {};
	if (!build(&s,
			    "{'tag':{'a':{'tags':['b'],\n'attrs':{'cpu':{'cores':2},'rng':{"
			    "'enabled':false}}},\n'b':{'attrs':{'cpu':{'cores':3,'sockets':1},"
			    "'rng':{'enabled':true}}}}}",
			    "{'tags':['a'],\n'attrs':{" RAM ",'cpu':{'cores':0}}}"))
		return;
	check_explained(&s, "/attrs/memory",
			"/attrs/memory/ram = 64 (set): 64 by machine web at "
			"web:2:26/attrs/memory/ram");
	check_explained(&s, "/attrs/cpu",
			"/attrs/cpu/sockets = 1 (set): 1 by tag b at "
			"host:3:42/tag/b/attrs/cpu/sockets\n"
			"/attrs/cpu/cores = 2 (set): 2 by tag a at host:2:25/tag/a/attrs/cpu/cores;"
			" not (absent) 0 by machine web at web:2:45/attrs/cpu/cores; "
			"not 3 by tag b at host:3:30/tag/b/attrs/cpu/cores");
	/* false counts. */
	check_explained(&s, "/attrs/rng/enabled",
			"/attrs/rng/enabled = false (set): false by tag a at "
			"host:2:45/tag/a/attrs/rng/enabled; not true by tag b at "
			"host:3:62/tag/b/attrs/rng/enabled");
	check_explained(&s, "/privileges/filesystem/group/name",
			"/privileges/filesystem/group/name = 'machina-web' (derived)");
	check_explained(&s, "/tags", "/tags/0 = 'a' (set): 'a' by machine web at web:1:10/tags/0");
}

TEST(what_no_file_sets_has_its_default)
{
	CLEANUP(sample_done) struct sample s = {};
	if (!build(&s, "{}", "{'attrs':{" RAM "},'volumes':[]}"))
		return;
	check_explained(&s, "/attrs/machine/accel", "/attrs/machine/accel = kvm (default)");
	check_explained(&s, "/attrs/tpm/enabled", "/attrs/tpm/enabled = false (default)");
	check_explained(&s, "/description", "/description = not set (default)");
	check_explained(&s, "/attrs/memory/rom",
			"'/attrs/memory/rom' is no place of machine 'web': unknown key 'rom'; did "
			"you mean 'ram'?");
	check_explained(&s, "/nothing/at/all",
			"'/nothing/at/all' is no place of machine 'web': unknown key 'nothing'; "
			"those known here are 'name', 'description', 'id', 'tags', 'vars', "
			"'privileges', 'attrs', 'volumes', 'connections', 'devices', 'shares', "
			"'after', "
			"'requires', 'credentials', 'autostart' and 'qemu-args'");
	check_explained(&s, "/description/x", "'/description/x' is no place of machine 'web'");
	check_explained(&s, "/attrs/memory/ram/0",
			"'/attrs/memory/ram/0' is no place of machine 'web'");
	check_explained(&s, "/tags/0/x", "'/tags/0/x' is no place of machine 'web'");
	check_explained(&s, "/vars/x", "/vars/x = not set (default)");
	check_explained(&s, "/volumes/0", "'/volumes/0' is no place of machine 'web'");
	check_explained(&s, "/volumes/0/name", "'/volumes/0/name' is no place of machine 'web'");
}

TEST(what_follows_from_something_else)
{
	static const char network[] = "{'network':{'n':{'mode':'vhost-user'},'lan':{'device':"
				      "'br0'}}}";
	static const struct {
		const char *machine, *expected;
	} rows[] = {
		{ "{'attrs':{" RAM "},'connections':[{'name':'a','network':'lan'}]}",
				"/attrs/memory/shared = false (default)" },
		{ "{'attrs':{" RAM
		  "},'shares':[{'name':'work','path':'/srv','readonly':true},{'name':'docs',"
		  "'path':'/srv','readonly':true}]}",
				"/attrs/memory/shared = true (share 'work')" },
		{ "{'attrs':{" RAM "},'connections':[{'name':'a','network':'lan'},{'name':'fast',"
		  "'network':'n'}]}",
				"/attrs/memory/shared = true (connection 'fast' (vhost-user))" },
		/* What says otherwise does not count; what says the same does. */
		{ "{'attrs':{'memory':{'ram':64,'shared':false}},'shares':[{'name':'work',"
		  "'path':'/srv','readonly':true}]}",
				"/attrs/memory/shared = true (share 'work'): not false by machine "
				"web at web:1:39/attrs/memory/shared" },
		{ "{'attrs':{'memory':{'ram':64,'shared':true}},'shares':[{'name':'work',"
		  "'path':'/srv','readonly':true}]}",
				"/attrs/memory/shared = true (set): true by machine web at "
				"web:1:39/attrs/memory/shared" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(sample_done) struct sample s = {};
		if (build(&s, network, rows[i].machine))
			check_explained(&s, "/attrs/memory/shared", rows[i].expected);
	}
	CLEANUP(sample_done) struct sample s = {};
	if (!build(&s, network, rows[1].machine))
		return;
	check_explained(&s, "/attrs/memory",
			"/attrs/memory/ram = 64 (set): 64 by machine web at "
			"web:1:27/attrs/memory/ram\n"
			"/attrs/memory/shared = true (share 'work')");
}

TEST(what_a_pattern_makes)
{
	CLEANUP(sample_done) struct sample s = {};
	if (!build(&s, "{}",
			    "{'vars':{'seat':'7'},'attrs':{" RAM
			    ",'spice':{'enabled':true,'port':0,\n'port-pattern':'$((5900 + "
			    "${seat}))'},"
			    "'agent':{'qemu':{'enabled':true,'port':4000,'port-pattern':'4${seat}'}"
			    "},"
			    "'vnc':{'port-pattern':'59${seat}'}}}"))
		return;
	check_explained(&s, "/attrs/spice/port",
			"/attrs/spice/port = 5907 (port-pattern): not (absent) 0 by machine web at "
			"web:1:82/attrs/spice/port");
	check_explained(&s, "/attrs/agent/qemu/port",
			"/attrs/agent/qemu/port = 4000 (set): 4000 by machine web at "
			"web:2:78/attrs/agent/qemu/port");
	/* What is off has none. */
	check_explained(&s, "/attrs/vnc/port", "/attrs/vnc/port = not set (default)");
}

TEST(defaults_that_depend_on_others)
{
	static const char host[] =
			"{'processor':{'x':{'threads':2}},'storage':{'d':{'path':'/d','type':'raw',"
			"'discard':'ignore','cache':'none'},'cd':{'path':'/"
			"cd','type':'iso-scsi'}}}";
	static const struct {
		const char *machine, *pointer, *expected;
	} rows[] = {
		{ "", "/attrs/cpu/threads", "2" },
		{ "", "/attrs/cpu/model", "host" },
		{ ",'machine':{'accel':'tcg'}", "/attrs/cpu/model", "max" },
		{ "", "/attrs/display", "none" },
		{ ",'vnc':{'enabled':true}", "/attrs/display", "virtio" },
		{ ",'spice':{'enabled':true}", "/attrs/display", "qxl" },
		{ "", "/volumes/0/discard", "ignore" },
		{ "", "/volumes/0/detect-zeroes", "off" },
		{ "", "/volumes/0/cache", "none" },
		{ "", "/volumes/0/aio", "threads" },
		{ "", "/volumes/0/boot", "not set" },
		/* A CD has nothing to discard. */
		{ "", "/volumes/1/discard", "the pool's" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(sample_done) struct sample s = {};
		CLEANUP(freep)
		char *machine = xasprintf("{'attrs':{" RAM "%s},'volumes':[{'name':'os','storage':"
					  "'d'},{'name':'cd','storage':'cd'}]}",
				rows[i].machine);
		CLEANUP(freep)
		char *expected = xasprintf("%s = %s (default)", rows[i].pointer, rows[i].expected);
		if (build(&s, host, machine))
			check_explained(&s, rows[i].pointer, expected);
	}
}

TEST(entries_that_were_taken_away)
{
	CLEANUP(sample_done) struct sample s = {};
	/* One is called like an index, which it must not be taken for. */
	if (!build(&s,
			    "{'network':{'n':{'mode':'user'}},'tag':{'a':{'connections':[\n"
			    "{'name':'x','network':'n'},\n{'name':'0','network':'n','mac':"
			    "'52:54:00:00:00:01'}]}}}",
			    "{'tags':['a'],'attrs':{" RAM
			    "},\n'connections':[{'name':'0','remove':true}]}"))
		return;
	CHECK_INT(s.vm.n_nics, 1);
	check_explained(&s, "/connections/0/name",
			"/connections/0/name = 'x' (set): 'x' by tag a at "
			"host:2:9/tag/a/connections/0/name");
	check_explained(&s, "/connections/-0",
			"/connections/-0/name = nothing (set): removed by machine web at "
			"web:2:24/connections/0/name; not '0' by tag a at "
			"host:3:9/tag/a/connections/1/name\n"
			"/connections/-0/remove = nothing (set): removed by machine web at "
			"web:2:37/connections/0/remove");
}

/* An entry wins whole: what it does not say is derived, whatever the one that lost had said. */
TEST(what_the_winner_leaves_out_is_derived)
{
	CLEANUP(sample_done) struct sample s = {};
	if (!build(&s,
			    "{'network':{'n':{'mode':'user'}},'tag':{'a':{'connections':[{"
			    "'name':'x','network':'n','mac':'52:54:00:00:00:01'}]}}}",
			    "{'tags':['a'],'attrs':{" RAM
			    "},'connections':[{'name':'x','network':'n'}]}"))
		return;
	CLEANUP(freep) char *got = explained(&s, "/connections/0/mac");
	CLEANUP(freep)
	char *expected =
			xasprintf("/connections/0/mac = '%s' (derived): not '52:54:00:00:00:01' by "
				  "tag a at host:1:93/tag/a/connections/0/mac",
					s.vm.nics[0].mac);
	CHECK(strcmp(s.vm.nics[0].mac, "52:54:00:00:00:01") != 0);
	CHECK_STR(got, expected);
}

TEST(arguments_are_foreign)
{
	CLEANUP(sample_done) struct sample s = {};
	CLEANUP(explanation_done) struct explanation e = {};
	struct error err;
	if (!build(&s, "{}", "{'attrs':{" RAM "},'qemu-args':['-x']}") ||
			explain_machine(&s.machine, &s.vm, "", &e, &err) < 0)
		return;
	for (size_t i = 0; i < e.n; i++) {
		CHECK_INT(e.items[i].foreign, !strncmp(e.items[i].pointer, "/qemu-args", 10));
		CHECK(e.items[i].doc != NULL);
	}
}

TEST_MAIN()

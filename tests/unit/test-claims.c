/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What only one machine of a host can have: pairs of machines that can be, and that cannot. */
#include "model/claims.h"

#include "config-sample.h"
#include "scratch.h"

#define HOST                                                                                       \
	"{'storage':{'rw':{'path':'/p','type':'raw'},'ro':{'path':'/p','type':'raw','readonly':"   \
	"true},'fw':{'path':'/f','type':'firmware'},'rof':{'path':'/f','type':'firmware',"         \
	"'readonly':true},'t':{'path':'/t','type':'tpm-data'}},"                                   \
	"'network':{'lan':{'device':'br0'},'dmz':{'device':'br1'},'nat':{'mode':'user'},"          \
	"'own':{'mode':'macvtap','device':'eth1','macvtap-mode':'passthru'},"                      \
	"'near':{'mode':'macvtap','device':'eth1'},"                                               \
	"'all':{'mode':'user','forward':[{'port':80,'address':'0.0.0.0'}]},"                       \
	"'udp':{'mode':'user','forward':[{'port':80,'protocol':'udp'}]},"                          \
	"'one':{'mode':'user','forward':[{'port':80,'address':'10.0.0.1'}]}},"                     \
	"'mdev':{'g':{'types':{'c':{}}}},'tag':{'m':{'attrs':{'memory':{'ram':64}}}}}"

static void put_json(const char *name, const char *text)
{
	CLEANUP(freep) char *json = xstrdup(text);
	for (char *p = json; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	put_file(name, json);
}

/* The texts of the conflicts of two machines, without the places. @selected: bit 0: "a", 1: "b" */
static char *conflicts(const char *a, const char *b, unsigned selected)
{
	static const char *const names[] = { "a", "b" };
	const char *const members[] = { a, b };
	CLEANUP(config_paths_done) struct config_paths paths = {};
	CLEANUP(sample_done) struct sample s = {};
	CLEANUP(claims_done) struct claims claims = {};
	CLEANUP(buf_done) struct buf out = {};
	struct error err = {};

	config_paths_init(&paths, scratch_dir, NULL);
	put_json("etc/machina/machina.conf.json", HOST);
	if (host_load(&paths, &s.host, &s.report, &err) != 0)
		TEST_FAIL("%s", sample_findings(&s));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		CLEANUP(machine_done) struct machine machine = {};
		CLEANUP(vm_done) struct vm vm = {};
		CLEANUP(freep)
		char *path = xasprintf("etc/machina/machine.conf.d/%s.conf.json", names[i]);
		CLEANUP(freep)
		char *text = xasprintf("{'tags':['m']%s%s}", members[i][0] ? "," : "", members[i]);
		put_json(path, text);
		if (machine_load(&paths, &s.host, names[i], &machine, &s.report, &err) != 0 ||
				vm_build(&s.host, &machine, &vm, &s.report) != 0)
			TEST_FAIL("%s: %s", text, sample_findings(&s));
		else
			claims_add(&claims, &vm, selected >> i & 1);
	}
	size_t before = s.report.n;
	claims_check(&claims, &paths, &s.host, &s.report);
	for (size_t i = before; i < s.report.n; i++) {
		const struct finding *f = &s.report.items[i];
		const char *end = strstr(f->text, "; ");
		buf_printf(&out, "%s%s %.*s", out.len ? "\n" : "", f->pointer,
				(int)(end ? end - f->text : (long)strlen(f->text)), f->text);
	}
	return buf_take(&out);
}

TEST(conflicts_of_two_machines)
{
	static const struct {
		const char *a, *b, *expected;
	} rows[] = {
		{ "", "", "" },
		{ "'id':'8b18191a-234f-45ce-b43c-b46e28cd2f70'",
				"'id':'{8B18191A-234F-45CE-B43C-B46E28CD2F70}'",
				"/id machines 'b' and 'a' have the same id, "
				"8b18191a-234f-45ce-b43c-b46e28cd2f70" },
		/* All machines without an id have none. */
		{ "'id':'00000000-0000-0000-0000-000000000000'",
				"'id':'00000000-0000-0000-0000-000000000000'", "" },
		{ "'connections':[{'name':'x','network':'lan','mac':'52:54:00:AA:00:01'}]",
				"'connections':[{'name':'y','network':'nat','mac':'52-54-00-aa-00-"
				"01'}"
				"]",
				"/connections/0/mac machines 'b' and 'a' have the same MAC "
				"address, 52:54:00:aa:00:01" },
		{ "'connections':[{'name':'x','network':'lan','ip':['10.0.0.1','fd00::1']}]",
				"'connections':[{'name':'x','network':'lan','ip':['10.0.0.2','FD00:"
				"0::1/"
				"64']}]",
				"/connections/0/ip/1 machines 'b' and 'a' have the same IP "
				"address, fd00::1 on network 'lan'" },
		{ "'connections':[{'name':'x','network':'lan','ip':'10.0.0.1'}]",
				"'connections':[{'name':'x','network':'dmz','ip':'10.0.0.1'}]",
				"" },
		/* The kernel gives an interface away whole, or shares it. */
		{ "'connections':[{'name':'x','network':'own'}]",
				"'connections':[{'name':'y','network':'own'}]",
				"/connections/0/network machines 'b' and 'a' have the same "
				"interface of the host, eth1, and one of them takes it over "
				"(\"macvtap-mode\": \"passthru\")" },
		{ "'connections':[{'name':'x','network':'own'}]",
				"'connections':[{'name':'y','network':'near'}]",
				"/connections/0/network machines 'b' and 'a' have the same "
				"interface of the host, eth1, and one of them takes it over "
				"(\"macvtap-mode\": \"passthru\")" },
		{ "'connections':[{'name':'x','network':'near'}]",
				"'connections':[{'name':'y','network':'near'}]", "" },
		{ "",
				"'connections':[{'name':'x','network':'own'},{'name':'y','network':"
				"'own'}]",
				"/connections/1/network machine 'b' has the same interface of "
				"the host twice, eth1, and one of them takes it over "
				"(\"macvtap-mode\": \"passthru\")" },
		/* Text that is no address is not compared. */
		{ "'connections':[{'name':'x','network':'lan','ip':'dhcp'}]",
				"'connections':[{'name':'x','network':'lan','ip':'dhcp'}]", "" },
		{ "'volumes':[{'name':'x','storage':'rw'}]",
				"'volumes':[{'name':'y/../x','storage':'rw'}]",
				"/volumes/0 machines 'b' and 'a' have the same file, "
				"/p/x.raw, and one of them may write it" },
		{ "'volumes':[{'name':'x','storage':'ro'}]",
				"'volumes':[{'name':'x','storage':'rw'}]",
				"/volumes/0 machines 'b' and 'a' have the same file, "
				"/p/x.raw, and one of them may write it" },
		{ "'volumes':[{'name':'x','storage':'ro'}]",
				"'volumes':[{'name':'x','storage':'ro'}]", "" },
		/* Those that the guest does not see are not opened. */
		{ "'volumes':[{'name':'x','storage':'fw'}]",
				"'volumes':[{'name':'x','storage':'fw'}]", "" },
		{ "'attrs':{'firmware':{'code':{'name':'c','storage':'rof'},'vars':{'name':'v',"
		  "'storage':'fw'}}}",
				"'attrs':{'firmware':{'code':{'name':'c','storage':'rof'},'vars':{"
				"'name':'v','storage':'fw'}}}",
				"/attrs/firmware/vars machines 'b' and 'a' have the same file, "
				"/f/v.firmware, and one of them may write it" },
		{ "'attrs':{'tpm':{'enabled':true,'data':{'name':'t','storage':'t'}}}",
				"'attrs':{'tpm':{'enabled':true,'data':{'name':'t','storage':'t'}}}"
				"",
				"/attrs/tpm/data machines 'b' and 'a' have the same TPM state, "
				"/t/t.tpm-data" },
		{ "'attrs':{'tpm':{'enabled':true,'data':{'name':'t','storage':'t'}}}",
				"'attrs':{'tpm':{'enabled':false,'data':{'name':'t','storage':'t'}}"
				"}",
				"" },
		{ "'devices':[{'name':'x','class':'c','id':'3e2cee4d-1002-4989-af98-3e03b8ad3197'}"
		  "]",
				"'devices':[{'name':'y','class':'c','id':"
				"'3e2cee4d10024989af983e03b8ad3197'}]",
				"/devices/0/id machines 'b' and 'a' have the same mediated "
				"device, 3e2cee4d-1002-4989-af98-3e03b8ad3197" },
		{ "'attrs':{'vsock':{'enabled':true,'cid':7}}",
				"'attrs':{'vsock':{'enabled':true,'cid':7}}",
				"/attrs/vsock/cid machines 'b' and 'a' have the same vsock "
				"CID, 7" },
		{ "'attrs':{'vsock':{'enabled':true,'cid':7}}", "'attrs':{'vsock':{'cid':7}}", "" },
		{ "'attrs':{'qmp':{'enabled':true,'sockets':{'paths':['/run/x']}}}",
				"'attrs':{'qmp':{'enabled':true,'sockets':{'paths':['/run//x']}}}",
				"/attrs/qmp/sockets/paths machines 'b' and 'a' have the same "
				"socket, /run/x" },
		/* Names of sockets are below each machine's own directory. */
		{ "'attrs':{'qmp':{'enabled':true,'sockets':{'names':['x']}}}",
				"'attrs':{'qmp':{'enabled':true,'sockets':{'names':['x']}}}", "" },
		{ "'attrs':{'spice':{'enabled':true,'port':5930}}",
				"'vars':{'p':'5930'},'attrs':{'vnc':{'enabled':true,'port-pattern':"
				"'$p'}"
				"}",
				"/attrs/vnc/port-pattern machines 'b' and 'a' have the same "
				"port, tcp 5930" },
		{ "'attrs':{'spice':{'enabled':true}}", "'attrs':{'spice':{'enabled':true}}", "" },
		{ "'attrs':{'spice':{'port':5930}}",
				"'attrs':{'spice':{'enabled':true,'port':5930}"
				"}",
				"" },
		{ "'connections':[{'name':'x','network':'all'}]",
				"'attrs':{'agent':{'qemu':{'enabled':true,'port':80}}}",
				"/attrs/agent/qemu/port machines 'b' and 'a' have the same "
				"port, tcp 80" },
		{ "'connections':[{'name':'x','network':'all'}]",
				"'connections':[{'name':'x','network':'one'}]",
				"/connections/0/network machines 'b' and 'a' have the same "
				"port, tcp 80" },
		{ "'connections':[{'name':'x','network':'one'}]",
				"'attrs':{'agent':{'qemu':{'enabled':true,'port':80}}}", "" },
		{ "'connections':[{'name':'x','network':'all'}]",
				"'connections':[{'name':'x','network':'udp'}]", "" },
	};
	scratch_begin();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(freep) char *got = conflicts(rows[i].a, rows[i].b, 3);
		CHECK_STR(got, rows[i].expected);
	}
	scratch_end();
}

TEST(conflicts_of_one_machine_with_itself)
{
	static const struct {
		const char *machine, *expected;
	} rows[] = {
		/* In networks apart, or as ports of one bond. */
		{ "'connections':[{'name':'x','network':'lan','mac':'52:54:00:00:00:01'},{'name':"
		  "'y','network':'dmz','mac':'52:54:00:00:00:01'}]",
				"" },
		{ "'connections':[{'name':'x 1','network':'lan'},{'name':'x1','network':'lan'}]",
				"/connections/1/name machine 'a' has the same interface name "
				"twice, a.x1" },
		/* The user-mode network has no interface on the host. */
		{ "'connections':[{'name':'x 1','network':'nat'},{'name':'x1','network':'lan'}]",
				"" },
		{ "'attrs':{'spice':{'enabled':true,'port':5930},'vnc':{'enabled':true,'port':"
		  "5930}}",
				"/attrs/vnc/port machine 'a' has the same port twice, tcp 5930" },
		/* Two cards may be one to the guest. */
		{ "'connections':[{'name':'x','network':'lan','ip':'10.0.0.1'},{'name':'y',"
		  "'network':'lan','ip':'10.0.0.1'}]",
				"" },
	};
	scratch_begin();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(freep) char *got = conflicts(rows[i].machine, "", 3);
		CHECK_STR(got, rows[i].expected);
	}
	scratch_end();
}

TEST(conflicts_of_machines_that_nobody_asked_about)
{
	static const char id[] = "'id':'8b18191a-234f-45ce-b43c-b46e28cd2f70'";
	scratch_begin();
	CLEANUP(freep)
	char *neither = conflicts(id, id, 0), *first = conflicts(id, id, 1),
	     *second = conflicts(id, id, 2);
	CHECK_STR(neither, "");
	CHECK(first[0] && second[0]);
	scratch_end();
}

/* The other machine's file may be gone, or another one, by the time it is read again. */
TEST(a_machine_that_is_gone_is_passed_over)
{
	CLEANUP(config_paths_done) struct config_paths paths = {};
	CLEANUP(sample_done) struct sample s = {};
	CLEANUP(claims_done) struct claims claims = {};
	scratch_begin();
	config_paths_init(&paths, scratch_dir, NULL);
	sample_host(&s, HOST);
	for (const char *name = "ab"; *name; name++) {
		sample_machine(&s, (const char[]){ *name, '\0' },
				"{'tags':['m'],'id':'8b18191a-234f-45ce-b43c-b46e28cd2f70'}");
		if (sample_build(&s))
			claims_add(&claims, &s.vm, true);
	}
	claims_check(&claims, &paths, &s.host, &s.report);
	CHECK_STR(sample_findings(&s), "");
	scratch_end();
}

TEST_MAIN()

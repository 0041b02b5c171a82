/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the merged config to a machine: names that become what they stand for, defaults, variables.
 */
#include "model/vm.h"

#include "config-sample.h"
#include "json/jlocate.h"
#include "model/plan.h"

#define RAM "'memory':{'ram':64}"

/* Build machine "web" of this text on this host. False: not built, which is a failure. */
static bool build(struct sample *s, const char *host, const char *machine)
{
	sample_host(s, host);
	sample_machine(s, "web", machine);
	return sample_build(s);
}

/* The findings of a machine that cannot be built. */
static void check_refused(const char *host, const char *machine, const char *expected)
{
	CLEANUP(sample_done) struct sample s = {};
	sample_host(&s, host);
	sample_machine(&s, "web", machine);
	if (!s.failed)
		CHECK_INT(vm_build(&s.host, &s.machine, &s.vm, &s.report), 1);
	CHECK_STR(sample_findings(&s), expected);
}

TEST(storage_types_are_sorted)
{
	for (size_t i = 1; vm_storage_types[i].name; i++)
		if (strcmp(vm_storage_types[i - 1].name, vm_storage_types[i].name) >= 0)
			TEST_FAIL("%s stands before %s", vm_storage_types[i - 1].name,
					vm_storage_types[i].name);
	for (size_t i = 0; vm_storage_types[i].name; i++)
		CHECK(vm_storage_type_find(vm_storage_types[i].name) == &vm_storage_types[i]);
	CHECK(!vm_storage_type_find("iso") && !vm_storage_type_find(""));
}

TEST(a_machine_of_nothing_but_memory)
{
	CLEANUP(sample_done) struct sample s = {};
	if (!build(&s, "{}", "{'attrs':{" RAM "}}"))
		return;
	CHECK_STR(sample_findings(&s), "");
	CHECK_STR(s.vm.name, "web");
	CHECK_STR(s.vm.description, "");
	CHECK(!s.vm.has_uuid);
	CHECK_STR(s.vm.machine_type, "q35");
	CHECK_INT(s.vm.layout, 1);
	CHECK_INT(s.vm.accel, VM_ACCEL_KVM);
	CHECK_STR(s.vm.emulator, "/usr/bin/qemu-system-x86_64");
	CHECK_INT(s.vm.spare_ports, 0);
	CHECK(!s.vm.kernel && !s.vm.initrd && !s.vm.firmware_code && !s.vm.firmware_vars);
	CHECK_STR(s.vm.cpu.model, "host");
	CHECK_INT(s.vm.cpu.brand, VM_BRAND_OTHER);
	CHECK_INT(s.vm.cpu.sockets + s.vm.cpu.cores + s.vm.cpu.threads, 0);
	CHECK_INT(s.vm.memory.ram_mib, 64);
	CHECK(!s.vm.tpm.enabled && !s.vm.agent.enabled && !s.vm.spice.enabled &&
			!s.vm.vnc.enabled && !s.vm.serial && !s.vm.rng && !s.vm.balloon &&
			!s.vm.vsock.enabled && !s.vm.cluster);
	CHECK_INT(s.vm.display, VM_DISPLAY_NONE);
	CHECK_INT(s.vm.spice_displays, 1);
	CHECK_INT(s.vm.n_qmp, 3);
	CHECK_INT(s.vm.shutdown_sec, 85);
	CHECK_INT(s.vm.host_end, VM_HOST_SHUTDOWN);
	CHECK_STR(s.vm.user, "machina-web");
	CHECK_STR(s.vm.group_name, "machina-web");
	CHECK(vm_group_id(&s.vm) >= 65536);
}

TEST(what_a_shutdown_of_the_host_does_is_read)
{
	static const enum vm_host_end ends[] = { VM_HOST_SHUTDOWN, VM_HOST_SAVE, VM_HOST_KILL };
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		CLEANUP(sample_done) struct sample s = {};
		CLEANUP(freep)
		char *machine = xasprintf("{'attrs':{" RAM ",'shutdown':{'host':'%s'}}}",
				vm_host_end_names[i]);
		if (!build(&s, "{}", machine))
			continue;
		CHECK_STR(sample_findings(&s), "");
		CHECK_INT(s.vm.host_end, ends[i]);
	}
}

TEST(time_to_shut_down_is_whole_seconds)
{
	static const struct {
		const char *text;
		int seconds;
	} rows[] = { { "", 85 }, { "5min", 300 }, { "1500ms", 2 }, { "1h", 3600 }, { "20", 20 } };
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(sample_done) struct sample s = {};
		CLEANUP(freep)
		char *machine = xasprintf(
				"{'attrs':{" RAM ",'shutdown':{'timeout':'%s'}}}", rows[i].text);
		if (!build(&s, "{}", machine))
			continue;
		CHECK_STR(sample_findings(&s), "");
		CHECK_INT(s.vm.shutdown_sec, rows[i].seconds);
	}
}

TEST(no_memory_is_an_error)
{
	check_refused("{}", "{}",
			"web:1:1: /attrs/memory/ram: the machine has no memory: set \"attrs\": { "
			"\"memory\": { \"ram\": MiB } } in its file or in a tag");
}

/* What a pool's keys and a volume's name make for a path (reference: clean(join(path, file))). */
TEST(paths_of_volumes)
{
	static const struct {
		const char *pool, *name, *path;
	} rows[] = {
		{ "'path':'/srv','type':'raw'", "os", "/srv/os.raw" },
		{ "'path':'/srv','type':'raw-block'", "os", "/srv/os.raw-block" },
		{ "'path':'/srv','type':'vvfat-block'", "os", "/srv/os.vvfat-block" },
		{ "'path':'/srv','type':'raw','pattern':'x'", "os", "/srv/x" },
		{ "'path':'/srv','type':'raw','pattern':'${volume}/${machine-name}.img'", "os",
				"/srv/os/web.img" },
		{ "'path':'/srv','type':'raw','pattern':'${machine-id}'", "os",
				"/srv/8b18191a-234f-45ce-b43c-b46e28cd2f70" },
		{ "'path':'/srv','type':'raw','pattern':'${machine-description}/$x'", "os",
				"/srv/a b/7" },
		{ "'path':'/srv/','type':'raw','pattern':'//a/./b/../c'", "os", "/srv/a/c" },
		{ "'path':'/srv','type':'raw'", "../../x", "/x.raw" },
		{ "'path':'/srv/a','type':'raw'", "../b", "/srv/b.raw" },
		{ "'path':'rel','type':'raw'", "os", "/rel/os.raw" },
		{ "'type':'raw'", "os", "/os.raw" },
		{ "'path':'/srv','type':'raw'", "", "/srv/.raw" },
		{ "'path':'/$HOME/%n','type':'raw'", "a,b \\\"c\\\"", "/$HOME/%n/a,b \"c\".raw" },
		/* Users cannot replace what is built in. */
		{ "'path':'/srv','type':'raw','pattern':'${volume}-${machine-name}'", "os",
				"/srv/os-web" },
		{ "'path':'/srv','type':'raw','pattern':'${customer:-none}-$((2*(3+4)))'", "os",
				"/srv/none-14" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(sample_done) struct sample s = {};
		CLEANUP(freep) char *host = xasprintf("{'storage':{'p':{%s}}}", rows[i].pool);
		CLEANUP(freep)
		char *machine = xasprintf(
				"{'id':'8B18191A234F45CEB43CB46E28CD2F70','description':'a b',"
				"'vars':{'x':'7','volume':'mine','machine-name':'mine'},"
				"'attrs':{" RAM "},'volumes':[{'name':'%s','storage':'p'}]}",
				rows[i].name);
		if (build(&s, host, machine))
			CHECK_STR(s.vm.volumes[0].path, rows[i].path);
	}
}

TEST(a_volume_is_what_its_pool_makes_of_it)
{
	CLEANUP(sample_done) struct sample s = {};
	if (!build(&s,
			    "{'storage':{'p':{'path':'/p','type':'raw','readonly':true},"
			    "'q':{'path':'/q','type':'qcow2-block','discard':'ignore','cache':"
			    "'none','aio':'native'},'i':{'path':'/i','type':'iso-usb'}}}",
			    "{'attrs':{" RAM
			    "},'volumes':[{'name':'a','storage':'p','bootable':true},"
			    "{'name':'b','storage':'q','serial':'S','wwn':'5000c500a0b1c2d3'},"
			    "{'name':'c','storage':'q','cache':'directsync','discard':'unmap'},"
			    "{'name':'d','storage':'i','boot':'last'},"
			    "{'name':'e','storage':'q','boot':'first'}]}"))
		return;
	const struct vm_volume *v = s.vm.volumes;
	CHECK_INT(v[0].boot, VM_BOOT_DEFAULT);
	CHECK_INT(v[3].boot, VM_BOOT_LAST);
	CHECK_INT(v[4].boot, VM_BOOT_FIRST);
	CHECK(v[0].readonly && v[0].bootable && !v[1].readonly && v[3].readonly);
	CHECK_INT(v[0].discard, DISK_DISCARD_UNMAP);
	CHECK_INT(v[0].detect_zeroes, DISK_DETECT_ZEROES_UNMAP);
	CHECK_INT(v[0].cache, DISK_CACHE_WRITEBACK);
	CHECK_INT(v[0].aio, DISK_AIO_THREADS);
	/* Zeroes can't become discards that are ignored. */
	CHECK_INT(v[1].detect_zeroes, DISK_DETECT_ZEROES_OFF);
	CHECK_INT(v[1].cache, DISK_CACHE_NONE);
	CHECK_INT(v[1].aio, DISK_AIO_NATIVE);
	CHECK_STR(v[1].serial, "S");
	CHECK_STR(v[1].wwn, "0x5000C500A0B1C2D3");
	CHECK_INT(v[2].cache, DISK_CACHE_DIRECTSYNC);
	CHECK_INT(v[2].detect_zeroes, DISK_DETECT_ZEROES_UNMAP);
	CHECK_STR(v[1].pool, "q");
	CHECK_INT(strlen(v[0].serial), 26);
	CHECK_INT(strlen(v[0].wwn), 18);
}

/* A pool or network that no machine uses may be anything, as in the Go program. */
TEST(faults_of_the_host_count_where_they_are_used)
{
	CLEANUP(sample_done) struct sample s = {};
	static const char host[] = "{'storage':{'p':{'type':'iso'}},'network':{'n':{}}}";
	build(&s, host, "{'attrs':{" RAM "}}");
	CHECK_STR(sample_findings(&s), "");
	check_refused(host, "{'attrs':{" RAM "},'connections':[{'name':'e','network':'n'}]}",
			"host:1:48: /network/n/device: the network needs \"device\", an \"up\" "
			"script, or \"mode\": \"user\" (used by machine 'web')");
}

TEST(networks_of_both_times)
{
	static const struct {
		const char *network;
		bool join;
		enum network_mode mode;
		const char *bridge, *up, *down;
	} rows[] = {
		/* The Go program's: its own script joined the bridge, others did what they did. */
		{ "'device':'br0'", true, NETWORK_BRIDGE, "br0", NULL, NULL },
		{ "'device':'br0','up':''", true, NETWORK_BRIDGE, "br0", NULL, NULL },
		{ "'device':'br0','up':'/u','down':'/d'", false, NETWORK_BRIDGE, "br0", "/u",
				"/d" },
		{ "'up':'/u'", false, NETWORK_BRIDGE, "", "/u", NULL },
		{ "'device':'br0','up':'no','down':'no'", false, NETWORK_BRIDGE, "br0", NULL,
				NULL },
		{ "'device':'br0','down':'/d'", true, NETWORK_BRIDGE, "br0", NULL, "/d" },
		/* With a mode, joining and scripts are two things. */
		{ "'mode':'bridge','device':'br0','up':'/u'", true, NETWORK_BRIDGE, "br0", "/u",
				NULL },
		{ "'mode':'user'", false, NETWORK_USER, "", NULL, NULL },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(sample_done) struct sample s = {};
		CLEANUP(freep) char *host = xasprintf("{'network':{'n':{%s}}}", rows[i].network);
		if (!build(&s, host,
				    "{'attrs':{" RAM
				    "},'connections':[{'name':'e','network':'n'}]}"))
			continue;
		const struct vm_nic *nic = &s.vm.nics[0];
		CHECK_INT(nic->join, rows[i].join);
		CHECK_INT(nic->mode, rows[i].mode);
		CHECK_STR(nic->bridge, rows[i].bridge);
		CHECK_STR(nic->up, rows[i].up);
		CHECK_STR(nic->down, rows[i].down);
	}
}

static void check_vlans(const struct vm_nic *nic, const char *expected)
{
	CLEANUP(buf_done) struct buf text = {};
	buf_printf(&text, "%u:", nic->vlan);
	for (size_t i = 0; i < nic->n_vlans; i++)
		buf_printf(&text, " %u", nic->vlans[i]);
	CHECK_STR(buf_text(&text), expected);
}

/* VLANs of a connection replace all of its network's; the rest replaces key by key. */
TEST(ports_of_a_network_and_of_a_connection)
{
	CLEANUP(sample_done) struct sample s = {};
	if (!build(&s,
			    "{'network':{'n':{'mode':'bridge','device':'br0','vlan':20,'vlans':[31,"
			    "30,'31-32'],'isolate':true,'mtu':9000},'old':{'device':'br1','mtu':"
			    "1300},"
			    "'slow':{'mode':'bridge','device':'br0','vhost':false}}}",
			    "{'attrs':{" RAM "},'connections':[{'name':'a','network':'n'},"
			    "{'name':'b','network':'n','vlan':40,'isolate':false,'mtu':1400},"
			    "{'name':'c','network':'n','vlans':[50]},{'name':'d','network':'old',"
			    "'mtu':1200},{'name':'e','network':'slow','isolate':true}]}"))
		return;
	const struct vm_nic *nics = s.vm.nics;
	check_vlans(&nics[0], "20: 30 31 32");
	check_vlans(&nics[1], "40:");
	check_vlans(&nics[2], "0: 50");
	check_vlans(&nics[3], "0:");
	CHECK(nics[0].isolate && !nics[1].isolate && nics[2].isolate && nics[4].isolate);
	CHECK_INT(nics[0].mtu, 9000);
	CHECK_INT(nics[1].mtu, 1400);
	CHECK_INT(nics[3].mtu, 1200);
	CHECK(nics[0].managed && nics[0].vhost);
	CHECK(!nics[3].managed && !nics[3].vhost);
	CHECK(nics[4].managed && !nics[4].vhost);
}

TEST(queues_of_a_connection)
{
	CLEANUP(sample_done) struct sample s = {};
	if (!build(&s,
			    "{'network':{'n':{'mode':'bridge','device':'br0'},'old':{'device':'br1'"
			    "},"
			    "'m':{'mode':'macvtap','device':'eth0'},'v':{'mode':'vhost-user'},"
			    "'u':{'mode':'user'}}}",
			    "{'attrs':{" RAM ",'cpu':{'sockets':2,'cores':4,'threads':2}},"
			    "'connections':[{'name':'a','network':'n','queues':16},"
			    "{'name':'b','network':'old','queues':2},{'name':'c','network':'m',"
			    "'queues':3},{'name':'d','network':'v','queues':4},{'name':'e',"
			    "'network':'n'},{'name':'f','network':'u','queues':1}]}"))
		return;
	static const int expected[] = { 16, 2, 3, 4, 1, 1 };
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
		CHECK_INT(s.vm.nics[i].queues, expected[i]);
}

TEST(who_does_mode_user)
{
	CLEANUP(sample_done) struct sample s = {};
	if (!build(&s,
			    "{'network':{'a':{'mode':'user'},'b':{'mode':'user','backend':'passt'},"
			    "'c':{'mode':'user','backend':'slirp'}}}",
			    "{'attrs':{" RAM "},'connections':[{'name':'a','network':'a'},"
			    "{'name':'b','network':'b'},{'name':'c','network':'c'}]}"))
		return;
	const struct vm_nic *nics = s.vm.nics;
	CHECK(!nics[0].passt && nics[1].passt && !nics[2].passt);
}

TEST(interfaces_that_guests_share)
{
	CLEANUP(sample_done) struct sample s = {};
	if (!build(&s,
			    "{'network':{'n':{'mode':'macvtap','device':'eth0','mtu':1400},"
			    "'alone':{'mode':'macvtap','device':'eth1','macvtap-mode':'passthru',"
			    "'vhost':false}}}",
			    "{'attrs':{" RAM "},'connections':[{'name':'a','network':'n'},"
			    "{'name':'b','network':'alone','mtu':1300}]}"))
		return;
	const struct vm_nic *nics = s.vm.nics;
	CHECK_STR(nics[0].device, "eth0");
	CHECK_INT(nics[0].macvtap_mode, MACVTAP_BRIDGE);
	CHECK_INT(nics[0].mtu, 1400);
	CHECK(nics[0].vhost && !nics[1].vhost);
	CHECK_INT(nics[1].macvtap_mode, MACVTAP_PASSTHRU);
	CHECK_INT(nics[1].mtu, 1300);
	for (size_t i = 0; i < s.vm.n_nics; i++)
		CHECK(vm_nic_has_link(&nics[i]) && !nics[i].join && !nics[i].filter);
}

TEST(sockets_of_switches)
{
	CLEANUP(sample_done) struct sample s = {};
	if (!build(&s,
			    "{'network':{'n':{'mode':'vhost-user','socket':"
			    "'/run//dpdk/${machine-name}.${connection}'},"
			    "'own':{'mode':'vhost-user'}}}",
			    "{'attrs':{" RAM "},'connections':[{'name':'a','network':'n'},"
			    "{'name':'b','network':'own'}]}"))
		return;
	const struct vm_nic *nics = s.vm.nics;
	CHECK_STR(nics[0].socket, "/run/dpdk/web.a");
	CHECK_STR(nics[1].socket, NULL);
	CHECK(s.vm.memory.shared);
	for (size_t i = 0; i < s.vm.n_nics; i++)
		CHECK(!vm_nic_has_link(&nics[i]) && !nics[i].vhost && !nics[i].filter);
	for (int accel = VM_ACCEL_KVM; accel <= VM_ACCEL_TCG; accel++) {
		CLEANUP(plan_done) struct plan plan = {};
		s.vm.accel = (enum vm_accel)accel;
		plan_build(&s.vm, "/run/machina", &plan);
		CHECK_INT(plan.n_peers, 1);
		CHECK_STR(plan.peers[0].group, accel == VM_ACCEL_KVM ? "kvm" : NULL);
	}
}

TEST(ports_that_lead_to_the_guest)
{
	CLEANUP(sample_done) struct sample s = {};
	if (!build(&s,
			    "{'network':{'n':{'mode':'user','forward':[{'port':22},{'port':53,"
			    "'to-port':5353,'protocol':'udp','address':'10.0.0.1'}]}}}",
			    "{'attrs':{" RAM "},'connections':[{'name':'e','network':'n'}]}"))
		return;
	const struct forward_conf *f = s.vm.nics[0].forward;
	CHECK_INT(s.vm.nics[0].n_forward, 2);
	CHECK_STR(f[0].address, "127.0.0.1");
	CHECK_INT(f[0].to_port, 22);
	CHECK_INT(f[0].protocol, FORWARD_TCP);
	CHECK_STR(f[1].address, "10.0.0.1");
	CHECK_INT(f[1].to_port, 5353);
	CHECK_INT(f[1].protocol, FORWARD_UDP);
}

/* Both shapes of the Go program's host file give the same, in the order of addresses. */
TEST(mediated_devices_of_both_times)
{
	static const char *const hosts[] = {
		"{'mediated-device':{"
		"'b':{'address':'0000:c2:00.0','classes':{'cad':{'name':'t2','placements':[3,1]}}},"
		"'a':{'address':'0000:c1:00.0','heterogeneous':true,'classes':{'cad':{'name':'t1'"
		"},'other':{'name':'x'}}}}}",
		"{'mdev':{'z':{'address':'0000:c1:00.0','heterogeneous':true,'types':{'cad':{"
		"'name':'t1'}}},"
		"'b':{'address':'0000:c2:00.0','types':{'cad':{'name':'t2','placements':[3,1]}}}}}",
		"{'mediated-device':{'b':{'address':'0000:c2:00.0','types':{'cad':{'name':'t2',"
		"'placements':[3,1]}}}},"
		"'mdev':{'z':{'address':'0000:c1:00.0','heterogeneous':true,'classes':{'cad':{"
		"'name':'t1'}}}}}",
		/* The kernel's names have small letters. */
		"{'mediated-device':{'b':{'address':'0000:C2:00.0','classes':{'cad':{'name':'t2',"
		"'placements':[3,1]}}},'z':{'address':'0000:C1:00.0','heterogeneous':true,"
		"'classes':{'cad':{'name':'t1'}}}}}",
		/* As the Go program's own manual had it. */
		"{'mdev':{'z':{'address':'0000:c1:00.0','heterogeneous':true,'types':{"
		"'cad':'t1'}},"
		"'b':{'address':'0000:c2:00.0','types':{'cad':{'name':'t2','placements':[3,1]}}}}}",
	};
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		CLEANUP(sample_done) struct sample s = {};
		if (!build(&s, hosts[i],
				    "{'attrs':{" RAM
				    "},'devices':[{'name':'vgpu','class':'cad'}]}"))
			continue;
		const struct vm_mdev *m = &s.vm.mdevs[0];
		CHECK_INT(m->n_parents, 2);
		CHECK_STR(m->parents[0].address, "0000:c1:00.0");
		CHECK_STR(m->parents[0].type_name, "t1");
		CHECK(m->parents[0].heterogeneous && !m->parents[1].heterogeneous);
		CHECK_INT(m->parents[0].n_placements, 0);
		CHECK_STR(m->parents[1].type_name, "t2");
		CHECK_INT(m->parents[1].n_placements, 2);
		CHECK_INT(m->parents[1].placements[0], 3);
		CHECK_INT(strlen(m->uuid), 36);
	}
}

/* The zero id is "not set", and ids are written in one form. */
TEST(ids_in_one_form)
{
	static const char host[] = "{'mdev':{'z':{'types':{'c':{}}}}}";
	CLEANUP(sample_done) struct sample s = {};
	if (build(&s, host,
			    "{'id':'00000000-0000-0000-0000-000000000000','attrs':{" RAM
			    "},'devices':[{'name':'a','class':'c','id':"
			    "'{3E2CEE4D-1002-4989-AF98-3E03B8AD3197}'},"
			    "{'name':'b','class':'c','id':'00000000-0000-0000-0000-000000000000'},"
			    "{'name':'c','class':'c'}]}")) {
		CHECK(!s.vm.has_uuid);
		CHECK_STR(s.vm.mdevs[0].uuid, "3e2cee4d-1002-4989-af98-3e03b8ad3197");
		/* In a plan it is "", and not nothing. */
		CHECK_STR(s.vm.mdevs[0].parents[0].address, "");
		CHECK(strcmp(s.vm.mdevs[1].uuid, "00000000-0000-0000-0000-000000000000") != 0);
		CHECK_INT(s.vm.mdevs[1].uuid[14], '4');
	}
}

TEST(the_processor_of_machines_that_name_none)
{
	static const struct {
		const char *processors, *machine;
		enum vm_brand brand;
	} rows[] = {
		{ "", "", VM_BRAND_OTHER },
		{ "'b':{'brand':'intel'},'a':{'brand':'AMD'}", "", VM_BRAND_AMD },
		{ "'b':{'brand':'INTEL','default':true},'a':{'brand':'amd'}", "", VM_BRAND_INTEL },
		{ "'c':{'brand':'amd','default':true},'b':{'brand':'Intel','default':true},'a':{}",
				"", VM_BRAND_INTEL },
		{ "'b':{'brand':'intel'},'a':{'brand':'amd','default':true}", "b", VM_BRAND_INTEL },
		{ "'B':{'brand':'amd'},'a':{'brand':'intel'}", "", VM_BRAND_AMD },
		{ "'a':{'brand':'VIA'}", "a", VM_BRAND_OTHER },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(sample_done) struct sample s = {};
		CLEANUP(freep) char *host = xasprintf("{'processor':{%s}}", rows[i].processors);
		CLEANUP(freep)
		char *machine = xasprintf(
				"{'attrs':{" RAM ",'cpu':{'processor':'%s'}}}", rows[i].machine);
		if (build(&s, host, machine))
			CHECK_INT(s.vm.cpu.brand, rows[i].brand);
	}
}

TEST(threads_come_from_the_machine_or_its_processor)
{
	CLEANUP(sample_done) struct sample s = {};
	static const char host[] = "{'processor':{'a':{'threads':2}}}";
	if (build(&s, host, "{'attrs':{" RAM ",'cpu':{'cores':4}}}"))
		CHECK_INT(s.vm.cpu.threads, 2);
	CLEANUP(sample_done) struct sample t = {};
	if (build(&t, host, "{'attrs':{" RAM ",'cpu':{'threads':1}}}"))
		CHECK_INT(t.vm.cpu.threads, 1);
	CLEANUP(sample_done) struct sample u = {};
	if (build(&u, "{'processor':{'a':{'threads':-2}}}", "{'attrs':{" RAM "}}"))
		CHECK_INT(u.vm.cpu.threads, 0);
}

TEST(too_many_processors)
{
	CLEANUP(sample_done) struct sample s = {};
	build(&s, "{}", "{'attrs':{" RAM ",'cpu':{'sockets':2,'cores':144}}}");
	CHECK_STR(sample_findings(&s), "");
	CLEANUP(sample_done) struct sample t = {};
	build(&t, "{}", "{'attrs':{" RAM ",'cpu':{'sockets':2,'cores':145}}}");
	CHECK_STR(sample_findings(&t),
			"advice: web:1:37: /attrs/cpu: 290 processors need a newer QEMU than 8.0, "
			"which takes 288");
	check_refused("{}", "{'attrs':{" RAM ",'cpu':{'sockets':4096,'cores':2}}}",
			"web:1:37: /attrs/cpu: 8192 processors (sockets, cores and threads "
			"multiplied) are more than QEMU's 4096");
}

TEST(ports_and_their_patterns)
{
	static const struct {
		const char *port;
		int expected;
	} rows[] = {
		{ "'port':5930", 5930 },
		{ "'port':5930,'port-pattern':'1'", 5930 },
		{ "'port':0,'port-pattern':'5931'", 5931 },
		{ "'port-pattern':'59${seat}'", 5907 },
		{ "'port-pattern':'$((5900 + ${seat} % 10))'", 5907 },
		{ "'port-pattern':'$((${machine-name:-0}0 + 1))'", -1 },
		{ "'port-pattern':'+06000'", 6000 },
		{ "'port-pattern':'${none:-7000}'", 7000 },
		/* Built-in variables are there as well. */
		{ "'port-pattern':'${machine-description}'", 6123 },
		{ "'port':0", 0 },
		{ "'port':-1", 0 },
		{ "'port-pattern':''", 0 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(sample_done) struct sample s = {};
		CLEANUP(freep)
		char *host = xasprintf("{'tag':{'t':{'vars':{'seat':'07'},'attrs':{" RAM
				       ",'spice':{'enabled':true,%s},'vnc':{'enabled':true,%s},"
				       "'agent':{'qemu':{'enabled':true,%s}}}}}}",
				rows[i].port, rows[i].port, rows[i].port);
		sample_host(&s, host);
		sample_machine(&s, "web", "{'description':'6123','tags':['t']}");
		if (rows[i].expected < 0) {
			CHECK_INT(vm_build(&s.host, &s.machine, &s.vm, &s.report), 1);
			CHECK_INT(s.report.n_errors, 3);
			continue;
		}
		if (!sample_build(&s))
			continue;
		CHECK_INT(s.vm.spice.port, rows[i].expected);
		CHECK_INT(s.vm.vnc.port, rows[i].expected);
		CHECK_INT(s.vm.agent.port, rows[i].expected);
	}
}

/* As all numbers, the first that is positive counts; and it counts before all patterns. */
TEST(a_port_of_a_later_tag_comes_before_a_pattern)
{
	static const char host[] =
			"{'tag':{'zero':{'attrs':{'spice':{'port':0}}},'minus':{'attrs':{'spice':{"
			"'port':-1}}},'pattern':{'attrs':{'spice':{'port-pattern':'none'}}},"
			"'port':{'attrs':{'spice':{'port':5931}}}}}";
	CLEANUP(sample_done) struct sample s = {};
	if (build(&s, host,
			    "{'tags':['zero','minus','pattern','port'],'attrs':{" RAM
			    ",'spice':{'enabled':true,'port':0}}}"))
		CHECK_INT(s.vm.spice.port, 5931);
	CHECK_STR(sample_findings(&s), "");
}

TEST(a_pattern_that_is_not_used_is_not_read)
{
	CLEANUP(sample_done) struct sample s = {};
	build(&s, "{}", "{'attrs':{" RAM ",'spice':{'port-pattern':'${none}'}}}");
	CHECK_STR(sample_findings(&s), "");
}

/* The Go program looked only at the variables of the machine's own file. */
TEST(variables_of_tags_count_for_the_state_of_a_tpm)
{
	CLEANUP(sample_done) struct sample s = {};
	if (build(&s,
			    "{'storage':{'t':{'path':'/t','pattern':'$customer/${volume}','type':"
			    "'tpm-data'}},'tag':{'a':{'vars':{'customer':'c'}}}}",
			    "{'tags':['a'],'attrs':{" RAM
			    ",'tpm':{'enabled':true,'data':{'name':'x','storage':'t'}}}}"))
		CHECK_STR(s.vm.tpm.data, "/t/c/x");
	CHECK_STR(s.vm.tpm.socket, "");
}

/* The Go program did not ask for the pool's type. */
TEST(the_state_of_a_tpm_may_be_in_any_pool)
{
	static const struct {
		const char *pool, *expected;
	} rows[] = {
		{ "'type':'tpm-data'", "/t/x.tpm-data" },
		{ "'type':'raw'", "/t/x.raw" },
		{ "'type':'none'", "/t/x.none" },
		{ "'pattern':'${volume}'", "/t/x" },
		{ "'type':''", "/t/x.raw" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(sample_done) struct sample s = {};
		CLEANUP(freep)
		char *host = xasprintf("{'storage':{'t':{'path':'/t',%s}}}", rows[i].pool);
		if (!build(&s, host,
				    "{'attrs':{" RAM
				    ",'tpm':{'enabled':true,'data':{'name':'x','storage':'t'}}}}"))
			continue;
		CHECK_STR(s.vm.tpm.data, rows[i].expected);
		CHECK_STR(sample_findings(&s),
				i ? "advice: web:1:82: /attrs/tpm/data/storage: the TPM's state is "
				    "kept in storage pool 't', which is not of type \"tpm-data\""
				  : "");
	}
}

TEST(sockets_come_in_order_and_once)
{
	CLEANUP(sample_done) struct sample s = {};
	if (!build(&s, "{}",
			    "{'attrs':{" RAM
			    ",'qmp':{'enabled':true,'sockets':{'names':['command.0','x','x'],"
			    "'paths':['/run/a','/run/./a','rel','/run/machina/web/qmp/"
			    "x.qmp.socket',"
			    "'/run/machina/web/qmp/systemd.0.qmp.socket']}}}}"))
		return;
	static const char *const names[] = { "systemd.0", "command.0", "command.1", "x", "/run/a",
		"/rel" };
	CHECK_INT(s.vm.n_qmp, ARRAY_SIZE(names));
	for (size_t i = 0; i < s.vm.n_qmp && i < ARRAY_SIZE(names); i++)
		CHECK_STR(s.vm.qmp[i].name, names[i]);
	CHECK_STR(s.vm.qmp[3].path, "");
	CHECK_STR(s.vm.qmp[4].path, "/run/a");

	CLEANUP(sample_done) struct sample t = {};
	if (build(&t, "{}", "{'attrs':{" RAM ",'qmp':{'sockets':{'names':['x']}}}}"))
		CHECK_INT(t.vm.n_qmp, 3);
}

TEST(displays)
{
	static const struct {
		const char *attrs;
		enum vm_display display;
		int n;
	} rows[] = {
		{ "'spice':{'enabled':true}", VM_DISPLAY_QXL, 1 },
		{ "'spice':{'enabled':true,'displays':9}", VM_DISPLAY_QXL, 4 },
		{ "'spice':{'enabled':true,'displays':-1}", VM_DISPLAY_QXL, 1 },
		{ "'vnc':{'enabled':true}", VM_DISPLAY_VIRTIO, 1 },
		{ "'vnc':{'enabled':true},'spice':{'enabled':true}", VM_DISPLAY_QXL, 1 },
		{ "'display':'none','spice':{'enabled':true}", VM_DISPLAY_NONE, 1 },
		{ "'display':'virtio'", VM_DISPLAY_VIRTIO, 1 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(sample_done) struct sample s = {};
		CLEANUP(freep) char *machine = xasprintf("{'attrs':{" RAM ",%s}}", rows[i].attrs);
		if (!build(&s, "{}", machine))
			continue;
		CHECK_INT(s.vm.display, rows[i].display);
		CHECK_INT(s.vm.spice_displays, rows[i].n);
	}
}

/* All of them are told at once, with what else is wrong. */
TEST(features_that_cannot_be_written_to_a_command_line)
{
	static const char *const bad[] = { "'a,b':true", "'a':'on,kvm=off'", "'-vmx':true",
		"'':true", "'a b':true", "'h\303\266':true", "'a':'x\\ny'", "'a\\nb':true" };
	CLEANUP(buf_done) struct buf all = {};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		CLEANUP(sample_done) struct sample s = {};
		CLEANUP(freep)
		char *machine = xasprintf(
				"{'attrs':{" RAM ",'cpu':{'features':{'x':true,%s}}}}", bad[i]);
		sample_host(&s, "{}");
		sample_machine(&s, "web", machine);
		CHECK_INT(vm_build(&s.host, &s.machine, &s.vm, &s.report), 1);
		CHECK_INT(s.report.n_errors, 1);
		CHECK(strstr(sample_findings(&s), "/attrs/cpu/features/"));
		CHECK(strstr(sample_findings(&s), " can't be a CPU feature: "));
		if (strncmp(bad[i], "'a':", 4) != 0)
			buf_printf(&all, ",%s", bad[i]);
	}
	CLEANUP(sample_done) struct sample s = {};
	CLEANUP(freep)
	char *machine = xasprintf("{'attrs':{'cpu':{'features':{'x':1%s}}}}", buf_text(&all));
	sample_host(&s, "{}");
	sample_machine(&s, "web", machine);
	CHECK_INT(vm_build(&s.host, &s.machine, &s.vm, &s.report), 1);
	CHECK_INT(s.report.n_errors, ARRAY_SIZE(bad) - 2 + 1);
}

TEST(what_qemu_cannot_do_is_told_with_all_else)
{
	static const char host[] =
			"{'storage':{'s':{'path':'/s','type':'sata','readonly':true},'d':{'path':"
			"'/d','type':'raw'}},'network':{'u':{'mode':'user','forward':[{'port':1,"
			"'address':'::1'}]}}}";
	check_refused(host,
			"{'attrs':{'machine':{'accel':'tcg'},'enlightenments':{'enabled':true}},"
			"'volumes':[{'name':'a','storage':'s',"
			"'wwn':'60014051234567890123456789ABCDEF'},"
			"{'name':'b','storage':'d','wwn':'60014051234567890123456789ABCDEF'}],"
			"'connections':[{'name':'e','network':'u'}]}",
			"host:1:133: /network/u/forward: ::1 is not an IPv4 address: with "
			"\"mode\": \"user\" ports of others can't be forwarded (used by "
			"machine 'web')\n"
			"web:1:10: /attrs/memory/ram: the machine has no memory: set \"attrs\": { "
			"\"memory\": { \"ram\": MiB } } in its file or in a tag\n"
			"web:1:65: /attrs/enlightenments/enabled: Hyper-V enlightenments need KVM, "
			"and \"accel\" is \"tcg\"\n"
			"web:1:105: /volumes/0/storage: volume 'a': a SATA disk can't be "
			"read-only, and storage pool 's' is; use a pool of type \"raw-scsi\" or "
			"\"raw-block\"\n"
			"web:1:115: /volumes/0/wwn: volume 'a': a SATA disk has a WWN of 16 hex "
			"digits\n"
			"advice: web:1:183: /volumes/1/wwn: QEMU's disks have WWNs of 16 hex "
			"digits: the guest finds this one as the text of a vendor-specific "
			"identifier, not as a WWN");
}

TEST(one_file_may_be_used_twice_only_if_none_may_write_it)
{
	static const struct {
		const char *first, *second;
		bool refused;
	} rows[] = {
		{ "raw", "raw", true },
		{ "rawro", "raw", true },
		{ "raw", "iso-usb", true },
		{ "rawro", "iso-usb", false },
		{ "iso-scsi", "iso-ahci", false },
		{ "firmware", "raw", false },
		{ "vvfat-block", "vvfat-block", false },
	};
	static const char host[] =
			"{'storage':{'raw':{'path':'/p','pattern':'x','type':'raw'},"
			"'rawro':{'path':'/p','pattern':'x','type':'raw','readonly':true},"
			"'iso-usb':{'path':'/p','pattern':'x','type':'iso-usb'},"
			"'iso-scsi':{'path':'/p','pattern':'x','type':'iso-scsi'},"
			"'iso-ahci':{'path':'/p','pattern':'x','type':'iso-ahci'},"
			"'firmware':{'path':'/p','pattern':'x','type':'firmware'},"
			"'vvfat-block':{'path':'/p','pattern':'x','type':'vvfat-block'}}}";
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(sample_done) struct sample s = {}, t = {};
		CLEANUP(freep)
		char *machine = xasprintf("{'attrs':{" RAM "},'volumes':[{'name':'a','storage':'%s'"
					  "},{'name':'b','storage':'%s'}]}",
				rows[i].first, rows[i].second);
		sample_host(&s, host);
		sample_machine(&s, "web", machine);
		CHECK_INT(vm_build(&s.host, &s.machine, &s.vm, &s.report), rows[i].refused);
		CHECK_INT(strstr(sample_findings(&s), "/volumes/1: volume 'b' is the same file as "
						      "volume 'a', '/p/x', and one of them may "
						      "write it") != NULL,
				rows[i].refused);
		/* A flash image that may be written is no disk. */
		CLEANUP(freep)
		char *flash = xasprintf("{'attrs':{" RAM ",'firmware':{'code':{'name':'c',"
					"'storage':'firmware'}}},'volumes':[{'name':'b','storage':"
					"'%s'}]}",
				rows[i].second);
		sample_host(&t, host);
		sample_machine(&t, "web", flash);
		CHECK_INT(vm_build(&t.host, &t.machine, &t.vm, &t.report),
				strcmp(rows[i].second, "vvfat-block") != 0);
	}
}

TEST(what_is_accepted_but_worth_advice)
{
	static const char host[] =
			"{'storage':{'f':{'path':'/f','type':'firmware'},'t':{'path':'/t','type':"
			"'tpm-data'},'none':{'type':'raw'},'rel':{'path':'x','type':'raw'},'cd':"
			"{'path':'/i','type':'iso-ahci'}},'network':{'n':{'device':'br0'}},"
			"'processor':{'p':{'brand':'AMD'},'q':{'brand':'GenuineIntel'}}}";
	static const struct {
		const char *machine, *expected;
	} rows[] = {
		{ "'volumes':[{'name':'a','storage':'none'},{'name':'b','storage':'none'}]",
				"advice: host:1:92: /storage/none/path: the storage pool has no "
				"\"path\": its volumes are in '/'" },
		{ "'volumes':[{'name':'a','storage':'rel'}]",
				"advice: host:1:121: /storage/rel/path: the \"path\" of the "
				"storage "
				"pool is not absolute: it counts from '/'" },
		{ "'volumes':[{'name':'a','storage':'cd','bootable':true}]",
				"advice: web:1:81: /volumes/0/bootable: \"bootable\" has no effect "
				"on a CD, such as volume 'a'; the firmware tries it with \"boot\": "
				"\"first\" or \"last\"" },
		{ "'volumes':[{'name':'a','storage':'cd','bootable':true,'boot':'first'}]", "" },
		{ "'volumes':[{'name':'a','storage':'f'}]",
				"advice: web:1:43: /volumes/0: the guest does not see volume "
				"'a': its storage pool 'f' is of type \"firmware\"" },
		{ "'volumes':[{'name':'a','storage':'t'}]",
				"advice: web:1:43: /volumes/0: the guest does not see volume "
				"'a': its storage pool 't' is of type \"tpm-data\"" },
		{ "'connections':[{'name':'a','network':'n','mac':'01:00:5e:00:00:01'}]",
				"advice: web:1:79: /connections/0/mac: 01:00:5e:00:00:01 is the "
				"MAC address of a group (multicast): guests may not take it; "
				"'machina gen-mac' makes one" },
		{ "'connections':[{'name':'a','network':'n','mac':'00-00:00:00:00:00'}]",
				"advice: web:1:79: /connections/0/mac: QEMU does not use the MAC "
				"address 00-00:00:00:00:00, but one of its own" },
		{ "'connections':[{'name':'a','network':'n','ip':['10.0.0.1','here']}]",
				"advice: web:1:90: /connections/0/ip/1: \"here\" is not an IP "
				"address: it is not compared with those of other machines" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(sample_done) struct sample s = {};
		CLEANUP(freep)
		char *machine = xasprintf("{'attrs':{" RAM "},%s}", rows[i].machine);
		if (build(&s, host, machine))
			CHECK_STR(sample_findings(&s), rows[i].expected);
	}
	CLEANUP(sample_done) struct sample s = {};
	build(&s, host, "{'attrs':{" RAM ",'firmware':{'vars':{'name':'v','storage':'f'}}}}");
	CHECK_STR(sample_findings(&s), "advice: web:1:50: /attrs/firmware/vars: firmware "
				       "variables without \"code\" are not used");
	CHECK(!s.vm.firmware_vars);
	CLEANUP(sample_done) struct sample u = {};
	build(&u, host, "{'attrs':{" RAM ",'firmware':{'code':{'name':'c','storage':'cd'}}}}");
	CHECK_STR(sample_findings(&u),
			"advice: web:1:72: /attrs/firmware/code/storage: volume 'c' is firmware, "
			"and the guest sees it as a CD, too: storage pool 'cd' is of type "
			"\"iso-ahci\", not \"firmware\"");
	CHECK(u.vm.firmware_code);
	CLEANUP(sample_done) struct sample t = {};
	build(&t, host, "{'attrs':{" RAM ",'cpu':{'processor':'q'}}}");
	CHECK_STR(sample_findings(&t),
			"advice: host:1:256: /processor/q/brand: \"GenuineIntel\" is neither "
			"\"AMD\" "
			"nor \"Intel\": guests get no CPU features that only one of these has");
}

TEST(firmware_of_a_tag_can_be_taken_away)
{
	static const char host[] =
			"{'storage':{'f':{'path':'/f','type':'firmware'}},'tag':{'uefi':{'attrs':{"
			"'firmware':{'code':{'name':'c','storage':'f'},'vars':{'name':'v',"
			"'storage':'f'}}}}}}";
	CLEANUP(sample_done) struct sample s = {}, t = {}, u = {}, w = {};
	if (!build(&s, host,
			    "{'tags':['uefi'],'attrs':{" RAM ",'firmware':{'code':{'remove':true},"
			    "'vars':{'remove':true}}}}") ||
			!build(&t, host,
					"{'tags':['uefi'],'attrs':{" RAM
					",'firmware':{'code':{'remove':false}}}}") ||
			!build(&u, host,
					"{'tags':['uefi'],'attrs':{" RAM
					",'firmware':{'vars':{'remove':true}}}}") ||
			!build(&w, host,
					"{'tags':['uefi'],'attrs':{" RAM
					",'firmware':{'code':{'remove':true,'name':'own','storage':"
					"'f'}}}}"))
		return;
	/* As it was taken before there was such a key. */
	CHECK_STR(w.vm.firmware_code->name, "own");
	CHECK(!s.vm.firmware_code && !s.vm.firmware_vars);
	CHECK_STR(sample_findings(&s), "");
	CHECK(t.vm.firmware_code && t.vm.firmware_vars);
	CHECK(u.vm.firmware_code && !u.vm.firmware_vars);
}

/* What it took away is not there, and nor is it. */
TEST(firmware_that_takes_nothing_away_is_none)
{
	CLEANUP(sample_done) struct sample s = {};
	if (!build(&s, "{}", "{'attrs':{" RAM ",'firmware':{'code':{'remove':true}}}}"))
		return;
	CHECK(!s.vm.firmware_code);
	CHECK(jpointer_get(s.machine.merged, "/attrs/firmware"));
	CHECK(!jpointer_get(s.machine.merged, "/attrs/firmware/code"));
}

TEST(users_of_units)
{
	static const struct {
		const char *machine, *user, *tpm_user;
	} rows[] = {
		{ "web", "machina-web", "machina-tpm-web" },
		{ "a23456789012345678901", "machina-a23456789012345678901", NULL },
		{ "a2345678901234567890123", "machina-a2345678901234567890123", NULL },
		/* Too long, or with a dot: a hash. */
		{ "a23456789012345678901234", NULL, NULL },
		{ "web.1", NULL, NULL },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(freep) char *user = vm_user_name(rows[i].machine);
		CLEANUP(freep) char *tpm = vm_tpm_user_name(rows[i].machine);
		if (rows[i].user)
			CHECK_STR(user, rows[i].user);
		else
			CHECK_INT(strspn(user + strlen("machina-"), "0123456789abcdef"), 16);
		if (rows[i].tpm_user)
			CHECK_STR(tpm, rows[i].tpm_user);
		CHECK(strlen(user) <= 31 && strlen(tpm) <= 31 && strcmp(user, tpm) != 0);
	}
}

#define GPUS                                                                                       \
	"{'pci-device':{"                                                                          \
	"'right':{'class':['gpu','any'],'address':'0000:C1:00.0','functions':[1],'vga':true},"     \
	"'left':{'class':'gpu','address':'0000:41:00.0','functions':[1],'vga':true},"              \
	"'spare':{'class':'any','vendor':'10DE','device':'2684','functions':[1],'vga':true},"      \
	"'nic':{'class':'nic','address':'0000:04:00.0','vendor':'8086','device':'1521',"           \
	"'rom':'/usr/share/nic.rom','rom-bar':false}},"                                            \
	"'mediated-device':{'m':{'address':'0000:81:00.0','classes':{'cad':{'name':'t'}}}}}"

TEST(pci_devices_of_a_class_in_the_order_of_addresses)
{
	CLEANUP(sample_done) struct sample s = {};
	if (!build(&s, GPUS,
			    "{'attrs':{" RAM "},'devices':[{'name':'a','class':'gpu'},"
			    "{'name':'b','class':'cad'},{'name':'c','class':'any'},"
			    "{'name':'d','class':'nic'}]}"))
		return;
	CHECK_INT(s.vm.n_mdevs, 1);
	CHECK_INT(s.vm.mdevs[0].index, 1);
	CHECK_INT(s.vm.n_pcis, 3);
	CHECK(vm_uses_vfio(&s.vm));
	const struct vm_pci *gpu = &s.vm.pcis[0], *any = &s.vm.pcis[1], *nic = &s.vm.pcis[2];
	CHECK_STR(gpu->name, "a");
	CHECK_INT(gpu->n_candidates, 2);
	CHECK_STR(gpu->candidates[0].address, "0000:41:00.0");
	CHECK_STR(gpu->candidates[1].address, "0000:c1:00.0");
	CHECK_INT(gpu->n_functions, 1);
	CHECK_INT(gpu->functions[0], 1);
	CHECK(gpu->vga && !gpu->no_rom_bar && !gpu->rom && !vm_pci_is_fixed(gpu));
	/* Those that are only known by their ids come last. */
	CHECK_INT(any->n_candidates, 2);
	CHECK_STR(any->candidates[0].address, "0000:c1:00.0");
	CHECK_STR(any->candidates[1].address, NULL);
	CHECK_STR(any->candidates[1].vendor, "10de");
	CHECK_INT(any->index, 2);
	CHECK(vm_pci_is_fixed(nic));
	CHECK_STR(nic->candidates[0].device, "1521");
	CHECK_STR(nic->rom, "/usr/share/nic.rom");
	CHECK(nic->no_rom_bar);
}

TEST(virtual_functions)
{
	CLEANUP(sample_done) struct sample s = {};
	if (!build(&s,
			    "{'network':{'fast':{'mode':'vf','device':'enp65s0f0','vlan':20,"
			    "'virtual-functions':8},'free':{'mode':'vf','device':'enp65s0f1',"
			    "'spoof-check':false,'trust':true}},"
			    "'pci-device':{'d':{'class':'disk','address':'0000:05:00.0',"
			    "'virtual-functions':4}}}",
			    "{'attrs':{" RAM "},'connections':[{'name':'a','network':'fast'},"
			    "{'name':'b','network':'free','mac':'52:54:00:00:00:01'},"
			    "{'name':'c','network':'fast','vlan':30}],"
			    "'devices':[{'name':'d','class':'disk'}]}"))
		return;
	CHECK_INT(s.vm.n_pcis, 4);
	const struct vm_pci *p = s.vm.pcis;
	CHECK_STR(p[0].candidates[0].interface, "enp65s0f0");
	CHECK_INT(p[0].candidates[0].virtual_functions, 8);
	CHECK_STR(p[0].vf.mac, s.vm.nics[0].mac);
	CHECK_INT(p[0].vf.vlan, 20);
	CHECK(p[0].vf.spoof_check && !p[0].vf.trust);
	CHECK_INT(p[1].index, 1);
	CHECK_INT(p[1].vf.vlan, 0);
	CHECK(!p[1].vf.spoof_check && p[1].vf.trust);
	CHECK_INT(p[1].candidates[0].virtual_functions, 0);
	CHECK(vm_pci_is_virtual(&p[1].candidates[0]));
	CHECK_INT(p[2].vf.vlan, 30);
	CHECK_STR(p[3].class_name, "disk");
	CHECK_INT(p[3].candidates[0].virtual_functions, 4);
	for (size_t i = 0; i < s.vm.n_pcis; i++)
		CHECK(!vm_pci_is_fixed(&p[i]));
	CHECK(!vm_nic_has_link(&s.vm.nics[0]));
}

/* "WHAT TEXT; " for each thing that cloud-init is told. */
static void check_seed(const char *host, const char *machine, const char *expected)
{
	CLEANUP(sample_done) struct sample s = {};
	CLEANUP(buf_done) struct buf text = {};
	if (!build(&s, host, machine))
		return;
	for (size_t i = 0; i < s.vm.n_seed; i++)
		buf_printf(&text, "%s %s; ", vm_seed_kind_names[s.vm.seed[i].kind],
				s.vm.seed[i].text ? s.vm.seed[i].text : "");
	CHECK_STR(buf_text(&text), expected);
}

#define ID "'id':'8B18191A-234F-45CE-B43C-B46E28CD2F70'"
#define INSTANCE "instance-id 8b18191a-234f-45ce-b43c-b46e28cd2f70; hostname web; "

TEST(cloud_init_is_told_what_is_configured)
{
	check_seed("{}", "{" ID ",'attrs':{" RAM "}}", "");
	check_seed("{}", "{" ID ",'attrs':{" RAM ",'cloud-init':{}}}", "");
	check_seed("{}", "{" ID ",'attrs':{" RAM ",'cloud-init':{'enabled':true}}}", INSTANCE);
	check_seed("{}",
			"{" ID ",'attrs':{" RAM
			",'cloud-init':{'user':'al','password-hash-file':'/h/${machine-name}',"
			"'ssh-authorized-keys':['ssh-rsa A $x','/k/${machine-name}.pub'],"
			"'packages':['nginx'],'upgrade':true,'run':['echo $x']}}}",
			INSTANCE "user al; password-hash-file /h/web; key ssh-rsa A $x; "
				 "key-file /k/web.pub; package nginx; upgrade ; run echo $x; ");
	check_seed("{}",
			"{" ID ",'attrs':{" RAM
			",'cloud-init':{'sudo':'none','groups':['adm'],'shell':'/bin/sh'}}}",
			INSTANCE "sudo none; group adm; shell /bin/sh; ");
	check_seed("{}",
			"{'attrs':{" RAM
			",'cloud-init':{'instance-id':'7','hostname':'a.example'}}}",
			"instance-id 7; hostname a.example; ");
	check_seed("{}",
			"{'attrs':{" RAM ",'cloud-init':{'meta-data':'/m','user-data':'/u',"
			"'network-config':'/n','vendor-data':'/v'}}}",
			"user-data /u; meta-data /m; network-config /n; vendor-data /v; ");
}

TEST(cloud_init_can_be_switched_off)
{
	check_seed("{'tag':{'t':{'attrs':{'cloud-init':{'user':'al','packages':['a']}}}}}",
			"{'tags':['t'],'attrs':{" RAM ",'cloud-init':{'enabled':false}}}", "");
}

TEST(what_tags_tell_cloud_init_adds_up)
{
	check_seed("{'tag':{'t':{'attrs':{'cloud-init':{'user':'al','packages':['a','b'],"
		   "'run':['one'],'ssh-authorized-keys':['ssh-rsa A','ssh-rsa B']}}}}}",
			"{" ID ",'tags':['t'],'attrs':{" RAM ",'cloud-init':{'packages':['b','c'],"
			"'run':['two'],'ssh-authorized-keys':['ssh-rsa B']}}}",
			INSTANCE "user al; key ssh-rsa B; key ssh-rsa A; package b; package c; "
				 "package a; run one; run two; ");
}

TEST(a_machine_without_an_id_has_an_instance_of_its_name)
{
	CLEANUP(sample_done) struct sample s = {}, other = {};
	sample_host(&other, "{}");
	sample_machine(&other, "web_2", "{'attrs':{" RAM ",'cloud-init':{'enabled':true}}}");
	if (!sample_build(&other) ||
			!build(&s, "{}", "{'attrs':{" RAM ",'cloud-init':{'enabled':true}}}"))
		return;
	CHECK_STR(s.vm.seed[0].text, "66e4c529-a9f4-43e8-b574-d908e08f2c08");
	CHECK(strcmp(s.vm.seed[0].text, other.vm.seed[0].text) != 0);
	CHECK_STR(other.vm.seed[1].text, "web-2");
}

TEST(interfaces_are_told_by_their_mac_addresses)
{
	check_seed("{'network':{'lan':{'mode':'bridge','device':'br0'},"
		   "'home':{'mode':'nat','address':['10.7.0.1/24'],"
		   "'dhcp':{'range':'10.7.0.9-10.7.0.99'}},"
		   "'far':{'mode':'routed','address':['10.8.0.1/24','fd08::1/64']},"
		   "'in':{'mode':'isolated','address':['10.9.0.1/24']}}}",
			"{'attrs':{" RAM ",'cloud-init':{'instance-id':'1','network':true}},"
			"'connections':["
			"{'name':'a','network':'lan','mac':'52-54-00-00-00-0A','ip':'10.1.0.5/24'},"
			"{'name':'b','network':'home','mac':'52:54:00:00:00:02','ip':'10.7.0.5'},"
			"{'name':'c','network':'far','mac':'52:54:00:00:00:03',"
			"'ip':['10.8.0.5','fd08::5']},"
			"{'name':'d','network':'in','mac':'52:54:00:00:00:04','ip':'10.9.0.5'}]}",
			"instance-id 1; hostname web; network {\"version\":2,\"ethernets\":{"
			"\"a\":{\"match\":{\"macaddress\":\"52:54:00:00:00:0a\"},\"dhcp4\":true},"
			"\"b\":{\"match\":{\"macaddress\":\"52:54:00:00:00:02\"},\"dhcp4\":true},"
			"\"c\":{\"match\":{\"macaddress\":\"52:54:00:00:00:03\"},\"dhcp4\":false,"
			"\"addresses\":[\"10.8.0.5/24\",\"fd08::5/64\"],"
			"\"routes\":[{\"to\":\"0.0.0.0/0\",\"via\":\"10.8.0.1\"},"
			"{\"to\":\"::/0\",\"via\":\"fd08::1\"}]},"
			"\"d\":{\"match\":{\"macaddress\":\"52:54:00:00:00:04\"},\"dhcp4\":false,"
			"\"addresses\":[\"10.9.0.5/24\"]}}}; ");
}

TEST_MAIN()

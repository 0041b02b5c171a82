/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of QEMU's argument vector, but for disks (test-argv-disks.c). */
#include "qemu/argv.h"

#include "test.h"
#include "vm-sample.h"

static size_t index_of(const struct sample *s, const char *word)
{
	size_t i = 0;
	while (i < s->argv.n && strcmp(s->argv.items[i], word) != 0)
		i++;
	return i;
}

static bool has(const struct sample *s, const char *word)
{
	return index_of(s, word) < s->argv.n;
}

TEST(smallest_machine)
{
	static const char *const expected[] = {
		"/usr/bin/qemu-system-x86_64",
		"-name",
		"guest=web,debug-threads=on",
		"-accel",
		"tcg,split-wx=on",
		"-nodefaults",
		"-no-user-config",
		"-nographic",
		"-sandbox",
		"on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
		"-action",
		"panic=exit-failure",
		"-machine",
		"type=q35",
		"-cpu",
		"max",
		"-m",
		"size=128M",
		"-rtc",
		"base=utc,clock=host,driftfix=slew",
		"-mon",
		"chardev=qmp.0,mode=control",
		"-mon",
		"chardev=qmp.1,mode=control",
		"-mon",
		"chardev=qmp.2,mode=control",
		"-boot",
		"menu=on,reboot-timeout=5000",
		"-chardev",
		"socket,id=qmp.0,fd=3,server=on,wait=off",
		"-chardev",
		"socket,id=qmp.1,fd=4,server=on,wait=off",
		"-chardev",
		"socket,id=qmp.2,fd=5,server=on,wait=off",
		"-device",
		"pvpanic-pci,id=panic.0,bus=pcie.0,addr=1.0,multifunction=on",
	};
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	CHECK_INT(sample_build(&s, QEMU_FORM_UNIT), 0);
	CHECK_INT(s.report.n, 0);
	CHECK_INT(s.argv.n, ARRAY_SIZE(expected));
	for (size_t i = 0; i < s.argv.n && i < ARRAY_SIZE(expected); i++)
		CHECK_STR(s.argv.items[i], expected[i]);
}

TEST(same_machine_same_bytes)
{
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	sample_volumes(&s, "d", "raw", 3);
	sample_build(&s, QEMU_FORM_UNIT);
	CLEANUP(strv_done) struct strv first = {};
	strv_extend(&first, &s.argv);
	sample_build(&s, QEMU_FORM_UNIT);
	CHECK_INT(s.argv.n, first.n);
	for (size_t i = 0; i < first.n && i < s.argv.n; i++)
		CHECK_STR(s.argv.items[i], first.items[i]);
}

TEST(uuid_and_kvm)
{
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	s.vm.has_uuid = true;
	memcpy(s.vm.uuid, "\x8b\x18\x19\x1a\x23\x4f\x45\xce\xb4\x3c\xb4\x6e\x28\xcd\x2f\x70", 16);
	s.vm.accel = VM_ACCEL_KVM;
	s.vm.cpu.model = "host";
	sample_build(&s, QEMU_FORM_UNIT);
	CHECK_STR(sample_value(&s, "-uuid", ""), "8b18191a-234f-45ce-b43c-b46e28cd2f70");
	CHECK_STR(sample_value(&s, "-accel", ""), "kvm");
	CHECK_STR(sample_value(&s, "-cpu", ""), "host");
}

TEST(cpu_of_a_windows_guest_on_amd)
{
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	s.vm.accel = VM_ACCEL_KVM;
	s.vm.cpu.model = "host";
	s.vm.cpu.brand = VM_BRAND_AMD;
	s.vm.cpu.sockets = 2;
	s.vm.cpu.cores = 16;
	s.vm.cpu.threads = 2;
	s.vm.cpu.enlightenments = true;
	sample_build(&s, QEMU_FORM_UNIT);
	CHECK_STR(sample_value(&s, "-cpu", ""),
			"host,topoext=on,hv-relaxed,hv-vapic,hv-spinlocks=0x1fff,hv-vpindex,"
			"hv-runtime,hv-time,hv-synic,hv-stimer,hv-tlbflush,hv-ipi,hv-frequencies,"
			"hv-reenlightenment,hv-stimer-direct,hv-emsr-bitmap,hv-xmm-input,"
			"hv-tlbflush-ext,hv-tlbflush-direct,hv-avic=on");
	CHECK_STR(sample_value(&s, "-smp", ""), "sockets=2,cores=16,threads=2");
}

TEST(cpu_of_other_brands)
{
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	s.vm.accel = VM_ACCEL_KVM;
	s.vm.cpu.model = "host";
	s.vm.cpu.threads = 2;
	s.vm.cpu.brand = VM_BRAND_INTEL;
	s.vm.cpu.enlightenments = true;
	sample_build(&s, QEMU_FORM_UNIT);
	const char *cpu = sample_value(&s, "-cpu", "hv-evmcs");
	CHECK(cpu && !strstr(cpu, "topoext"));
	CHECK_STR(sample_value(&s, "-smp", ""), "threads=2");

	s.vm.cpu.brand = VM_BRAND_OTHER;
	sample_build(&s, QEMU_FORM_UNIT);
	cpu = sample_value(&s, "-cpu", "hv-tlbflush-direct");
	CHECK(cpu && !strstr(cpu, "hv-evmcs") && !strstr(cpu, "hv-avic"));
}

TEST(one_thread_needs_no_topoext)
{
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	s.vm.cpu.brand = VM_BRAND_AMD;
	s.vm.cpu.threads = 1;
	sample_build(&s, QEMU_FORM_UNIT);
	CHECK_STR(sample_value(&s, "-cpu", ""), "max");
}

TEST(cpu_features_come_last)
{
	struct jpair features[] = { { "hv-evmcs", "off" }, { "level", "0x16" } };
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	s.vm.accel = VM_ACCEL_KVM;
	s.vm.cpu.brand = VM_BRAND_INTEL;
	s.vm.cpu.enlightenments = true;
	s.vm.cpu.features = (struct jpairs){ features, ARRAY_SIZE(features) };
	CHECK_INT(sample_build(&s, QEMU_FORM_UNIT), 0);
	const char *cpu = sample_value(&s, "-cpu", "");
	CHECK(strstr(cpu, ",hv-evmcs,hv-evmcs=off,level=0x16"));
}

TEST(memory_from_huge_pages_and_shared)
{
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	s.vm.memory.ram_mib = 4096;
	s.vm.memory.hugepages = true;
	sample_build(&s, QEMU_FORM_UNIT);
	CHECK_STR(sample_value(&s, "-m", ""), "size=4096M");
	CHECK_STR(sample_value(&s, "-object", ""),
			"memory-backend-memfd,id=pc.ram,size=4096M,hugetlb=on,share=off");
	CHECK_STR(sample_value(&s, "-machine", ""), "type=q35,memory-backend=pc.ram");

	s.vm.memory.hugepages = false;
	s.vm.memory.shared = true;
	sample_build(&s, QEMU_FORM_UNIT);
	CHECK_STR(sample_value(&s, "-object", ""),
			"memory-backend-memfd,id=pc.ram,size=4096M,share=on");
}

TEST(firmware_is_two_flash_images)
{
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	sample_firmware(&s);
	sample_build(&s, QEMU_FORM_UNIT);
	CHECK_STR(sample_value(&s, "-machine", ""),
			"type=q35,pflash0=firmware.code,pflash1=firmware.vars");
	CHECK_STR(sample_value(&s, "-global", ""), "driver=cfi.pflash01,property=secure,value=on");
	CHECK_STR(sample_value(&s, "-blockdev", "node-name=firmware.code"),
			"driver=file,node-name=firmware.code,read-only=on,filename=/dev/fdset/1");
	CHECK_STR(sample_value(&s, "-blockdev", "node-name=firmware.vars"),
			"driver=file,node-name=firmware.vars,filename=/dev/fdset/2");
	CHECK_INT(sample_count(&s, "-device", ""), 1);

	sample_build(&s, QEMU_FORM_STANDALONE);
	CHECK_STR(sample_value(&s, "-blockdev", "node-name=firmware.vars"),
			"driver=file,node-name=firmware.vars,filename=/tank/web/vars.img");
	CHECK(!has(&s, "-add-fd"));
}

/* As the Go program had it, which put both at the places that came next. */
TEST(firmware_of_a_pool_of_cds_is_a_cd_too)
{
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	sample_firmware(&s);
	s.vm.firmware_code->type = vm_storage_type_find("iso-ahci");
	s.vm.firmware_vars->type = vm_storage_type_find("iso-usb");
	s.vm.firmware_vars->readonly = true;
	sample_volume(&s, "os", "raw");
	CHECK_INT(sample_build(&s, QEMU_FORM_UNIT), 0);
	CHECK_STR(sample_value(&s, "-machine", ""),
			"type=q35,pflash0=firmware.code,pflash1=firmware.vars");
	CHECK_STR(sample_value(&s, "-device", "ide-cd"),
			"ide-cd,id=sata.0,bus=ide.1,drive=firmware.code");
	CHECK_STR(sample_value(&s, "-device", "qemu-xhci"),
			"qemu-xhci,id=usb,bus=pcie.1.2,p2=4,p3=4");
	CHECK_STR(sample_value(&s, "-device", "usb-storage"),
			"usb-storage,id=usb.0.1,bus=usb.0,port=1,drive=firmware.vars");
	CHECK(strstr(sample_value(&s, "-device", "virtio-scsi-pci"), ",bus=pcie.1.3,"));
}

TEST(kernel_is_a_copy_by_number_or_a_path)
{
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	sample_kernel(&s);
	sample_build(&s, QEMU_FORM_UNIT);
	CHECK_STR(sample_value(&s, "-kernel", ""), "/proc/self/fd/3");
	CHECK_STR(sample_value(&s, "-initrd", ""), "/proc/self/fd/4");
	CHECK_STR(sample_value(&s, "-append", ""), "console=ttyS0 a,b");
	CHECK(!has(&s, "-add-fd"));

	s.vm.initrd = NULL;
	s.vm.cmdline = "";
	sample_build(&s, QEMU_FORM_STANDALONE);
	CHECK_STR(sample_value(&s, "-kernel", ""), "/tank/web/vmlinuz");
	CHECK(!has(&s, "-initrd"));
	CHECK(!has(&s, "-append"));
}

TEST(sockets_of_qmp_agent_and_console_in_both_forms)
{
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	s.vm.agent.enabled = true;
	s.vm.agent.port = 4900;
	s.vm.serial = true;
	sample_build(&s, QEMU_FORM_UNIT);
	CHECK_STR(sample_value(&s, "-chardev", "id=guestagent"),
			"socket,id=guestagent,fd=6,server=on,wait=off,nodelay=on");
	CHECK_STR(sample_value(&s, "-chardev", "id=console"),
			"socket,id=console,fd=7,server=on,wait=off,logfile=/dev/fdset/1,logappend="
			"on");
	CHECK_STR(sample_value(&s, "-add-fd", ""), "fd=8,set=1,opaque=console.log");
	CHECK_STR(sample_value(&s, "-device", "chardev=guestagent"),
			"virtserialport,id=serial.0.0,bus=serial.0,nr=1,chardev=guestagent,"
			"name=org.qemu.guest_agent.0");
	CHECK_STR(sample_value(&s, "-device", "chardev=console"),
			"isa-serial,id=com.0,chardev=console");

	s.vm.agent.port = 0;
	sample_build(&s, QEMU_FORM_STANDALONE);
	CHECK_STR(sample_value(&s, "-chardev", "id=qmp.0"),
			"socket,id=qmp.0,path=/run/machina/web/qmp/systemd.0.qmp.socket,server=on,"
			"wait=off");
	CHECK_STR(sample_value(&s, "-chardev", "id=guestagent"),
			"socket,id=guestagent,path=/run/machina/web/agent.socket,server=on,wait="
			"off");
	CHECK_STR(sample_value(&s, "-chardev", "id=console"),
			"socket,id=console,path=/run/machina/web/console.socket,server=on,wait=off,"
			"logfile=/run/machina/web/console.log,logappend=on");

	s.vm.agent.port = 4900;
	sample_build(&s, QEMU_FORM_STANDALONE);
	CHECK_STR(sample_value(&s, "-chardev", "id=guestagent"),
			"socket,id=guestagent,host=127.0.0.1,port=4900,server=on,wait=off,nodelay="
			"on");
}

TEST(tpm_is_connected_and_uses_up_a_place)
{
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	s.vm.tpm.enabled = true;
	sample_nic(&s, NETWORK_BRIDGE);
	sample_build(&s, QEMU_FORM_UNIT);
	CHECK_STR(sample_value(&s, "-chardev", "id=tpm.0.socket"), "socket,id=tpm.0.socket,fd=4");
	CHECK_STR(sample_value(&s, "-tpmdev", ""), "emulator,id=tpm.0,chardev=tpm.0.socket");
	CHECK(sample_value(&s, "-device", "tpmdev=tpm.0"));
	CHECK_STR(sample_value(&s, "-device", "ioh3420"),
			"ioh3420,id=pcie.1.2,chassis=2,bus=pcie.0,addr=1.2");
	CHECK(index_of(&s, "-tpmdev") > index_of(&s, "-chardev"));

	sample_build(&s, QEMU_FORM_STANDALONE);
	CHECK_STR(sample_value(&s, "-chardev", "id=tpm.0.socket"),
			"socket,id=tpm.0.socket,path=/run/machina/web/swtpm/control.socket");
}

TEST(taps_by_descriptor_or_name)
{
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	sample_nic(&s, NETWORK_BRIDGE);
	sample_nic(&s, NETWORK_BRIDGE);
	sample_build(&s, QEMU_FORM_UNIT);
	CHECK_STR(sample_value(&s, "-netdev", "id=net.1"), "tap,id=net.1,fd=4");
	CHECK_STR(sample_value(&s, "-device", "netdev=net.1"),
			"virtio-net-pci,id=nic.1,bus=pcie.1.2,mac=52:54:00:00:00:01,netdev=net.1");
	sample_build(&s, QEMU_FORM_STANDALONE);
	CHECK_STR(sample_value(&s, "-netdev", "id=net.1"),
			"tap,id=net.1,ifname=web.1,script=no,downscript=no");
}

/* QEMU opens no macvtap by itself. */
TEST(macvtaps_are_descriptors_in_every_form)
{
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	sample_nic(&s, NETWORK_BRIDGE);
	struct vm_nic *nic = sample_nic(&s, NETWORK_MACVTAP);
	nic->device = "eth0";
	for (enum qemu_form form = QEMU_FORM_UNIT; form <= QEMU_FORM_STANDALONE; form++) {
		CHECK_INT(sample_build(&s, form), 0);
		CHECK_STR(sample_value(&s, "-netdev", "id=net.1"), "tap,id=net.1,fd=4");
	}
}

TEST(queues_are_descriptors_or_numbers)
{
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	sample_nic(&s, NETWORK_BRIDGE)->queues = 3;
	sample_nic(&s, NETWORK_BRIDGE);
	struct vm_nic *nic = sample_nic(&s, NETWORK_MACVTAP);
	nic->device = "eth0";
	nic->queues = 2;
	sample_nic(&s, NETWORK_VHOST_USER)->queues = 4;
	s.vm.memory.shared = true;
	for (enum qemu_form form = QEMU_FORM_UNIT; form <= QEMU_FORM_STANDALONE; form++) {
		CHECK_INT(sample_build(&s, form), 0);
		CHECK_STR(sample_value(&s, "-device", "netdev=net.0"),
				"virtio-net-pci,id=nic.0,bus=pcie.1.1,mac=52:54:00:00:00:00,netdev="
				"net.0,mq=on,vectors=8");
		CHECK_STR(sample_value(&s, "-device", "netdev=net.1"),
				"virtio-net-pci,id=nic.1,bus=pcie.1.2,mac=52:54:00:00:00:01,netdev="
				"net.1");
		CHECK_STR(sample_value(&s, "-netdev", "id=net.2"), "tap,id=net.2,fds=7:8");
		CHECK_STR(sample_value(&s, "-netdev", "id=net.3"),
				"vhost-user,id=net.3,chardev=net.3.socket,queues=4");
		CHECK(strstr(sample_value(&s, "-device", "netdev=net.3"), ",mq=on,vectors=10"));
		CHECK_STR(sample_value(&s, "-netdev", "id=net.0"),
				form == QEMU_FORM_UNIT ? "tap,id=net.0,fds=3:4:5"
						       : "tap,id=net.0,ifname=web.0,script=no,"
							 "downscript=no,queues=3");
	}
	sample_build(&s, QEMU_FORM_UNIT);
	CHECK_STR(sample_value(&s, "-netdev", "id=net.1"), "tap,id=net.1,fd=6");
}

/* QEMU takes no descriptor for them. */
TEST(switches_are_talked_to_by_path)
{
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	struct vm_nic *nic = sample_nic(&s, NETWORK_VHOST_USER);
	nic->socket = "/run/dpdk/a,b";
	nic = sample_nic(&s, NETWORK_VHOST_USER);
	nic->name = "own";
	s.vm.memory.shared = true;
	for (enum qemu_form form = QEMU_FORM_UNIT; form <= QEMU_FORM_STANDALONE; form++) {
		CHECK_INT(sample_build(&s, form), 0);
		CHECK_STR(sample_value(&s, "-chardev", "id=net.0.socket"),
				form == QEMU_FORM_UNIT ? "socket,id=net.0.socket,path=/run/dpdk/"
							 "a,,b,${MACHINA_RECONNECT}"
						       : "socket,id=net.0.socket,path=/run/dpdk/"
							 "a,,b");
		CHECK_STR(sample_value(&s, "-netdev", "id=net.0"),
				"vhost-user,id=net.0,chardev=net.0.socket");
		CHECK_STR(sample_value(&s, "-chardev", "id=net.1.socket"),
				"socket,id=net.1.socket,path=/run/machina-qemu/web/"
				"net.own,server=on,"
				"wait=off");
		CHECK_STR(sample_value(&s, "-device", "netdev=net.1"),
				"virtio-net-pci,id=nic.1,bus=pcie.1.2,mac=52:54:00:00:00:01,netdev="
				"net.1");
	}
}

TEST(vhost_is_switched_on_afterwards)
{
	CLEANUP(sample_done) struct sample s;
	CLEANUP(strv_done) struct strv words = {};
	sample_init(&s);
	sample_nic(&s, NETWORK_BRIDGE);
	sample_nic(&s, NETWORK_BRIDGE)->vhost = true;
	sample_build(&s, QEMU_FORM_UNIT);
	CHECK_STR(sample_value(&s, "-netdev", "id=net1"), "tap,id=net1,fd=4");
	CHECK_STR(sample_value(&s, "-device", "netdev=net1"),
			"virtio-net-pci,id=nic.1,bus=pcie.1.2,mac=52:54:00:00:00:01,netdev=net1");
	qemu_vhost_args(&s.plan, &words);
	CHECK_INT(words.n, 4);
	CHECK_STR(words.items[0], "-set");
	CHECK_STR(words.items[1], "netdev.net1.vhost=on");
	CHECK_STR(words.items[2], "-set");
	CLEANUP(freep)
	char *fd = xasprintf("netdev.net1.vhostfd=%d", plan_find(&s.plan, "vhost.1")->number);
	CHECK_STR(words.items[3], fd);
}

TEST(each_queue_has_its_vhost)
{
	CLEANUP(sample_done) struct sample s;
	CLEANUP(strv_done) struct strv words = {};
	sample_init(&s);
	/* Their names begin alike. */
	for (size_t i = 0; i < 12; i++)
		sample_nic(&s, NETWORK_BRIDGE);
	for (size_t i = 0; i < 12; i++)
		s.vm.nics[i].vhost = i == 1 || i == 10 || i == 11;
	s.vm.nics[1].queues = s.vm.nics[10].queues = 2;
	CHECK_INT(sample_build(&s, QEMU_FORM_UNIT), 0);
	qemu_vhost_args(&s.plan, &words);
	CLEANUP(buf_done) struct buf text = {};
	for (size_t i = 0; i < words.n; i++)
		buf_printf(&text, "%s%s", i ? " " : "", words.items[i]);
	const int first = plan_find(&s.plan, "vhost.1")->number;
	CLEANUP(freep)
	char *expected = xasprintf("-set netdev.net1.vhost=on -set netdev.net1.vhostfds=%d:%d "
				   "-set netdev.net10.vhost=on -set netdev.net10.vhostfds=%d:%d "
				   "-set netdev.net11.vhost=on -set netdev.net11.vhostfd=%d",
			first, first + 1, first + 2, first + 3, first + 4);
	CHECK_STR(buf_text(&text), expected);
}

TEST(user_mode_network_with_forwards)
{
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	struct vm_nic *nic = sample_nic(&s, NETWORK_USER);
	sample_nic(&s, NETWORK_BRIDGE);
	struct forward_conf forwards[] = {
		{ .protocol = FORWARD_TCP, .address = "127.0.0.1", .port = 2222, .to_port = 22 },
		{ .protocol = FORWARD_UDP, .address = "0.0.0.0", .port = 53, .to_port = 53 },
	};
	nic->forward = forwards;
	nic->n_forward = ARRAY_SIZE(forwards);
	CHECK_INT(sample_build(&s, QEMU_FORM_UNIT), 0);
	CHECK_STR(sample_value(&s, "-netdev", "id=net.0"),
			"user,id=net.0,hostfwd=tcp:127.0.0.1:2222-:22,hostfwd=udp:0.0.0.0:53-:53");
	CHECK_STR(sample_value(&s, "-netdev", "id=net.1"), "tap,id=net.1,fd=3");
}

/* What is to be pasted into a shell has no unit beside it. */
TEST(passt_is_at_the_other_end_of_a_descriptor)
{
	static const struct {
		enum qemu_form form;
		const char *netdev;
	} rows[] = {
		{ QEMU_FORM_UNIT, "stream,id=net.0,server=off,addr.type=fd,addr.str=3" },
		{ QEMU_FORM_STANDALONE, "user,id=net.0,hostfwd=tcp:127.0.0.1:2222-:22" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(sample_done) struct sample s;
		sample_init(&s);
		struct vm_nic *nic = sample_nic(&s, NETWORK_USER);
		struct forward_conf forward = {
			.address = "127.0.0.1", .port = 2222, .to_port = 22
		};
		nic->passt = true;
		nic->forward = &forward;
		nic->n_forward = 1;
		CHECK_INT(sample_build(&s, rows[i].form), 0);
		CHECK_STR(sample_value(&s, "-netdev", "id=net.0"), rows[i].netdev);
		const struct plan_fd *fd = plan_find(&s.plan, "net.0");
		CHECK(fd && plan_is_passt(fd));
		if (!fd)
			continue;
		CHECK_STR(fd->path, "/run/machina-passt/web@0/socket");
		CHECK_STR(fd->forward, "tcp:127.0.0.1:2222-:22");
		CHECK_INT(plan_n_connections(&s.plan), 1);
		CHECK_STR(plan_connection(&s.plan, 0).id, "net.0");
	}
}

TEST(mediated_devices)
{
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	s.vm.n_mdevs = 1;
	s.mdevs[0] = (struct vm_mdev){
		.name = "gpu", .class_name = "cad", .uuid = "3e2cee4d-1002-4989-af98-3e03b8ad3197"
	};
	sample_build(&s, QEMU_FORM_UNIT);
	CHECK_STR(sample_value(&s, "-device", "vfio-pci"),
			"vfio-pci,id=vfio.0,bus=pcie.1.1,sysfsdev=/sys/bus/mdev/devices/"
			"3e2cee4d-1002-4989-af98-3e03b8ad3197");
}

TEST(devices_that_are_new_move_none_that_was_there)
{
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	s.vm.rng = s.vm.balloon = true;
	s.vm.spare_ports = 2;
	sample_volume(&s, "fast", "nvme");
	sample_volume(&s, "os", "raw-block");
	sample_nic(&s, NETWORK_BRIDGE);
	sample_build(&s, QEMU_FORM_UNIT);
	CHECK(strstr(sample_value(&s, "-device", "id=block.0"), "bus=pcie.1.1,"));
	CHECK(strstr(sample_value(&s, "-device", "id=nic.0"), "bus=pcie.1.2,"));
	CHECK(strstr(sample_value(&s, "-device", "id=nvme.0"), "bus=pcie.1.3,"));
	CHECK_STR(sample_value(&s, "-device", "id=rng.0"),
			"virtio-rng-pci,id=rng.0,bus=pcie.1.4,rng=rng.0.source");
	CHECK_STR(sample_value(&s, "-object", "rng-builtin"), "rng-builtin,id=rng.0.source");
	CHECK_STR(sample_value(&s, "-device", "id=balloon.0"),
			"virtio-balloon-pci,id=balloon.0,bus=pcie.1.5");
	CHECK(sample_value(&s, "-device", "id=pcie.1.6"));
	CHECK(sample_value(&s, "-device", "id=pcie.1.7"));
	CHECK(!sample_value(&s, "-device", "id=pcie.2.0"));
}

TEST(a_full_bus_is_an_error_of_the_first_that_finds_no_place)
{
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	for (int i = 0; i < 239; i++)
		sample_nic(&s, NETWORK_BRIDGE);
	CHECK_INT(sample_build(&s, QEMU_FORM_UNIT), 0);
	sample_nic(&s, NETWORK_BRIDGE);
	sample_nic(&s, NETWORK_BRIDGE);
	s.vm.rng = true;
	CHECK_INT(sample_build(&s, QEMU_FORM_UNIT), 1);
	CHECK_INT(s.report.n_errors, 1);
	CHECK_STR(sample_finding(&s),
			"/connections/239: the machine has no room left on its PCI Express bus, "
			"which holds 240 devices");
}

TEST(shares_share_the_guests_memory_with_who_serves_them)
{
	struct vm_share shares[] = { { .name = "docs" }, { .name = "w.1" } };
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	s.vm.shares = shares;
	s.vm.n_shares = 2;
	s.vm.memory.shared = true;
	CHECK_INT(sample_build(&s, QEMU_FORM_UNIT), 0);
	CHECK_STR(sample_value(&s, "-object", "memory-backend-memfd"),
			"memory-backend-memfd,id=pc.ram,size=128M,share=on");
	CHECK_STR(sample_value(&s, "-chardev", "id=share.1.socket"),
			"socket,id=share.1.socket,fd=4");
	CHECK_STR(sample_value(&s, "-device", "id=share.1"),
			"vhost-user-fs-pci,id=share.1,bus=pcie.1.2,chardev=share.1.socket,tag=w.1");
	CHECK_STR(sample_value(&s, "-device", "id=share.0"),
			"vhost-user-fs-pci,id=share.0,bus=pcie.1.1,chardev=share.0.socket,"
			"tag=docs");
	/* They move nothing that a machine without them has. */
	s.vm.balloon = true;
	sample_build(&s, QEMU_FORM_UNIT);
	CHECK(sample_has_part(sample_value(&s, "-device", "id=balloon.0"), "bus=pcie.1.1"));
}

TEST(a_guest_is_told_where_to_say_that_it_is_ready)
{
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	s.vm.vsock.enabled = true;
	s.vm.vsock.cid = 70000;
	sample_build(&s, QEMU_FORM_UNIT);
	CHECK(!sample_value(&s, "-smbios", "type=11"));
	s.vm.ready.when = VM_READY_NOTIFY;
	sample_build(&s, QEMU_FORM_UNIT);
	CHECK_STR(sample_value(&s, "-smbios", "type=11"), "type=11,value=io.systemd.credential:vmm."
							  "notify_socket=vsock-stream:2:70000");
	/* Nobody listens to it without a unit. */
	sample_build(&s, QEMU_FORM_STANDALONE);
	CHECK(!sample_value(&s, "-smbios", "type=11"));
}

TEST(a_vsock_device_comes_behind_all_others)
{
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	s.vm.balloon = s.vm.vsock.enabled = true;
	s.vm.vsock.cid = 4294967294;
	sample_nic(&s, NETWORK_BRIDGE)->vhost = true;
	CHECK_INT(sample_build(&s, QEMU_FORM_UNIT), 0);
	/* The descriptors that may be missing are the last ones. */
	CHECK_INT(plan_find(&s.plan, "vhost.0")->number, 8);
	CHECK_STR(sample_value(&s, "-device", "id=vsock.0"),
			"vhost-vsock-pci,id=vsock.0,bus=pcie.1.3,guest-cid=4294967294,vhostfd=7");
	CHECK(sample_has_part(sample_value(&s, "-device", "id=balloon.0"), "bus=pcie.1.2"));
	CHECK_INT(sample_build(&s, QEMU_FORM_STANDALONE), 0);
	CHECK_STR(sample_value(&s, "-device", "id=vsock.0"),
			"vhost-vsock-pci,id=vsock.0,bus=pcie.1.3,guest-cid=4294967294");
}

TEST(credentials_are_read_from_descriptors)
{
	struct vm_credential credentials[] = { { "a,b", "/etc/a,b" }, { "c", "/etc/c" } };
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	s.vm.credentials = credentials;
	s.vm.n_credentials = 2;
	CHECK_INT(sample_build(&s, QEMU_FORM_UNIT), 0);
	CHECK(sample_value(&s, "-smbios", "path=/proc/self/fd/6"));
	CHECK_STR(sample_value(&s, "-smbios", "path=/proc/self/fd/7"),
			"type=11,path=/proc/self/fd/7");
	CHECK_INT(sample_build(&s, QEMU_FORM_STANDALONE), 0);
	CHECK_STR(sample_value(&s, "-fw_cfg", ""),
			"name=opt/io.systemd.credentials/a,,b,file=/etc/a,,b");
}

/* The devices of the argument vector, but for the CD's. */
static void list_devices(const struct sample *s, struct buf *ret)
{
	for (size_t i = 0; i + 1 < s->argv.n; i++)
		if (!strcmp(s->argv.items[i], "-device") &&
				!strstr(s->argv.items[i + 1], "drive=cloud-init"))
			buf_printf(ret, "%s\n", s->argv.items[i + 1]);
}

TEST(a_cd_for_cloud_init_moves_nothing)
{
	struct vm_seed_item seed[] = { { VM_SEED_HOSTNAME, "web" } };
	CLEANUP(sample_done) struct sample s, without;
	struct sample *const both[] = { &s, &without };
	CLEANUP(buf_done) struct buf with = {}, bare = {};
	for (size_t i = 0; i < ARRAY_SIZE(both); i++) {
		sample_init(both[i]);
		sample_volume(both[i], "os", "raw");
		sample_volume(both[i], "cd", "iso-scsi");
		both[i]->vm.spare_ports = 3;
		both[i]->vm.rng = true;
	}
	s.vm.seed = seed;
	s.vm.n_seed = 1;
	CHECK_INT(sample_build(&without, QEMU_FORM_UNIT), 0);
	CHECK_INT(sample_build(&s, QEMU_FORM_UNIT), 0);
	list_devices(&s, &with);
	list_devices(&without, &bare);
	CHECK_STR(buf_text(&with), buf_text(&bare));
	CHECK_STR(sample_value(&s, "-device", "drive=cloud-init"),
			"scsi-cd,id=scsi.0.2,bus=scsi.0,channel=0,scsi-id=0,lun=2,"
			"drive=cloud-init");
	CHECK_STR(sample_value(&s, "-blockdev", "node-name=cloud-init"),
			"driver=file,node-name=cloud-init,read-only=on,filename=/dev/fdset/3");
	CHECK_STR(sample_value(&s, "-add-fd", "opaque=cloud-init"), "fd=8,set=3,opaque=cloud-init");
	CHECK_INT(sample_build(&s, QEMU_FORM_STANDALONE), 0);
	CHECK_STR(sample_value(&s, "-blockdev", "node-name=cloud-init"),
			"driver=file,node-name=cloud-init,read-only=on,"
			"filename=/run/machina/web/cloud-init.iso");
}

TEST(without_a_scsi_disk_its_controller_comes_last)
{
	struct vm_seed_item seed[] = { { VM_SEED_HOSTNAME, "web" } };
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	sample_volume(&s, "os", "raw-block");
	s.vm.seed = seed;
	s.vm.n_seed = 1;
	s.vm.spare_ports = 1;
	CHECK_INT(sample_build(&s, QEMU_FORM_UNIT), 0);
	CHECK_STR(sample_value(&s, "-device", "drive=disk-os"),
			"virtio-blk-pci,id=block.0,"
			"bus=pcie.1.1,iothread=iothread.0,num-queues=4,drive=disk-os");
	CHECK(sample_value(&s, "-device", "id=pcie.1.2"));
	CHECK_STR(sample_value(&s, "-device", "virtio-scsi-pci"),
			"virtio-scsi-pci,id=scsi,bus=pcie.1.3,iothread=iothread.0,num_queues=4");
}

TEST(usb_devices_are_descriptors_at_a_controller)
{
	const struct vm_usb_candidate port[] = { { .port = "1-2.3" }, { .id = "0529:0001" } };
	const struct vm_usb_candidate ids[] = { { .id = "046d:c52b" } };
	struct vm_usb usbs[] = {
		{ .name = "key", .class_name = "key", .candidates = port, .n_candidates = 2 },
		{ .name = "mouse", .class_name = "mouse", .candidates = ids, .n_candidates = 1 },
	};
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	s.vm.usbs = usbs;
	s.vm.n_usbs = 2;
	CHECK_INT(sample_build(&s, QEMU_FORM_UNIT), 0);
	CHECK_STR(sample_value(&s, "-add-fd", "opaque=usb.1"), "fd=7,set=2,opaque=usb.1");
	CHECK_STR(sample_value(&s, "-device", "qemu-xhci"),
			"qemu-xhci,id=usb,bus=pcie.1.1,p2=4,p3=4");
	CHECK_STR(sample_value(&s, "-device", "id=usb.0.1"),
			"usb-host,id=usb.0.1,bus=usb.0,port=1,hostdevice=/dev/fdset/1");
	CHECK_STR(sample_value(&s, "-device", "id=usb.0.2"),
			"usb-host,id=usb.0.2,bus=usb.0,port=2,hostdevice=/dev/fdset/2");
	/* QEMU finds them by itself where nobody has opened them. */
	CHECK_INT(sample_build(&s, QEMU_FORM_STANDALONE), 0);
	CHECK_STR(sample_value(&s, "-device", "id=usb.0.1"),
			"usb-host,id=usb.0.1,bus=usb.0,port=1,hostbus=1,hostport=2.3");
	CHECK_STR(sample_value(&s, "-device", "id=usb.0.2"),
			"usb-host,id=usb.0.2,bus=usb.0,port=2,vendorid=0x046d,productid=0xc52b");
	/* They move nothing that a machine without them has. */
	s.vm.balloon = s.vm.vnc.enabled = true;
	s.vm.display = VM_DISPLAY_VIRTIO;
	CHECK_INT(sample_build(&s, QEMU_FORM_UNIT), 0);
	CHECK(sample_has_part(sample_value(&s, "-device", "usb-tablet"), "port=1"));
	CHECK(sample_has_part(sample_value(&s, "-device", "id=usb.0.2"), "usb-host"));
	s.vm.n_usbs = 0;
	CHECK_INT(sample_build(&s, QEMU_FORM_UNIT), 0);
	CLEANUP(freep) char *balloon = xstrdup(sample_value(&s, "-device", "id=balloon.0"));
	s.vm.n_usbs = 2;
	CHECK_INT(sample_build(&s, QEMU_FORM_UNIT), 0);
	CHECK_STR(sample_value(&s, "-device", "id=balloon.0"), balloon);
}

TEST(too_many_spare_ports_are_an_error)
{
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	for (int i = 0; i < 200; i++)
		sample_nic(&s, NETWORK_BRIDGE);
	s.vm.spare_ports = 64;
	CHECK_INT(sample_build(&s, QEMU_FORM_UNIT), 1);
	CHECK(strstr(sample_finding(&s), "/attrs/machine/spare-ports: "));
}

TEST(foreign_arguments_come_last_and_unchanged)
{
	const char *args[] = { "-device", "a,b=\"c\" d", "-snapshot" };
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	s.vm.qemu_args = (struct jstrings){ args, ARRAY_SIZE(args) };
	sample_build(&s, QEMU_FORM_UNIT);
	for (size_t i = 0; i < ARRAY_SIZE(args); i++)
		CHECK_STR(s.argv.items[s.argv.n - ARRAY_SIZE(args) + i], args[i]);
}

static struct vm_pci *sample_pci(
		struct sample *s, const struct vm_pci_candidate *candidates, size_t n)
{
	struct vm_pci *pci = &s->pcis[s->vm.n_pcis++];
	*pci = (struct vm_pci){
		.name = "gpu",
		.class_name = "gpu",
		.candidates = candidates,
		.n_candidates = n,
	};
	return pci;
}

static const struct vm_pci_candidate two_cards[] = { { .address = "0000:41:00.0" },
	{ .address = "0000:c1:00.0" } };
static const struct vm_pci_candidate by_ids[] = { { .vendor = "10de", .device = "2684" } };

TEST(a_pci_device)
{
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	struct vm_pci *pci = sample_pci(&s, two_cards, 1);
	sample_build(&s, QEMU_FORM_UNIT);
	CHECK_STR(sample_value(&s, "-device", "vfio-pci"),
			"vfio-pci,id=vfio.0,bus=pcie.1.1,host=0000:41:00.0");
	pci->vga = pci->no_rom_bar = true;
	sample_build(&s, QEMU_FORM_UNIT);
	CHECK_STR(sample_value(&s, "-device", "vfio-pci"),
			"vfio-pci,id=vfio.0,bus=pcie.1.1,host=0000:41:00.0,x-vga=on,rombar=0");
	pci->rom = "/usr/share/a,b.rom";
	pci->vga = pci->no_rom_bar = false;
	sample_build(&s, QEMU_FORM_STANDALONE);
	CHECK_STR(sample_value(&s, "-device", "vfio-pci"),
			"vfio-pci,id=vfio.0,bus=pcie.1.1,host=0000:41:00.0,romfile=/usr/share/"
			"a,,b.rom");
	sample_build(&s, QEMU_FORM_UNIT);
	CLEANUP(freep)
	char *expected = xasprintf("vfio-pci,id=vfio.0,bus=pcie.1.1,host=0000:41:00.0,romfile="
				   "/proc/self/fd/%d",
			plan_find(&s.plan, "rom.0")->number);
	CHECK_STR(sample_value(&s, "-device", "vfio-pci"), expected);
	CHECK_INT(plan_find(&s.plan, "rom.0")->kind, PLAN_FD_COPY);
}

/* On the host a card and its sound may be functions 0 and 3. */
TEST(functions_of_a_pci_device_share_a_slot)
{
	static const int64_t functions[] = { 3, 1 };
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	struct vm_pci *pci = sample_pci(&s, two_cards, 1);
	pci->functions = functions;
	pci->n_functions = 2;
	pci->vga = true;
	sample_build(&s, QEMU_FORM_UNIT);
	CHECK_INT(sample_count(&s, "-device", "ioh3420"), 1);
	CHECK_STR(sample_value(&s, "-device", "id=vfio.0"),
			"vfio-pci,id=vfio.0,bus=pcie.1.1,addr=0.0,multifunction=on,host=0000:41:00."
			"0,x-vga=on");
	CHECK_STR(sample_value(&s, "-device", "id=vfio.1"),
			"vfio-pci,id=vfio.1,bus=pcie.1.1,addr=0.1,host=0000:41:00.3");
	CHECK_STR(sample_value(&s, "-device", "id=vfio.2"),
			"vfio-pci,id=vfio.2,bus=pcie.1.1,addr=0.2,host=0000:41:00.1");
}

TEST(a_pci_device_that_is_looked_for_is_a_variable)
{
	static const int64_t functions[] = { 1 };
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	sample_pci(&s, two_cards, 1);
	struct vm_pci *pci = sample_pci(&s, two_cards, 2);
	pci->functions = functions;
	pci->n_functions = 1;
	sample_pci(&s, by_ids, 1);
	sample_build(&s, QEMU_FORM_UNIT);
	CHECK_STR(sample_value(&s, "-device", "id=vfio.1"),
			"vfio-pci,id=vfio.1,bus=pcie.1.2,addr=0.0,multifunction=on,host=${MACHINA_"
			"PCI_1_0}");
	CHECK_STR(sample_value(&s, "-device", "id=vfio.2"),
			"vfio-pci,id=vfio.2,bus=pcie.1.2,addr=0.1,host=${MACHINA_PCI_1_1}");
	CHECK_STR(sample_value(&s, "-device", "id=vfio.3"),
			"vfio-pci,id=vfio.3,bus=pcie.1.3,host=${MACHINA_PCI_2_0}");
	/* In a shell the first is as good as any, if it is known. */
	sample_build(&s, QEMU_FORM_STANDALONE);
	CHECK_STR(sample_value(&s, "-device", "id=vfio.2"),
			"vfio-pci,id=vfio.2,bus=pcie.1.2,addr=0.1,host=0000:41:00.1");
	CHECK_STR(sample_value(&s, "-device", "id=vfio.3"),
			"vfio-pci,id=vfio.3,bus=pcie.1.3,host=${MACHINA_PCI_2_0}");
}

TEST(devices_of_all_kinds_are_in_the_order_of_their_list)
{
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	s.vm.n_mdevs = 2;
	s.mdevs[0] = (struct vm_mdev){ .name = "b", .class_name = "c", .uuid = "u1", .index = 1 };
	s.mdevs[1] = (struct vm_mdev){ .name = "d", .class_name = "c", .uuid = "u3", .index = 3 };
	sample_pci(&s, two_cards, 1)->index = 0;
	sample_pci(&s, by_ids, 1)->index = 2;
	sample_build(&s, QEMU_FORM_UNIT);
	static const char *const expected[] = { "host=0000:41:00.0",
		"sysfsdev=/sys/bus/mdev/devices/u1", "host=${MACHINA_PCI_1_0}",
		"sysfsdev=/sys/bus/mdev/devices/u3" };
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		CLEANUP(freep)
		char *text = xasprintf(
				"vfio-pci,id=vfio.%zu,bus=pcie.1.%zu,%s", i, i + 1, expected[i]);
		CLEANUP(freep) char *id = xasprintf("id=vfio.%zu", i);
		CHECK_STR(sample_value(&s, "-device", id), text);
	}
}

TEST(a_virtual_function_has_the_place_of_its_connection)
{
	static const struct vm_pci_candidate card = { .interface = "enp65s0f0" };
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	sample_nic(&s, NETWORK_BRIDGE);
	sample_nic(&s, NETWORK_VF);
	sample_nic(&s, NETWORK_USER);
	struct vm_pci *vf = sample_pci(&s, &card, 1);
	vf->class_name = NULL;
	vf->index = 1;
	vf->vf = (struct vm_vf){ .network = "fast", .mac = "52:54:00:00:00:01" };
	sample_pci(&s, two_cards, 1);
	sample_build(&s, QEMU_FORM_UNIT);
	CHECK_STR(sample_value(&s, "-device", "id=nic.0"),
			"virtio-net-pci,id=nic.0,bus=pcie.1.1,mac=52:54:00:00:00:00,netdev=net.0");
	CHECK_STR(sample_value(&s, "-device", "id=nic.1"),
			"vfio-pci,id=nic.1,bus=pcie.1.2,host=${MACHINA_PCI_0_0}");
	CHECK_STR(sample_value(&s, "-device", "id=nic.2"),
			"virtio-net-pci,id=nic.2,bus=pcie.1.3,mac=52:54:00:00:00:02,netdev=net.2");
	CHECK_STR(sample_value(&s, "-device", "id=vfio.0"),
			"vfio-pci,id=vfio.0,bus=pcie.1.4,host=0000:41:00.0");
	CHECK_INT(sample_count(&s, "-device", "vfio-pci"), 2);
	CHECK(!sample_value(&s, "-netdev", "id=net.1"));
	CHECK(!plan_find(&s.plan, "net.1"));
}

TEST_MAIN()

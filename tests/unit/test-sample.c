/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a machine has used so far, and rates. */
#include <json-c/json_tokener.h>
#include <unistd.h>

#include "host/machine/sample.h"
#include "host/os/clock.h"
#include "json/jtree.h"
#include "scratch.h"
#include "test.h"
#include "util/mem.h"

static void add(struct sample *sample, const char *text)
{
	struct json_object *json = json_tokener_parse(text);
	CHECK(json);
	sample_add_disks(json, sample);
	json_object_put(json);
}

TEST(disks_are_read)
{
	CLEANUP(sample_done) struct sample sample = {};
	add(&sample, "[{\"node-name\":\"disk-os\",\"qdev\":\"q\",\"stats\":{\"rd_bytes\":512,"
		     "\"wr_bytes\":1024,\"rd_operations\":1,\"wr_operations\":2}},"
		     "{\"node-name\":\"mine\",\"qdev\":\"q\",\"stats\":{\"rd_bytes\":7}},"
		     "{\"device\":\"d\",\"qdev\":\"scsi.0.1\",\"stats\":{}},"
		     "{\"device\":\"floppy0\",\"stats\":{}}]");
	CHECK_INT(sample.n_disks, 4);
	CHECK_STR(sample.disks[0].name, "os");
	CHECK_INT(sample.disks[0].flow.in_bytes, 512);
	CHECK_INT(sample.disks[0].flow.out_bytes, 1024);
	CHECK_INT(sample.disks[0].flow.in_ops, 1);
	CHECK_INT(sample.disks[0].flow.out_ops, 2);
	CHECK_STR(sample.disks[1].name, "mine");
	CHECK_STR(sample.disks[2].name, "scsi.0.1");
	CHECK_STR(sample.disks[3].name, "floppy0");
	CHECK_INT(sample.disks[1].flow.in_bytes, 7);
}

TEST(replies_of_another_form_are_left_out)
{
	static const char *const replies[] = { "{}", "[]", "3", "[1, null, [], {}, \"x\"]",
		"[{\"stats\":[]}]", "{\"stats\":{}}" };
	CLEANUP(sample_done) struct sample sample = {};
	for (size_t i = 0; i < ARRAY_SIZE(replies); i++)
		add(&sample, replies[i]);
	CHECK_INT(sample.n_disks, 0);
	add(&sample, "[{\"stats\":{\"rd_bytes\":-5,\"wr_bytes\":\"9\",\"rd_operations\":1.5}}]");
	CHECK_INT(sample.n_disks, 1);
	CHECK_STR(sample.disks[0].name, "");
	CHECK_INT(sample.disks[0].flow.in_bytes, 0);
	CHECK_INT(sample.disks[0].flow.out_bytes, 0);
	CHECK_INT(sample.disks[0].flow.in_ops, 0);
}

TEST(what_qemu_tells_of_disks_has_bounds)
{
	CLEANUP(sample_done) struct sample sample = {};
	CLEANUP(buf_done) struct buf many = {};
	add(&sample, "[{\"node-name\":\"disk-os\",\"stats\":{\"rd_bytes\":1}},"
		     "{\"node-name\":\"os\",\"stats\":{\"rd_bytes\":2}},"
		     "{\"qdev\":\"\\u001b[2J\\n\\\"\",\"stats\":{}}]");
	CHECK_INT(sample.n_disks, 2);
	CHECK_INT(sample.disks[0].flow.in_bytes, 1);
	CHECK_STR(sample.disks[1].name, "\\x1b[2J\\x0a\"");
	for (int i = 0; i < 2000; i++)
		buf_printf(&many, "%s{\"node-name\":\"%0200d\",\"stats\":{}}", i ? "," : "[", i);
	buf_putc(&many, ']');
	add(&sample, buf_text(&many));
	/* They differ beyond what is taken. */
	CHECK_INT(sample.n_disks, 3);
	CHECK_INT(strlen(sample.disks[2].name), 128 + strlen("..."));
	buf_truncate(&many, 0);
	for (int i = 0; i < 2000; i++)
		buf_printf(&many, "%s{\"node-name\":\"%d\",\"stats\":{}}", i ? "," : "[", i);
	buf_putc(&many, ']');
	add(&sample, buf_text(&many));
	CHECK_INT(sample.n_disks, 512);
}

static void write_net(const char *link, const char *numbers[4])
{
	static const char *const names[] = { "rx_bytes", "tx_bytes", "rx_packets", "tx_packets" };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		CLEANUP(freep)
		char *path = xasprintf("class/net/%s/statistics/%s", link, names[i]);
		put_file(path, numbers[i]);
	}
}

TEST(interfaces_are_seen_from_the_guest)
{
	scratch_begin();
	write_net("web.0", (const char *[]){ "1\n", "2\n", "3\n", "4\n" });
	write_net("mv0", (const char *[]){ "5\n", "6\n", "7\n", "8\n" });
	struct plan_fd fds[] = {
		{ .kind = PLAN_FD_TAP, .link = "web.0", .connection = "lan" },
		{ .kind = PLAN_FD_TAP, .link = "web.0", .connection = "lan" },
		{ .kind = PLAN_FD_MACVTAP, .link = "mv0", .connection = "direct" },
		{ .kind = PLAN_FD_TAP, .link = "gone", .connection = "gone" },
		{ .kind = PLAN_FD_FILE, .name = "disk.0" },
	};
	struct plan plan = { .fds = fds, .n_fds = ARRAY_SIZE(fds) };
	struct unit_info info = { .main_pid = 4711, .cpu_usage_nsec = 5000, .memory_current = 9 };
	CLEANUP(sample_done) struct sample sample = {};
	sample_take(&(struct sample_source){ .info = &info, .plan = &plan, .sys = scratch_dir }, 0,
			&sample);
	CHECK_INT(sample.n_nets, 2);
	CHECK_STR(sample.nets[0].name, "lan");
	CHECK_INT(sample.nets[0].flow.in_bytes, 2);
	CHECK_INT(sample.nets[0].flow.out_bytes, 1);
	CHECK_INT(sample.nets[0].flow.in_ops, 4);
	CHECK_INT(sample.nets[0].flow.out_ops, 3);
	CHECK_STR(sample.nets[1].name, "direct");
	CHECK_INT(sample.nets[1].flow.in_bytes, 5);
	CHECK_INT(sample.nets[1].flow.out_bytes, 6);
	CHECK(sample.has_cpu && sample.has_memory && !sample.has_disks);
	CHECK_INT(sample.cpu_usec, 5);
	CHECK_INT(sample.memory_bytes, 9);
	scratch_end();
}

TEST(process_is_asked_where_systemd_does_not_count)
{
	scratch_begin();
	CLEANUP(freep)
	char *stat = xasprintf("7 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 %ld %ld 0 0\n",
			sysconf(_SC_CLK_TCK), 2 * sysconf(_SC_CLK_TCK));
	put_file("7/stat", stat);
	put_file("7/statm", "100 20 3 4 0 5 0\n");
	struct unit_info info = {
		.main_pid = 7, .cpu_usage_nsec = UINT64_MAX, .memory_current = UINT64_MAX
	};
	CLEANUP(sample_done) struct sample sample = {};
	sample_take(&(struct sample_source){ .info = &info, .proc = scratch_dir }, 0, &sample);
	CHECK(sample.has_cpu && sample.has_memory);
	CHECK_INT(sample.cpu_usec, 3 * USEC_PER_SEC);
	CHECK_INT(sample.memory_bytes, 20 * sysconf(_SC_PAGESIZE));
	put_file("8/stat", "8 (a S 1 2\n");
	info.main_pid = 8;
	sample_done(&sample);
	sample_take(&(struct sample_source){ .info = &info, .proc = scratch_dir }, 0, &sample);
	CHECK(!sample.has_cpu && !sample.has_memory);
	scratch_end();
}

TEST(machine_that_is_down_has_used_nothing)
{
	struct unit_info info = { .cpu_usage_nsec = 5, .memory_current = 5 };
	CLEANUP(sample_done) struct sample sample = {};
	sample_take(&(struct sample_source){ .info = &info }, 0, &sample);
	CHECK(!sample.pid && !sample.has_cpu && !sample.has_memory && !sample.has_disks);
}

static bool is(double value, double expected)
{
	return value > expected - 1e-9 && value < expected + 1e-9;
}

TEST(rates_are_of_one_process_and_of_what_is_in_both)
{
	char one[] = "one", two[] = "two";
	struct sample_device old_disks[] = { { one, { 100, 200, 10, 20 } },
		{ two, { 1000, 1000, 1000, 1000 } } };
	struct sample_device new_disks[] = { { two, { 10, 1004, 1000, 1000 } },
		{ one, { 300, 200, 12, 24 } } };
	struct sample_device nets[] = { { one, { 50, 60, 70, 80 } } };
	struct sample old = { .time_usec = 1000000,
		.pid = 7,
		.has_cpu = true,
		.has_disks = true,
		.cpu_usec = 500000,
		.disks = old_disks,
		.n_disks = 2 };
	struct sample now = { .time_usec = 3000000,
		.pid = 7,
		.has_cpu = true,
		.has_disks = true,
		.cpu_usec = 1500000,
		.disks = new_disks,
		.n_disks = 2,
		.nets = nets,
		.n_nets = 1 };
	struct rates rates;
	sample_rates(&old, &now, &rates);
	CHECK(rates.has_cpu && rates.has_disks && !rates.has_nets);
	CHECK(is(rates.cpu, 0.5));
	CHECK(is(rates.disk_in, 100));
	CHECK(is(rates.disk_out, 2));
	CHECK(is(rates.disk_in_ops, 1));
	CHECK(is(rates.disk_out_ops, 2));
	CHECK(is(rates.net_in, 0) && is(rates.net_out, 0));

	const struct sample other = { .time_usec = 3000000, .pid = 8, .has_cpu = true };
	const struct sample none = { .time_usec = 3000000, .has_cpu = true };
	const struct sample down = { .time_usec = 1000000, .has_cpu = true };
	const struct sample *const pairs[][2] = { { &now, &old }, { &now, &now }, { &old, &other },
		{ &down, &none } };
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		sample_rates(pairs[i][0], pairs[i][1], &rates);
		CHECK(!rates.has_cpu && !rates.has_disks && !rates.has_nets);
		CHECK(is(rates.cpu, 0) && is(rates.disk_in, 0));
	}
	old.has_cpu = now.has_disks = false;
	sample_rates(&old, &now, &rates);
	CHECK(!rates.has_cpu && !rates.has_disks && !rates.has_nets);
}

TEST_MAIN()

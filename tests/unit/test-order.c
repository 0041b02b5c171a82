/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The order among machines; bad/order.cases has the findings with their places. */
#include "model/order.h"

#include <string.h>

#include "test.h"
#include "unit/service.h"
#include "util/mem.h"

static void put(struct order *order, const char *name, bool selected, const char *requires,
		const char *after)
{
	struct vm vm = {
		.name = name,
		.requires = { .items = &requires, .n = requires ? 1 : 0 },
		.after = { .items = &after, .n = after ? 1 : 0 },
	};
	order_add(order, &vm, selected);
}

TEST(machines_that_name_nobody_are_not_kept)
{
	CLEANUP(order_done) struct order order = {};
	put(&order, "web", true, NULL, NULL);
	CHECK_INT(order.n, 0);
}

TEST(what_is_unpacked_follows_what_is_there)
{
	CLEANUP(order_done) struct order here = {}, there = {};
	CLEANUP(buf_done) struct buf packed = {};
	struct vm cluster = { .name = "c", .cluster = true };
	put(&here, "a", true, "b", NULL);
	put(&there, "b", false, "c", "d");
	order_add(&there, &cluster, true);
	order_pack(&there, &packed);
	buf_puts(&packed, "rest");
	CHECK_STR(order_unpack(&here, packed.text), "rest");

	CHECK_INT(here.n, 3);
	CHECK_STR(here.items[0].name, "a");
	CHECK_STR(here.items[1].name, "b");
	CHECK(!here.items[1].selected && !here.items[1].cluster);
	CHECK_INT(here.items[1].n_required, 1);
	CHECK_INT(here.items[1].others.n, 2);
	CHECK_STR(here.items[1].others.items[0], "c");
	CHECK_STR(here.items[1].others.items[1], "d");
	CHECK(here.items[2].selected && here.items[2].cluster);
	CHECK_INT(here.items[2].others.n, 0);
}

/* Those that have findings are read again for the place; here there is no file any more. */
TEST(findings_of_the_machines_that_were_asked_about)
{
	CLEANUP(order_done) struct order order = {};
	CLEANUP(report_done) struct report report = {};
	CLEANUP(strv_done) struct strv names = {};
	CLEANUP(config_paths_done) struct config_paths paths = {};
	CLEANUP(host_done) struct host host = {};
	config_paths_init(&paths, "/nonexistent", NULL);
	put(&order, "b", false, NULL, "a");
	put(&order, "a", false, "b", "nobody");
	strv_push(&names, "a");
	strv_push(&names, "b");
	order_check(&order, &names, &paths, &host, &report);
	CHECK_INT(report.n, 0);

	put(&order, "c", true, "a", "nobody");
	strv_push(&names, "c");
	order_check(&order, &names, &paths, &host, &report);
	CHECK_INT(report.n, 1);
	CHECK_STR(report.items[0].file, "/nonexistent/etc/machina/machine.conf.d/c.conf.json");
	CHECK_INT(report.items[0].line, 0);
	CHECK_STR(report.items[0].pointer, "/after/0");
	CHECK_STR(report.items[0].text, "there is no machine 'nobody'");
}

TEST(required_units_are_read_from_a_unit)
{
	static const char text[] = "[Unit]\nRequires=machina-swtpm-web.service\n"
				   "Requires=machina-qemu-db.service\n"
				   "After=machina-qemu-mail.service\n"
				   "Requires=machina-qemu-a.b-c.service\n[Install]\n"
				   "Requires=machina-qemu-y.service\n";
	CLEANUP(strv_done) struct strv units = {};
	struct error err = {};
	CHECK_INT(unit_read_required("web", text, strlen(text), &units, &err), 0);
	CHECK_INT(units.n, 3);
	CHECK_STR(units.items[0], "machina-swtpm-web.service");
	CHECK_STR(units.items[1], "machina-qemu-db.service");
	CHECK_STR(units.items[2], "machina-qemu-a.b-c.service");
	CHECK_INT(unit_read_required("web", "x", 1, &units, &err), -EINVAL);
}

TEST(a_unit_s_name_tells_whose_it_is)
{
	CLEANUP(freep) char *dotted = unit_name_subject(UNIT_QEMU, "machina-qemu-a.b-c.service");
	CHECK_STR(dotted, "a.b-c");
	CHECK(!unit_name_subject(UNIT_QEMU, "machina-qemu-.service"));
	CHECK(!unit_name_subject(UNIT_QEMU, "machina-qemu-x.socket"));
	CHECK(!unit_name_subject(UNIT_QEMU, "machina-swtpm-x.service"));
}
TEST_MAIN()

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers of machines as text. */
#include "observe/metrics.h"

#include "test.h"
#include "util/mem.h"

static char active[] = "active", inactive[] = "inactive", enabled[] = "enabled", none[] = "";

static struct census_row row(const char *machine, char *state)
{
	return (struct census_row){ .machine = machine,
		.info = { .load_state = none,
				.active_state = state,
				.sub_state = none,
				.unit_file_state = enabled } };
}

static void write_rows(
		struct census_row *rows, size_t n, enum metrics_format format, struct buf *ret)
{
	const struct census census = { rows, n };
	metrics_write(&census, format, 1500000, ret);
}

static void check_has(const struct buf *text, const char *part)
{
	if (!strstr(buf_text(text), part))
		TEST_FAIL("'%s' is not in:\n%s", part, buf_text(text));
}

static void check_lacks(const struct buf *text, const char *part)
{
	if (strstr(buf_text(text), part))
		TEST_FAIL("'%s' is in:\n%s", part, buf_text(text));
}

TEST(machine_that_is_down_has_no_use)
{
	struct census_row rows[] = { row("web", inactive) };
	CLEANUP(buf_done) struct buf text = {};
	write_rows(rows, 1, METRICS_OPEN, &text);
	check_has(&text, "machina_machine_up{machine=\"web\"} 0\n");
	check_has(&text, "{machine=\"web\",machina_machine_state=\"off\"} 1\n");
	check_has(&text, "{machine=\"web\",machina_machine_state=\"running\"} 0\n");
	check_has(&text, "machina_machine_scrape_error{machine=\"web\"} 0\n");
	check_lacks(&text, "\nmachina_machine_cpu_seconds_total{");
	check_lacks(&text, "\nmachina_machine_memory_bytes{");
	check_has(&text, "machina_scrape_duration_seconds 1.500000\n# EOF\n");
}

TEST(numbers_are_written)
{
	char word[] = "running", version[] = "7.2", os[] = "os", lan[] = "lan";
	struct sample_device disk = { os, { 1, 2, 3, 4 } };
	struct sample_device net = { lan, { 5, 6, 7, UINT64_MAX } };
	struct census_row rows[] = { row("web", active) };
	rows[0].is_up = true;
	rows[0].info.active_enter_usec = 1700000000000001;
	rows[0].run_state = word;
	rows[0].version = version;
	rows[0].sample = (struct sample){ .has_cpu = true,
		.cpu_usec = 2000003,
		.has_memory = true,
		.memory_bytes = 77,
		.disks = &disk,
		.n_disks = 1,
		.nets = &net,
		.n_nets = 1 };
	CLEANUP(buf_done) struct buf text = {};
	write_rows(rows, 1, METRICS_OPEN, &text);
	check_has(&text, "# TYPE machina_machine_cpu_seconds counter\n"
			 "# UNIT machina_machine_cpu_seconds seconds\n");
	check_has(&text, "\nmachina_machine_cpu_seconds_total{machine=\"web\"} 2.000003\n");
	check_has(&text, "\nmachina_machine_memory_bytes{machine=\"web\"} 77\n");
	check_has(&text, "\nmachina_machine_start_time_seconds{machine=\"web\"} "
			 "1700000000.000001\n");
	check_has(&text, "\nmachina_machine_info{machine=\"web\",unit_file_state=\"enabled\","
			 "qemu=\"7.2\"} 1\n");
	static const char *const lines[] = {
		"machina_machine_disk_read_bytes_total{machine=\"web\",disk=\"os\"} 1\n",
		"machina_machine_disk_written_bytes_total{machine=\"web\",disk=\"os\"} 2\n",
		"machina_machine_disk_reads_total{machine=\"web\",disk=\"os\"} 3\n",
		"machina_machine_disk_writes_total{machine=\"web\",disk=\"os\"} 4\n",
		"machina_machine_network_receive_bytes_total{machine=\"web\",connection=\"lan\"} "
		"5\n",
		"machina_machine_network_transmit_bytes_total{machine=\"web\",connection=\"lan\"} "
		"6\n",
		"machina_machine_network_receive_packets_total{machine=\"web\",connection=\"lan\"} "
		"7\n",
		"machina_machine_network_transmit_packets_total{machine=\"web\",connection="
		"\"lan\"} 18446744073709551615\n",
	};
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		check_has(&text, lines[i]);
}

TEST(texts_of_others_stay_in_their_label)
{
	char error[] = "it hangs", name[] = "a\"b\\c\nd";
	struct sample_device disk = { name, {} };
	struct census_row rows[] = { row("web", active) };
	rows[0].is_up = true;
	rows[0].error = error;
	rows[0].sample.disks = &disk;
	rows[0].sample.n_disks = 1;
	CLEANUP(buf_done) struct buf text = {};
	write_rows(rows, 1, METRICS_OPEN, &text);
	check_has(&text, "disk=\"a\\\"b\\\\c\\nd\"} 0\n");
	check_has(&text, "machina_machine_scrape_error{machine=\"web\"} 1\n");
	check_has(&text, "machina_machine_state=\"unknown\"} 1\n");
}

TEST(older_format_has_only_what_it_knows)
{
	struct census_row rows[] = { row("web", active) };
	CLEANUP(buf_done) struct buf text = {};
	write_rows(rows, 1, METRICS_PROMETHEUS, &text);
	check_has(&text, "# TYPE machina_machine_restarts_total counter\n");
	check_has(&text, "# TYPE machina_machine_info gauge\n");
	check_has(&text, "# TYPE machina_machine_state gauge\n");
	check_lacks(&text, "# UNIT");
	check_lacks(&text, "# EOF");
	check_lacks(&text, "stateset");
}

TEST(state_is_one_word)
{
	static const struct {
		const char *unit, *sub, *guest;
		enum census_state state;
		bool is_saved;
		const char *load;
	} rows[] = {
		{ "active", "running", "running", CENSUS_RUNNING },
		{ "active", "running", "paused", CENSUS_PAUSED },
		{ "active", "running", "guest-panicked", CENSUS_CRASHED },
		{ "active", "running", "suspended", CENSUS_ASLEEP },
		{ "active", "running", "shutdown", CENSUS_ENDED },
		{ "active", "running", NULL, CENSUS_UNKNOWN },
		{ "activating", "start-pre", NULL, CENSUS_STARTING },
		{ "activating", "start-post", NULL, CENSUS_BOOTING },
		{ "activating", "auto-restart", NULL, CENSUS_FAILED },
		{ "deactivating", "stop", NULL, CENSUS_STOPPING },
		{ "inactive", "dead", NULL, CENSUS_OFF },
		{ "inactive", "dead", NULL, CENSUS_SAVED, true },
		{ "active", "running", "running", CENSUS_RUNNING, true },
		{ "failed", "failed", NULL, CENSUS_FAILED },
		{ "inactive", "dead", NULL, CENSUS_OFF, false, "loaded" },
		{ "inactive", "dead", NULL, CENSUS_REFUSED, false, "bad-setting" },
		{ "inactive", "dead", NULL, CENSUS_REFUSED, true, "masked" },
		{ "active", "running", "running", CENSUS_RUNNING, false, "masked" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(freep) char *unit = xstrdup(rows[i].unit);
		CLEANUP(freep) char *sub = xstrdup(rows[i].sub);
		CLEANUP(freep) char *load = xstrdup(rows[i].load ? rows[i].load : "");
		CLEANUP(freep) char *guest = rows[i].guest ? xstrdup(rows[i].guest) : NULL;
		struct census_row one = row("web", unit);
		one.info.sub_state = sub;
		one.info.load_state = load;
		one.run_state = guest;
		one.is_saved = rows[i].is_saved;
		CHECK_STR(census_states[census_state(&one)], census_states[rows[i].state]);
	}
}

TEST_MAIN()

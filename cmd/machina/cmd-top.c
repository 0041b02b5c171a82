/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina top: machines and what they use, live. */
#include <json-c/json_object.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/output.h"
#include "cli/screen.h"
#include "cli/table.h"
#include "host/os/clock.h"
#include "json/jtree.h"
#include "observe/census.h"
#include "observe/usage.h"
#include "setup/hookplan.h"
#include "setup/machines.h"
#include "util/mem.h"

#define DELAY_USEC (2 * USEC_PER_SEC)

/* Above and below the machines; left out where they would take the place of these. */
#define FRAME_LINES 4
/* The titles and one machine. */
#define MACHINES_LINES_MIN 2

/* For a systemd that executes itself anew: it ends all connections, and is there again soon. */
#define ANEW_USEC (10 * USEC_PER_SEC)
#define ANEW_AGAIN_USEC (50 * USEC_PER_MSEC)

struct top_options {
	bool batch;
	bool json;
	int rounds;
	uint64_t delay_usec;
	int sort;
};

enum order { BY_CPU, BY_MEMORY, BY_DISK, BY_NET, BY_NAME };
static const char *const order_names[] = {
	[BY_CPU] = "cpu",
	[BY_MEMORY] = "memory",
	[BY_DISK] = "disk",
	[BY_NET] = "net",
	[BY_NAME] = "name",
	NULL,
};
/* The keys that choose them, in their order. */
static const char order_keys[] = "cmdna";

struct top_row {
	const struct census_row *now;
	struct rates rates;
};

struct top {
	const struct call *call;
	const struct top_options *options;
	struct strv names;
	bool named;	  /* machines were named: they are shown also while they are down */
	bool is_selected; /* by name or tag: no others are shown */
	struct census before, now;
	uint64_t lost_usec; /* until when systemd may come back; 0: it is there */
	enum order order;
};

static void top_done(struct top *top)
{
	census_done(&top->before);
	census_done(&top->now);
	strv_done(&top->names);
}

/* ---- one picture ---- */

static double key_of(const struct top_row *row, enum order order)
{
	switch (order) {
	case BY_CPU:
		return row->rates.cpu;
	case BY_MEMORY:
		return (double)row->now->sample.memory_bytes;
	case BY_DISK:
		return row->rates.disk_in + row->rates.disk_out;
	case BY_NET:
		return row->rates.net_in + row->rates.net_out;
	case BY_NAME:
		break;
	}
	return 0;
}

/* The most first; names as they come, which is their order. */
static void sort_rows(struct top_row *rows, size_t n, enum order order)
{
	for (size_t i = 1; i < n; i++) {
		struct top_row row = rows[i];
		size_t k = i;
		for (; k > 0 && key_of(&rows[k - 1], order) < key_of(&row, order); k--)
			rows[k] = rows[k - 1];
		rows[k] = row;
	}
}

/* There may be more machines by now. */
static struct rates rates_of(const struct top *top, const struct census_row *now)
{
	struct rates rates = {};
	for (size_t i = 0; i < top->before.n; i++)
		if (!strcmp(top->before.rows[i].machine, now->machine))
			sample_rates(&top->before.rows[i].sample, &now->sample, &rates);
	return rates;
}

static size_t make_rows(const struct top *top, struct top_row *rows)
{
	size_t n = 0;
	for (size_t i = 0; i < top->now.n; i++) {
		const struct census_row *now = &top->now.rows[i];
		if (!now->is_up && !now->run_state && !top->named &&
				(!*now->info.active_state || unit_is_down(now->info.active_state)))
			continue;
		rows[n++] = (struct top_row){ .now = now, .rates = rates_of(top, now) };
	}
	sort_rows(rows, n, top->order);
	return n;
}

static void add_rate(struct table *t, bool known, double rate)
{
	CLEANUP(freep) char *text = known ? format_size((uint64_t)rate) : NULL;
	table_add(t, STYLE_PLAIN, "%s%s", text ? text : "", text ? "/s" : "");
}

static void add_row(struct table *t, const struct top_row *row)
{
	const struct sample *sample = &row->now->sample;
	enum census_state state = census_state(row->now);
	table_add(t, STYLE_HEAD, "%s", row->now->machine);
	table_add(t,
			state == CENSUS_RUNNING ? STYLE_GOOD
			: state == CENSUS_FAILED || state == CENSUS_CRASHED ||
							state == CENSUS_REFUSED
					? STYLE_BAD
					: STYLE_PLAIN,
			"%s", census_states[state]);
	if (row->rates.has_cpu)
		table_add(t, STYLE_PLAIN, "%.1f", row->rates.cpu * 100);
	else
		table_add(t, STYLE_PLAIN, "%s", "");
	CLEANUP(freep) char *memory = sample->has_memory ? format_size(sample->memory_bytes) : NULL;
	table_add(t, STYLE_PLAIN, "%s", memory ? memory : "");
	add_rate(t, row->rates.has_disks, row->rates.disk_in);
	add_rate(t, row->rates.has_disks, row->rates.disk_out);
	add_rate(t, row->rates.has_nets, row->rates.net_in);
	add_rate(t, row->rates.has_nets, row->rates.net_out);
}

/* @lines: at most this many, with the titles */
static void print_rows(const struct top *top, size_t lines, FILE *to)
{
	/* Never left out, so that nothing jumps: a table without titles has none. */
	static const struct column columns[] = { { "MACHINE" }, { "STATE" },
		{ "CPU%", .right = true }, { "MEMORY", .right = true }, { "READ", .right = true },
		{ "WRITE", .right = true }, { "RECEIVE", .right = true },
		{ "SEND", .right = true } };
	CLEANUP(table_done)
	struct table t = { .columns = columns, .n_columns = ARRAY_SIZE(columns) };
	CLEANUP(freep) struct top_row *rows = xcalloc(top->now.n + 1, sizeof(*rows));
	size_t n = make_rows(top, rows);
	for (size_t i = 0; i < n && i + 1 < lines; i++)
		add_row(&t, &rows[i]);
	table_print(&t, to);
	if (!n)
		fputs("no machine runs\n", to);
}

static struct json_object *row_json(const struct top_row *row)
{
	const struct sample *sample = &row->now->sample;
	const struct usage usage = { .rates = row->rates };
	struct json_object *o = jtree_object();
	jtree_set(o, "machine", jtree_string(row->now->machine));
	jtree_set(o, "state", jtree_string(census_states[census_state(row->now)]));
	if (sample->has_memory)
		jtree_set(o, "memory_bytes", jtree_int((int64_t)sample->memory_bytes));
	jtree_set(o, "rates", usage_json(&usage));
	return o;
}

static void print_rows_json(const struct top *top)
{
	struct json_object *list = jtree_list();
	CLEANUP(freep) struct top_row *rows = xcalloc(top->now.n + 1, sizeof(*rows));
	size_t n = make_rows(top, rows);
	for (size_t i = 0; i < n; i++)
		jtree_push(list, row_json(&rows[i]));
	print_json(list);
	json_object_put(list);
}

/* Those that were not there at the beginning, and run. The texts of the names stay where they are.
 */
static void add_started(struct top *top)
{
	CLEANUP(strv_done) struct strv kept = {};
	struct error unused = {};
	if (top->is_selected || hookplan_list(&top->call->paths, &kept, &unused) < 0)
		return;
	size_t n = top->names.n;
	for (size_t i = 0; i < kept.n; i++)
		if (!strv_contains(&top->names, kept.items[i]))
			strv_push(&top->names, kept.items[i]);
	if (top->names.n > n)
		strv_sort(&top->names);
}

/* A connection for each look: over one that stays open, systemd tells of all that happens on the
 * host, which waits in memory for somebody to read it. */
static int take_census(const struct top *top, struct census *ret, struct error *err)
{
	CLEANUP(bus_freep) struct bus *bus = NULL;
	int r = bus_open(&bus, err);
	return r < 0 ? r
		     : census_take(&top->call->paths, bus, &top->names, UNIT_MAIN_PID | UNIT_USAGE,
				       ret, err);
}

/* Returns 1 if systemd may be there again after ANEW_AGAIN_USEC. */
static int look(struct top *top, struct error *err)
{
	const bool is_first = !top->now.rows;
	struct census census = {};
	add_started(top);
	int r = take_census(top, &census, err);
	if (r < 0 && !top->lost_usec)
		top->lost_usec = clock_deadline_usec(ANEW_USEC);
	if (r < 0)
		return !is_first && clock_now_usec() < top->lost_usec ? 1 : r;
	top->lost_usec = 0;
	census_done(&top->before);
	top->before = top->now;
	top->now = census;
	return 0;
}

/* ---- for a file ---- */

static int run_batch(struct top *top, struct error *err)
{
	const int rounds = top->options->rounds ? top->options->rounds : 1;
	int r = look(top, err);
	for (int i = 0; r == 0 && i < rounds; i++) {
		struct pollfd none = { .fd = -1 };
		clock_poll(&none, 1, clock_deadline_usec(top->options->delay_usec));
		while ((r = look(top, err)) > 0)
			clock_pause(ANEW_AGAIN_USEC);
		if (r < 0)
			break;
		if (i && !top->options->json)
			putchar('\n');
		if (top->options->json)
			print_rows_json(top);
		else
			print_rows(top, SIZE_MAX, stdout);
		if (fflush(stdout) != 0)
			break;
	}
	return r;
}

/* ---- on a terminal ---- */

static void draw(const struct top *top)
{
	CLEANUP(buf_done) struct buf head = {};
	size_t up = 0;
	double cpu = 0;
	for (size_t i = 0; i < top->now.n; i++) {
		up += top->now.rows[i].is_up;
		cpu += rates_of(top, &top->now.rows[i]).cpu;
	}
	buf_printf(&head, "%zu of %zu machines run, %.1f %% of a processor; sorted by %s", up,
			top->now.n, cpu * 100, order_names[top->order]);
	const size_t lines = screen_lines();
	const bool is_low = lines < FRAME_LINES + MACHINES_LINES_MIN;
	FILE *to = screen_begin();
	if (!is_low)
		fprintf(to, "%s\n\n", buf_text(&head));
	print_rows(top, is_low ? lines : lines - FRAME_LINES, to);
	if (!is_low)
		fputs("\nq quit, sort by c cpu, m memory, d disk, n net, a name", to);
	screen_end();
}

/* Returns whether to go on. */
static bool take_key(struct top *top, char key)
{
	const char *order = key ? strchr(order_keys, key) : NULL;
	if (order)
		top->order = (enum order)(order - order_keys);
	return key != 'q' && key != 3 && key != 27;
}

static int run_screen(struct top *top, struct error *err)
{
	int r = screen_open(err);
	if (r < 0)
		return r;
	bool more = true;
	int rounds = 0;
	uint64_t next = 0;
	r = look(top, err);
	while (r >= 0 && more) {
		if (clock_now_usec() >= next) {
			/* The first picture comes at once, the first rates soon. */
			next = clock_deadline_usec(
					rounds ? top->options->delay_usec : USEC_PER_SEC / 4);
			r = rounds ? look(top, err) : 0;
			more = !top->options->rounds || rounds < top->options->rounds;
			if (r < 0 || !more)
				break;
			if (r > 0)
				next = clock_deadline_usec(ANEW_AGAIN_USEC);
			else
				rounds++;
		}
		draw(top);
		char key;
		enum screen_event event = screen_wait(next, &key);
		more = event == SCREEN_KEY ? take_key(top, key) : event != SCREEN_ENDED;
	}
	screen_close();
	return r;
}

static int top_run(const struct call *call, struct error *err)
{
	struct top_options options = *(const struct top_options *)call->options;
	CLEANUP(strv_done) struct strv lost = {};
	CLEANUP(top_done)
	struct top top = { .call = call,
		.options = &options,
		.named = call->machines.patterns.n > 0,
		.is_selected = call->machines.patterns.n || call->machines.tags.n,
		.order = (enum order)options.sort };
	if (!options.delay_usec)
		options.delay_usec = DELAY_USEC;
	options.batch |= options.json;
	if (!options.batch && (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)))
		return misuse(call->command, "this is no terminal: use --batch");
	const char *terminal = getenv("TERM");
	if (!options.batch && terminal && !strcmp(terminal, "dumb"))
		return misuse(call->command, "this terminal can't be drawn on: use --batch");
	int r = machines_select_seen(call, &top.names, &lost, err);
	if (r != 0)
		return r < 0 ? r : STATUS_FAILURE;
	r = options.batch ? run_batch(&top, err) : run_screen(&top, err);
	return r < 0 ? r : STATUS_DONE;
}

static const struct option_spec options[] = {
	{ 'b', "batch", NULL, OPT_FLAG(struct top_options, batch),
			"Print plain tables instead of using the terminal" },
	{ 'j', "json", NULL, OPT_FLAG(struct top_options, json),
			"As --batch, a JSON list for each table" },
	{ 'n', "rounds", "N", OPT_INT(struct top_options, rounds, 1, 1000000),
			"End after N tables; with --batch one is the default" },
	{ 'd', "delay", "TIME", OPT_SPAN(struct top_options, delay_usec),
			"Time between two tables, 2s if not given" },
	{ 's', "sort", "ORDER", OPT_CHOICE(struct top_options, sort, order_names),
			"What the table is sorted by" },
	{},
};

static const struct example examples[] = {
	{ "machina top", "What machines use, live." },
	{ "machina top --batch --rounds 5 --sort disk", "Five tables, for a file." },
	{},
};

const struct command cmd_top = {
	.name = "top",
	.group = GROUP_LOOK,
	.flags = COMMAND_FILES | COMMAND_SELECTS | COMMAND_LIVE,
	.arguments = arguments_machines_optional,
	.summary = "Show what machines use, live",
	.description = "Processor (100 is one that is busy all the time), memory on the host, what "
		       "the guest reads from and writes to its disks, receives and sends; without "
		       "MACHINE of all that run, also of those that are started later. What can't "
		       "be found out is left empty: traffic of "
		       "connections that have no interface on the host, disks of a QEMU that does "
		       "not answer.\n\n"
		       "The keys c, m, d, n and a sort by processor, memory, disks, network and "
		       "name; q ends it.\n\n"
		       "With --json, \"rates\" are a second's, under the names that 'machina "
		       "status --json' has for them.",
	.options = options,
	.options_size = sizeof(struct top_options),
	.examples = examples,
	.run = top_run,
};

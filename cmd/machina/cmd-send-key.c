/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina send-key: keys and text for a guest's keyboard. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/complete.h"
#include "cli/output.h"
#include "host/os/clock.h"
#include "host/qmp/send-key.h"
#include "lifecycle/monitor.h"
#include "util/mem.h"

#define OPEN_USEC (10 * USEC_PER_SEC)
#define HOLD_MAX_USEC (60 * USEC_PER_SEC)
#define TEXT_SIZE_MAX 65536

struct send_key_options {
	const char *text;
	bool from_input;
	uint64_t hold_usec;
	bool dry_run;
};

/* What is to be typed: the words, then the text. */
struct typing {
	struct chord *chords;
	size_t n;
};

static void typing_done(struct typing *typing)
{
	free(typing->chords);
}

static int add_words(struct typing *typing, const struct call *call, struct error *err)
{
	int r = 0;
	for (size_t i = 1; r == 0 && i < call->words.n; i++)
		r = chord_parse(call->words.items[i], &typing->chords[typing->n++], err);
	return r;
}

static int add_text(struct typing *typing, const struct buf *text, struct error *err)
{
	int r = send_key_check_text(buf_text(text), text->len, err);
	for (size_t i = 0; r == 0 && i < text->len; i++)
		r = chord_of_char(text->text[i], &typing->chords[typing->n++]);
	return r;
}

/* Not among the arguments, which all users of the host may read: a password. */
static int read_text(const struct send_key_options *options, struct buf *ret, struct error *err)
{
	char chunk[4096];
	size_t len;
	if (options->text)
		buf_puts(ret, options->text);
	while (options->from_input && (len = fread(chunk, 1, sizeof(chunk), stdin)) > 0) {
		buf_add(ret, chunk, len);
		if (ret->len > TEXT_SIZE_MAX)
			return error_set(err, E2BIG, "more than %d characters are no typing",
					TEXT_SIZE_MAX);
	}
	return options->from_input && ferror(stdin)
			       ? error_errno(err, "cannot read the standard input")
			       : 0;
}

static int type(struct qmp *qmp, const struct typing *typing, unsigned hold_msec, struct error *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < typing->n; i++)
		r = send_key_chord(qmp, &typing->chords[i], hold_msec, err);
	return r;
}

/* Keys for a guest that stands still are dropped without a word (qemu_input_event_send() in QEMU's
 * ui/input.c). */
static int check_listens(const struct monitor *monitor, struct error *err)
{
	const char *machine = monitor->plan.machine;
	const struct run_state *state = NULL;
	int r = run_state_query(monitor->qmp, clock_deadline_usec(OPEN_USEC), &state, err);
	if (r != QMP_DONE)
		return error_wrap(err, "machine '%s'", machine);
	if (state->kind == RUN_ON || state->kind == RUN_ASLEEP)
		return 0;
	return error_set(err, EBUSY, "machine '%s': the keys would be lost: %s", machine,
			state->meaning);
}

static int send_key_run(const struct call *call, struct error *err)
{
	const struct send_key_options *options = call->options;
	CLEANUP(monitor_done) struct monitor monitor = {};
	CLEANUP(typing_done) struct typing typing = {};
	CLEANUP(buf_done) struct buf text = {};
	uint64_t hold = options->hold_usec ? options->hold_usec
					   : SEND_KEY_HOLD_MSEC * USEC_PER_MSEC;
	if (options->text && options->from_input)
		return misuse(call->command, "--text and --stdin are two places for one text");
	if (hold > HOLD_MAX_USEC || hold < USEC_PER_MSEC)
		return misuse(call->command, "keys are held for at least 1ms and at most a minute");
	if (call->words.n < 2 && !options->text && !options->from_input)
		return misuse(call->command, "there is nothing to type: KEY, --text or --stdin");
	int r = read_text(options, &text, err);
	typing.chords = xcalloc(call->words.n + text.len, sizeof(*typing.chords));
	if (r == 0)
		r = add_words(&typing, call, err);
	if (r == 0)
		r = add_text(&typing, &text, err);
	if (r == 0)
		r = monitor_open_first(call, clock_deadline_usec(OPEN_USEC), &monitor, err);
	if (r == 0)
		r = check_listens(&monitor, err);
	if (r < 0)
		return r;
	if (options->dry_run) {
		printf("would type on the keyboard of %s: %zu times a key or keys together\n",
				monitor.plan.machine, typing.n);
		return STATUS_DONE;
	}
	r = type(monitor.qmp, &typing, (unsigned)(hold / USEC_PER_MSEC), err);
	return r < 0 ? error_wrap(err, "machine '%s'", monitor.plan.machine) : STATUS_DONE;
}

static void complete_keys(struct completion *c)
{
	for (size_t i = 0; send_key_names[i]; i++)
		complete_offer(c, send_key_names[i], NULL);
}

static const struct argument arguments[] = {
	{ "MACHINE", 0, complete_machines_up },
	{ "KEY", ARGUMENT_OPTIONAL | ARGUMENT_MANY, complete_keys },
	{},
};

static const struct option_spec options[] = {
	{ 0, "text", "TEXT", OPT_TEXT(struct send_key_options, text),
			"Type a text as on a US keyboard, after the keys" },
	{ 0, "stdin", NULL, OPT_FLAG(struct send_key_options, from_input),
			"Type what is on standard input: for what others must not see" },
	{ 0, "hold", "TIME", OPT_SPAN(struct send_key_options, hold_usec),
			"From one change of a key to the next (10ms)" },
	OPTION_DRY_RUN(struct send_key_options, dry_run),
	{},
};

static const struct example examples[] = {
	{ "machina send-key web ctrl-alt-delete", "Press these keys together." },
	{ "machina send-key web ctrl-alt-f2 ret", "Go to another console, then press Return." },
	{ "machina send-key --text 'root' web", "Type a name." },
	{ "machina send-key --stdin web < password",
			"Type what is in a file, its line's end too." },
	{},
};

const struct command cmd_send_key = {
	.name = "send-key",
	.group = GROUP_RUN,
	.flags = COMMAND_FILES | COMMAND_LIVE,
	.arguments = arguments,
	.summary = "Press keys on a guest's keyboard",
	.description = "Each KEY is a key or, with '-' between them, keys that are pressed "
		       "together. Names are those of QEMU's QKeyCode: ctrl, f1, ret, a. Some "
		       "others are understood, too: del, enter, escape, space, win. KEYs come one "
		       "after the other, then the text.\n\n"
		       "QEMU sends keys, not characters: a guest whose keyboard is not set to a US "
		       "layout gets other characters than the text has. A guest that does not run "
		       "gets none, which is a failure. That keys were taken does not mean that the "
		       "guest listens to its keyboard.",
	.options = options,
	.options_size = sizeof(struct send_key_options),
	.examples = examples,
	.run = send_key_run,
};

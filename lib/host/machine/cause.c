/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From what was said in a run that failed to its cause. */
#include "host/machine/cause.h"

#include <regex.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "host/systemd/journal.h"
#include "util/mem.h"

#define GROUPS_MAX 4

void cause_done(struct cause *cause)
{
	free(cause->sentence);
	free(cause->advice);
	free(cause->message);
	*cause = (struct cause){};
}

/* A line, without what stands before each message of its speaker. */
struct said {
	enum cause_speaker speaker;
	const char *text;
	bool is_headed; /* it began with the program's name, which is left out */
};

static bool is(const struct journal_words *words, const char *speaker)
{
	return words->speaker_len == strlen(speaker) &&
	       !strncmp(words->speaker, speaker, words->speaker_len);
}

static const char *without(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);
	return !strncmp(text, prefix, len) ? text + len : text;
}

/* What a hook runs writes into the same stream, but without what our own errors begin with. */
static void read_hook(struct said *ret)
{
	const char *text = without(ret->text, "machina: error: ");
	const char *rest = without(text, "cannot prepare machine '");
	const char *end = rest != text ? strstr(rest, "': ") : NULL;
	ret->speaker = text != ret->text ? SPEAKER_HOOK : SPEAKER_CHILD;
	ret->text = end ? end + 3 : text;
}

static void read_line(const char *line, struct said *ret)
{
	struct journal_words words;
	journal_split(line, &words);
	ret->text = words.message;
	ret->is_headed = false;
	/* systemd's own child is called "(program)" until it has become the program. */
	if (is(&words, "systemd") || (words.speaker_len && words.speaker[0] == '(')) {
		ret->speaker = SPEAKER_SYSTEMD;
		return;
	}
	if (is(&words, "machina")) {
		read_hook(ret);
		return;
	}
	ret->speaker = SPEAKER_PROGRAM;
	/* QEMU and swtpm begin with their own name, as others do. */
	size_t name = strcspn(ret->text, ": ");
	bool is_own = name == words.speaker_len && !strncmp(ret->text, words.speaker, name);
	if ((is_own || !strncmp(ret->text, "qemu-system-", strlen("qemu-system-"))) &&
			ret->text[name] == ':' && ret->text[name + 1] == ' ') {
		ret->text += name + 2;
		ret->is_headed = true;
	}
}

/* QEMU goes on after these. */
static bool is_warning(const struct said *said)
{
	return said->speaker == SPEAKER_PROGRAM && strstr(said->text, "warning: ");
}

/* ---- rows ---- */

static char *fill_in(const char *form, const char *text, const regmatch_t *groups)
{
	CLEANUP(buf_done) struct buf out = {};
	for (const char *c = form; *c; c++) {
		if (c[0] != '%' || c[1] < '0' || c[1] >= '0' + GROUPS_MAX) {
			buf_putc(&out, *c);
			continue;
		}
		const regmatch_t *group = &groups[*++c - '0'];
		if (*c == '0')
			buf_puts(&out, text);
		else if (group->rm_so >= 0)
			buf_add(&out, text + group->rm_so, (size_t)(group->rm_eo - group->rm_so));
	}
	return buf_take(&out);
}

static void take_row(const struct cause_row *row, const struct said *said, const regmatch_t *groups,
		struct cause *ret)
{
	cause_done(ret);
	ret->id = row->id;
	ret->sentence = row->sentence ? fill_in(row->sentence, said->text, groups)
				      : xstrdup(said->text);
	ret->advice = row->advice ? fill_in(row->advice, said->text, groups) : xstrdup("");
	ret->message = xstrdup(said->text);
}

/* The patterns, compiled: each is tried on each line. */
struct patterns {
	regex_t *items; /* n_cause_rows */
	bool *valid;
};

static void patterns_done(struct patterns *p)
{
	for (size_t i = 0; i < n_cause_rows; i++)
		if (p->valid[i])
			regfree(&p->items[i]);
	free(p->items);
	free(p->valid);
}

/* The table is ours, and a test compiles all of it. */
static void patterns_init(struct patterns *p)
{
	p->items = xcalloc(n_cause_rows, sizeof(*p->items));
	p->valid = xcalloc(n_cause_rows, sizeof(*p->valid));
	for (size_t i = 0; i < n_cause_rows; i++)
		p->valid[i] = regcomp(&p->items[i], cause_rows[i].pattern, REG_EXTENDED) == 0;
}

struct search {
	const struct patterns *patterns;
	const struct unit_info *info;
	const struct said *said;
	size_t n;
};

/* Is one of the groups the program of ExecStart=? */
static bool names_main(const struct unit_info *info, const char *text, const regmatch_t *groups)
{
	for (size_t i = 0; i < info->n_steps; i++) {
		const char *path = info->steps[i].path;
		size_t len = strlen(path);
		if (strcmp(info->steps[i].setting, "ExecStart") != 0)
			continue;
		for (size_t g = 1; g < GROUPS_MAX; g++)
			if (groups[g].rm_so >= 0 &&
					(size_t)(groups[g].rm_eo - groups[g].rm_so) == len &&
					!strncmp(text + groups[g].rm_so, path, len))
				return true;
	}
	return false;
}

static bool match(const struct search *s, const struct said *said, bool weak, struct cause *ret)
{
	const struct patterns *p = s->patterns;
	regmatch_t groups[GROUPS_MAX];
	for (size_t i = 0; i < n_cause_rows; i++) {
		const struct cause_row *row = &cause_rows[i];
		if (!(row->speakers & said->speaker) || row->weak != weak || !p->valid[i] ||
				regexec(&p->items[i], said->text, GROUPS_MAX, groups, 0) != 0)
			continue;
		if (row->of_main && !names_main(s->info, said->text, groups))
			continue;
		take_row(row, said, groups, ret);
		return true;
	}
	return false;
}

/* The first line that is known, of those who count; or the last, where it is to be looked for near
 * the end of a long life. */
static bool search(const struct search *s, unsigned speakers, bool backwards, struct cause *ret)
{
	for (int weak = 0; weak < 2; weak++)
		for (size_t i = 0; i < s->n; i++) {
			const struct said *said = &s->said[backwards ? s->n - 1 - i : i];
			if ((said->speaker & speakers) && !is_warning(said) &&
					match(s, said, weak, ret))
				return true;
		}
	return false;
}

/* ---- where no row fits ---- */

static const struct said *last_words(const struct said *said, size_t n, enum cause_speaker speaker)
{
	for (size_t i = n; i > 0; i--)
		if (said[i - 1].speaker == speaker && !is_warning(&said[i - 1]))
			return &said[i - 1];
	return NULL;
}

/* A program that did not come up begins its error with its name; the lines behind it are hints. */
static const struct said *words_of_start(const struct said *said, size_t n)
{
	for (size_t i = n; i > 0; i--)
		if (said[i - 1].is_headed && !is_warning(&said[i - 1]))
			return &said[i - 1];
	return last_words(said, n, SPEAKER_PROGRAM);
}

static const struct said *first_words(const struct said *said, size_t n, enum cause_speaker speaker)
{
	for (size_t i = 0; i < n; i++)
		if (said[i].speaker == speaker)
			return &said[i];
	return NULL;
}

static void put(struct cause *ret, const char *id, const char *message, char *sentence,
		const char *advice)
{
	cause_done(ret);
	ret->id = id;
	ret->sentence = sentence;
	ret->advice = xstrdup(advice);
	ret->message = xstrdup(message);
}

bool cause_is_of_guest(const char *message)
{
	return without(message, CAUSE_LAST_WORDS) != message;
}

bool cause_is_given_up(const struct strv *lines)
{
	for (size_t i = 0; i < lines->n; i++) {
		struct said said;
		read_line(lines->items[i], &said);
		if (said.speaker == SPEAKER_SYSTEMD && strstr(said.text, "repeated too quickly"))
			return true;
	}
	return false;
}

/* QEMU says nothing when it ends for a guest that has panicked; its status is all. */
static bool guest_has_panicked(const struct exec_step *step)
{
	if (!step || strcmp(step->setting, "ExecStart") != 0 || step->code != CLD_EXITED ||
			step->status != 1)
		return false;
	return strv_contains(&step->argv, "panic=exit-failure");
}

/* What the guest said last, as teardown wrote it down; "": not known. */
static const char *guests_words(const struct said *said, size_t n)
{
	for (size_t i = n; i > 0; i--)
		if (said[i - 1].speaker == SPEAKER_CHILD && cause_is_of_guest(said[i - 1].text))
			return without(said[i - 1].text, CAUSE_LAST_WORDS);
	return "";
}

static void find_panic(const struct said *said, size_t n, struct cause *ret)
{
	const char *words = guests_words(said, n);
	put(ret, cause_found_ids[CAUSE_GUEST_PANICKED], words,
			xasprintf("the guest's kernel has panicked: QEMU ended with status 1 and "
				  "without a word, as its unit tells it to then%s%s",
					*words ? "; its last words were: " : "", words),
			*words ? "with \"qemu-args\": [ \"-action\", \"panic=pause\" ] it stands "
				 "still instead, and 'machina console --log' shows what it said "
				 "before that"
			       : "with \"serial\" in its config its last words are kept");
}

/* systemd ends the hook of a start that is stopped by SIGTERM, and calls that a failure. */
static bool was_stopped_early(const struct unit_info *info, const struct exec_step *step)
{
	return !strcmp(info->result, "signal") && step &&
	       (!strcmp(step->setting, "ExecStartPre") ||
			       !strcmp(step->setting, "ExecStartPost")) &&
	       step->code == CLD_KILLED && step->status == SIGTERM;
}

static void find_unknown(const struct unit_info *info, const struct said *said, size_t n,
		bool was_up, struct cause *ret)
{
	const struct exec_step *step = unit_failed_step(info);
	bool by_hook = step && strcmp(step->setting, "ExecStart") != 0;
	const struct said *words = by_hook  ? first_words(said, n, SPEAKER_HOOK)
				   : was_up ? last_words(said, n, SPEAKER_PROGRAM)
					    : words_of_start(said, n);
	CLEANUP(buf_done) struct buf result = {};
	if (was_stopped_early(info, step)) {
		put(ret, "", "", xstrdup("it was stopped while it was being started"), "");
		return;
	}
	if (was_up && !words && guest_has_panicked(step)) {
		find_panic(said, n, ret);
		return;
	}
	if (words && by_hook) {
		put(ret, "", words->text, xstrdup(words->text), "");
		return;
	}
	if (!unit_explain_failure(info, &result))
		buf_puts(&result, "systemd does not say why");
	if (words)
		put(ret, "", words->text,
				xasprintf("%s; the last words before that were: %s",
						buf_text(&result), words->text),
				"");
	else
		put(ret, "", "", xstrdup(buf_text(&result)), "");
}

/* ---- together ---- */

/* Where the run came to its end after it had come up: everything before that was survived. */
static size_t find_start(const struct said *said, size_t n)
{
	for (size_t i = n; i > 0; i--)
		if (said[i - 1].speaker == SPEAKER_SYSTEMD &&
				!strncmp(said[i - 1].text, "Started ", strlen("Started ")))
			return i;
	return 0;
}

static struct said *read_lines(const struct strv *lines)
{
	struct said *said = xcalloc(lines->n + 1, sizeof(*said));
	for (size_t i = 0; i < lines->n; i++)
		read_line(lines->items[i], &said[i]);
	return said;
}

void cause_find(const struct unit_info *info, const struct strv *lines, struct cause *ret)
{
	CLEANUP(freep) struct said *all = read_lines(lines);
	size_t begin = find_start(all, lines->n), n = lines->n - begin;
	const struct said *said = all + begin;
	*ret = (struct cause){};

	if (strcmp(info->load_state, "loaded") != 0 && *info->load_state) {
		CLEANUP(buf_done) struct buf text = {};
		bool is_masked = !strcmp(info->load_state, "masked");
		unit_explain_failure(info, &text);
		put(ret, is_masked ? "unit-masked" : "unit-faulty", "", buf_take(&text),
				is_masked ? "'systemctl unmask' takes that back"
					  : "'machina generate' writes the unit anew; drop-ins of "
					    "your own are shown by 'systemctl cat'");
		return;
	}
	/* In a start whoever fails says why, and systemd tells of the consequences. What ends a
	 * run that was up is told by systemd, and programs may have grumbled for days. */
	CLEANUP(patterns_done) struct patterns patterns;
	patterns_init(&patterns);
	const struct search in = { &patterns, info, said, n };
	const unsigned first = begin ? SPEAKER_SYSTEMD : SPEAKER_PROGRAM | SPEAKER_HOOK;
	const unsigned second = (SPEAKER_SYSTEMD | SPEAKER_PROGRAM | SPEAKER_HOOK) & ~first;
	if (!search(&in, first, false, ret) && !search(&in, second, begin != 0, ret))
		find_unknown(info, said, n, begin != 0, ret);
}

const char *cause_phase(const struct unit_info *info, const struct strv *lines)
{
	static const struct {
		const char *setting, *phase;
	} phases[] = {
		{ "ExecStartPre", "while the host was prepared for it" },
		{ "ExecStart", "when it was started" },
		{ "ExecStartPost", "while it was waited for" },
		{ "ExecStop", "while it was stopped" },
		{ "ExecStopPost", "while the host was cleaned up behind it" },
	};
	CLEANUP(freep) struct said *all = read_lines(lines);
	const struct exec_step *step = unit_failed_step(info);
	bool was_up = find_start(all, lines->n) > 0;
	for (size_t i = 0; step && i < ARRAY_SIZE(phases); i++)
		if (!strcmp(phases[i].setting, step->setting) &&
				!(was_up && !strcmp(step->setting, "ExecStart")))
			return phases[i].phase;
	return was_up ? "while it ran" : "when it was started";
}

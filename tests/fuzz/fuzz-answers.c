/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target of what QEMU and a guest's agent answer to the verbs: the first line of the input
 * names a verb, each other one is the answer to the next command; one that begins with "!" is sent
 * as it is, without an id. Behind the last one the connection ends.
 */
#include "fuzz/fuzz.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/agent/agent-exec.h"
#include "host/agent/agent-file.h"
#include "host/machine/sample.h"
#include "host/machine/save-parts.h"
#include "host/os/clock.h"
#include "host/qmp/balloon.h"
#include "host/qmp/cd.h"
#include "host/qmp/dump.h"
#include "host/qmp/migration.h"
#include "host/qmp/run-state.h"
#include "util/mem.h"

#define ANSWERS_MAX 8
#define OPEN_USEC (5 * USEC_PER_SEC)
#define FILE_MAX ((size_t)1 << 20)

/* ---- the other end ---- */

struct peer {
	int fd;
	const char *greeting; /* NULL: that of an agent, which has none */
	char *answers[ANSWERS_MAX];
	size_t n, at;
};

static bool send_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		const ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

static bool say(const struct peer *p, const char *text)
{
	return send_all(p->fd, text, strlen(text));
}

/* A line without its end; false: there is none any more. */
static bool hear(const struct peer *p, struct buf *ret)
{
	char c;
	buf_clear(ret);
	while (recv(p->fd, &c, 1, 0) == 1) {
		if (c == '\n')
			return true;
		buf_putc(ret, c);
	}
	return false;
}

/* What stands behind @key, up to @end. */
static char *behind(const char *line, const char *key, const char *end)
{
	const char *at = strstr(line, key);
	return at ? xstrndup(at + strlen(key), strcspn(at + strlen(key), end)) : NULL;
}

static bool answer(struct peer *p, const char *line)
{
	CLEANUP(freep) char *id = behind(line, "\"id\":\"", "\"");
	CLEANUP(freep) char *number = behind(line, "{\"id\":", "}");
	if (strstr(line, "qmp_capabilities")) {
		CLEANUP(freep)
		char *text = xasprintf("{\"return\": {}, \"id\": \"%s\"}\n", id ? id : "");
		return say(p, text);
	}
	if (strstr(line, "guest-sync-delimited")) {
		CLEANUP(freep)
		char *text = xasprintf("\xff{\"return\": %s}\n", number ? number : "0");
		return say(p, text);
	}
	while (p->at < p->n) {
		const char *next = p->answers[p->at++];
		CLEANUP(freep)
		char *text = *next == '!' ? xasprintf("%s\n", next + 1)
			     : id ? xasprintf("{\"return\": %s, \"id\": \"%s\"}\n", next, id)
				  : xasprintf("{\"return\": %s}\n", next);
		if (!say(p, text))
			return false;
		if (*next != '!')
			return true;
	}
	return false;
}

static void *be_peer(void *data)
{
	struct peer *p = data;
	CLEANUP(buf_done) struct buf line = {};
	bool goes_on = !p->greeting || say(p, p->greeting);
	while (goes_on && hear(p, &line))
		goes_on = answer(p, buf_text(&line));
	shutdown(p->fd, SHUT_RDWR);
	return NULL;
}

/* ---- the verbs ---- */

static void check_error(int r, const struct error *err)
{
	FUZZ_CHECK(r == 0 || *err->text);
}

static void ask_state(struct qmp *qmp, struct error *err)
{
	const struct run_state *state = NULL;
	const int r = run_state_query(qmp, clock_deadline_usec(OPEN_USEC), &state, err);
	FUZZ_CHECK(r != QMP_DONE || (state && *state->name));
	check_error(r, err);
}

static void ask_drives(struct qmp *qmp, struct error *err)
{
	CLEANUP(cd_drives_done) struct cd_drives drives = {};
	CLEANUP(strv_done) struct strv argv = {};
	strv_push(&argv, "-device");
	strv_push(&argv, "scsi-cd,bus=scsi.0,drive=disk-cd,id=scsi.0.0");
	check_error(cd_list(qmp, &argv, &drives, err), err);
	for (size_t i = 0; i < drives.n; i++)
		FUZZ_CHECK(drives.items[i].id && drives.items[i].set >= -1);
}

static void ask_migration(struct qmp *qmp, struct error *err)
{
	check_error(migration_check(qmp, err), err);
}

static void ask_dump(struct qmp *qmp, struct error *err)
{
	check_error(dump_check(qmp, DUMP_KDUMP_ZLIB, err), err);
}

static void ask_memory(struct qmp *qmp, struct error *err)
{
	struct balloon_size size = {};
	check_error(balloon_look(qmp, (uint64_t)1 << 30, &size, err), err);
}

static void ask_parts(struct qmp *qmp, struct error *err)
{
	CLEANUP(arena_done) struct arena arena = {};
	CLEANUP(strv_done) struct strv argv = {};
	struct jlist media = {};
	strv_push(&argv, "/usr/bin/qemu");
	strv_push(&argv, "-device");
	strv_push(&argv, "virtio-net-pci,id=nic.0");
	strv_push(&argv, "-device");
	strv_push(&argv, "ide-cd,id=cd.0,drive=iso");
	check_error(save_check_parts(qmp, getpid(), &argv, &arena, &media, err), err);
}

static void ask_disks(struct qmp *qmp, struct error *err)
{
	CLEANUP(sample_done) struct sample sample = {};
	struct json_object *value = NULL;
	check_error(qmp_call(qmp, "query-blockstats", NULL, clock_deadline_usec(OPEN_USEC), &value,
				    err),
			err);
	sample_add_disks(value, &sample);
	json_object_put(value);
}

static void run_command(struct agent *agent, struct error *err)
{
	CLEANUP(agent_exit_done) struct agent_exit exit = {};
	const struct agent_exec exec = { .program = "true" };
	const int r = agent_run(agent, &exec, clock_deadline_usec(OPEN_USEC), &exit, err);
	FUZZ_CHECK(r != AGENT_DONE || exit.pid > 0);
	FUZZ_CHECK(agent_exit_status(&exit) >= 0 && agent_exit_status(&exit) <= 255);
	check_error(r, err);
}

static void read_file(struct agent *agent, struct error *err)
{
	CLEANUP(buf_done) struct buf text = {};
	struct agent_file file;
	const uint64_t until = clock_deadline_usec(OPEN_USEC);
	uint64_t size;
	int r = agent_file_open(agent, "/f", "r", until, &file, err);
	if (r == AGENT_DONE)
		r = agent_file_size(&file, until, &size, err);
	for (size_t before = 1; r == AGENT_DONE && before != text.len && text.len < FILE_MAX;) {
		before = text.len;
		r = agent_file_read(&file, until, &text, err);
		FUZZ_CHECK(text.len - before <= AGENT_CHUNK);
	}
	if (r == AGENT_DONE)
		r = agent_file_close(&file, until, err);
	check_error(r, err);
}

static const struct verb {
	const char *name;
	void (*qemu)(struct qmp *qmp, struct error *err);
	void (*agent)(struct agent *agent, struct error *err);
} verbs[] = {
	{ "state", ask_state, NULL },
	{ "drives", ask_drives, NULL },
	{ "migration", ask_migration, NULL },
	{ "dump", ask_dump, NULL },
	{ "memory", ask_memory, NULL },
	{ "parts", ask_parts, NULL },
	{ "disks", ask_disks, NULL },
	{ "exec", NULL, run_command },
	{ "read", NULL, read_file },
};

static void use(const struct verb *verb, int fd, struct error *err)
{
	const uint64_t until = clock_deadline_usec(OPEN_USEC);
	if (verb->qemu) {
		CLEANUP(qmp_freep) struct qmp *qmp = NULL;
		if (qmp_attach_take(fd, "fuzz", -1, until, &qmp, err) == QMP_DONE)
			verb->qemu(qmp, err);
	} else {
		CLEANUP(agent_freep) struct agent *agent = NULL;
		if (agent_attach_take(fd, "fuzz", until, &agent, err) == AGENT_DONE)
			verb->agent(agent, err);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(freep) char *text = xstrndup(size ? (const char *)data : "", size);
	char *rest = text;
	const char *name = strsep(&rest, "\n");
	struct peer peer = {};
	struct error err = {};
	pthread_t thread;
	int pair[2];
	for (char *line; peer.n < ANSWERS_MAX && (line = strsep(&rest, "\n"));)
		peer.answers[peer.n++] = line;
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(name, verbs[i].name) != 0)
			continue;
		FUZZ_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
		peer.fd = pair[1];
		peer.greeting = verbs[i].qemu ? "{\"QMP\": {\"version\": {}, \"capabilities\": "
						"[]}}\n"
					      : NULL;
		FUZZ_CHECK(pthread_create(&thread, NULL, be_peer, &peer) == 0);
		use(&verbs[i], pair[0], &err);
		FUZZ_CHECK(pthread_join(thread, NULL) == 0);
		close(pair[1]);
	}
	return 0;
}

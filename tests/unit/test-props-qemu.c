/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Option lists as QEMU itself reads them: one emulator is started with nasty values in options of
 * both of its parsers, and asked over QMP, over qtest (what the guest would read) and by the files
 * that it made.
 */
#include <json-c/json.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "qemu/props.h"
#include "test.h"
#include "util/mem.h"

#define QEMU "qemu-system-x86_64"
#define ANSWER_SECONDS 60

static const char *const values[] = { "plain", ",", ",,", ",a", "a,", "a,,", "a,b", ",a,b,,c,",
	"a=b", "=", "a,b=c", "on", "help", "?", "a b", " a", "a ", "\"", "'", "\\", "a\\,b", "%n%%",
	"$HOME${X}", "{\"a\":1}", "[", "json:{}", "nbd:a", "\xc3\xa9,\xe6\x97\xa5", "a;b&c|d<e>f",
	"#", "~", "*?", "a\tb", "no", "id=x", "\x7f" };

struct qemu {
	pid_t pid;
	FILE *qmp, *qtest;
	char *dir;
};

/* Ends the emulator and removes the files, whatever state they are in. */
static void qemu_stop(struct qemu *q)
{
	if (q->pid > 0) {
		kill(q->pid, SIGKILL);
		waitpid(q->pid, NULL, 0);
	}
	if (q->qmp)
		fclose(q->qmp);
	if (q->qtest)
		fclose(q->qtest);
	CLEANUP(freep) char *command = xasprintf("rm -rf '%s'", q->dir);
	CHECK_INT(system(command), 0);
	freep(&q->dir);
}

/* A pair of which QEMU keeps the returned end; an answer that never comes ends the wait. */
static int stream_pair(FILE **ret)
{
	int ends[2];
	struct timeval limit = { .tv_sec = ANSWER_SECONDS };
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
		return -1;
	setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	*ret = fdopen(ends[0], "r+");
	return ends[1];
}

static bool qemu_start(struct qemu *q, struct strv *argv)
{
	int qmp_fd = stream_pair(&q->qmp), qtest_fd = stream_pair(&q->qtest);
	strv_push(argv, "-chardev");
	strv_pushf(argv, "socket,id=test-qmp,fd=%d", qmp_fd);
	strv_push(argv, "-mon");
	strv_push(argv, "chardev=test-qmp,mode=control");
	strv_push(argv, "-chardev");
	strv_pushf(argv, "socket,id=qtest,fd=%d", qtest_fd); /* it insists on the name */
	strv_push(argv, "-qtest");
	strv_push(argv, "chardev:qtest");
	strv_push(argv, "-qtest-log");
	strv_push(argv, "/dev/null");
	/* An emulator that has ended is found out by reading. */
	signal(SIGPIPE, SIG_IGN);
	fflush(stdout);
	q->pid = fork();
	if (q->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(STDERR_FILENO, STDOUT_FILENO);
		execvp(argv->items[0], argv->items);
		_exit(127);
	}
	close(qmp_fd);
	close(qtest_fd);
	return q->pid > 0;
}

static struct json_object *qmp_read(struct qemu *q)
{
	char *line = NULL;
	size_t n_alloc = 0;
	struct json_object *message = NULL;
	if (getline(&line, &n_alloc, q->qmp) > 0)
		message = json_tokener_parse(line);
	free(line);
	return message;
}

/* The "return" of a command, which the caller puts; NULL after a failed check. */
static struct json_object *qmp(struct qemu *q, const char *command, const char *arguments)
{
	fprintf(q->qmp, "{\"execute\":\"%s\",\"arguments\":{%s}}\n", command, arguments);
	fflush(q->qmp);
	for (;;) {
		struct json_object *message = qmp_read(q), *value = NULL;
		if (!message) {
			TEST_FAIL("no answer to %s", command);
			return NULL;
		}
		bool answered = json_object_object_get_ex(message, "return", &value);
		if (json_object_object_get_ex(message, "error", NULL))
			TEST_FAIL("%s: %s", command, json_object_to_json_string(message));
		else if (!answered) {
			json_object_put(message);
			continue;
		}
		value = json_object_get(value);
		json_object_put(message);
		return value;
	}
}

/* The member of the first object in the list whose @name is @id; owned by the list. */
static const char *find_text(
		struct json_object *list, const char *name, const char *id, const char *member)
{
	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *item = json_object_array_get_idx(list, i), *value = NULL;
		if (json_object_object_get_ex(item, name, &value) &&
				!strcmp(json_object_get_string(value), id) &&
				json_object_object_get_ex(item, member, &value))
			return json_object_get_string(value);
	}
	return NULL;
}

static void check_qom(struct qemu *q, const char *path, const char *property, const char *expected)
{
	CLEANUP(freep)
	char *arguments = xasprintf("\"path\":\"%s\",\"property\":\"%s\"", path, property);
	struct json_object *value = qmp(q, "qom-get", arguments);
	CHECK_STR(value ? json_object_get_string(value) : NULL, expected);
	json_object_put(value);
}

static void check_member(
		struct qemu *q, const char *command, const char *member, const char *expected)
{
	struct json_object *value = NULL, *object = qmp(q, command, "");
	if (object)
		json_object_object_get_ex(object, member, &value);
	CHECK_STR(value ? json_object_get_string(value) : NULL, expected);
	json_object_put(object);
}

/* One command of docs/devel/qtest; the number in its answer. */
static unsigned qtest(struct qemu *q, const char *command)
{
	char line[256] = "";
	unsigned value = 0;
	fprintf(q->qtest, "%s\n", command);
	fflush(q->qtest);
	do {
		if (!fgets(line, sizeof(line), q->qtest)) {
			TEST_FAIL("no answer to %s", command);
			return 0;
		}
	} while (strncmp(line, "OK", 2) != 0 && strncmp(line, "FAIL", 4) != 0);
	sscanf(line, "OK 0x%x", &value);
	return value;
}

/* Select a file of fw_cfg (docs/specs/fw_cfg) and read its first bytes. */
static void fw_cfg_read(struct qemu *q, unsigned key, size_t len, struct buf *ret)
{
	char command[64];
	snprintf(command, sizeof(command), "outw 0x510 0x%x", key);
	qtest(q, command);
	while (len--)
		buf_putc(ret, (char)qtest(q, "inb 0x511"));
}

/* The contents of a fw_cfg file by its name. */
static void fw_cfg_file(struct qemu *q, const char *name, struct buf *ret)
{
	CLEANUP(buf_done) struct buf dir = {};
	fw_cfg_read(q, 0x19, 4 + 64 * 64, &dir);
	const unsigned char *entry = (const unsigned char *)dir.text + 4;
	unsigned n = (unsigned)entry[-2] << 8 | entry[-1];
	for (unsigned i = 0; i < n && i < 64; i++, entry += 64)
		if (!strcmp((const char *)entry + 8, name)) {
			size_t len = (size_t)entry[2] << 8 | entry[3];
			fw_cfg_read(q, (unsigned)entry[4] << 8 | entry[5], len, ret);
			return;
		}
	TEST_FAIL("no fw_cfg file '%s'", name);
}

static void join_values(struct buf *b)
{
	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		buf_printf(b, "%s,", values[i]);
}

static void push_machine(struct strv *argv)
{
	static const char *const words[] = { QEMU, "-S", "-nodefaults", "-no-user-config",
		"-display", "none", "-accel", "tcg" };
	struct props p = {};
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		strv_push(argv, words[i]);
	props_init(&p, NULL);
	props_add(&p, "guest", ",a,,b=c d\"e'f\\g$HOME%n\xc3\xa9,");
	props_take(&p, "-name", argv);
	props_init(&p, NULL);
	props_add(&p, "type", "q35");
	props_take(&p, "-machine", argv);
	/* All in one: fw_cfg has few places. */
	CLEANUP(buf_done) struct buf all = {};
	join_values(&all);
	props_init(&p, NULL);
	props_add(&p, "name", "opt/test");
	props_add(&p, "string", buf_text(&all));
	props_take(&p, "-fw_cfg", argv);
	props_init(&p, "virtio-scsi-pci");
	props_add(&p, "id", "scsi");
	props_take(&p, "-device", argv);
}

/* One value in each option that can be asked about. */
static void push_value(struct strv *argv, const char *dir, size_t i, const char *value)
{
	struct props p = {};
	props_init(&p, NULL);
	props_add(&p, "driver", "file");
	props_addf(&p, "node-name", "file%zu", i);
	props_addf(&p, "filename", "%s/f%s", dir, value);
	props_add(&p, "cache.direct", "off");
	props_take(&p, "-blockdev", argv);

	props_init(&p, "scsi-hd");
	props_addf(&p, "id", "disk%zu", i);
	props_addf(&p, "lun", "%zu", i);
	props_addf(&p, "drive", "file%zu", i);
	props_add(&p, "serial", value);
	props_take(&p, "-device", argv);

	props_init(&p, "secret");
	props_addf(&p, "id", "secret%zu", i);
	props_add(&p, "data", value);
	props_take(&p, "-object", argv);

	props_init(&p, "socket");
	props_addf(&p, "id", "socket%zu", i);
	props_addf(&p, "path", "%s/s%s", dir, value);
	props_add(&p, "server", "on");
	props_add(&p, "wait", "off");
	props_take(&p, "-chardev", argv);

	props_init(&p, "stream");
	props_addf(&p, "id", "net%zu", i);
	props_add(&p, "server", "on");
	props_add(&p, "addr.type", "unix");
	props_addf(&p, "addr.path", "%s/n%s", dir, value);
	props_take(&p, "-netdev", argv);

	props_init(&p, NULL);
	props_add(&p, "type", "11");
	props_add(&p, "value", value);
	props_take(&p, "-smbios", argv);
	props_done(&p);
}

static bool is_socket(const char *dir, char kind, const char *value)
{
	struct stat st;
	CLEANUP(freep) char *path = xasprintf("%s/%c%s", dir, kind, value);
	return lstat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

/* A network listens in a thread of QEMU's, which answers at its monitor meanwhile. */
static bool socket_comes(const char *dir, char kind, const char *value)
{
	for (int msec = 0; msec < ANSWER_SECONDS * 1000; msec++) {
		if (is_socket(dir, kind, value))
			return true;
		poll(NULL, 0, 1);
	}
	return false;
}

static void check_value(struct qemu *q, size_t i, const char *value)
{
	char name[64];
	snprintf(name, sizeof(name), "/machine/peripheral/disk%zu", i);
	check_qom(q, name, "serial", value);
	snprintf(name, sizeof(name), "/objects/secret%zu", i);
	check_qom(q, name, "data", value);
	if (!is_socket(q->dir, 's', value) || !socket_comes(q->dir, 'n', value))
		TEST_FAIL("no socket whose name ends in '%s'", value);
}

static void check_lists(struct qemu *q)
{
	struct json_object *nodes = qmp(q, "query-named-block-nodes", "\"flat\":true");
	struct json_object *chardevs = qmp(q, "query-chardev", "");
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		char id[32];
		snprintf(id, sizeof(id), "file%zu", i);
		CLEANUP(freep) char *file = xasprintf("%s/f%s", q->dir, values[i]);
		CHECK_STR(find_text(nodes, "node-name", id, "file"), file);
		snprintf(id, sizeof(id), "socket%zu", i);
		CLEANUP(freep)
		char *socket = xasprintf("disconnected:unix:%s/s%s,server=on", q->dir, values[i]);
		CHECK_STR(find_text(chardevs, "label", id, "filename"), socket);
	}
	json_object_put(nodes);
	json_object_put(chardevs);
}

static void check_fw_cfg(struct qemu *q)
{
	CLEANUP(buf_done) struct buf text = {}, expected = {};
	fw_cfg_file(q, "opt/test", &text);
	join_values(&expected);
	CHECK_STR(buf_text(&text), buf_text(&expected));
}

/* The strings of an SMBIOS type 11 entry follow it, each with a NUL (SMBIOS 3, 6.1.3). */
static void check_smbios(struct qemu *q)
{
	CLEANUP(buf_done) struct buf tables = {}, expected = {};
	fw_cfg_file(q, "etc/smbios/smbios-tables", &tables);
	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		buf_add(&expected, values[i], strlen(values[i]) + 1);
	buf_putc(&expected, '\0');
	CHECK(memmem(tables.text, tables.len, expected.text, expected.len));
}

TEST(qemu_gets_each_value_as_it_was)
{
	if (system("command -v " QEMU " >/dev/null") != 0)
		SKIP(QEMU " is not installed");
	CLEANUP(qemu_stop) struct qemu q = { .dir = test_directory() };
	CLEANUP(strv_done) struct strv argv = {};
	push_machine(&argv);
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		CLEANUP(freep) char *file = xasprintf("%s/f%s", q.dir, values[i]);
		FILE *f = fopen(file, "wx");
		CHECK(f && ftruncate(fileno(f), 1 << 20) == 0 && fclose(f) == 0);
		push_value(&argv, q.dir, i, values[i]);
	}
	CLEANUP(freep) char *vnc = xasprintf("%s/v,a=b", q.dir);
	struct props p = {};
	props_init(&p, NULL);
	props_addf(&p, "vnc", "unix:%s", vnc);
	props_take(&p, "-vnc", &argv);

	if (!qemu_start(&q, &argv))
		return;
	json_object_put(qmp_read(&q)); /* the greeting */
	json_object_put(qmp(&q, "qmp_capabilities", ""));
	if (test_failures)
		return;
	check_member(&q, "query-name", "name", ",a,,b=c d\"e'f\\g$HOME%n\xc3\xa9,");
	check_member(&q, "query-vnc", "service", vnc);
	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		check_value(&q, i, values[i]);
	check_lists(&q);
	check_fw_cfg(&q);
	check_smbios(&q);
}

TEST_MAIN()

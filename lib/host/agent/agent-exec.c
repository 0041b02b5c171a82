/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A command in a guest. */
#include "host/agent/agent-exec.h"

#include <string.h>

#include "host/os/clock.h"
#include "json/jtree.h"
#include "util/base64.h"

/* How often to ask: at once, because most commands are short, then less and less. */
#define FIRST_WAIT_USEC (5 * USEC_PER_MSEC)
#define LAST_WAIT_USEC USEC_PER_SEC
/* Before a longer wait others are let in. */
#define REST_USEC (200 * USEC_PER_MSEC)
/* How long one answer may take while there is no other limit. */
#define ANSWER_USEC (30 * USEC_PER_SEC)
/* Two streams of 16 MiB in base64, and some more. */
#define STATUS_MAX ((size_t)48 << 20)
#define STATUS_SIGNAL 128

void agent_exit_done(struct agent_exit *e)
{
	buf_done(&e->out);
	buf_done(&e->err);
	*e = (struct agent_exit){};
}

int agent_exit_status(const struct agent_exit *e)
{
	if (e->signal)
		return STATUS_SIGNAL + (e->signal & 127);
	return e->status && !(e->status & 255) ? 255 : e->status & 255;
}

static struct json_object *arguments_of(const struct agent_exec *exec)
{
	struct json_object *object = jtree_object();
	jtree_set(object, "path", jtree_string(exec->program));
	jtree_set(object, "capture-output", jtree_bool(true));
	if (exec->arguments)
		jtree_set(object, "arg", jtree_strings(exec->arguments));
	if (exec->environment && exec->environment->n > 0)
		jtree_set(object, "env", jtree_strings(exec->environment));
	if (exec->input) {
		CLEANUP(buf_done) struct buf text = {};
		base64_add(&text, exec->input->text, exec->input->len);
		jtree_set(object, "input-data", jtree_string_len(buf_text(&text), text.len));
	}
	return object;
}

/* 1 with *ret set, 0 when there is no such key, or -EPROTO. */
static int get_int(
		struct json_object *object, const char *key, int64_t min, int64_t max, int64_t *ret)
{
	struct json_object *value;
	if (!json_object_object_get_ex(object, key, &value))
		return 0;
	if (!json_object_is_type(value, json_type_int))
		return -EPROTO;
	*ret = json_object_get_int64(value);
	return *ret < min || *ret > max ? -EPROTO : 1;
}

static int get_output(struct json_object *object, const char *key, struct buf *ret)
{
	struct json_object *value;
	if (!json_object_object_get_ex(object, key, &value))
		return 0;
	if (!json_object_is_type(value, json_type_string))
		return -EPROTO;
	return base64_read(ret, json_object_get_string(value),
			       (size_t)json_object_get_string_len(value)) < 0
			       ? -EPROTO
			       : 0;
}

static int no_answer_of_an_agent(const char *command, struct error *err)
{
	return error_set(err, EPROTO, "the guest agent's answer to '%s' makes no sense", command);
}

static int start(struct agent *agent, const struct agent_exec *exec, uint64_t deadline_usec,
		struct agent_exit *ret, struct error *err)
{
	const struct agent_command command = {
		.name = "guest-exec",
		.arguments = arguments_of(exec),
	};
	CLEANUP(qmp_reply_done) struct qmp_reply reply = {};
	int r = agent_execute(agent, &command, deadline_usec, &reply, err);
	json_object_put(command.arguments);
	if (r == AGENT_DONE && get_int(reply.value, "pid", 1, INT64_MAX, &ret->pid) <= 0)
		return no_answer_of_an_agent(command.name, err);
	return r;
}

/* Returns 1 when the command has ended, 0, or -EPROTO. */
static int read_status(struct json_object *status, struct agent_exit *ret)
{
	struct json_object *exited;
	int64_t code = 0, number = 0;
	if (!json_object_object_get_ex(status, "exited", &exited) ||
			!json_object_is_type(exited, json_type_boolean))
		return -EPROTO;
	if (!json_object_get_boolean(exited))
		return 0;
	if (get_int(status, "exitcode", INT32_MIN, UINT32_MAX, &code) < 0 ||
			get_int(status, "signal", 0, UINT32_MAX, &number) < 0 ||
			get_output(status, "out-data", &ret->out) < 0 ||
			get_output(status, "err-data", &ret->err) < 0)
		return -EPROTO;
	ret->status = (int)code;
	ret->signal = (int)number;
	ret->out_truncated = jtree_get_bool(status, "out-truncated");
	ret->err_truncated = jtree_get_bool(status, "err-truncated");
	return 1;
}

/* An enum agent_outcome, or a negative errno; *ret_ended tells whether it has. */
static int ask(struct agent *agent, uint64_t deadline_usec, struct agent_exit *ret, bool *ret_ended,
		struct error *err)
{
	const struct agent_command command = {
		.name = "guest-exec-status",
		.arguments = jtree_object(),
		.reply_max = STATUS_MAX,
	};
	CLEANUP(qmp_reply_done) struct qmp_reply reply = {};
	jtree_set(command.arguments, "pid", jtree_int(ret->pid));
	int r = agent_execute(agent, &command, deadline_usec, &reply, err);
	json_object_put(command.arguments);
	if (r != AGENT_DONE)
		return r;
	r = read_status(reply.value, ret);
	if (r < 0)
		return no_answer_of_an_agent(command.name, err);
	*ret_ended = r > 0;
	return AGENT_DONE;
}

static uint64_t earlier(uint64_t a_usec, uint64_t b_usec)
{
	return a_usec < b_usec ? a_usec : b_usec;
}

int agent_run(struct agent *agent, const struct agent_exec *exec, uint64_t deadline_usec,
		struct agent_exit *ret, struct error *err)
{
	bool ended = false;
	*ret = (struct agent_exit){};
	if (exec->input && exec->input->len > AGENT_INPUT_MAX)
		return error_set(err, E2BIG, "the guest agent takes at most %zu MiB of input",
				AGENT_INPUT_MAX >> 20);
	int r = start(agent, exec, earlier(deadline_usec, clock_deadline_usec(ANSWER_USEC)), ret,
			err);
	for (uint64_t wait_usec = FIRST_WAIT_USEC; r == AGENT_DONE;) {
		r = ask(agent, earlier(deadline_usec, clock_deadline_usec(ANSWER_USEC)), ret,
				&ended, err);
		if (ended || (r != AGENT_DONE && r != AGENT_LATE))
			break;
		if (clock_now_usec() >= deadline_usec) {
			error_set(err, ETIMEDOUT, "'%s' still runs as process %lld of the guest",
					exec->program, (long long)ret->pid);
			return AGENT_LATE;
		}
		if (r == AGENT_LATE)
			break;
		if (wait_usec >= REST_USEC)
			agent_rest(agent);
		clock_poll(NULL, 0, earlier(deadline_usec, clock_deadline_usec(wait_usec)));
		wait_usec = earlier(wait_usec * 3 / 2, LAST_WAIT_USEC);
	}
	return r;
}

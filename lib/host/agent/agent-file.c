/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of a guest. */
#include "host/agent/agent-file.h"

#include "json/jtree.h"
#include "util/base64.h"

/* A chunk in base64 and its words. */
#define READ_MAX (AGENT_CHUNK * 2)

static int makes_no_sense(const struct agent_file *f, const char *command, struct error *err)
{
	return error_set(err, EPROTO, "'%s': the guest agent's answer to '%s' makes no sense",
			f->path, command);
}

/* Takes @arguments over. */
static int talk(struct agent_file *f, const char *name, struct json_object *arguments,
		uint64_t deadline_usec, struct json_object **ret, struct error *err)
{
	const struct agent_command command = {
		.name = name,
		.arguments = arguments,
		.reply_max = READ_MAX,
	};
	CLEANUP(qmp_reply_done) struct qmp_reply reply = {};
	int r = agent_execute(f->agent, &command, deadline_usec, &reply, err);
	json_object_put(arguments);
	if (r != AGENT_DONE) {
		error_wrap(err, "'%s'", f->path);
		return r;
	}
	*ret = take_ptr(reply.value);
	return AGENT_DONE;
}

static struct json_object *with_handle(const struct agent_file *f)
{
	struct json_object *arguments = jtree_object();
	jtree_set(arguments, "handle", jtree_int(f->handle));
	return arguments;
}

int agent_file_open(struct agent *agent, const char *path, const char *mode, uint64_t deadline_usec,
		struct agent_file *ret, struct error *err)
{
	struct json_object *value = NULL, *arguments = jtree_object();
	*ret = (struct agent_file){ .agent = agent, .path = path };
	jtree_set(arguments, "path", jtree_string(path));
	jtree_set(arguments, "mode", jtree_string(mode));
	int r = talk(ret, "guest-file-open", arguments, deadline_usec, &value, err);
	if (r == AGENT_DONE && json_object_is_type(value, json_type_int))
		ret->handle = json_object_get_int64(value);
	else if (r == AGENT_DONE)
		r = makes_no_sense(ret, "guest-file-open", err);
	json_object_put(value);
	return r;
}

int agent_file_close(struct agent_file *f, uint64_t deadline_usec, struct error *err)
{
	CLEANUP(jtree_putp) struct json_object *value = NULL;
	return talk(f, "guest-file-close", with_handle(f), deadline_usec, &value, err);
}

int agent_file_read(struct agent_file *f, uint64_t deadline_usec, struct buf *to, struct error *err)
{
	static const char command[] = "guest-file-read";
	struct json_object *value = NULL, *arguments = with_handle(f), *text;
	const size_t before = to->len;
	jtree_set(arguments, "count", jtree_int((int64_t)AGENT_CHUNK));
	int r = talk(f, command, arguments, deadline_usec, &value, err);
	if (r != AGENT_DONE)
		return r;
	if (!json_object_object_get_ex(value, "buf-b64", &text) ||
			!json_object_is_type(text, json_type_string) ||
			base64_read(to, json_object_get_string(text),
					(size_t)json_object_get_string_len(text)) < 0 ||
			to->len - before > AGENT_CHUNK ||
			jtree_get_int(value, "count", -1) != (int64_t)(to->len - before)) {
		buf_truncate(to, before);
		r = makes_no_sense(f, command, err);
	}
	json_object_put(value);
	return r;
}

int agent_file_write(struct agent_file *f, const void *data, size_t len, uint64_t deadline_usec,
		struct error *err)
{
	static const char command[] = "guest-file-write";
	const char *rest = data;
	while (len > 0) {
		CLEANUP(buf_done) struct buf text = {};
		struct json_object *value = NULL, *arguments = with_handle(f);
		base64_add(&text, rest, len);
		jtree_set(arguments, "buf-b64", jtree_string_len(buf_text(&text), text.len));
		int r = talk(f, command, arguments, deadline_usec, &value, err);
		const int64_t n = jtree_get_int(value, "count", 0);
		json_object_put(value);
		if (r != AGENT_DONE)
			return r;
		if (n <= 0 || n > (int64_t)len)
			return makes_no_sense(f, command, err);
		rest += n;
		len -= (size_t)n;
	}
	return AGENT_DONE;
}

/* @whence: as the agent counts, 0 from the beginning and 2 from the end. */
static int seek(struct agent_file *f, int whence, uint64_t deadline_usec, int64_t *ret_position,
		struct error *err)
{
	static const char command[] = "guest-file-seek";
	struct json_object *value = NULL, *arguments = with_handle(f);
	jtree_set(arguments, "offset", jtree_int(0));
	jtree_set(arguments, "whence", jtree_int(whence));
	int r = talk(f, command, arguments, deadline_usec, &value, err);
	if (r != AGENT_DONE)
		return r;
	*ret_position = jtree_get_int(value, "position", -1);
	json_object_put(value);
	return *ret_position < 0 ? makes_no_sense(f, command, err) : AGENT_DONE;
}

int agent_file_size(struct agent_file *f, uint64_t deadline_usec, uint64_t *ret_bytes,
		struct error *err)
{
	int64_t end, begin;
	int r = seek(f, 2, deadline_usec, &end, err);
	if (r == AGENT_DONE)
		r = seek(f, 0, deadline_usec, &begin, err);
	if (r == AGENT_DONE)
		*ret_bytes = (uint64_t)end;
	return r;
}

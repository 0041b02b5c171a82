/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A picture of a guest's screen. */
#include "host/qmp/screenshot.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/qmp/qmp-fd.h"
#include "json/jtree.h"
#include "util/file.h"
#include "util/mem.h"

/* Signature, then the length and type of the first chunk, IHDR, width and height (PNG, 2nd ed.). */
#define PNG_BEGIN "\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
#define PNG_WIDTH_AT 16
#define PNG_HEIGHT_AT 20
#define PNG_HEADER_SIZE 24

static int make_arguments(
		const struct screenshot *what, int set, struct json_object **ret, struct error *err)
{
	CLEANUP(freep) char *path = xasprintf("/dev/fdset/%d", set);
	if (what->head && !what->device)
		return error_set(err, EINVAL, "a head is one of a device, which is not named");
	*ret = jtree_object();
	jtree_set(*ret, "filename", jtree_string(path));
	jtree_set(*ret, "format", jtree_string("png"));
	if (what->device) {
		jtree_set(*ret, "device", jtree_string(what->device));
		jtree_set(*ret, "head", jtree_int(what->head));
	}
	return 0;
}

static int dump_to(struct qmp *qmp, const struct screenshot *what, int fd, uint64_t deadline_usec,
		struct error *err)
{
	CLEANUP(jtree_putp) struct json_object *arguments = NULL;
	int set;
	CLEANUP(qmp_reply_done) struct qmp_reply reply = {};
	int r = qmp_add_fd(qmp, fd, "screenshot", deadline_usec, &set, err);
	if (r < 0)
		return r;
	r = make_arguments(what, set, &arguments, err);
	if (r == 0)
		r = qmp_execute(qmp,
				&(struct qmp_command){
						.name = "screendump", .arguments = arguments },
				deadline_usec, &reply, err);
	qmp_remove_fd(qmp, set, deadline_usec);
	/* ui/ui-qmp-cmds.c, or ui/console.c of older versions: it has no class of its own. */
	if (r == QMP_REFUSED && strstr(reply.error_desc, "no console to take a screendump"))
		return error_set(err, ENODEV,
				"it has no display: \"display\": \"virtio\" in its \"attrs\", or "
				"\"vnc\" or \"spice\", gives it one when it starts the next time");
	return r > 0 ? -err->code : r;
}

static int read_png(int fd, struct buf *ret, uint32_t *ret_width, uint32_t *ret_height,
		struct error *err)
{
	CLEANUP(buf_done) struct buf png = {};
	int r = file_read_fd(fd, "the picture", SCREENSHOT_SIZE_MAX, &png, err);
	if (r < 0)
		return r;
	if (png.len < PNG_HEADER_SIZE || memcmp(png.text, PNG_BEGIN, sizeof(PNG_BEGIN) - 1) != 0)
		return error_set(err, EPROTO, "what QEMU has written is no PNG");
	memcpy(ret_width, png.text + PNG_WIDTH_AT, sizeof(*ret_width));
	memcpy(ret_height, png.text + PNG_HEIGHT_AT, sizeof(*ret_height));
	*ret_width = be32toh(*ret_width);
	*ret_height = be32toh(*ret_height);
	buf_add(ret, png.text, png.len);
	return 0;
}

int screenshot_take(struct qmp *qmp, const struct screenshot *what, uint64_t deadline_usec,
		struct buf *ret, uint32_t *ret_width, uint32_t *ret_height, struct error *err)
{
	/* In memory, so that there is nothing to clean up. QEMU takes a descriptor from a set only
	 * in the mode in which it would open the file. */
	CLEANUP(closep) int fd = memfd_create("screenshot", MFD_CLOEXEC);
	CLEANUP(freep) char *path = xasprintf("/proc/self/fd/%d", fd);
	CLEANUP(closep) int write_fd = fd < 0 ? -1 : open(path, O_WRONLY | O_CLOEXEC);
	if (write_fd < 0)
		return error_errno(err, "cannot make a file in memory");
	int r = dump_to(qmp, what, write_fd, deadline_usec, err);
	return r < 0 ? r : read_png(fd, ret, ret_width, ret_height, err);
}

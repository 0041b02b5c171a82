/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running swtpm_setup: its view of the files, its user, its configuration. */
#include "host/storage/swtpm-setup.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "host/os/confine.h"
#include "host/os/process.h"
#include "host/storage/swtpm.h"
#include "util/file.h"
#include "util/mem.h"

/* Where the program sees its files. */
#define VIEW "/tmp/tpm"
#define VIEW_CONFIG VIEW "/config"
#define VIEW_STATE VIEW "/state"
#define VIEW_AUTHORITY VIEW "/authority"

const char *const swtpm_config_names[] = {
	[SWTPM_CONFIG_SETUP] = "swtpm_setup.conf",
	[SWTPM_CONFIG_CA] = "swtpm-localca.conf",
	[SWTPM_CONFIG_OPTIONS] = "swtpm-localca.options",
};

void swtpm_config_text(enum swtpm_config config, const char *data, struct buf *ret)
{
	switch (config) {
	case SWTPM_CONFIG_SETUP:
		/* swtpm_setup expands the variable. */
		buf_puts(ret, "create_certs_tool = /usr/bin/swtpm_localca\n"
			      "create_certs_tool_config = "
			      "${RUNTIME_DIRECTORY}/config/swtpm-localca.conf\n"
			      "create_certs_tool_options = "
			      "${RUNTIME_DIRECTORY}/config/swtpm-localca.options\n"
			      "active_pcr_banks = sha256\n");
		break;
	case SWTPM_CONFIG_CA:
		buf_printf(ret,
				"statedir = %s/authority/state\n"
				"signingkey = %s/authority/signkey.pem\n"
				"issuercert = %s/authority/issuercert.pem\n"
				"certserial = %s/authority/certserial\n",
				data, data, data, data);
		break;
	case SWTPM_CONFIG_OPTIONS:
		buf_puts(ret, "--platform-manufacturer machina\n"
			      "--platform-version 0.1\n"
			      "--platform-model QEMU\n");
		break;
	case SWTPM_N_CONFIGS:
		break;
	}
}

struct setup {
	const char *data;
	const struct account *user;
};

static int make_dir(const char *path, struct error *err)
{
	return mkdir(path, 0755) < 0 ? error_errno(err, "cannot make directory '%s'", path) : 0;
}

static int open_part(const char *data, const char *part, int *ret_fd, struct error *err)
{
	CLEANUP(freep) char *path = path_join(data, part);
	*ret_fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return *ret_fd < 0 ? error_errno(err, "cannot open directory '%s'", path) : 0;
}

/* Show a directory at @view as well. */
static int bind_part(int fd, const char *view, struct error *err)
{
	CLEANUP(freep) char *path = xasprintf("/proc/self/fd/%d", fd);
	int r = make_dir(view, err);
	if (r == 0 && mount(path, view, "none", MS_BIND, NULL) < 0)
		r = error_errno(err, "cannot bind a directory to '%s'", view);
	return r;
}

static int write_configs(struct error *err)
{
	int r = make_dir(VIEW_CONFIG, err);
	for (int i = 0; r == 0 && i < SWTPM_N_CONFIGS; i++) {
		CLEANUP(buf_done) struct buf text = {};
		CLEANUP(freep) char *path = path_join(VIEW_CONFIG, swtpm_config_names[i]);
		swtpm_config_text((enum swtpm_config)i, VIEW, &text);
		r = file_replace(path, text.text, text.len, 0644, err);
	}
	return r;
}

/* In the child: nothing that is mounted or written here is seen by anyone else, or stays. */
static int make_view(const struct setup *setup, struct error *err)
{
	umask(022);
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0)
		return error_errno(err, "cannot make a mount namespace for 'swtpm_setup'");
	/* Opened inside, since the kernel binds nothing of another namespace; and before "/tmp",
	 * where they may be, is hidden. */
	CLEANUP(closep) int state = -1;
	CLEANUP(closep) int authority = -1;
	int r = open_part(setup->data, SWTPM_NEW, &state, err);
	if (r == 0)
		r = open_part(setup->data, SWTPM_AUTHORITY, &authority, err);
	if (r < 0)
		return r;
	if (mount("machina", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
			    "mode=1777,size=16m") < 0)
		return error_errno(err, "cannot mount a file system at '/tmp'");
	r = make_dir(VIEW, err);
	if (r == 0)
		r = bind_part(state, VIEW_STATE, err);
	if (r == 0)
		r = bind_part(authority, VIEW_AUTHORITY, err);
	return r == 0 ? write_configs(err) : r;
}

static int prepare_child(const void *data, struct error *err)
{
	const struct setup *setup = data;
	int r = make_view(setup, err);
	if (r < 0)
		return r;
	return confine_self(&(struct confine){ .user = setup->user, .death_signal = SIGKILL }, err);
}

int swtpm_setup_run(const char *data, const struct account *user, struct error *err)
{
	static const char *const argv[] = {
		"swtpm_setup",
		"--tpmstate",
		VIEW_STATE,
		"--config",
		VIEW_CONFIG "/swtpm_setup.conf",
		"--create-ek-cert",
		"--create-platform-cert",
		"--lock-nvram",
		"--not-overwrite",
		"--tpm2",
		"--display",
		NULL,
	};
	static const char *const environment[] = {
		"RUNTIME_DIRECTORY=" VIEW,
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOME=/tmp",
		"LC_ALL=C",
		NULL,
	};
	const struct setup setup = { .data = data, .user = user };
	const struct process process = {
		.argv = argv,
		.environment = environment,
		.prepare = prepare_child,
		.data = &setup,
	};
	return process_run(&process, err);
}

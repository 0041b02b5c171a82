/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disks: pools, the volumes in them, and the space that is left. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "host/doctor/doctor.h"
#include "host/storage/storage.h"
#include "model/plan.h"
#include "util/mem.h"

/* ---- pools ---- */

static bool is_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);
	return !strncmp(path, dir, len) && (path[len] == '/' || len == 1);
}

static bool is_in(const struct vm_volume *v, const char *pool)
{
	return v && v->pool && !strcmp(v->pool, pool);
}

static void find_users(const struct doctor *d, const char *pool, struct doctor_group *ret)
{
	for (size_t i = 0; i < d->n_machines; i++) {
		const struct vm *vm = d->machines[i].vm;
		bool uses = is_in(vm->kernel, pool) || is_in(vm->initrd, pool) ||
			    is_in(vm->firmware_code, pool) || is_in(vm->firmware_vars, pool);
		for (size_t k = 0; k < vm->n_volumes; k++)
			uses |= is_in(&vm->volumes[k], pool);
		if (uses)
			doctor_group_add(ret, &d->machines[i]);
	}
}

static void find_tpms(const struct doctor *d, const char *path, struct doctor_group *ret)
{
	for (size_t i = 0; i < d->n_machines; i++) {
		const char *data = d->machines[i].vm->tpm.data;
		if (data && is_below(data, path))
			doctor_group_add(ret, &d->machines[i]);
	}
}

/* What is wrong with the directory; NULL: nothing, or this process may not look. */
static const char *find_fault(const struct doctor *d, const char *path)
{
	struct stat st;
	if (stat(path, &st) == 0)
		return S_ISDIR(st.st_mode) ? NULL : "is not a directory";
	if (errno == EACCES && !d->is_root)
		return NULL;
	return errno == ENOENT ? "does not exist" : strerror(errno);
}

/* Of a volume below /dev, or a pool of such: no directory that is made brings it about. */
static void cure_device(struct doctor *d)
{
	doctor_cure(d, "lsblk");
	doctor_cure(d, "# if it is of a volume group that is not active: vgchange --activate y");
}

/* Pools may share a directory: it is told of with the first of them. */
static void check_pool(struct doctor *d, size_t i)
{
	CLEANUP(doctor_group_done) struct doctor_group users = {};
	CLEANUP(doctor_group_done) struct doctor_group tpms = {};
	CLEANUP(strv_done) struct strv names = {};
	const struct storage_conf *pools = d->host->storage.items;
	const char *path = pools[i].path, *fault = find_fault(d, path);
	bool is_device = plan_is_device(path);
	for (size_t k = 0; fault && k < d->host->storage.n; k++) {
		if (!pools[k].path || strcmp(pools[k].path, path) != 0)
			continue;
		if (k < i)
			return;
		strv_push(&names, pools[k].name);
		find_users(d, pools[k].name, &users);
	}
	if (!fault)
		return;
	find_tpms(d, path, &tpms);
	doctor_add(d, doctor_level_of(users.urgent || tpms.urgent), "storage pool%s %s: '%s' %s",
			names.n == 1 ? "" : "s", doctor_names(d, &names), path, fault);
	if (users.names.n)
		doctor_why(d, "%s cannot start; is a %s?", doctor_machines(d, &users.names),
				is_device ? "volume group not active, or a disk not there"
					  : "file system not mounted");
	else if (tpms.names.n)
		/* prepare makes the directory of a TPM, and swtpm what is in it. */
		doctor_why(d, "%s would get a new TPM; is a file system not mounted?",
				doctor_machines(d, &tpms.names));
	else
		doctor_why(d, "no machine has a volume there");
	if (is_device) {
		cure_device(d);
		return;
	}
	doctor_cure(d, "mount --all");
	doctor_cure(d, "# or, if it is new: mkdir -p %s", doctor_quote(d, path));
}

void doctor_check_pools(struct doctor *d)
{
	const struct storage_conf *pools = d->host->storage.items;
	for (size_t i = 0; i < d->host->storage.n; i++)
		if (pools[i].path)
			check_pool(d, i);
}

/* ---- volumes ---- */

/* Of what lies in a pool that is missing it is enough to say that. */
static bool is_in_missing_pool(const struct doctor *d, const char *path)
{
	const struct storage_conf *pools = d->host ? d->host->storage.items : NULL;
	for (size_t i = 0; pools && i < d->host->storage.n; i++)
		if (pools[i].path && is_below(path, pools[i].path) &&
				access(pools[i].path, F_OK) < 0 && errno == ENOENT)
			return true;
	return false;
}

/* What is wrong; what a message says after that are cures. */
static void tell_what(struct doctor *d, const struct doctor_lack *l)
{
	const char *end = l->code == ENOENT ? strstr(l->text, "; ") : NULL;
	doctor_add(d, doctor_level_of(l->urgent), "%.*s",
			end ? (int)(end - l->text) : (int)strlen(l->text), l->text);
	doctor_why(d, "%s cannot start", doctor_machines(d, &l->machines));
}

/* The directory of a file, in the arena. */
static const char *directory_of(struct doctor *d, const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash && slash != path ? arena_strndup(&d->arena, path, (size_t)(slash - path))
				      : "/";
}

/* One that is there and is wrong has something wrong in it. */
static bool is_file(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static void tell_missing(struct doctor *d, const struct doctor_lack *l)
{
	const char *command = strstr(l->text, STORAGE_CREATE);
	const char *dir = directory_of(d, l->subject);
	bool has_dir = access(dir, F_OK) == 0;
	tell_what(d, l);
	if (plan_is_device(l->subject)) {
		cure_device(d);
		return;
	}
	if (!has_dir)
		doctor_cure(d, "mount --all");
	if (command)
		doctor_cure(d, "# %sif it is new: %s", has_dir ? "" : "or, ",
				command + strlen(STORAGE_CREATE));
	else if (has_dir)
		doctor_cure(d, "%s %s", is_file(l->subject) ? "qemu-img info" : "ls -ld",
				doctor_quote(d, l->subject));
	else
		doctor_cure(d, "# or put it there: mkdir -p %s", doctor_quote(d, dir));
}

#define FIRMWARE_DIR "/usr/share/OVMF"

/* What new variables are copied from, in the arena; NULL: the path is not of variables. */
static const char *find_variables(struct doctor *d, const char *path)
{
	for (size_t i = 0; i < d->n_machines; i++) {
		const struct vm *vm = d->machines[i].vm;
		if (!vm->firmware_vars || strcmp(vm->firmware_vars->path, path) != 0)
			continue;
		CLEANUP(freep) char *found = storage_find_variables(vm->firmware_code->path);
		return doctor_quote(d, found ? found : STORAGE_VARIABLES);
	}
	return NULL;
}

static void tell_firmware(struct doctor *d, const struct doctor_lack *l)
{
	const char *path = doctor_quote(d, l->subject), *from = find_variables(d, l->subject);
	bool is_packaged = is_below(l->subject, FIRMWARE_DIR);
	tell_what(d, l);
	if (l->code == ENOENT && from) {
		doctor_cure(d, "install -D -m 0600 %s %s", from, path);
	} else if (l->code == ENOENT) {
		doctor_cure(d, "apt-get install ovmf");
	} else if (l->code == EFBIG && from) {
		doctor_cure(d, "# name the code that they belong to; or keep them aside, and begin "
			       "anew:");
		doctor_cure(d, "mv %s %s && install -m 0600 %s %s", path,
				doctor_quote(d, arena_join(&d->arena, l->subject, "", ".old")),
				from, path);
	} else if (l->code == EFBIG && is_packaged) {
		doctor_cure(d, "apt-get install --reinstall ovmf");
	} else {
		doctor_cure(d, "ls -ld %s", path);
	}
}

static void tell_lacks(struct doctor *d, enum lack_kind kind,
		void (*tell)(struct doctor *d, const struct doctor_lack *l))
{
	bool hidden = false;
	size_t at = 0;
	for (const struct doctor_lack *l; (l = doctor_lacks(d, kind, &at));) {
		if (l->code == EACCES && !d->is_root)
			hidden = true;
		else if (!is_in_missing_pool(d, l->subject))
			tell(d, l);
	}
	if (hidden)
		doctor_leave_out(d, "only root may look into some directories");
}

void doctor_check_volumes(struct doctor *d)
{
	tell_lacks(d, LACK_VOLUME, tell_missing);
}

void doctor_check_firmware(struct doctor *d)
{
	tell_lacks(d, LACK_FIRMWARE, tell_firmware);
}

/* ---- space ---- */

#define GIB ((uint64_t)1 << 30)
/* Less than both of these is little; less than one in a hundred and a GiB is none. */
#define LITTLE_PERCENT 5
#define LITTLE_BYTES (10 * GIB)
/* Of memory: what a start needs is some KiB. */
#define RUN_BYTES ((uint64_t)2 << 20)

/* Does anything grow there? Devices don't. */
static bool can_grow(const struct storage_conf *pool)
{
	const struct vm_storage_type *type = pool->type ? vm_storage_type_find(pool->type) : NULL;
	return pool->path && !pool->readonly && type && !type->readonly &&
	       !plan_is_device(pool->path) && strcmp(pool->path, "/dev") != 0;
}

static void check_space(struct doctor *d, const struct storage_conf *pool, const struct statvfs *fs)
{
	CLEANUP(doctor_group_done) struct doctor_group users = {};
	uint64_t total = (uint64_t)fs->f_blocks * fs->f_frsize;
	uint64_t free_bytes = (uint64_t)fs->f_bavail * fs->f_frsize;
	if (!total || fs->f_flag & ST_RDONLY || free_bytes >= LITTLE_BYTES ||
			free_bytes >= total / 100 * LITTLE_PERCENT)
		return;
	bool none = free_bytes < GIB && free_bytes < total / 100;
	find_users(d, pool->name, &users);
	doctor_add(d, doctor_level_of(none && users.urgent),
			"storage pool '%s': %llu of %llu MiB are free in '%s'", pool->name,
			(unsigned long long)(free_bytes >> 20), (unsigned long long)(total >> 20),
			pool->path);
	doctor_why(d, "a guest whose disk grows stands still when the file system is full%s%s",
			users.names.n ? ": " : "",
			users.names.n ? doctor_machines(d, &users.names) : "");
	doctor_cure(d, "du -xh --max-depth=2 %s | sort -h | tail", doctor_quote(d, pool->path));
}

/* Sockets, plans and users of machines are there, and all that systemd runs. */
static void check_run_space(struct doctor *d)
{
	struct statvfs fs;
	CLEANUP(freep) char *dir = d->run_dir ? xstrdup(d->run_dir) : NULL;
	/* Before the first machine is there only the directory above. */
	if (dir && access(dir, F_OK) < 0)
		*strrchr(dir, '/') = '\0';
	if (!dir || !dir[0] || statvfs(dir, &fs) < 0 || !fs.f_blocks ||
			(uint64_t)fs.f_bavail * fs.f_frsize >= RUN_BYTES)
		return;
	doctor_add(d, DOCTOR_FAULT, "'%s': %llu of %llu KiB are free", dir,
			(unsigned long long)fs.f_bavail * fs.f_frsize >> 10,
			(unsigned long long)fs.f_blocks * fs.f_frsize >> 10);
	doctor_why(d, "no machine can be started, and systemd and others need it as well");
	doctor_cure(d, "du -xh --max-depth=2 %s | sort -h | tail", doctor_quote(d, dir));
}

void doctor_check_space(struct doctor *d)
{
	const struct storage_conf *pools = d->host->storage.items;
	size_t n = d->host->storage.n;
	/* Not by f_fsid, which is 0 for all that is in the network (nfs, fuse). */
	CLEANUP(freep) dev_t *seen = xcalloc(n, sizeof(*seen));
	size_t n_seen = 0;
	check_run_space(d);
	for (size_t i = 0; i < n; i++) {
		struct statvfs fs;
		struct stat st;
		size_t k = 0;
		if (!can_grow(&pools[i]) || stat(pools[i].path, &st) < 0 ||
				statvfs(pools[i].path, &fs) < 0)
			continue;
		while (k < n_seen && seen[k] != st.st_dev)
			k++;
		if (k < n_seen)
			continue;
		seen[n_seen++] = st.st_dev;
		check_space(d, &pools[i], &fs);
	}
}

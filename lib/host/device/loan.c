/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loans as files. */
#include "host/device/loan.h"

#include <string.h>

#include "host/os/clock.h"
#include "util/file.h"
#include "util/mem.h"

#define LOAN_SIZE_MAX ((size_t)16384)
/* More than a few say the same. */
#define REASONS_MAX 4

void loan_done(struct loan *loan)
{
	strv_done(&loan->rows);
}

/* The value in a row of a key; NULL: it is another one's. */
static const char *value_in(const char *row, const char *key)
{
	size_t len = strlen(key);
	return !strncmp(row, key, len) && row[len] == '=' ? row + len + 1 : NULL;
}

const char *loan_get(const struct loan *loan, const char *key)
{
	const char *value = NULL;
	for (size_t i = 0; !value && i < loan->rows.n; i++)
		value = value_in(loan->rows.items[i], key);
	return value;
}

void loan_put(struct loan *loan, const char *key, const char *value)
{
	struct strv rows = {};
	for (size_t i = 0; i < loan->rows.n; i++)
		if (!value_in(loan->rows.items[i], key))
			strv_push(&rows, loan->rows.items[i]);
	if (value)
		strv_push_join(&rows, key, "=", value);
	strv_done(&loan->rows);
	loan->rows = rows;
}

/* No machine's name begins with a dot. */
static char *path_of(const struct device_host *host, const char *device)
{
	return xasprintf("%s/.%s", host->lock_dir, device);
}

int loan_read(const struct device_host *host, const char *device, struct loan *ret,
		struct error *err)
{
	CLEANUP(freep) char *path = path_of(host, device);
	CLEANUP(buf_done) struct buf text = {};
	int r = file_read(path, LOAN_SIZE_MAX, &text, err);
	if (r == -ENOENT)
		return 1;
	if (r < 0)
		return r;
	CLEANUP(freep) char *copy = buf_take(&text);
	char *rest = copy;
	strv_clear(&ret->rows);
	for (char *line; (line = strsep(&rest, "\n"));)
		if (line[0])
			strv_push(&ret->rows, line);
	return 0;
}

int loan_write(const struct device_host *host, const char *device, const struct loan *loan,
		struct error *err)
{
	CLEANUP(freep) char *path = path_of(host, device);
	CLEANUP(buf_done) struct buf text = {};
	for (size_t i = 0; i < loan->rows.n; i++)
		buf_printf(&text, "%s\n", loan->rows.items[i]);
	return file_replace(path, buf_text(&text), text.len, 0644, err);
}

int loan_end(const struct device_host *host, const char *device, struct error *err)
{
	CLEANUP(freep) char *path = path_of(host, device);
	if (unlink(path) < 0 && errno != ENOENT)
		return error_errno(err, "cannot remove '%s'", path);
	return 0;
}

static bool is_of(const struct loan *loan, const char *key, const char *value)
{
	const char *found = loan_get(loan, key);
	return found && !strcmp(found, value);
}

int loan_list(const struct device_host *host, const char *prefix, const char *machine,
		const char *owner, struct strv *ret_devices, struct error *err)
{
	CLEANUP(strv_done) struct strv names = {};
	int first = dir_list(host->lock_dir, &names, err);
	for (size_t i = 0; i < names.n; i++) {
		const char *device = names.items[i] + 1;
		CLEANUP(loan_done) struct loan loan = {};
		if (names.items[i][0] != '.' || strncmp(device, prefix, strlen(prefix)) != 0)
			continue;
		/* Some may have ended meanwhile. */
		int r = loan_read(host, device, &loan, first < 0 ? NULL : err);
		if (r == 0 && (!machine || is_of(&loan, LOAN_MACHINE, machine)) &&
				(!owner || is_of(&loan, LOAN_OWNER, owner)))
			strv_push(ret_devices, device);
		if (r < 0 && first == 0)
			first = r;
	}
	return first;
}

int loan_give_back(const struct device_host *host, const char *prefix, const char *machine,
		loan_giver *give_back, struct strv *ret_failures)
{
	CLEANUP(strv_done) struct strv loans = {};
	struct error err = {};
	int first = loan_list(host, prefix, machine, NULL, &loans, &err);
	if (first < 0)
		strv_push(ret_failures, err.text);
	for (size_t i = loans.n; i-- > 0;) {
		int r = give_back(host, loans.items[i], &err);
		if (r >= 0)
			continue;
		strv_push(ret_failures, err.text);
		if (first == 0)
			first = r;
	}
	return first;
}

int loan_set_aside(const struct device_host *host, const char *device, struct error *err)
{
	CLEANUP(loan_done) struct loan loan = {};
	int r = loan_read(host, device, &loan, err);
	if (r != 0)
		return r < 0 ? r : 0;
	loan_put(&loan, LOAN_OWNER, NULL);
	return loan_write(host, device, &loan, err);
}

int loan_keep(const struct device_host *host, const char *prefix, const char *machine,
		const struct strv *owners, struct error *err)
{
	CLEANUP(strv_done) struct strv loans = {};
	int r = loan_list(host, prefix, machine, NULL, &loans, err);
	for (size_t i = 0; r == 0 && i < loans.n; i++) {
		CLEANUP(loan_done) struct loan loan = {};
		r = loan_read(host, loans.items[i], &loan, err);
		const char *owner = r == 0 ? loan_get(&loan, LOAN_OWNER) : NULL;
		if (owner && !strv_contains(owners, owner))
			r = loan_set_aside(host, loans.items[i], err);
	}
	return r < 0 ? r : 0;
}

int loan_check(const struct device_host *host, const char *device, const char *title,
		const char *machine, const char *owner, struct error *err)
{
	CLEANUP(loan_done) struct loan loan = {};
	int r = loan_read(host, device, &loan, err);
	if (r != 0)
		return r < 0 ? r : 0;
	const char *borrower = loan_get(&loan, LOAN_MACHINE), *what = loan_get(&loan, LOAN_OWNER);
	if (borrower && strcmp(borrower, machine) != 0)
		return error_set(err, EBUSY,
				"%s is lent to machine '%s' ('machina teardown %s' gives it back "
				"if that does not run)",
				title, borrower, borrower);
	if (borrower && owner && what && strcmp(what, owner) != 0)
		return error_set(err, EBUSY, "%s is another device of this machine", title);
	return 0;
}

int loan_refuse(const char *what, const struct strv *reasons, struct error *err)
{
	CLEANUP(buf_done) struct buf text = {};
	if (reasons->n == 1)
		return error_set(err, ENODEV, "%s", reasons->items[0]);
	for (size_t i = 0; i < reasons->n && i < REASONS_MAX; i++)
		buf_printf(&text, "%s%s", i ? "; " : "", reasons->items[i]);
	if (reasons->n > REASONS_MAX)
		buf_printf(&text, "; and %zu more", reasons->n - REASONS_MAX);
	return error_set(err, ENODEV, "no %s is free: %s", what, buf_text(&text));
}

int loan_lock(const struct device_host *host, struct lock *ret, struct error *err)
{
	CLEANUP(freep) char *path = xasprintf("%s/.devices.lock", host->lock_dir);
	return lock_take(path, clock_deadline_usec(LOAN_WAIT_USEC), ret, err);
}

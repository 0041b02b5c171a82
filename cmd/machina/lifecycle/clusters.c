/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which machines a cluster manager starts and stops. */
#include "lifecycle/clusters.h"

#include "cli/output.h"
#include "lifecycle/lifecycle.h"
#include "setup/hookplan.h"
#include "setup/machines.h"
#include "setup/unit-load.h"
#include "unit/service.h"
#include "util/mem.h"

void clusters_done(struct clusters *c)
{
	config_done(&c->config);
	strv_done(&c->doubtful);
}

void clusters_begin(struct clusters *c, const struct config_paths *paths)
{
	int r = config_load(&c->config, paths, &c->unread);
	c->has_host = r == 0;
	if (r < 0)
		report_error(&c->config.report, &c->unread);
}

/* By its unit. One that has none runs only if the unit was removed meanwhile. */
static bool may_be(const struct config_paths *paths, const char *machine)
{
	CLEANUP(freep) char *path = NULL;
	CLEANUP(buf_done) struct buf text = {};
	return unit_load(paths, UNIT_QEMU, machine, &path, &text, NULL) < 0
			       ? hookplan_is_kept(paths, HOOK_QEMU, machine)
			       : lifecycle_autostart(paths, machine) == VM_AUTOSTART_NO;
}

bool clusters_has(struct clusters *c, const char *machine)
{
	CLEANUP(machine_done) struct machine loaded = {};
	const struct config_paths *paths = c->config.paths;
	struct report *report = &c->config.report;
	struct error err = {};
	if (!c->unread.code && !machine_is_configured(paths, machine))
		return false;
	int r = c->has_host ? machine_load(paths, &c->config.host, machine, &loaded, report, &err)
			    : 1;
	if (r == 0)
		return loaded.conf.attrs.cluster;
	if (r < 0)
		report_error(report, &err);
	if (may_be(paths, machine))
		strv_push(&c->doubtful, machine);
	return false;
}

int clusters_check(struct clusters *c, const struct strv *machines, struct error *err)
{
	CLEANUP(buf_done) struct buf names = {};
	if (!machines->n && c->unread.code) {
		*err = c->unread;
		return -err->code;
	}
	if (!c->doubtful.n)
		return 0;
	print_errors(&c->config.report);
	for (size_t i = 0; i < c->doubtful.n; i++)
		buf_printf(&names, "%s'%s'", i ? ", " : "", c->doubtful.items[i]);
	return error_set(err, EINVAL,
			"cannot tell whether a cluster manager starts and stops %s: the config has "
			"faults; mend them, or name each machine that is meant",
			buf_text(&names));
}

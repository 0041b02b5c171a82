/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The networks of the host that have a bridge and a unit of their own. */
#include "setup/networks.h"

#include <string.h>

#include "cli/output.h"
#include "config/forms.h"
#include "host/net/network.h"
#include "setup/paths.h"
#include "setup/unit-load.h"
#include "util/file.h"
#include "util/mem.h"

void networks_list(const struct host *host, struct strv *ret)
{
	const struct network_conf *confs = host->conf.network.items;
	for (size_t i = 0; i < host->conf.network.n; i++)
		if (network_owns_bridge(confs[i].mode))
			strv_push(ret, confs[i].name);
	strv_sort(ret);
}

static int make_one(struct config *config, const struct network_conf *conf,
		const struct leases *leases, struct units *ret, struct error *err)
{
	CLEANUP(network_done) struct network network = {};
	if (network_build(&config->host, conf, &network, &config->report) != 0)
		return 0;
	network_add_leases(&network, leases);
	CLEANUP(freep) char *run_dir = network_run_dir(RUN_DIR, network.name);
	const struct network_unit_input input = {
		.network = &network,
		.run_dir = run_dir,
		.program = program_path,
		.sources = &config->sources,
	};
	return unit_build_network(&input, ret, err);
}

int networks_make(struct config *config, const struct leases *leases,
		int (*add)(void *data, struct units *units, struct error *err), void *data,
		struct error *err)
{
	const struct network_conf *confs = config->host.conf.network.items;
	networks_check(&config->host, &config->report);
	for (size_t i = 0; i < config->host.conf.network.n; i++) {
		CLEANUP(units_done) struct units units = {};
		if (!network_owns_bridge(confs[i].mode))
			continue;
		int r = make_one(config, &confs[i], leases, &units, err);
		if (r == 0 && add && !config->report.n_errors)
			r = add(data, &units, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int network_of_unit(const struct config_paths *paths, const char *name, struct network *ret,
		struct buf *ret_text, struct error *err)
{
	CLEANUP(freep) char *path = NULL;
	*ret = (struct network){};
	int r = unit_load(paths, UNIT_NETWORK, name, &path, ret_text, err);
	if (r == 0)
		r = unit_read_network(path, buf_text(ret_text), ret_text->len, ret, err);
	if (r < 0 || !strcmp(ret->name, name))
		return r;
	return error_set(err, EINVAL, "the unit of network '%s' carries the plan of network '%s'",
			name, ret->name);
}

void network_recall(const char *run_dir, const char *name, struct network *ret)
{
	CLEANUP(freep) char *path = path_join(run_dir, NETWORK_COPY);
	CLEANUP(buf_done) struct buf text = {};
	struct error ignored = {};
	*ret = (struct network){};
	if (file_read(path, UNIT_SIZE_MAX, &text, &ignored) == 0 &&
			unit_read_network(path, buf_text(&text), text.len, ret, &ignored) == 0 &&
			!strcmp(ret->name, name))
		return;
	network_done(ret);
	ret->name = arena_strdup(&ret->arena, name);
}

static int mend(const struct config_paths *paths, const char *name, struct error *err)
{
	CLEANUP(network_done) struct network network = {};
	CLEANUP(freep) char *run_dir = network_run_dir(paths->run_dir, name);
	CLEANUP(strv_done) struct strv changed = {};
	const struct network_options options = { .run_dir = run_dir };
	network_recall(run_dir, name, &network);
	int r = network.bridge ? network_mend_rules(&network, &options, &changed, err) : 0;
	for (size_t i = 0; r >= 0 && i < changed.n; i++)
		complain("network '%s': %s was not as machina makes it, changed by hand or older "
			 "than an upgrade; it is now",
				name, changed.items[i]);
	return r < 0 ? r : 0;
}

int networks_mend_for(const struct config_paths *paths, const struct plan *plan, struct error *err)
{
	CLEANUP(strv_done) struct strv seen = {};
	int r = 0;
	for (size_t i = 0; r == 0 && i < plan->n_fds; i++) {
		const struct plan_fd *fd = &plan->fds[i];
		if (fd->kind != PLAN_FD_TAP || !fd->own || strv_contains(&seen, fd->network))
			continue;
		strv_push(&seen, fd->network);
		r = mend(paths, fd->network, err);
	}
	return r;
}

int networks_recall_names(const struct config_paths *paths, struct strv *ret, struct error *err)
{
	CLEANUP(freep) char *parent = network_run_dir(paths->run_dir, "");
	CLEANUP(strv_done) struct strv names = {};
	const char *expected;
	int r = dir_list(parent, &names, err);
	for (size_t i = 0; r == 0 && i < names.n; i++)
		if (form_firewall_name(names.items[i], &expected))
			strv_push(ret, names.items[i]);
	return r < 0 ? r : 0;
}

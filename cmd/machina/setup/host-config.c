/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loading the host's config. */
#include "setup/host-config.h"

#include <string.h>

#include "cli/output.h"
#include "util/mem.h"

void config_done(struct config *config)
{
	fw_policy_done(&config->policy);
	host_done(&config->host);
	report_done(&config->report);
	strv_done(&config->sources);
	*config = (struct config){};
}

int config_load(struct config *config, const struct config_paths *paths, struct error *err)
{
	*config = (struct config){ .paths = paths };
	int r = host_load(paths, &config->host, &config->report, err);
	if (r < 0 || !config->host.merged)
		return r;
	for (size_t i = 0; i < config->host.n_docs; i++)
		strv_push_take(&config->sources,
				config_known_path(paths, config->host.docs[i].name));
	config->is_whole = true;
	int of_policy = fw_policy_build(&config->host, &config->policy, &config->report);
	return r || of_policy;
}

int config_load_policy(struct config *config, const struct config_paths *paths, struct error *err)
{
	int r = config_load(config, paths, err);
	if (r <= 0)
		return r;
	print_errors(&config->report);
	return error_set(err, EINVAL,
			"the host's config has faults: without it there is no packet filter");
}

int config_load_policy_for(struct config *config, const struct config_paths *paths,
		const struct plan *plan, struct error *err)
{
	return plan_has_filter(plan) ? config_load_policy(config, paths, err) : 0;
}

const char *config_short_file(const struct config_paths *paths, const char *file)
{
	size_t len = strlen(paths->config_dir);
	if (!strncmp(file, paths->config_dir, len) && file[len] == '/')
		return file + len + 1;
	return file;
}

void config_check_machines(struct config *config, const struct strv *names)
{
	for (size_t i = 0; i < names->n; i++) {
		struct error err = {};
		if (machine_check(config->paths, names->items[i], &config->report, &err) < 0)
			report_error(&config->report, &err);
	}
}

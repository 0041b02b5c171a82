/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which files make up the host's config and a machine, and in which order.
 *
 *	host:     machina.conf.json, then machina.conf.d/?*.conf.json in byte order; a later file's
 *	          entry of a map replaces an earlier one's whole
 *	machine:  machine.conf.d/NAME.conf.json, then its tags as listed, each followed depth-first
 *	          by the tags that it names; a tag reached twice counts where it comes first
 *
 * Findings go to a report; where something is wrong in several files, all of it is found.
 */
#pragma once

#include "config/host.h"
#include "config/machine.h"
#include "json/jmerge.h"
#include "util/strv.h"

/* What outlives a boot of the host, and where machines are saved in it; units name that, too. */
#define CONFIG_STATE_DIR "/var/lib/machina"
#define CONFIG_SAVED_DIR CONFIG_STATE_DIR "/saved"

/*
 * Where things are. All paths begin with the root directory, if one was given. What they name below
 * it is found as the system there would find it: config_paths_follow() has followed the links.
 */
struct config_paths {
	char *config_dir;	 /* "/etc/machina" */
	char *machine_dir;	 /* "/etc/machina/machine.conf.d" */
	char *unit_dir;		 /* "/etc/systemd/system" */
	char *run_dir;		 /* "/run/machina" */
	char *state_dir;	 /* CONFIG_STATE_DIR */
	char *saved_dir;	 /* CONFIG_SAVED_DIR (host/machine/saved.h) */
	char *known_config_dir;	 /* the first two as the system below the root knows them: units */
	char *known_machine_dir; /* name these */
	char *root;		 /* "" without one */
	bool offline; /* a root directory was given: nothing of the running system is looked at */
};

/*
 * @root: "" or NULL for none
 * @config_dir: replaces "/etc/machina" (below @root too); NULL or "" for the standard place
 */
void config_paths_init(struct config_paths *ret, const char *root, const char *config_dir);
void config_paths_done(struct config_paths *paths);
/*
 * With a root directory: replace all directories by those that the system below it would find, for
 * which no link leads out of it. Returns 0, or a negative errno for links that go in circles.
 */
MUST_CHECK int config_paths_follow(struct config_paths *paths, struct error *err);
/* The same for a path that begins with one of them. The caller frees it. */
MUST_CHECK int config_follow(
		const struct config_paths *paths, const char *path, char **ret, struct error *err);
/* A file of the config as the system below the root knows it. The caller frees it. */
char *config_known_path(const struct config_paths *paths, const char *path);

/* The host's main file, and what the names of all files of the config end in. */
#define CONFIG_MAIN_NAME "machina.conf.json"
#define CONFIG_SUFFIX ".conf.json"
/*
 * The length of what is before that; 0 for a name that does not end so, or that begins with a dot:
 * an editor's lock is ".#web.conf.json", its backup ".web.conf.json".
 */
size_t config_stem_length(const char *file_name) PURE;
/* The path of a machine's file. The caller frees it. */
char *config_machine_path(const struct config_paths *paths, const char *machine);

/*
 * Read and parse one file of the config. What is wrong with it goes to @report; without a root it
 * can't be used then.
 *
 * @ret: released with jdoc_done()
 *
 * Returns 0, or 1 when there is no such file; a link that leads nowhere is a finding.
 */
MUST_CHECK int config_load_file(const struct config_paths *paths, const char *path,
		struct jdoc *ret, struct report *report);
/* The names in a directory, sorted; none where there is no such directory. Returns whether it could
 * be read: if not, that goes to @report. */
MUST_CHECK bool config_list_dir(const struct config_paths *paths, const char *path,
		struct strv *ret_names, struct report *report);

struct inheritance;

struct host {
	struct jdoc *docs; /* the main file first */
	size_t n_docs;
	struct layer *layers;	    /* strongest first: the last file */
	struct json_object *merged; /* NULL: there is no main file */
	struct host_conf conf;	    /* bound to @merged, without entries that have faults */
	bool has_flaws;		    /* not to be acted upon, but to be looked at */
	struct arena arena;
	struct inheritance *inheritance; /* of the machines that have been loaded so far */
};

void host_done(struct host *host);

/*
 * Returns 0; 1 when findings (errors) were added to @report; -ENOENT when there is no main file,
 * with the findings of the others in @report. @ret is released with host_done() in every case.
 *
 * After 1 @ret is good for looking for more findings, and for nothing else: what has faults is
 * missing in it, or has its default. A file that can't be used is taken for one that may have any
 * entry more, and replace those of earlier files that its text speaks of. Who goes on with it must
 * not build, write or do anything from it, nor from machines that are loaded with it, although
 * these may have no findings of their own: ret->has_flaws says so.
 */
MUST_CHECK int host_load(const struct config_paths *paths, struct host *ret, struct report *report,
		struct error *err);

/*
 * The same for what jdoc_parse() made of text in memory.
 *
 * @docs: from malloc, the main file first; taken over in every case
 *
 * Returns 0 or 1.
 */
MUST_CHECK int host_take_docs(struct jdoc *docs, size_t n, struct host *ret, struct report *report);

/*
 * Where the value at @pointer of the merged host config was written; where there is none, where it
 * is missing.
 *
 * @ret_pointer: the pointer in that file; the caller frees it
 */
void host_locate(const struct host *host, const char *pointer, struct where *ret,
		char **ret_pointer);

/*
 * Is what stands at @pointer of the merged host config unknown, or part of what it belongs to,
 * because of a fault that was told already? What is found there could be due to that alone.
 */
bool host_is_flawed(const struct host *host, const char *pointer);

/* Add a finding at a place of the merged host config, unless it is flawed. */
void host_report(const struct host *host, struct report *report, enum severity severity,
		const char *pointer, const char *format, ...) PRINTF(5, 6);

/* Tags that name unknown tags or themselves, also those that no machine uses. */
void host_check_tags(const struct host *host, struct report *report);

/* One machine's files, merged. */
struct machine {
	char *name;
	struct jdoc doc;
	struct layer *layers; /* the machine's file, then its tags */
	size_t n_layers;
	struct json_object *merged; /* NULL: its own file can't be used at all */
	struct machine_conf conf;   /* bound to @merged */
	bool has_flaws;		    /* as that of struct host */
	struct arena arena;
};

void machine_done(struct machine *machine);

/*
 * @host: must outlive @ret
 *
 * Returns 0; 1 when findings (errors) were added to @report, or were when the tags were read;
 * -ENOENT when there is no such machine, -EINVAL when there can be none of that name. @ret is
 * released with machine_done() in every case.
 *
 * After 1, if ret->merged is there, @ret is good for being shown and for looking for more findings,
 * and for nothing else. After 0 the host may have faults: see host_load().
 */
MUST_CHECK int machine_load(const struct config_paths *paths, const struct host *host,
		const char *name, struct machine *ret, struct report *report, struct error *err);

/*
 * The same for what jdoc_parse() made of text in memory.
 *
 * @name: a machine name
 * @doc: moved into @ret, and empty afterwards
 *
 * Returns 0 or 1.
 */
MUST_CHECK int machine_take_doc(const struct host *host, const char *name, struct jdoc *doc,
		struct machine *ret, struct report *report);

/*
 * Look for what is wrong in one machine's own file, for when the host's config can't be used.
 *
 * Returns 0, or 1 when findings (errors) were added; or a negative errno as machine_load() does.
 */
MUST_CHECK int machine_check(const struct config_paths *paths, const char *name,
		struct report *report, struct error *err);

/*
 * Where the value at @pointer of the merged machine was written: in its own file or in a tag. Where
 * there is no value, where it is missing: in the list entry that lacks it, or in the machine's own
 * file.
 *
 * @ret_chain: "machine web, tag desk" for what a tag brought in, borrowed; else NULL
 * @ret_pointer: the pointer in that file; the caller frees it
 */
void machine_locate(const struct machine *machine, const char *pointer, struct where *ret,
		const char **ret_chain, char **ret_pointer);

/* As host_is_flawed(). */
bool machine_is_flawed(const struct machine *machine, const char *pointer);

/* Add a finding at a place of the merged machine: it is shown where the value was written. Where it
 * is flawed, nothing is added. */
void machine_report(const struct machine *machine, struct report *report, enum severity severity,
		const char *pointer, const char *format, ...) PRINTF(5, 6);

/* Is @tag one of the machine's, named by itself or by another tag? */
bool machine_has_tag(const struct machine *machine, const char *tag);

/*
 * Add advice about files that look like config and are not read: their names end in ".json" or
 * ".conf" only, or they stand beside the host's main file.
 */
void config_check_unread(const struct config_paths *paths, struct report *report);

/*
 * The names of all machine files, in byte order; those whose file name is no machine name are
 * findings, but for names that begin with a dot, which are passed over. No machine directory: an
 * empty list.
 */
MUST_CHECK int machine_list(const struct config_paths *paths, struct strv *ret_names,
		struct report *report, struct error *err);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Building a struct vm, one part a function. Private to lib/model.
 *
 * vm_build() (build.c) calls the parts, which call what is common to them: texts, references and
 * derived identifiers, which call none of those.
 *
 * Each part reads the bound config, writes its part of the machine and reports what is wrong; the
 * next part goes on all the same, so that one run shows all findings.
 */
#pragma once

#include <sys/un.h>

#include "model/ident.h"
#include "model/vars.h"
#include "model/vm.h"

struct build {
	const struct host *host;
	const struct machine *machine;
	const struct machine_conf *conf;
	struct vm *vm;
	struct report *report;
	struct ident ident;
	struct var *vars; /* "volume", the machine's built-ins, the user's */
	size_t n_vars;
	struct fw_rules machine_rules; /* of attrs.firewall; build_machine_rules() */
};

/* A finding at a place of the merged machine. */
#define BUILD_ERROR(build, pointer, ...)                                                           \
	machine_report((build)->machine, (build)->report, SEVERITY_ERROR, (pointer), __VA_ARGS__)
/* The same of what is wrong only together with another part of the machine, unless that part has
 * faults of its own. */
#define BUILD_ERROR_WITH(build, other, pointer, ...)                                               \
	do {                                                                                       \
		if (machine_is_flawed((build)->machine, (other)))                                  \
			report_withhold((build)->report, SEVERITY_ERROR);                          \
		else                                                                               \
			BUILD_ERROR((build), (pointer), __VA_ARGS__);                              \
	} while (0)
#define BUILD_ADVICE(build, pointer, ...)                                                          \
	machine_report((build)->machine, (build)->report, SEVERITY_ADVICE, (pointer), __VA_ARGS__)

void build_vars(struct build *b);
void build_firmware(struct build *b);
void build_boot(struct build *b);
void build_tpm(struct build *b);
void build_volumes(struct build *b);
void build_nics(struct build *b);
void build_devices(struct build *b);
void build_shares(struct build *b);
void build_credentials(struct build *b);
void build_cloud_init(struct build *b);
/* The network config that tells a guest's cloud-init of its connections, which are there. */
const char *build_network_config(struct build *b);
void build_ready(struct build *b);

/* NULL: the host's config has none of that name. */
const struct network_conf *build_find_network(const struct build *b, const char *name);

/* A connection whose network gives it a virtual function. */
void build_vf(struct build *b, const struct network_conf *network, const struct vm_nic *nic,
		size_t index);

/* Devices of the host's "pci-device": the names of all classes, appended, each once; add one to the
 * machine, for the entry at @pointer, which is number @index. */
void build_pci_classes(const struct build *b, struct strv *names);
void build_pci(struct build *b, const struct device_conf *conf, const char *pointer, size_t index);

/* The same for "usb-device". */
void build_usb_classes(const struct build *b, struct strv *names);
void build_usb(struct build *b, const struct device_conf *conf, const char *pointer, size_t index);

/* The rules of the machine, which its connections share. */
void build_machine_rules(struct build *b);
/* nic->filter, once the rest of it is there; @pointer: of the connection. */
void build_filter(struct build *b, const struct connection_conf *conf, const char *pointer,
		const struct network_conf *network, struct vm_nic *nic);
/* A finding in an entry of the host's config that this machine uses: what no machine uses may be
 * anything, as in the Go program. @section: "network"; @key: of the entry */
void build_entry_error(struct build *b, const char *section, const char *name, const char *key,
		const char *format, ...) PRINTF(5, 6);
/* The same for a network. */
void build_network_error(struct build *b, const struct network_conf *network, const char *key,
		const char *text);
/* VLANs, isolation and the like, of the network or in their place of the connection. @pointer: of
 * the connection */
void build_nic_port(struct build *b, const struct network_conf *network,
		const struct connection_conf *conf, const char *pointer, struct vm_nic *nic);

/* "" for NULL; a copy in the machine's arena. */
const char *build_text(struct build *b, const char *text);
/* Copies, likewise. */
struct jstrings build_texts(struct build *b, const struct jstrings *from);
/* A span of time in whole seconds, from which systemd's own limits are counted; @standard for ""
 * and NULL. */
int build_seconds(const char *text, int standard);
/* A copy in lower case, as in sysfs; NULL for "" and NULL. */
const char *build_lower(struct build *b, const char *text);
/* Is @text one of the list? */
bool build_lists(const struct jstrings *list, const char *text);
/* Append each of the list that is not there yet. */
void build_gather(struct strv *names, const struct jstrings *list);

/* The longest path of a socket, in bytes (unix(7)). */
#define SOCKET_PATH_MAX (sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1)

/* A socket's absolute path, in the machine's arena; NULL and a finding at @pointer if it is too
 * long for the kernel. */
const char *build_socket_path(struct build *b, const char *text, const char *pointer);

/* Expand a storage pattern. */
MUST_CHECK int build_expand(struct build *b, const char *pattern, const char *volume,
		struct buf *ret, struct error *err);
/* The variables of patterns that are not about a volume. */
struct vars build_port_vars(const struct build *b);
/*
 * The path of something on the host, from a pattern: absolute and clean, in the machine's arena.
 * NULL after a finding at @pointer.
 *
 * @what: "share \"docs\"", for the finding
 */
const char *build_host_path(
		struct build *b, const char *pattern, const char *pointer, const char *what);

/* A name of a pool, network, processor or device class in the machine's config. */
struct reference {
	const char *owner;	/* "volume"; NULL: the machine as a whole */
	const char *owner_name; /* may be NULL */
	const char *kind;	/* "storage pool" */
	const char *pointer;	/* of the object that has @key */
	const char *key;	/* "storage" */
	const char *name;	/* NULL or "": there is none, and there has to be */
	const char *section;	/* of the host's config, in which it is an entry */
};
/* The finding that the host's config does not have it, but the @n names of @known. Nothing is said
 * of an entry that has faults. */
void build_unknown(
		struct build *b, const struct reference *ref, const char *const *known, size_t n);
/* The keys of a map of the host's config, in the machine's arena. */
const char **build_names(struct build *b, const struct jlist *map, size_t item_size);

/* Derived identifiers (model/ident.h) as texts in the machine's arena. */
const char *build_derive_mac(struct build *b, const char *connection);
const char *build_derive_wwn(struct build *b, const char *volume);
const char *build_derive_serial(struct build *b, const char *volume);
const char *build_derive_device_id(struct build *b, const char *class_name, const char *device);
const char *build_derive_link(struct build *b, const char *connection);
/* A configured WWN in its printed form. */
MUST_CHECK int build_wwn(struct build *b, const char *text, const char **ret, struct error *err);

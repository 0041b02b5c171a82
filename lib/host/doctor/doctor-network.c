/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Networks: the devices that taps are made by, bridges, and links that were left behind. */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/doctor/doctor.h"
#include "host/net/macvtap.h"
#include "host/net/tap.h"
#include "util/file.h"
#include "util/mem.h"
#include "util/parse.h"

/* ---- devices ---- */

static bool has_tap(const struct vm_nic *nic)
{
	return vm_nic_has_link(nic) && nic->mode != NETWORK_MACVTAP;
}

static bool has_vhost(const struct vm_nic *nic)
{
	return nic->vhost;
}

static void find_users(const struct doctor *d, bool (*is_one)(const struct vm_nic *nic),
		struct doctor_group *ret)
{
	for (size_t i = 0; i < d->n_machines; i++) {
		const struct vm *vm = d->machines[i].vm;
		for (size_t k = 0; k < vm->n_nics; k++)
			if (is_one(&vm->nics[k]))
				doctor_group_add(ret, &d->machines[i]);
	}
}

static void check_vhost(struct doctor *d)
{
	CLEANUP(doctor_group_done) struct doctor_group users = {};
	CLEANUP(freep) char *path = path_join(d->dev, "vhost-net");
	find_users(d, has_vhost, &users);
	if (!users.names.n || access(path, F_OK) == 0)
		return;
	doctor_add(d, DOCTOR_WARNING, "'%s' does not exist", path);
	doctor_why(d, "QEMU moves packets by itself, which is slower: %s",
			doctor_machines(d, &users.names));
	doctor_cure(d, "modprobe vhost_net");
	doctor_cure(d, "echo vhost_net >/etc/modules-load.d/machina-vhost.conf");
}

void doctor_check_tun(struct doctor *d)
{
	CLEANUP(doctor_group_done) struct doctor_group users = {};
	CLEANUP(freep) char *path = path_join(d->dev, "net/tun");
	find_users(d, has_tap, &users);
	if (!users.names.n) {
		doctor_note(d, "no machine needs taps");
		check_vhost(d);
		return;
	}
	CLEANUP(closep) int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 && errno == EACCES && !d->is_root) {
		doctor_leave_out(d, "only root may open '%s'", path);
	} else if (fd < 0) {
		if (errno == ENOENT)
			doctor_add(d, doctor_level_of(users.urgent), "'%s' does not exist", path);
		else
			doctor_add(d, doctor_level_of(users.urgent), "cannot open '%s': %s", path,
					strerror(errno));
		doctor_why(d, "taps cannot be made: %s cannot start",
				doctor_machines(d, &users.names));
		doctor_cure(d, "modprobe tun");
		doctor_cure(d, "systemd-tmpfiles --create --prefix=/dev/net");
	}
	check_vhost(d);
}

/* ---- bridges ---- */

static void check_shared(struct doctor *d)
{
	size_t at = 0;
	for (const struct doctor_lack *l; (l = doctor_lacks(d, LACK_DEVICE, &at));) {
		const char *device = doctor_quote(d, l->subject);
		doctor_add_lack(d, l);
		if (l->code == ENETDOWN)
			doctor_cure(d, "ip link set %s up", device);
		else
			doctor_cure(d, "ip -br link    # name another one as \"device\"");
	}
}

/* Of a machine that runs it may be missing: QEMU waits for the switch to come back. */
static void check_switches(struct doctor *d)
{
	size_t at = 0;
	for (const struct doctor_lack *l; (l = doctor_lacks(d, LACK_SWITCH, &at));) {
		if (l->code == EACCES && !d->is_root)
			continue;
		doctor_add(d, doctor_level_of(l->urgent), "%s", doctor_lack_text(d, l));
		doctor_why(d, "%s cannot start, or has no network there",
				doctor_machines(d, &l->machines));
		if (l->code == ENOENT) {
			CLEANUP(freep) char *dir = xstrdup(l->subject);
			*strrchr(dir, '/') = '\0';
			doctor_cure(d, "ls -l %s", doctor_quote(d, dir[0] ? dir : "/"));
			doctor_cure(d, "# start the switch, with a port that listens there; or "
				       "leave \"socket\" out, and it is the switch that connects");
		} else {
			doctor_cure(d, "ls -l %s", doctor_quote(d, l->subject));
		}
	}
}

static bool has_vlans(const struct doctor *d, const char *bridge)
{
	for (size_t i = 0; i < d->n_machines; i++) {
		const struct vm *vm = d->machines[i].vm;
		for (size_t k = 0; k < vm->n_nics; k++)
			if (vm->nics[k].bridge && !strcmp(vm->nics[k].bridge, bridge) &&
					(vm->nics[k].vlan || vm->nics[k].n_vlans))
				return true;
	}
	return false;
}

static void cure_bridge(struct doctor *d, const struct doctor_lack *l)
{
	const char *bridge = doctor_quote(d, l->subject);
	switch (l->code) {
	case ENETDOWN:
		doctor_cure(d, "ip link set %s up", bridge);
		break;
	case ENODEV:
		doctor_cure(d, "ip link add %s type bridge%s && ip link set %s up", bridge,
				has_vlans(d, l->subject) ? " vlan_filtering 1" : "", bridge);
		doctor_cure(d, "# and for good in the host's own network configuration");
		break;
	default:
		doctor_cure(d, "ip -d link show %s", bridge);
		doctor_cure(d, "# give the network another \"device\", or that interface another "
			       "name");
	}
}

void doctor_check_bridges(struct doctor *d)
{
	size_t at = 0;
	for (const struct doctor_lack *l; (l = doctor_lacks(d, LACK_BRIDGE, &at));) {
		doctor_add(d, doctor_level_of(l->urgent), "%s", doctor_lack_text(d, l));
		doctor_why(d, "%s %s", doctor_machines(d, &l->machines),
				l->code == ENETDOWN ? "can start, and reach nobody there"
						    : "cannot start");
		cure_bridge(d, l);
	}
	at = 0;
	for (const struct doctor_lack *l; (l = doctor_lacks(d, LACK_VLANS, &at));) {
		doctor_add(d, doctor_level_of(l->urgent), "%s", doctor_lack_text(d, l));
		doctor_why(d, "%s cannot start: all guests would be in one network",
				doctor_machines(d, &l->machines));
		doctor_cure(d, "ip link set %s type bridge vlan_filtering 1",
				doctor_quote(d, l->subject));
		doctor_cure(d, "# and for good in the host's own network configuration");
	}
	check_shared(d);
	check_switches(d);
}

/* ---- links ---- */

/* "machina:MACHINE/CONNECTION"; NULL for what is cut or of others. In the arena. */
static const char *machine_of(struct doctor *d, const struct link *link)
{
	const char *name = link->alias + strlen(TAP_ALIASES), *slash = strchr(name, '/');
	return slash ? arena_strndup(&d->arena, name, (size_t)(slash - name)) : NULL;
}

static bool has_open(const char *fds, dev_t number)
{
	DIR *dir = opendir(fds);
	bool found = false;
	for (struct dirent *entry; dir && !found && (entry = readdir(dir));) {
		struct stat st;
		found = fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 && S_ISCHR(st.st_mode) &&
			st.st_rdev == number;
	}
	if (dir)
		closedir(dir);
	return found;
}

/* Has any process it open? A macvtap itself does not tell. */
static int macvtap_is_open(const struct doctor *d, const struct link *link, struct error *err)
{
	dev_t number;
	int r = macvtap_number(link, &number, err);
	if (r < 0)
		return r;
	DIR *dir = opendir(d->proc);
	if (!dir)
		return error_errno(err, "cannot list '%s'", d->proc);
	r = 0;
	for (struct dirent *entry; r == 0 && (entry = readdir(dir));) {
		CLEANUP(freep) char *fds = xasprintf("%s/%s/fd", d->proc, entry->d_name);
		r = entry->d_name[0] >= '0' && entry->d_name[0] <= '9' && has_open(fds, number);
	}
	closedir(dir);
	return r;
}

/* 1, 0, or a negative errno: it can't be told. */
static int is_in_use(const struct doctor *d, const struct link *link, struct error *err)
{
	if (!strcmp(link->kind, "tun"))
		return link->carrier;
	return !strcmp(link->kind, "macvtap") ? macvtap_is_open(d, link, err) : 1;
}

/* The interface of a connection whose taps we make; NULL: none of the machines that are known. */
static const struct vm_nic *find_nic(const struct doctor *d, const char *machine, const char *link)
{
	for (size_t i = 0; i < d->n_machines; i++) {
		const struct vm *vm = d->machines[i].vm;
		for (size_t k = 0; !strcmp(vm->name, machine) && k < vm->n_nics; k++)
			if (vm->nics[k].managed && !strcmp(vm->nics[k].link, link))
				return &vm->nics[k];
	}
	return NULL;
}

/*
 * Who holds a tap can change the address of the host's end (SIOCSIFHWADDR in drivers/net/tun.c asks
 * for no right), and the bridge takes frames to that address for the host's own. No guest has an
 * address that begins as the one that taps are made with.
 */
static void check_address(struct doctor *d, const struct link *link, const char *machine)
{
	char address[MAC_TEXT_MAX];
	if (strcmp(link->kind, "tun") != 0 || link->address[0] == TAP_ADDRESS_BEGIN ||
			!find_nic(d, machine, link->name))
		return;
	format_mac(link->address, address);
	doctor_add(d, DOCTOR_FAULT,
			"the host's end of interface '%s' has got another MAC address: %s",
			link->name, address);
	doctor_why(d,
			"who has this address on that bridge is cut off; if nobody has changed it "
			"by hand, QEMU of machine '%s' has, whose guest may have taken it over",
			machine);
	doctor_about(d, machine);
	doctor_cure(d, "machina kill %s   # its guest gets no time to end",
			doctor_quote(d, machine));
	doctor_cure(d, "machina start %s", doctor_quote(d, machine));
}

/* With the interface its rules go, of which the firewall's check would tell next; not with one of
 * several. */
static void cure_link(struct doctor *d, const struct link *link, const char *machine)
{
	for (size_t i = 0; i < d->n_machines; i++)
		if (d->machines[i].running && !strcmp(d->machines[i].vm->name, machine)) {
			doctor_cure(d, "ip link delete %s", doctor_quote(d, link->name));
			return;
		}
	doctor_cure(d, "machina teardown %s", doctor_quote(d, machine));
}

/*
 * A tap whose descriptor nobody has has no carrier. Taps of machines that are up, whoever runs
 * them, have one, also while they are down.
 */
void doctor_check_links(struct doctor *d)
{
	CLEANUP(netlink_done) struct netlink nl = {};
	CLEANUP(freep) struct link *links = NULL;
	struct error err = {};
	size_t n = 0;
	if (netlink_open(&nl, &err) < 0 || netlink_list(&nl, TAP_ALIASES, &links, &n, &err) < 0) {
		doctor_leave_out(d, "%s", err.text);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		const char *machine = machine_of(d, &links[i]);
		int in_use = machine ? is_in_use(d, &links[i], &err) : 1;
		if (in_use < 0)
			doctor_leave_out(d, "%s", err.text);
		if (machine && in_use > 0)
			check_address(d, &links[i], machine);
		if (in_use)
			continue;
		doctor_add(d, DOCTOR_WARNING,
				"interface '%s' was left behind by machine '%s', and nothing uses "
				"it",
				links[i].name, machine);
		doctor_why(d, "the machine makes its own anew when it starts; until then this one "
			      "only confuses");
		doctor_about(d, machine);
		cure_link(d, &links[i], machine);
	}
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The field table of what a guest's cloud-init is told. */
#include "config/cloud-init.h"

#include "config/forms.h"

#define OWN_FILE(member, key, text)                                                                \
	FIELD_STRING(struct cloud_init_conf, member, key, form_text_line, 0, NULL,                 \
			text                                                                       \
			" A file of the host: an absolute path, with the variables of storage "    \
			"patterns. It is read when the machine starts.")

const struct field cloud_init_fields[] = {
	FIELD_SWITCH(struct cloud_init_conf, enabled, "enabled", form_switch_names,
			"true where another key is there",
			"Whether the guest gets a CD for cloud-init."),
	FIELD_STRING(struct cloud_init_conf, hostname, "hostname", form_host_name, 0,
			"the machine's name", "The guest's name, or that with its domain."),
	FIELD_STRING(struct cloud_init_conf, instance_id, "instance-id", form_text_line,
			FIELD_DERIVED, "the machine's \"id\", else derived from its name",
			"A guest that finds another one than at its last boot takes all of this "
			"for news; else it does most of it at its first boot alone."),
	FIELD_STRING(struct cloud_init_conf, user, "user", form_account, 0, "the image's own",
			"Account to make in place of the image's standard one: with its groups, "
			"shell and right to use sudo."),
	FIELD_STRING(struct cloud_init_conf, sudo, "sudo", form_sudo_rule, 0,
			"the image's own, mostly \"ALL=(ALL) NOPASSWD:ALL\"",
			"What that account may do by sudo: a rule as in sudoers(5), without the "
			"name. \"ALL=(ALL) ALL\" asks for the password; \"none\" gives no rule, "
			"though a group of \"groups\" may have one."),
	FIELD_STRINGS(struct cloud_init_conf, groups, "groups", MERGE_GATHER, form_group,
			"Groups of that account, beside its own, in place of those that the image "
			"gives it."),
	FIELD_STRING(struct cloud_init_conf, shell, "shell", form_guest_path, 0,
			"the image's own, mostly \"/bin/bash\"",
			"Shell of that account: an absolute path in the guest."),
	FIELD_STRING(struct cloud_init_conf, password_hash_file, "password-hash-file",
			form_text_line, 0, "none: no login by a password",
			"File of the host that holds the hash of that account's password, as "
			"'openssl passwd -6' prints it: an absolute path, with the variables of "
			"storage patterns. It is read when the machine starts."),
	FIELD_STRINGS(struct cloud_init_conf, ssh_authorized_keys, "ssh-authorized-keys",
			MERGE_GATHER, form_ssh_key,
			"Public keys for that account: lines as in authorized_keys, or absolute "
			"paths of files of the host with such lines, with the variables of storage "
			"patterns, which are read when the machine starts."),
	FIELD_STRINGS(struct cloud_init_conf, packages, "packages", MERGE_GATHER, form_package,
			"Packages to install at the first boot."),
	FIELD_BOOL(struct cloud_init_conf, upgrade, "upgrade", false,
			"Upgrade all packages at the first boot."),
	FIELD_STRINGS(struct cloud_init_conf, run, "run", MERGE_APPEND, form_command,
			"Commands for a shell of the guest, at the end of its first boot, as root; "
			"those of tags come first."),
	FIELD_SWITCH(struct cloud_init_conf, network, "network", form_switch_names,
			"false: the image's own way",
			"Tell the guest all of its interfaces, by their MAC addresses: each asks "
			"for its address by DHCP, or has that of \"ip\" where nothing would "
			"answer."),
	OWN_FILE(user_data, "user-data",
			"User data in place of what would be made of the keys above."),
	OWN_FILE(meta_data, "meta-data",
			"Meta data, in place of \"hostname\" and \"instance-id\"."),
	OWN_FILE(network_config, "network-config", "Network config, in place of \"network\"."),
	OWN_FILE(vendor_data, "vendor-data", "Vendor data."),
	{},
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The forms that strings of the config files may have, as checkers for field tables.
 */
#pragma once

#include "json/jbind.h"

#define MACHINE_NAME_MAX 63

/* [A-Za-z0-9][A-Za-z0-9_.-]{0,62}, no "..": fits a file name, a unit name and a directory. */
bool machine_name_valid(const char *name);

/* The values of a SWITCH that is nothing but true or false. */
extern const char *const form_switch_names[];

field_check form_machine_name;
field_check form_own_name;	/* the same, or "": that of the file */
field_check form_uuid;		/* the four forms of parse_uuid() */
field_check form_mac;		/* "" is "not set" */
field_check form_absolute_path; /* "" is "not set" */
field_check form_emulator;	/* a file name to look up in /usr/bin, or an absolute path */
field_check form_program;	/* the same for a program that is looked up elsewhere */
field_check form_machine_type;	/* QEMU's -machine type */
field_check form_cpu_model;	/* QEMU's -cpu model */
field_check form_interface; /* a network interface name of the kernel: 1..15 bytes, no '/' or space
			     */
field_check form_script;    /* absolute path, "no" or "" */
field_check form_pci_address;	    /* "0000:c1:00.0" */
field_check form_pci_id;	    /* "10de"; "" is "not set" */
field_check form_usb_id;	    /* "046d:c52b"; likewise */
field_check form_usb_port;	    /* "1-2.3"; likewise */
field_check form_ip;		    /* "" is "not set" */
field_check form_interface_address; /* "10.77.0.1/24" */
field_check form_dhcp_range;	    /* "10.77.0.100-10.77.0.199", "static" */
field_check form_lease;		    /* 2 minutes or more; "" is "not set" */
field_check form_shutdown_time;	    /* 1 s to 1 h; "" is "not set" */
field_check form_ready;		    /* "qmp", "agent", "notify", "tcp:22"; "" is "not set" */
field_check form_domain;	    /* "home.internal"; "" is "not set" */
field_check form_text_line; /* anything that a unit can hold: no control characters but the tab */
field_check form_argument;  /* the same, and not empty */
field_check form_firewall_name;	  /* of a group or set: [A-Za-z0-9][A-Za-z0-9_-]{0,30} */
field_check form_share_name;	  /* [A-Za-z0-9][A-Za-z0-9_.-]{0,35}: a mount tag of virtio-fs */
field_check form_credential_name; /* a file name of printable ASCII without ':', '=' and blanks */
field_check form_host_name;	  /* "web", "web.example.org"; "" is "not set" */
field_check form_ssh_key;	  /* a line of authorized_keys, or the path of a file */
field_check form_command;	  /* of a shell: one line, not empty */
field_check form_package;	  /* of a distribution's: no blanks, no option */
field_check form_account;	  /* name of a user account; "" is "not set" */
field_check form_group;		  /* the same of a group, not empty */
field_check form_sudo_rule;	  /* of sudoers(5), without the name, or "none"; "": not set */
field_check form_guest_path;	  /* absolute path in the guest; "": not set */
field_check form_protocol;	  /* "tcp" and the like, or a number up to 255 */
field_check form_ports;		  /* "80", "1000-2000" */
field_check form_vlans;		  /* "20", "30-39" */
field_check form_rate;		  /* "10/second" */
/* Addresses are looked at closely later (model/filter.h); "@SET" and "&GROUP" are peers too. */
field_check form_addresses;
field_check form_peer;

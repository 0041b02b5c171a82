/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What confines a process of ours: the settings that all units share. A unit says what it needs
 * beside them; all that it does not name stays closed. Private to lib/unit.
 */
#pragma once

#include "unit/unitfile.h"

struct sandbox {
	bool own_network;	       /* in the host's network namespace instead of an empty one */
	const char *address_families;  /* "none", "AF_UNIX", ... */
	const char *address_reason;    /* comment in front of it; NULL for the strictest value */
	const char *io_uring_reason;   /* comment in front of its calls; NULL: it has none */
	bool hears_kernel;	       /* libusb listens to what the kernel says of devices */
	bool ip_any;		       /* traffic of all addresses is let through */
	bool ip_localhost;	       /* traffic of the loopback interface is */
	const char *ip_allowed;	       /* that of these addresses is; NULL: none */
	const char *ip_reason;	       /* comment in front of them; NULL: none */
	const char *capabilities;      /* with spaces between them; NULL: none */
	const char *capability_reason; /* comment in front of them */
	bool enters_user_namespace;    /* one that prepare has made, to be its root */
	bool makes_namespaces;	       /* as root of a user namespace that it makes itself */
	bool leaves_profile;	       /* of AppArmor, which a package may have for the program */
	const struct strv *exec_paths; /* what may be executed */
};

/* Add the settings to the [Service] section that is open. */
void sandbox_add(struct unitfile *u, const struct sandbox *sandbox);

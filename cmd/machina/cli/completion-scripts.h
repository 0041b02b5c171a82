/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The completion scripts of the shells (completion/), as the program carries them.
 */
#pragma once

struct completion_script {
	const char *shell; /* NULL ends the list */
	const char *text;
};

extern const struct completion_script completion_scripts[];

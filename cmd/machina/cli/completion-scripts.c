/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The completion scripts of the shells; the build makes literals of the files. */
#include "cli/completion-scripts.h"

#include <stddef.h>

const struct completion_script completion_scripts[] = {
	{
			"bash",
#include "machina.bash.inc"
	},
	{
			"zsh",
#include "machina.zsh.inc"
	},
	{
			"fish",
#include "machina.fish.inc"
	},
	{},
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The person on whose behalf a command runs. */
#pragma once

/* The name of who has logged in, whoever he is by now; where that is not known, of who runs this.
 * The caller frees it. */
char *caller_name(void);

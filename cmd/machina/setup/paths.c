/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The place that depends on the build's prefix, which meson.build gives this file alone. */
#include "setup/paths.h"

const char program_path[] = MACHINA_BINDIR "/machina";

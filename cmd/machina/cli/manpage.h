/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Manual pages: the hand-written part of a page (man/NAME.in, man(7) macros) with lines that stand
 * for what the tables know:
 *
 *	@COMMANDS@              every command with its options and examples
 *	@COMMON-OPTIONS@        options that every command takes, or every one that reads files
 *	@FIELDS NAME@           the keys of a config file, by the name of its table
 *	@STORAGE-TYPES@         the types that a storage pool can have
 *	@ICMP-TYPES@            the types of ICMP that rules of the packet filter can name
 *	@VERSION@               anywhere in a line
 */
#pragma once

#include <stdio.h>

#include "cli/command.h"
#include "json/jbind.h"

/*
 * Print @page with those lines replaced. A line of this form that is none of them is an error
 * (EINVAL).
 */
MUST_CHECK int print_manpage(FILE *to, const char *page, struct error *err);

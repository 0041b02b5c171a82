/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeping interfaces closed while others flush nftables: who closes them leaves a mark, and who
 * opens them removes it.
 *
 *	closing				opening
 *	  hold_lock()			  hold_lock()
 *	  hold_mark()			  install filters
 *	  close what is there		  unless hold_is_newer(): open, hold_unmark()
 *
 * An interface that is made meanwhile is closed by who makes it, once it is there (hold_is_on()).
 * Services close and open in turns, but two reloads may overlap: then the earlier opening comes
 * after the later closing, and must leave it to the later opening.
 */
#pragma once

#include <stdbool.h>

#include "host/os/lock.h"

/* @dir: of all machines ("/run/machina"); it is made by hold_lock(). Errors: EBUSY: it is held. */
MUST_CHECK int hold_lock(const char *dir, struct lock *ret, struct error *err);

MUST_CHECK int hold_mark(const char *dir, struct error *err);
bool hold_is_on(const char *dir);
/* How long it has been there; -1: there is none. */
int64_t hold_age_sec(const char *dir);
/* Is the mark of a process that was started after this one? */
bool hold_is_newer(const char *dir);
/* Was there one? */
bool hold_unmark(const char *dir);

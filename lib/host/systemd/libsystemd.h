/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libsystemd, loaded by those who speak with systemd or read the journal, and by nobody else: with
 * the five libraries that it needs it would take every other process a third of its time.
 *
 * Include this instead of <systemd/...>, call libsystemd_load() where a connection or a journal is
 * opened, and call the library's functions as its manual says. Each function has a row in both
 * lists here; one that has none is told by the linker.
 */
#pragma once

#include <systemd/sd-bus.h>
#include <systemd/sd-journal.h>

#include "util/cleanup.h"
#include "util/error.h"

#define LIBSYSTEMD_FUNCTIONS(ROW)                                                                  \
	ROW(sd_bus_call)                                                                           \
	ROW(sd_bus_call_method_async)                                                              \
	ROW(sd_bus_error_free)                                                                     \
	ROW(sd_bus_error_is_set)                                                                   \
	ROW(sd_bus_flush_close_unref)                                                              \
	ROW(sd_bus_get_events)                                                                     \
	ROW(sd_bus_get_fd)                                                                         \
	ROW(sd_bus_get_property_string)                                                            \
	ROW(sd_bus_get_property_strv)                                                              \
	ROW(sd_bus_get_property_trivial)                                                           \
	ROW(sd_bus_get_timeout)                                                                    \
	ROW(sd_bus_is_open)                                                                        \
	ROW(sd_bus_match_signal_async)                                                             \
	ROW(sd_bus_message_append)                                                                 \
	ROW(sd_bus_message_append_basic)                                                           \
	ROW(sd_bus_message_close_container)                                                        \
	ROW(sd_bus_message_enter_container)                                                        \
	ROW(sd_bus_message_exit_container)                                                         \
	ROW(sd_bus_message_get_error)                                                              \
	ROW(sd_bus_message_get_path)                                                               \
	ROW(sd_bus_message_new_method_call)                                                        \
	ROW(sd_bus_message_open_container)                                                         \
	ROW(sd_bus_message_read)                                                                   \
	ROW(sd_bus_message_read_array)                                                             \
	ROW(sd_bus_message_read_basic)                                                             \
	ROW(sd_bus_message_skip)                                                                   \
	ROW(sd_bus_message_unref)                                                                  \
	ROW(sd_bus_new)                                                                            \
	ROW(sd_bus_open_system)                                                                    \
	ROW(sd_bus_path_decode)                                                                    \
	ROW(sd_bus_path_encode)                                                                    \
	ROW(sd_bus_process)                                                                        \
	ROW(sd_bus_set_address)                                                                    \
	ROW(sd_bus_set_method_call_timeout)                                                        \
	ROW(sd_bus_slot_set_destroy_callback)                                                      \
	ROW(sd_bus_slot_set_floating)                                                              \
	ROW(sd_bus_slot_unref)                                                                     \
	ROW(sd_bus_start)                                                                          \
	ROW(sd_bus_unref)                                                                          \
	ROW(sd_bus_wait)                                                                           \
	ROW(sd_id128_get_boot)                                                                     \
	ROW(sd_id128_to_string)                                                                    \
	ROW(sd_journal_add_disjunction)                                                            \
	ROW(sd_journal_add_match)                                                                  \
	ROW(sd_journal_close)                                                                      \
	ROW(sd_journal_get_data)                                                                   \
	ROW(sd_journal_get_realtime_usec)                                                          \
	ROW(sd_journal_open)                                                                       \
	ROW(sd_journal_previous)                                                                   \
	ROW(sd_journal_seek_tail)                                                                  \
	ROW(sd_journal_set_data_threshold)

#define LIBSYSTEMD_MEMBER(name) typeof(name) *name;
struct libsystemd {
	LIBSYSTEMD_FUNCTIONS(LIBSYSTEMD_MEMBER)
};
extern struct libsystemd libsystemd;

#define sd_bus_call libsystemd.sd_bus_call
#define sd_bus_call_method_async libsystemd.sd_bus_call_method_async
#define sd_bus_error_free libsystemd.sd_bus_error_free
#define sd_bus_error_is_set libsystemd.sd_bus_error_is_set
#define sd_bus_flush_close_unref libsystemd.sd_bus_flush_close_unref
#define sd_bus_get_events libsystemd.sd_bus_get_events
#define sd_bus_get_fd libsystemd.sd_bus_get_fd
#define sd_bus_get_property_string libsystemd.sd_bus_get_property_string
#define sd_bus_get_property_strv libsystemd.sd_bus_get_property_strv
#define sd_bus_get_property_trivial libsystemd.sd_bus_get_property_trivial
#define sd_bus_get_timeout libsystemd.sd_bus_get_timeout
#define sd_bus_is_open libsystemd.sd_bus_is_open
#define sd_bus_match_signal_async libsystemd.sd_bus_match_signal_async
#define sd_bus_message_append libsystemd.sd_bus_message_append
#define sd_bus_message_append_basic libsystemd.sd_bus_message_append_basic
#define sd_bus_message_close_container libsystemd.sd_bus_message_close_container
#define sd_bus_message_enter_container libsystemd.sd_bus_message_enter_container
#define sd_bus_message_exit_container libsystemd.sd_bus_message_exit_container
#define sd_bus_message_get_error libsystemd.sd_bus_message_get_error
#define sd_bus_message_get_path libsystemd.sd_bus_message_get_path
#define sd_bus_message_new_method_call libsystemd.sd_bus_message_new_method_call
#define sd_bus_message_open_container libsystemd.sd_bus_message_open_container
#define sd_bus_message_read libsystemd.sd_bus_message_read
#define sd_bus_message_read_array libsystemd.sd_bus_message_read_array
#define sd_bus_message_read_basic libsystemd.sd_bus_message_read_basic
#define sd_bus_message_skip libsystemd.sd_bus_message_skip
#define sd_bus_message_unref libsystemd.sd_bus_message_unref
#define sd_bus_new libsystemd.sd_bus_new
#define sd_bus_open_system libsystemd.sd_bus_open_system
#define sd_bus_path_decode libsystemd.sd_bus_path_decode
#define sd_bus_path_encode libsystemd.sd_bus_path_encode
#define sd_bus_process libsystemd.sd_bus_process
#define sd_bus_set_address libsystemd.sd_bus_set_address
#define sd_bus_set_method_call_timeout libsystemd.sd_bus_set_method_call_timeout
#define sd_bus_slot_set_destroy_callback libsystemd.sd_bus_slot_set_destroy_callback
#define sd_bus_slot_set_floating libsystemd.sd_bus_slot_set_floating
#define sd_bus_slot_unref libsystemd.sd_bus_slot_unref
#define sd_bus_start libsystemd.sd_bus_start
#define sd_bus_unref libsystemd.sd_bus_unref
#define sd_bus_wait libsystemd.sd_bus_wait
#define sd_id128_get_boot libsystemd.sd_id128_get_boot
#define sd_id128_to_string libsystemd.sd_id128_to_string
#define sd_journal_add_disjunction libsystemd.sd_journal_add_disjunction
#define sd_journal_add_match libsystemd.sd_journal_add_match
#define sd_journal_close libsystemd.sd_journal_close
#define sd_journal_get_data libsystemd.sd_journal_get_data
#define sd_journal_get_realtime_usec libsystemd.sd_journal_get_realtime_usec
#define sd_journal_open libsystemd.sd_journal_open
#define sd_journal_previous libsystemd.sd_journal_previous
#define sd_journal_seek_tail libsystemd.sd_journal_seek_tail
#define sd_journal_set_data_threshold libsystemd.sd_journal_set_data_threshold

/* Load it, unless it is loaded. ENOPKG: it is not there, or it lacks a function. */
MUST_CHECK int libsystemd_load(struct error *err);

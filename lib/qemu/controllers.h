/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Controllers that devices share: each is made at the place that is next when the first device
 * needs it, and another one when it is full. The first of each kind has the ids and limits
 * of the Go program, which had no second one.
 *
 * The functions return the new device with its id, bus and address; the caller adds the rest.
 */
#pragma once

#include "qemu/assembly.h"

/* The thread that disks of the virtio kind share. */
#define CONTROLLERS_IOTHREAD "iothread.0"
void controllers_use_iothread(struct assembly *a);

/* @driver: "scsi-hd" or "scsi-cd" */
struct device *controllers_add_scsi(struct assembly *a, const char *driver);
struct device *controllers_add_usb(struct assembly *a, const char *driver);
/* @driver: "ide-hd" or "ide-cd" */
struct device *controllers_add_sata(struct assembly *a, const char *driver);
/* A virtio-serial port, by its @name in the guest, connected to a character device. */
void controllers_add_serial_port(struct assembly *a, const char *chardev, const char *name);

/* After the last device: what depends on their number. */
void controllers_finish(struct assembly *a);

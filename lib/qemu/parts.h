/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of a machine: each function adds one to a command line. argv.c calls them in the order
 * that gives devices their places.
 */
#pragma once

#include "qemu/assembly.h"

/* machine.c */
void machine_add_identity(struct assembly *a);
void machine_add_credentials(struct assembly *a);
void machine_add_board(struct assembly *a);
void machine_add_memory(struct assembly *a);
void machine_add_clock(struct assembly *a);
/* cpu.c */
void cpu_add(struct assembly *a);
/* firmware.c */
void firmware_add(struct assembly *a);
void firmware_add_boot(struct assembly *a);
/* tpm.c */
void tpm_add(struct assembly *a);
/* chardev.c: QMP, the guest agent's channel, the serial console */
void chardev_add_qmp(struct assembly *a);
void chardev_add_agent(struct assembly *a);
void chardev_add_console(struct assembly *a);
/* display.c: with SPICE, the displays have the place that the Go program gave them; else they come
 * after all that it knew */
void display_add_spice(struct assembly *a);
void display_add_others(struct assembly *a);
/* storage.c */
void storage_add(struct assembly *a);
/* The Go program showed firmware from a pool of CDs on SATA or USB as a CD, too.
 *
 * @node: what the flash device has */
void storage_add_firmware_cd(struct assembly *a, const struct vm_volume *volume, const char *node);
void storage_add_nvme(struct assembly *a);
/* The CD for the guest's cloud-init. After all else: with it and without it, all else is at its
 * place. */
void storage_add_seed(struct assembly *a);
/* network.c */
void network_add(struct assembly *a);
/* device.c */
void device_add_panic(struct assembly *a);
/* "host=": where function @function (0: the device itself) of vm->pcis[@i] is. */
void device_put_host(struct assembly *a, struct device *d, size_t i, size_t function);
void device_add_host_devices(struct assembly *a);
void device_add_rng(struct assembly *a);
void device_add_balloon(struct assembly *a);
void device_add_shares(struct assembly *a);
void device_add_usb(struct assembly *a);
void device_add_vsock(struct assembly *a);
void device_add_spare_ports(struct assembly *a);

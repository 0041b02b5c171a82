/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The storage types of the config. */
#include <stdlib.h>
#include <string.h>

#include "model/vm.h"
#include "util/cleanup.h"

/* Sorted by name; tests/unit/test-build.c checks it. */
const struct vm_storage_type vm_storage_types[] = {
	{ "firmware", VM_BUS_NONE, VM_FORMAT_PLAIN, false,
			"Flash image of the firmware: code or variables." },
	{ "iso-ahci", VM_BUS_CD_SATA, VM_FORMAT_PLAIN, true, "CD image in a SATA drive." },
	{ "iso-scsi", VM_BUS_CD_SCSI, VM_FORMAT_PLAIN, true, "CD image in a SCSI drive." },
	{ "iso-usb", VM_BUS_CD_USB, VM_FORMAT_PLAIN, true, "CD image as a USB disk." },
	{ "nvme", VM_BUS_NVME, VM_FORMAT_RAW, false, "Raw image or block device as an NVMe disk." },
	{ "qcow2-block", VM_BUS_BLOCK, VM_FORMAT_QCOW2, false,
			"qcow2 image without a backing file as a virtio block device." },
	{ "qcow2-scsi", VM_BUS_SCSI, VM_FORMAT_QCOW2, false,
			"qcow2 image without a backing file as a SCSI disk." },
	{ "raw", VM_BUS_SCSI, VM_FORMAT_RAW, false, "The same as raw-scsi." },
	{ "raw-block", VM_BUS_BLOCK, VM_FORMAT_RAW, false,
			"Raw image or block device as a virtio block device." },
	{ "raw-scsi", VM_BUS_SCSI, VM_FORMAT_RAW, false,
			"Raw image or block device as a SCSI disk." },
	{ "sata", VM_BUS_SATA, VM_FORMAT_RAW, false, "Raw image or block device as a SATA disk." },
	{ "tpm-data", VM_BUS_TPM, VM_FORMAT_PLAIN, false, "Directory of a TPM's state." },
	{ "vvfat-block", VM_BUS_BLOCK, VM_FORMAT_VVFAT, true,
			"Directory shown as a FAT disk, a virtio block device." },
	{},
};

static int compare(const void *name, const void *row)
{
	return strcmp(name, ((const struct vm_storage_type *)row)->name);
}

const struct vm_storage_type *vm_storage_type_find(const char *name)
{
	return bsearch(name, vm_storage_types, ARRAY_SIZE(vm_storage_types) - 1,
			sizeof(vm_storage_types[0]), compare);
}

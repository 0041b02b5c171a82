# SPDX-License-Identifier: GPL-2.0-or-later
"""Where this program is meant to differ from its Go ancestor, and how each difference is known.

Every difference that compare-vectors finds is either an error or has a row here. In the rows about
arguments, the Go program's command line either cannot start a guest at all, or the guest sees nothing
of the difference.
"""
import json
import posixpath
import re
from collections import namedtuple

# What differs: the driver of the device ("" for the machine as a whole) and its place, which of its
# aspects, and both values. @go_hardware is all that the Go program's command line shows the guest.
Difference = namedtuple("Difference", "driver place aspect go ours go_hardware")

Row = namedtuple("Row", "name reason matches")

MACHINE_NAME = re.compile(r"[A-Za-z0-9](?!.*\.\.)[A-Za-z0-9_.-]{0,62}")


def pci(place):
    """(slot, function) of a place on the root bus, as QEMU reads it, or None."""
    m = re.match(r"pcie\.0/([0-9a-f]+)\.([0-7])(/|$)", str(place))
    return (int(m[1], 16), int(m[2])) if m else None


def is_hidden(place, hardware):
    """The guest looks at function 0 first, and where there is none it looks no further in that slot."""
    at = pci(place)
    return at is not None and (at[0], 0) not in {pci(device["place"]) for device in hardware["devices"]}


def slot_without_function_0(d):
    return d.aspect in ("place", "chassis", "multifunction") and is_hidden(d.place, d.go_hardware)


def slot_that_does_not_exist(d):
    at = pci(d.place)
    return d.aspect == "place" and at is not None and at[0] > 0x1f


def from_root(value):
    """The same disk, or flash of two, with a relative path taken from the root directory."""
    if isinstance(value, dict) and "path" in value:
        return {**value, "path": posixpath.normpath("/" + value["path"].lstrip("/"))}
    return {k: from_root(v) for k, v in value.items()}


def is_relative_to_root(d):
    return d.aspect in ("disk", "flash") and None not in (d.go, d.ours) and from_root(d.go) == d.ours


HARDWARE = [
    Row("second-sata-cd",
        "every SATA CD was put on ide.1, which has room for one; the others now have a port each",
        lambda d: d.driver == "ide-cd" and d.aspect == "place" and not d.go.endswith("unit 0")
        and re.fullmatch(r"ide\.[0-5]/unit 0", d.ours)),
    Row("long-wwn",
        "QEMU takes 64 bits of a WWN; one of 128 bits is shown to the guest as the disk's device id",
        lambda d: (d.aspect == "wwn" and d.go >= 1 << 64 and d.ours is None
                   or d.aspect == "device-id" and d.go is None and re.fullmatch("6[0-9A-F]{31}", d.ours))),
    Row("function-0-gap",
        "a TPM or SATA CD that used up function 0 of a slot hid the slot's other functions from the guest",
        slot_without_function_0),
    Row("pci-slot",
        "slots from 20 on were written in decimal and read as hexadecimal beyond the last slot",
        slot_that_does_not_exist),
    Row("empty-mac",
        "a connection without a name was written without a value for its MAC, which QEMU refuses",
        lambda d: d.aspect == "mac" and d.go == "on"),
    Row("relative-path",
        "a relative path of a pool is taken from / as systemd starts units there",
        is_relative_to_root),
    Row("cleaned-name",
        "the name was written without commas, quotes and spaces; the guest does not see it",
        lambda d: d.aspect == "name" and re.sub(r'[,"=\s]', "", str(d.ours)) == d.go),
]

# What the Go program refused and this program builds: what it said.
BUILT = [
    Row("more-than-one-scsi-controller", "a full SCSI, USB or SATA controller is followed by another",
        lambda text: re.search(r"the (SCSI|USB|SATA) .*is full", text)),
    Row("screen-without-port", "a SPICE screen or an agent without a port is on a unix socket",
        lambda text: re.search(r'failed to determine (spice|QEMU Agent) port: port pattern ""', text)),
    Row("node-names", "block nodes are named by place, so that no two names meet",
        lambda text: "a node with the given node name already exists" in text),
]


def drop_repeated_names(config):
    """The config as the Go program took it: of several entries of one name, the first."""
    for block in ("volumes", "connections", "devices"):
        names = set()
        kept = [e for e in config.get(block, []) if not (e.get("name", "") in names or names.add(e.get("name", "")))]
        if block in config:
            config[block] = kept
    return config


# What the Go program wrote and this program refuses: what this program says, and what is to be done to
# the machine's file, after which the guest is the same again.
REFUSED = [
    (Row("repeated-name", "a name that is given twice in one list of one file is an error",
         lambda text: "is given twice in this list" in text), drop_repeated_names),
]


def mend(stderr, path):
    """Do to a machine's file what the user would do after that error; the row for it, or None."""
    for row, change in REFUSED:
        if row.matches(stderr):
            with open(path, encoding="utf-8") as f:
                config = json.load(f)
            with open(path, "w", encoding="utf-8") as f:
                json.dump(change(config), f)
            return row
    return None


def refused(name):
    """The row for a machine that has no place here, or None."""
    if not MACHINE_NAME.fullmatch(name):
        return Row("machine-name", "systemd has no unit of that name", None)
    return None

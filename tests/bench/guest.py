# SPDX-License-Identifier: GPL-2.0-or-later
"""What of QEMU's arguments a guest sees, so that two command lines can be compared."""
import json

# Where devices are plugged in, and how they are called, is a matter of taste.
PORTS = {"ioh3420", "pcie-root-port"}
# On one bus or the other: libvirt 9 knows only the one for ISA.
SAME = {"pvpanic-pci": "pvpanic"}
SEEN = ("mac", "serial", "num-queues", "bootindex", "name")


def _options(text, first):
    """Of "key=value,..." or of JSON; a first value without a key is that of @first."""
    if text.startswith("{"):
        return json.loads(text)
    pairs = [part.partition("=") for part in text.split(",")]
    return {key if equals else first: value if equals else key for key, equals, value in pairs}


def description(argv):
    """A dictionary: equal for two machines that a guest can't tell from each other."""
    words = {}
    for option, value in zip(argv, argv[1:]):
        words.setdefault(option, []).append(value)
    devices = []
    for device in (_options(text, "driver") for text in words["-device"]):
        if device["driver"] not in PORTS:
            seen = [f"{key}={device[key]}" for key in SEEN if key in device]
            devices.append(",".join([SAME.get(device["driver"], device["driver"])] + seen))
    smp = _options(words["-smp"][0], "cpus")
    return {
        "machine": _options(words["-machine"][0], "type")["type"],
        "accelerator": _options(words["-accel"][0], "accel")["accel"],
        "processor": (words["-cpu"][0], smp["sockets"], smp["cores"], smp.get("threads", "1")),
        "memory": _options(words["-m"][0], "size")["size"].removesuffix("M"),
        "uuid": words["-uuid"][0],
        "devices": sorted(devices),
    }

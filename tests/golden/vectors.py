# SPDX-License-Identifier: GPL-2.0-or-later
"""The golden vectors: configs, and what the Go program printed for them (vectors/*/)."""
import os
import re
import shutil
import tempfile
from collections import namedtuple

from argv import Unreadable

# A machine of a folder of vectors. @args, @error, @cat and @generate_error are the texts of the Go program, or
# None.
Vector = namedtuple("Vector", "case machine folder args error cat generate_error")

HERE = os.path.join(os.path.dirname(os.path.realpath(__file__)), "vectors")

FLAGS = ("enable-kvm", "nodefaults", "nographic")
# The options that the Go program writes and their parameters; it doubles no comma, so that only the
# names tell where a parameter begins.
PARAMETERS = {
    "uuid": "", "name": "", "machine": "type vmport pflash0 pflash1", "cpu": None, "smp": "sockets cores threads",
    "m": "size", "rtc": "base clock driftfix", "mon": "chardev mode", "spice": "port addr disable-ticketing",
    "global": "driver property value", "boot": "menu reboot-timeout", "object": "id",
    "blockdev": "driver node-name read-only discard detect-zeroes filename dir file",
    "chardev": "id server wait path host port nodelay debug name", "tpmdev": "id chardev",
    "netdev": "id ifname script downscript",
    "device": "id bus addr multifunction chassis nr chardev name p2 p3 port drive iothread num_queues num-queues "
              "channel scsi-id lun wwn serial bootindex mac netdev sysfsdev tpmdev",
}
OPTION = re.compile(r"(?:^| )-(" + "|".join([*FLAGS, *PARAMETERS]) + r")(?= |$)")


def text_of(path):
    try:
        with open(path, encoding="utf-8") as f:
            return f.read()
    except FileNotFoundError:
        return None


def load(folder):
    """The vectors below a folder; also one without an index, or a single case."""
    cases = [folder] if os.path.exists(f"{folder}/machina.conf.json") else \
            sorted(f"{folder}/{name}" for name in os.listdir(folder) if os.path.isdir(f"{folder}/{name}"))
    found = []
    for case in cases:
        for name in sorted(os.listdir(case)):
            if name.endswith(".conf.json") and name != "machina.conf.json":
                found.append(Vector(os.path.basename(case), name[:-len(".conf.json")], case,
                                    *(text_of(f"{case}/{f}") for f in
                                      ("args.txt", "args.err", "cat.txt", "generate.err"))))
    return found


def config_dir(vector):
    """A directory that --config-dir takes; the caller removes it."""
    top = tempfile.mkdtemp(prefix="machina-vectors.")
    os.mkdir(f"{top}/machine.conf.d")
    shutil.copy(f"{vector.folder}/machina.conf.json", top)
    shutil.copy(f"{vector.folder}/{vector.machine}.conf.json", machine_file(top, vector))
    return top


def machine_file(top, vector):
    return f"{top}/machine.conf.d/{vector.machine}.conf.json"


def read_args(text):
    """The Go program's arguments, in the form of argv.read(). They stand on one line, unquoted."""
    text = text.strip("\n")
    options = []
    found = list(OPTION.finditer(text))
    if not found or found[0].start() != 0:
        raise Unreadable("the text does not begin with an option")
    for m, following in zip(found, [*found[1:], None]):
        name, value = m[1], text[m.end() + 1:following.start() if following else len(text)]
        options.append((name, None if name in FLAGS else read_value(name, value)))
    return options


def read_value(name, value):
    known = PARAMETERS[name]
    pairs = []
    for n, part in enumerate(value.split(",")):
        key, eq, rest = part.partition("=")
        if n and known is not None and key not in known.split():
            # Behind a comma that belongs to the value.
            pairs[-1] = (pairs[-1][0], f"{pairs[-1][1]},{part}")
        else:
            pairs.append((key, rest if eq else None))
    return pairs


def read_cat(text):
    """The Go program's summary, in the shape of a config."""
    found = {"vars": {}, "volumes": {}, "connections": {}, "devices": {}}
    block = None
    for line in text.splitlines():
        if line.startswith("    ") and block:
            read_cat_entry(found[block], block, line[4:])
            continue
        key, _, value = line.strip().partition(":")
        value = value.strip()
        block = {"Vars": "vars", "Volumes": "volumes", "Connections": "connections", "Devices": "devices"}.get(key)
        if not block:
            found[key] = value
    return found


def read_cat_entry(where, block, line):
    if block == "vars":
        name, _, value = line.partition(": ")
        where[name] = value
        return
    patterns = {
        "volumes": r"(?P<name>.*?): (?P<storage>.*?)(?: \((?:wwn: (?P<wwn>0x\w+))?(?:, )?(?:serial: (?P<serial>.*?))?"
                   r"(?:, )?(?P<bootable>bootable)?\))?",
        "connections": r"(?P<name>.*?): (?P<network>.*) \(ip: (?P<ip>.*), mac: (?P<mac>.*)\)",
        "devices": r"(?P<name>.*?): (?P<class>.*?)(?: \((?P<id>[0-9a-f-]{36})\))?",
    }
    m = re.fullmatch(patterns[block], line)
    where[m["name"]] = m.groupdict()

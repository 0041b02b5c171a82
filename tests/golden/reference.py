# SPDX-License-Identifier: GPL-2.0-or-later
"""What the Go program would print for a config: its arguments and its summary.

Written from the description of its behaviour, and held against every golden vector, byte for byte, by
check-comparison; so it stands in for the Go program where there is no vector. Of configs that it
refused only the fact is told (Refused).
"""
import base64
import hashlib
import json
import posixpath
import re
import unicodedata
from uuid import UUID

NO_UUID = bytes(16)
HYPERV = ["hv-relaxed", "hv-vapic", "hv-spinlocks=0x1fff", "hv-vpindex", "hv-runtime", "hv-time", "hv-synic", "hv-stimer",
          "hv-tlbflush", "hv-ipi", "hv-frequencies", "hv-reenlightenment", "hv-stimer-direct", "hv-emsr-bitmap",
          "hv-xmm-input", "hv-tlbflush-ext", "hv-tlbflush-direct"]
IFUP, IFDOWN = "/usr/bin/machina-ifup", "/usr/bin/machina-ifdown"
SCSI_MAX, USB_MAX, SATA_MAX, PCI_MAX = 28, 15, 6, 256


class Refused(Exception):
    """The Go program printed an error."""


# ------------------------------------------------------------------- texts --
def printable(c):
    return c == " " or unicodedata.category(c)[0] in "LMNPS"


def clean(text):
    return "".join(c for c in text if c not in ',"=' and not c.isspace() and printable(c))


def parameter(name, value):
    value = str(value)
    return clean(name) if not clean(value) else f"{clean(name)}={value}" if name else clean(value)


def option(name, *parameters):
    """Parameters are "text" or (name, value); None is left out."""
    texts = [parameter(*(p if isinstance(p, tuple) else ("", p))) for p in parameters if p is not None]
    texts = [text for text in texts if text]
    return f"-{name} {','.join(texts)}" if texts else f"-{name}"


def expand(pattern, variables):
    out, at = "", 0
    while at < len(pattern):
        if pattern[at] != "$" or at + 1 == len(pattern):
            out += pattern[at]
            at += 1
            continue
        name, length = variable_name(pattern[at + 1:])
        out += "$" if length == 0 else variables.get(name, "")
        at += 1 + length
    return out


def variable_name(text):
    """(name, length of what it takes) behind a "$"."""
    special = "*#$@!?-0123456789"
    if text[0] == "{":
        if len(text) > 2 and text[1] in special and text[2] == "}":
            return text[1], 3
        end = text.find("}")
        return ("", 1) if end < 0 else (text[1:end], end + 1)
    if text[0] in special:
        return text[0], 1
    name = re.match("[A-Za-z0-9_]*", text)[0]
    return name, len(name)


def volume_path(pool, volume, variables):
    pattern = pool.get("pattern") or ""
    file = expand(pattern, variables) if pattern else f"{volume['name']}.{pool.get('type') or 'raw'}"
    joined = "/".join(part for part in (pool.get("path") or "", file) if part)
    return re.sub("^//", "/", posixpath.normpath(joined)) if joined else ""


# ------------------------------------------------------------- identifiers --
class Identifiers:
    def __init__(self, uuid, name):
        self.prefix = uuid + self.part(name.encode())

    @staticmethod
    def part(raw):
        return len(raw).to_bytes(8, "big") + raw

    def digest(self, length, *components):
        raw = b"".join(self.part(c if isinstance(c, bytes) else c.encode()) for c in components)
        return bytearray(hashlib.shake_128(self.prefix + raw).digest(length))

    def mac(self, name):
        return ":".join(f"{b:02x}" for b in b"\x52\x54\x00" + self.digest(6, "connection", "hardware-addr", name)[3:])

    def wwn(self, name):
        raw = self.digest(8, "volume", "wwn", name)
        raw[:3], raw[3] = b"\x55\x25\x40", raw[3] & 0x0f
        return f"0x{raw.hex().upper()}"

    def serial(self, name):
        raw = self.digest(16, "volume", "serial-number", name)
        return base64.b32hexencode(raw).decode().rstrip("=")

    def device(self, class_name, name):
        raw = self.digest(16, "device", "id", class_name, name)
        raw[6], raw[8] = raw[6] & 0x0f | 0x40, raw[8] & 0x3f | 0x80
        return str(UUID(bytes=bytes(raw)))

    def group(self):
        raw = self.digest(4 * 4096, "privilege", "file-system", "group-id", bytes(8))
        return next(n for n in (int.from_bytes(raw[i:i + 4], "big") for i in range(0, len(raw), 4)) if n >= 65536)


def link_name(machine, connection):
    text = f"{machine}.{connection}"
    if len(text.encode()) <= 15:
        return "".join(c for c in text if c != "/" and not c.isspace() and printable(c))
    return base64.urlsafe_b64encode(hashlib.sha3_224(text.encode()).digest()[:11]).decode().rstrip("=")


def uuid_bytes(text):
    if not text:
        return NO_UUID
    if len(text) == 38:
        text = text[1:-1]
    return UUID(re.sub("(?i)^urn:uuid:", "", text)).bytes


def wwn_text(text):
    return "0x" + re.sub("^0x", "", text.replace(":", "")).upper()


# ------------------------------------------------------------------- merge --
def at(definition, *path):
    for key in path:
        definition = (definition or {}).get(key)
    return definition


class Machine:
    """A machine with its tags merged in."""

    def __init__(self, host, config, file_name):
        self.host, self.config = host, config
        self.name = config.get("name") or file_name
        self.description = config.get("description") or ""
        self.uuid = uuid_bytes(config.get("id"))
        self.tags = config.get("tags") or []
        self.inputs = [config]
        for tag in self.tags:
            if tag not in (host.get("tag") or {}):
                raise Refused(tag)
            self.inputs.append(host["tag"][tag])
        ids = self.ids = Identifiers(self.uuid, self.name)
        self.vars = {}
        for d in self.inputs:
            for key, value in (d.get("vars") or {}).items():
                self.vars.setdefault(key, value)
        self.group_name = self.text("privileges", "filesystem", "group", "name") or f"machina-{self.name}"
        self.group_id = self.number("privileges", "filesystem", "group", "id") or ids.group()
        self.volumes, self.connections, self.devices = (self.merged(k) for k in ("volumes", "connections", "devices"))
        for v in self.volumes:
            v["wwn"] = wwn_text(v["wwn"]) if v.get("wwn") else ids.wwn(v["name"])
            v["serial"] = v.get("serial") or ids.serial(v["name"])
        for c in self.connections:
            c["mac"] = c.get("mac") or ids.mac(c["name"])
        for d in self.devices:
            explicit = uuid_bytes(d.get("id"))
            d["id"] = ids.device(d["class"], d["name"]) if explicit == NO_UUID else str(UUID(bytes=explicit))

    def merged(self, key):
        found = {}
        for d in self.inputs:
            for entry in d.get(key) or []:
                found.setdefault(entry.get("name") or "", dict(entry))
        return list(found.values())

    def text(self, *path):
        return next((v for d in self.inputs if (v := at(d, *path))), "")

    def number(self, *path):
        return next((v for d in self.inputs if (v := at(d, *path)) and v > 0), 0)

    def flag(self, *path):
        return any(at(d, *path) for d in self.inputs)

    def volume(self, *path):
        """firmware.code and its like: whole, from the first that names something."""
        return next((v for d in self.inputs if (v := at(d, *path)) and (v.get("name") or v.get("storage"))), None)

    def sockets(self, key):
        found = []
        for d in self.inputs[1:][::-1] + self.inputs[:1]:
            found += at(d, "attrs", "qmp", "sockets", key) or []
        return found

    def port(self, *path):
        port = self.number(*path, "port")
        if port:
            return port
        text = expand(self.text(*path, "port-pattern"), self.vars)
        if not re.fullmatch(r"[+-]?\d+", text) or not 1 <= int(text) <= 65535:
            raise Refused(text)
        return int(text)

    def processor(self):
        name, known = self.text("attrs", "cpu", "processor"), self.host.get("processor") or {}
        if name:
            if name not in known:
                raise Refused(name)
            return known[name]
        defaults = sorted(n for n in known if known[n].get("default")) or sorted(known)
        return known[defaults[0]] if defaults else {}

    def pool(self, volume):
        pool = (self.host.get("storage") or {}).get(volume.get("storage"))
        if pool is None:
            raise Refused(volume.get("storage"))
        return pool

    def path(self, volume, variables=None):
        builtin = {"machine-name": self.name, "machine-description": self.description,
                   "machine-id": str(UUID(bytes=self.uuid)), "volume": volume["name"]}
        return volume_path(self.pool(volume), volume, {**(self.vars if variables is None else variables), **builtin})

    def qmp_paths(self):
        run = f"/run/machina/{self.name}/qmp"
        paths = [posixpath.normpath(f"{run}/{n}.qmp.socket")
                 for n in ["systemd.0", "command.0", "command.1", *self.sockets("names")]]
        return list(dict.fromkeys(paths + self.sockets("paths")))

    def tpm_socket(self):
        return self.text("attrs", "tpm", "socket", "path") or f"/run/machina/{self.name}/swtpm/control.socket"


# --------------------------------------------------------------- arguments --
class Device:
    def __init__(self, *parameters):
        self.parameters, self.children = list(parameters), []

    def lines(self):
        yield option("device", *self.parameters)
        for child in self.children:
            yield from child.lines()


class Arguments:
    def __init__(self, machine):
        self.m = machine
        self.top, self.nodes, self.chardevs, self.netdevs = [], [], [], []
        self.names, self.flash = set(), []
        self.serial = self.scsi = self.usb = None
        self.count = {}
        self.bootindex = 0
        self.build()

    def next(self, what):
        self.count[what] = self.count.get(what, -1) + 1
        return self.count[what]

    def place(self):
        i = len(self.top)
        if i >= PCI_MAX:
            raise Refused("root complex")
        return i, f"{i // 8 + 1}.{i % 8}", ("multifunction", "on") if i % 8 == 0 else None

    def port(self, *parameters):
        """A device behind a root port of its own; the bus is named after its id."""
        i, where, multifunction = self.place()
        port = Device("ioh3420", ("id", f"pcie.{where}"), ("chassis", i), ("bus", "pcie.0"), ("addr", where), multifunction)
        self.top.append(port)
        device = Device(*parameters)
        at_bus = 2 if len(parameters) > 1 and parameters[1][0] == "id" else 1
        device.parameters.insert(at_bus, ("bus", f"pcie.{where}"))
        port.children.append(device)
        return device

    def integrated(self, driver, name):
        _, where, multifunction = self.place()
        self.top.append(Device(driver, ("id", name), ("bus", "pcie.0"), ("addr", where), multifunction))

    def node(self, *parameters):
        name = dict(p for p in parameters if isinstance(p, tuple))["node-name"]
        if name in self.names:
            raise Refused(name)
        self.names.add(name)
        self.nodes.append(option("blockdev", *parameters))
        return name

    def serial_port(self, chardev, name):
        if not self.serial:
            self.serial = self.port("virtio-serial-pci", ("id", "serial"))
        k = len(self.serial.children)
        self.serial.children.append(Device("virtserialport", ("id", f"serial.0.{k}"), ("bus", "serial.0"), ("nr", k + 1),
                                           ("chardev", chardev), ("name", name)))

    def usb_device(self, driver, *parameters):
        if not self.usb:
            self.usb = self.port("qemu-xhci", ("id", "usb"))
        k = len(self.usb.children) + 1
        if k > USB_MAX:
            raise Refused("usb")
        self.usb.children.append(Device(driver, ("id", f"usb.0.{k}"), ("bus", "usb.0"), ("port", k), *parameters))

    def scsi_device(self, driver, *parameters):
        if not self.scsi:
            self.scsi = self.port("virtio-scsi-pci", ("id", "scsi"), ("iothread", "iothread.0"), ("num_queues", 4))
        lun = len(self.scsi.children)
        if lun >= SCSI_MAX:
            raise Refused("scsi")
        self.scsi.children.append(Device(driver, ("id", f"scsi.0.{lun}"), ("bus", "scsi.0"), ("channel", 0), ("scsi-id", 0),
                                         ("lun", lun), *parameters))

    def build(self):
        m = self.m
        self.integrated("pvpanic-pci", "panic.0")
        code, nvram = m.volume("attrs", "firmware", "code"), m.volume("attrs", "firmware", "vars")
        for volume in (code, nvram) if code else ():
            if volume:
                self.flash.append(self.firmware(volume))
        if m.flag("attrs", "tpm", "enabled"):
            self.top.append(Device("tpm-crb", ("tpmdev", "tpm.0")))
            self.chardevs.append(option("chardev", "socket", ("id", "tpm.0.socket"), ("path", m.tpm_socket())))
        if m.flag("attrs", "qmp", "enabled"):
            for i, path in enumerate(m.qmp_paths()):
                self.chardevs.append(option("chardev", "socket", ("id", f"qmp.{i}"), ("server", "on"), ("wait", "off"),
                                            ("path", path)))
        if m.flag("attrs", "agent", "qemu", "enabled"):
            self.chardevs.append(option("chardev", "socket", ("id", "guestagent"), ("host", "127.0.0.1"),
                                        ("port", m.port("attrs", "agent", "qemu")), ("server", "on"), ("wait", "off"),
                                        ("nodelay", "on")))
            self.serial_port("guestagent", "org.qemu.guest_agent.0")
        self.spice = m.flag("attrs", "spice", "enabled")
        if self.spice:
            self.add_spice()
        for volume in m.volumes:
            self.add_volume(volume)
        for connection in m.connections:
            self.add_connection(connection)
        for device in m.devices:
            classes = [at(d, "classes") or {} for d in (m.host.get("mediated-device") or {}).values()]
            if not any(device["class"] in c for c in classes):
                raise Refused(device["class"])
            self.port("vfio-pci", ("id", f"vfio.{self.next('vfio')}"),
                      ("sysfsdev", f"/sys/bus/mdev/devices/{device['id']}"))

    def firmware(self, volume):
        pool = self.m.pool(volume)
        if (pool.get("type") or "").startswith("iso-"):
            return self.add_volume(volume)
        readonly = pool.get("readonly")
        return self.node(("driver", "file"), ("node-name", volume["name"] if readonly else f"{self.m.name}-{volume['name']}"),
                         ("read-only", "on") if readonly else None, ("filename", self.m.path(volume)))

    def add_spice(self):
        self.spice_port = self.m.port("attrs", "spice")
        displays = min(max(self.m.number("attrs", "spice", "displays"), 1), 4)
        for n in range(displays):
            self.integrated("qxl" if n else "qxl-vga", f"qxl.{n}")
        self.chardevs.append(option("chardev", "spicevmc", ("id", "vdagent"), ("debug", 0), ("name", "vdagent")))
        self.serial_port("vdagent", "com.redhat.spice.0")
        self.usb_device("usb-tablet")
        for n in range(2):
            self.chardevs.append(option("chardev", "spicevmc", ("id", f"usbredir.{n}"), ("debug", 0), ("name", "usbredir")))
            self.usb_device("usb-redir", ("chardev", f"usbredir.{n}"))

    def add_volume(self, v):
        pool, name = self.m.pool(v), f"{self.m.name}-{v['name']}"
        kind = pool.get("type") or ""
        serial, wwn = ("serial", v.get("serial")), ("wwn", v.get("wwn"))
        if kind in ("raw", "raw-scsi", "raw-block"):
            self.node(("driver", "file"), ("node-name", f"{name}-file"), ("read-only", "on") if pool.get("readonly") else None,
                      ("discard", "unmap"), ("filename", self.m.path(v)))
            self.node(("driver", "raw"), ("node-name", name), ("discard", "unmap"), ("detect-zeroes", "unmap"),
                      ("file", f"{name}-file"))
        elif kind == "vvfat-block":
            self.node(("driver", "vvfat"), ("node-name", name), ("read-only", "on"), ("dir", self.m.path(v)))
        elif kind.startswith("iso-"):
            name = self.node(("driver", "file"), ("node-name", v["name"]), ("read-only", "on"), ("filename", self.m.path(v)))
        elif kind not in ("firmware", "tpm-data"):
            raise Refused(kind)
        bootindex = None
        if v.get("bootable") and kind.startswith(("raw", "vvfat")):
            self.bootindex += 1
            bootindex = ("bootindex", self.bootindex)
        drive = ("drive", name)
        if kind in ("raw", "raw-scsi"):
            self.scsi_device("scsi-hd", drive, wwn, serial, bootindex)
        elif kind in ("raw-block", "vvfat-block"):
            self.port("virtio-blk-pci", ("id", f"block.{self.next('block')}"), ("iothread", "iothread.0"), ("num-queues", 4),
                      drive, serial, bootindex)
        elif kind == "iso-scsi":
            self.scsi_device("scsi-cd", drive)
        elif kind == "iso-usb":
            self.usb_device("usb-storage", drive)
        elif kind == "iso-ahci":
            n = self.next("sata")
            if n >= SATA_MAX:
                raise Refused("sata")
            self.top.append(Device("ide-cd", ("id", f"sata.{n}"), ("bus", "ide.1"), drive))
        elif kind == "firmware":
            self.firmware(v)
        return name

    def add_connection(self, c):
        network = (self.m.host.get("network") or {}).get(c.get("network"))
        if network is None:
            raise Refused(c.get("network"))
        n = self.next("net")
        self.netdevs.append(option("netdev", "tap", ("id", f"net.{n}"), ("ifname", link_name(self.m.name, c["name"])),
                                   ("script", network.get("up") or IFUP), ("downscript", network.get("down") or IFDOWN)))
        self.port("virtio-net-pci", ("mac", c["mac"]), ("netdev", f"net.{n}"))

    def text(self):
        m, lines = self.m, []
        if m.uuid != NO_UUID:
            lines.append(option("uuid", str(UUID(bytes=m.uuid))))
        lines += [option("name", m.name), "-enable-kvm", "-nodefaults", "-nographic"]
        lines.append(option("machine", ("type", "q35"), ("vmport", "off") if self.spice else None,
                            *((f"pflash{n}", node) for n, node in enumerate(self.flash))))
        processor = m.processor()
        threads = m.number("attrs", "cpu", "threads") or max(processor.get("threads") or 0, 0)
        brand = (processor.get("brand") or "").lower()
        cpu = ["host"] + ["topoext=on"] * (threads > 1 and brand == "amd")
        if m.flag("attrs", "enlightenments", "enabled"):
            cpu += HYPERV + {"amd": ["hv-avic=on"], "intel": ["hv-evmcs"]}.get(brand, [])
        lines.append(f"-cpu {','.join(cpu)}")
        smp = [(k, v) for k, v in (("sockets", m.number("attrs", "cpu", "sockets")), ("cores", m.number("attrs", "cpu", "cores")),
                                   ("threads", threads)) if v]
        if smp:
            lines.append(option("smp", *smp))
        lines.append(option("m", ("size", f"{m.number('attrs', 'memory', 'ram')}M")))
        lines.append("-rtc base=utc,clock=host,driftfix=slew")
        if m.flag("attrs", "qmp", "enabled"):
            lines += [f"-mon chardev=qmp.{i},mode=control" for i in range(len(m.qmp_paths()))]
        if self.spice:
            lines.append(f"-spice port={self.spice_port},addr=127.0.0.1,disable-ticketing=on")
        if self.flash:
            lines.append("-global driver=cfi.pflash01,property=secure,value=on")
        if self.spice:
            lines += [f"-global driver=qxl-vga,property={p},value=67108864" for p in ("ram_size", "vram_size")]
        lines.append("-boot menu=on,reboot-timeout=5000")
        if self.scsi or "block" in self.count:
            lines.append("-object iothread,id=iothread.0")
        lines += self.nodes + self.chardevs
        if m.flag("attrs", "tpm", "enabled"):
            lines.append("-tpmdev emulator,id=tpm.0,chardev=tpm.0.socket")
        lines += self.netdevs
        if self.usb:
            p = max(4, len(self.usb.children))
            self.usb.parameters += [("p2", p), ("p3", p)]
        for device in self.top:
            lines += device.lines()
        return " ".join(lines) + "\n"


# ----------------------------------------------------------------- summary --
def volume_text(v):
    notes = [f"{key}: {v[key]}" for key in ("wwn", "serial") if v.get(key)] + ["bootable"] * bool(v.get("bootable"))
    return f"{v.get('name') or ''}: {v.get('storage') or ''}" + (f" ({', '.join(notes)})" if notes else "")


def summary(m):
    lines = [f"Name: {m.name}"]
    lines += [f"Description: {m.description}"] * bool(m.description)
    lines += [f"ID: {UUID(bytes=m.uuid)}"] * (m.uuid != NO_UUID)
    lines += [f"Tags: {','.join(m.tags)}"] * bool(m.tags)
    if m.vars:
        lines += ["Vars:", *(f"  {k}: {m.vars[k]}" for k in sorted(m.vars, key=str.encode))]
    lines.append(f"File System Access Group: {m.group_name}:{m.group_id}")
    for label, key in (("Firmware Code (read-only)", "code"), ("Firmware Variables (read/write)", "vars")):
        if v := m.volume("attrs", "firmware", key):
            lines.append(f"{label}: {volume_text(v)}")
    for label, value in (("Processor", m.text("attrs", "cpu", "processor")), ("Sockets", m.number("attrs", "cpu", "sockets")),
                         ("Cores", m.number("attrs", "cpu", "cores")),
                         ("Threads Per Core", m.number("attrs", "cpu", "threads"))):
        lines += [f"{label}: {value}"] * bool(value)
    if ram := m.number("attrs", "memory", "ram"):
        lines.append(f"RAM: {ram}M")
    lines += ["Hyper-V Enlightenments: Enabled"] * m.flag("attrs", "enlightenments", "enabled")
    if m.flag("attrs", "tpm", "enabled"):
        lines.append("Trusted Platform Module: Enabled")
        if v := m.volume("attrs", "tpm", "data"):
            lines.append(f"TPM Data Directory: {volume_text(v)}")
        lines.append(f"TPM Socket Path: {m.tpm_socket()}")
    if m.flag("attrs", "qmp", "enabled"):
        lines += ["QMP: Enabled", *(f"QMP Socket Path: {path}" for path in m.qmp_paths())]
    if m.flag("attrs", "agent", "qemu", "enabled"):
        lines += ["QEMU Guest Agent: Enabled", f"QEMU Guest Agent Port: {m.port('attrs', 'agent', 'qemu')}"]
    if m.flag("attrs", "spice", "enabled"):
        lines += ["Spice Display: Enabled", f"Spice Port: {m.port('attrs', 'spice')}"]
        if displays := m.number("attrs", "spice", "displays"):
            lines.append(f"Spice Display Count: {displays}")
    if m.volumes:
        lines += ["Volumes:", *(f"  {volume_text(v)}" for v in m.volumes)]
    if m.connections:
        lines += ["Connections:", *(f"  {c['name']}: {c.get('network') or ''} (ip: {c.get('ip') or ''}, mac: {c['mac']})"
                                    for c in m.connections)]
    if m.devices:
        lines += ["Devices:", *(f"  {d['name']}: {d['class']} ({d['id']})" for d in m.devices)]
    return "".join(f"  {line}\n" for line in lines)


def load(folder, machine):
    with open(f"{folder}/machina.conf.json", encoding="utf-8") as f:
        host = json.load(f)
    with open(f"{folder}/{machine}.conf.json", encoding="utf-8") as f:
        return Machine(host, json.load(f), machine)

# SPDX-License-Identifier: GPL-2.0-or-later
"""What a guest sees of a QEMU command line.

hardware(options) reads a command line and gives it as plain data in which every name that only the
host knows (ids, node names, chardevs) has been followed to what it stands for, so that two command
lines that show a guest the same machine give equal data:

    {"machine": {...}, "cpu": {...}, ..., "devices": [{"driver": .., "place": .., "props": {..}, ..}]}

QEMU's own rules are applied (places, SMP topology, numbers), after qemu-system(1), docs/qdev-device-use.txt
and hw/core/machine-smp.c of QEMU 7.2.
"""
import re

# Options without a value, of those that the program or its Go ancestor writes.
FLAGS = {"enable-kvm", "nodefaults", "nographic", "no-user-config", "S", "no-reboot", "no-shutdown", "no-hpet"}

# Options of which the guest sees nothing.
HOST_OPTIONS = {"blockdev", "chardev", "netdev", "mon", "add-fd", "sandbox", "msg", "no-user-config", "display",
                "object", "tpmdev", "spice", "vnc", "pidfile", "D", "S", "monitor", "serial", "parallel", "qmp",
                "enable-kvm", "accel", "action", "nodefaults"}

# Properties of a device that name something of the host.
HOST_PROPS = {"id", "drive", "chardev", "netdev", "iothread", "tpmdev", "bus", "addr", "share-rw"}

# Properties of -machine of which the guest sees nothing.
HOST_MACHINE = {"type", "accel", "memory-backend", "dump-guest-core", "mem-merge", "pflash0", "pflash1", "graphics"}

# What QEMU takes for a property that is not given, where one side may spell it out.
DEFAULTS = {
    "*": {"multifunction": "off", "bootindex": "-1"},
    "scsi-hd": {"channel": "0", "scsi-id": "0"},
    "scsi-cd": {"channel": "0", "scsi-id": "0"},
    "machine": {"vmport": "auto", "usb": "off"},
    "rtc": {"base": "utc", "clock": "host", "driftfix": "none"},
    "boot": {"menu": "off", "reboot-timeout": "-1", "strict": "off"},
}

SLOTTED = re.compile(r"(?:0x)?([0-9A-Fa-f]+)(?:\.([0-7]))?")


class Unreadable(Exception):
    """The command line does not make sense."""


def split_value(text):
    """[(key, value)]; a comma in a value is written twice. A key without "=" has the value None."""
    parts, at = [""], 0
    while at < len(text):
        if text[at] != ",":
            parts[-1] += text[at]
        elif text[at + 1:at + 2] == ",":
            parts[-1] += ","
            at += 1
        else:
            parts.append("")
        at += 1
    return [(k, v if eq else None) for k, eq, v in (p.partition("=") for p in parts)]


def read(argv):
    """[(option, [(key, value)] or None)] of a list of arguments; without the program at its head."""
    argv = list(argv)
    if argv and not argv[0].startswith("-"):
        argv.pop(0)
    options = []
    while argv:
        word = argv.pop(0)
        name = word.lstrip("-")
        if not word.startswith("-") or not name:
            raise Unreadable(f"'{word}' is not an option")
        if name in FLAGS:
            options.append((name, None))
        elif argv:
            options.append((name, split_value(argv.pop(0))))
        else:
            raise Unreadable(f"'{word}' has no value")
    return options


def number(text):
    return int(text, 16) if text.lower().startswith("0x") else int(text)


def size_mib(text):
    m = re.fullmatch(r"(\d+)([KMGTkmgt]?)[iI]?[bB]?", text)
    if not m:
        raise Unreadable(f"'{text}' is not a size")
    return int(m[1]) * {"K": 1 / 1024, "M": 1, "": 1, "G": 1024, "T": 1024 ** 2}[m[2].upper()]


def memory(given):
    named = {("size" if v is None else k): (k if v is None else v) for k, v in given.items()}
    return {k: size_mib(v) if k in ("size", "maxmem") else v for k, v in named.items()}


def normal(key, value):
    """One spelling for each value."""
    if value is None or value in ("on", "true", "yes", "y"):
        return "on"
    if value in ("false", "no", "n"):
        return "off"
    if key in ("wwn", "port-wwn"):
        return number(value) if re.fullmatch(r"0x[0-9A-Fa-f]+|\d+", value) else value
    if key in ("mac",):
        return value.lower()
    if key not in ("serial", "name", "sysfsdev") and re.fullmatch(r"\d+", value):
        return str(int(value))
    return value


def properties(pairs, defaults):
    """{key: value} in one spelling, without what is the default anyway."""
    found = {k.replace("_", "-"): normal(k, v) for k, v in pairs}
    return {k: v for k, v in found.items() if defaults.get(k) != v}


def smp(pairs):
    """The topology as QEMU completes it (hw/core/machine-smp.c, since 6.2)."""
    given = {}
    for n, (k, v) in enumerate(pairs):
        given["cpus" if v is None and n == 0 else k] = number(k if v is None else v)
    cpus, top = given.get("cpus", 0), given.get("maxcpus", 0)
    sockets, cores, threads = (given.get(k, 0) for k in ("sockets", "cores", "threads"))
    dies = given.get("dies", 1)
    if not cpus and not top:
        sockets, cores, threads = sockets or 1, cores or 1, threads or 1
    else:
        top = top or cpus
        if not cores:
            sockets, threads = sockets or 1, threads or 1
            cores = top // (sockets * dies * threads)
        elif not sockets:
            threads = threads or 1
            sockets = top // (dies * cores * threads)
        threads = threads or top // (sockets * dies * cores)
    top = top or sockets * dies * cores * threads
    return {"cpus": cpus or top, "maxcpus": top, "sockets": sockets, "dies": dies, "cores": cores,
            "threads": threads}


class CommandLine:
    def __init__(self, options):
        self.options = options
        self.nodes = {}
        self.chardevs, self.netdevs, self.tpmdevs = {}, {}, {}
        for name, pairs in options:
            where = {"chardev": self.chardevs, "netdev": self.netdevs, "tpmdev": self.tpmdevs,
                     "blockdev": self.nodes}.get(name)
            if where is None:
                continue
            if name == "blockdev" and pairs[0][0].startswith("{"):
                raise Unreadable("-blockdev in JSON")
            pairs = dict([("driver", pairs[0][0])] + pairs[1:]) if pairs[0][1] is None else dict(pairs)
            key = pairs.get("node-name") if name == "blockdev" else pairs.get("id")
            if key in where:
                raise Unreadable(f"-{name} '{key}' is there twice")
            where[key] = pairs
        self.devices = self._read_devices()

    def all(self, name):
        return [pairs for option, pairs in self.options if option == name]

    def has(self, name):
        return any(option == name for option, _ in self.options)

    def merged(self, name):
        """An option that may be given several times, one on top of the other."""
        return dict(pair for pairs in self.all(name) for pair in pairs)

    # ------------------------------------------------------------ devices --
    def _read_devices(self):
        globals_ = []
        for pairs in self.all("global"):
            given = dict(pairs)
            if "driver" in given:
                globals_.append((given["driver"], given["property"], given["value"]))
            else:
                (key, value), = pairs
                globals_.append((*key.rsplit(".", 1), value))
        self.globals = globals_
        devices = []
        for pairs in self.all("device"):
            driver = pairs[0][0] if pairs[0][1] is None else dict(pairs)["driver"]
            given = dict(p for p in pairs if p[0] != "driver" and p != (driver, None))
            given = {k: "" if v is None else v for k, v in given.items()}
            for d, key, value in globals_:
                if d == driver:
                    given.setdefault(key, value)
            devices.append((driver, given))
        return devices

    def used_globals(self):
        drivers = {driver for driver, _ in self.devices}
        return {(d, p.replace("_", "-"), normal(p, v)) for d, p, v in self.globals if d not in drivers}

    def _parent(self, bus):
        """The device that a bus belongs to, or None for one of the machine's own."""
        for driver, given in self.devices:
            owner = given.get("id")
            if owner and (bus == owner or re.fullmatch(re.escape(owner) + r"\.\d+", bus)):
                return driver, given
        return None

    def place(self, driver, given, counts):
        """Where the guest finds a device: from the root, one step for each bus."""
        bus = given.get("bus")
        if bus is None:
            # Not on a bus that can be named: tpm-crb, pvpanic and other devices of the board.
            return f"{driver}"
        parent = self._parent(bus)
        if parent is None and not re.fullmatch(r"pcie\.0|ide\.\d+", bus):
            raise Unreadable(f"{driver} is on the bus '{bus}', which no device offers")
        above = bus if parent is None else self.place(*parent, {})
        return f"{above}/{self._address(driver, given, bus, parent, counts)}"

    def _address(self, driver, given, bus, parent, counts):
        if driver.startswith("scsi-"):
            return ".".join(str(number(given.get(k, "0"))) for k in ("channel", "scsi-id", "lun"))
        if driver.startswith("usb-"):
            return f"port {given.get('port', '?')}"
        if driver == "virtserialport":
            return f"nr {number(given['nr']) if 'nr' in given else '?'}"
        if driver.startswith("ide-"):
            unit = given.get("unit", counts.get(bus, 0))
            counts[bus] = int(unit) + 1
            return f"unit {unit}"
        # A PCI device; behind a root port there is room for slot 0 only. QEMU reads "addr" as
        # hexadecimal (hw/core/qdev-properties-system.c, set_pci_devfn).
        addr = given.get("addr", "0" if parent else "?")
        m = SLOTTED.fullmatch(addr)
        return f"{int(m[1], 16):02x}.{m[2] or 0}" if m else addr

    # -------------------------------------------------------- the host side --
    def disk(self, node):
        """What is behind a block node: the file and how it is used."""
        found = {"readonly": False, "layers": []}
        seen = set()
        while True:
            given = self.nodes.get(node)
            if given is None or node in seen:
                raise Unreadable(f"there is no block node '{node}'")
            seen.add(node)
            driver = given["driver"]
            found["readonly"] |= given.get("read-only") in ("on", "true")
            if driver not in ("file", "host_device"):
                found["layers"].append(driver)
                for key in ("discard", "detect-zeroes"):
                    if key in given:
                        found[key] = given[key]
            if "file" not in given:
                found["path"] = given.get("filename", given.get("dir"))
                return found
            node = given["file"]

    def backend(self, given):
        """What of the host a device is connected to, by what it is and not by its name there."""
        found = {}
        if "drive" in given:
            found["disk"] = self.disk(given["drive"])
        if "chardev" in given:
            chardev = self.chardevs.get(given["chardev"])
            if chardev is None:
                raise Unreadable(f"there is no chardev '{given['chardev']}'")
            found["chardev"] = {k: v for k, v in chardev.items() if k in ("driver", "host", "port", "name")}
        if "netdev" in given:
            netdev = self.netdevs.get(given["netdev"])
            if netdev is None:
                raise Unreadable(f"there is no netdev '{given['netdev']}'")
            found["netdev"] = netdev["driver"]
        if "tpmdev" in given:
            found["tpm"] = self.tpmdevs[given["tpmdev"]]["driver"]
        return found


def hardware(options):
    line = CommandLine(options)
    machine = {("type" if v is None else k): (k if v is None else v)
               for pairs in line.all("machine") + line.all("M") for k, v in pairs}
    cpu = [pair for pairs in line.all("cpu") for pair in pairs]
    found = {
        "machine type": machine.get("type"),
        "machine properties": {k: normal(k, v) for k, v in machine.items()
                               if k not in HOST_MACHINE and DEFAULTS["machine"].get(k) != v},
        # -nographic also tells the firmware to put its console on the serial port (FW_CFG_NOGRAPHIC).
        "graphics": "off" if line.has("nographic") else machine.get("graphics", "on"),
        "flash": {k: line.disk(machine[k]) for k in ("pflash0", "pflash1") if k in machine},
        "kvm": line.has("enable-kvm") or machine.get("accel") == "kvm"
               or any(pairs[0] in (("kvm", None), ("accel", "kvm")) for pairs in line.all("accel")),
        "default devices": not line.has("nodefaults"),
        "cpu model": cpu[0][0] if cpu else None,
        "cpu features": {k.lstrip("+-").replace("_", "-"): "off" if k.startswith("-") else normal(k, v)
                         for k, v in cpu[1:]},
        "smp": smp([pair for pairs in line.all("smp") for pair in pairs]),
        "memory": memory(line.merged("m")),
        "rtc": properties(line.merged("rtc").items(), DEFAULTS["rtc"]),
        "boot": properties(line.merged("boot").items(), DEFAULTS["boot"]),
        "uuid": next((pairs[0][0].lower() for pairs in line.all("uuid")), None),
        "name": next((dict(pairs).get("guest", pairs[0][0]) for pairs in line.all("name")), None),
        "globals": line.used_globals(),
        "other options": sorted(f"-{name} {pairs}" for name, pairs in options
                                if name not in HOST_OPTIONS | {"machine", "M", "cpu", "smp", "m", "rtc", "boot", "uuid",
                                                               "name", "global", "device", "nographic"}),
        "devices": [],
    }
    counts = {}
    for driver, given in line.devices:
        defaults = {**DEFAULTS["*"], **DEFAULTS.get(driver, {})}
        if driver == "scsi-hd" and given.get("serial"):
            # Newer ones than 7.2 want to be told so when the serial number is longer.
            defaults["device-id"] = given["serial"][:20]
        found["devices"].append({
            "driver": driver,
            "place": line.place(driver, given, counts),
            "props": properties(((k, v) for k, v in given.items() if k not in HOST_PROPS), defaults),
            "backend": line.backend(given),
        })
    return found

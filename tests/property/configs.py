# SPDX-License-Identifier: GPL-2.0-or-later
"""Random configs that the Go program can start: hosts, tags and machines with every key that it knows.

What the two programs are meant to treat differently (decided, and told to users) does not occur: a false
that comes before a true, a name twice in one file, a variable that nobody defines.
"""
import copy

STORAGE = ["raw", "raw", "raw-scsi", "raw-block", "raw-block", "vvfat-block", "iso-ahci", "iso-scsi", "iso-usb"]
NAME_FIRST = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
NAME = NAME_FIRST + "_.-"
# What a path may hold; a space before a hyphen would end an argument in the Go program's unquoted text.
PATH_PARTS = ["tank", "vm", "a b", "x,y", "100%", "%n", "$HOME", "it's", 'say "hi"', "back\\slash", "größe", "..", ".", "",
              "e=mc2", "日本"]
ODD_NAMES = ["c d", "größe", "ä/b", "a,b and a long rest", "x'y", "0", ".", "-", "日本語", "100%", "a\"b"]


class Random:
    """random.Random with words for what is done most."""

    def __init__(self, random):
        self.r = random

    def chance(self, of=2):
        return self.r.randrange(of) == 0

    def one(self, items):
        return self.r.choice(items)

    def name(self, longest=12):
        while True:
            found = self.one(NAME_FIRST) + "".join(self.one(NAME) for _ in range(self.r.randrange(longest)))
            if ".." not in found:
                return found

    def names(self, most):
        found = {}
        for _ in range(self.r.randrange(most + 1)):
            found.setdefault(self.name(), None)
        return list(found)

    def hex(self, n):
        return "".join(self.one("0123456789abcdefABCDEF") for _ in range(n))

    def uuid(self):
        plain = f"{self.hex(8)}-{self.hex(4)}-{self.hex(4)}-{self.hex(4)}-{self.hex(12)}"
        return self.one([plain, plain, plain.lower(), f"urn:uuid:{plain}", f"{{{plain}}}", plain.replace("-", "")])

    def wwn(self):
        digits = self.one("1256cdefCDEF") + self.hex(15)
        if digits[0] == "6":
            digits += self.hex(16)
        colons = ":".join(digits[i:i + 2] for i in range(0, len(digits), 2))
        return self.one([digits, f"0x{digits}", colons])

    def mac(self):
        return "52:54:" + ":".join(self.hex(2) for _ in range(4))


def pattern(r, variables):
    parts = [r.one(["${volume}", "$volume"])]
    for _ in range(r.r.randrange(4)):
        parts.append(r.one(["${machine-name}", "${machine-id}", "${machine-description}", "/", "-", "..", "a b", ",", "img",
                            *[f"${{{v}}}" for v in variables]]))
    r.r.shuffle(parts)
    # A separator behind each: "$volume" would swallow the letters that follow.
    return "".join(f"{part}." for part in parts) + r.one(["img", "raw", ""])


def path(r):
    return r.one(["/", "/", "/", ""]) + "/".join(r.one(PATH_PARTS) for _ in range(r.r.randrange(1, 4)))


def host(r, variables):
    storage = {}
    for kind in [*STORAGE, "firmware", "firmware", "tpm-data"]:
        pool = {"path": path(r), "type": kind}
        if r.chance(3) and kind != "tpm-data":
            pool["readonly"] = True
        if r.chance() or kind in ("firmware", "tpm-data"):
            pool["pattern"] = pattern(r, variables)
        storage[f"{kind}-{len(storage)}"] = pool
    processors = {r.name(): {k: v for k, v in (("brand", r.one(["AMD", "amd", "Intel", "INTEL", "other", None])),
                                              ("model", r.one(["x", None])), ("threads", r.one([0, 1, 2, 2, None])),
                                              ("default", r.one([True, False, None]))) if v is not None}
                  for _ in range(r.r.randrange(4))}
    networks = {name: {k: v for k, v in (("device", r.one(["br0", "kvmbr0"])), ("up", r.one([None, "/etc/up", "no"])),
                                         ("down", r.one([None, "/etc/down"]))) if v}
                for name in ["net", *r.names(3)]}
    classes = ["office", *r.names(2)]
    devices = {f"gpu{n}": {"address": f"0000:c{n}:00.0", "classes": {c: {"name": f"TYPE-{c}"} for c in classes}}
               for n in range(1, r.r.randrange(2, 4))}
    return {"storage": storage, "processor": processors, "network": networks, "mediated-device": devices}, classes


def volumes(r, h, most):
    found = {}
    for _ in range(r.r.randrange(most + 1)):
        # QEMU took these, too, as parts of the names of its block nodes.
        name = r.one(["", "", "", "-", "_", ".", "..", "x.."]) + r.name()
        pool = r.one([p for p, d in h["storage"].items() if d["type"] not in ("firmware", "tpm-data")])
        volume = {"name": name, "storage": pool}
        if r.chance(3):
            volume["bootable"] = r.chance()
        if r.chance(6):
            volume["wwn"] = r.wwn()
        if r.chance(6):
            volume["serial"] = r.one(["SER-1", "block serial", r.hex(20)])
        found.setdefault(name, volume)
    return list(found.values())


def connections(r, h, most, taken):
    found = {}
    for _ in range(r.r.randrange(most + 1)):
        # The kernel knows no interface with a "%" in its name.
        name = r.one([odd for odd in ODD_NAMES if "%" not in odd]) if r.chance(4) else r.name()
        connection = {"name": name, "network": r.one(list(h["network"]))}
        if r.chance(4):
            mac = r.mac()
            if mac.lower() not in taken:
                taken.add(mac.lower())
                connection["mac"] = mac
        if r.chance(5):
            connection["ip"] = "192.168.7.9"
        found.setdefault(name, connection)
    return list(found.values())


def devices(r, classes, most):
    found = {}
    for _ in range(r.r.randrange(most + 1)):
        name = r.one(ODD_NAMES) if r.chance(4) else r.name()
        device = {"name": name, "class": r.one(classes)}
        if r.chance(4):
            device["id"] = r.uuid()
        found.setdefault(name, device)
    return list(found.values())


def some_int(r, *likely):
    return r.one([*likely, *likely, *likely, 0, -1, None])


def attrs(r, h, variables):
    found = {}
    cpu = {k: v for k, v in (("sockets", some_int(r, 1, 2)), ("cores", some_int(r, 1, 2, 4)), ("threads", some_int(r, 1, 2)))
           if v is not None and r.chance()}
    if h["processor"] and r.chance(4):
        cpu["processor"] = r.one(list(h["processor"]))
    found["cpu"] = cpu
    if r.chance(3):
        found["memory"] = {"ram": some_int(r, 256, 1024)}
    for key in ("enlightenments", "qmp"):
        if r.chance(4):
            found[key] = {"enabled": True}
    if r.chance(5):
        found.setdefault("qmp", {})["sockets"] = {"names": r.names(2), "paths": [f"/run/x/{n}" for n in r.names(2)]}
    pools = [p for p, d in h["storage"].items() if d["type"] == "firmware"]
    if r.chance(8):
        pools = [p for p, d in h["storage"].items() if d["type"] in ("iso-ahci", "iso-usb")]
    if r.chance(4):
        found["firmware"] = {"code": {"name": "CODE" + r.name(4), "storage": r.one(pools)}}
        if r.chance():
            found["firmware"]["vars"] = {"name": "VARS" + r.name(4), "storage": r.one(pools)}
    if r.chance(6):
        found["tpm"] = {"enabled": True,
                        "data": {"name": "tpm", "storage": next(p for p in h["storage"] if p.startswith("tpm"))}}
    for key, ports in (("spice", (5900, 5999)), ("agent", (4900, 4999))):
        if r.chance(5):
            port = {"port": r.r.randrange(*ports)} if r.chance() else {"port-pattern": f"{ports[0] // 100}$number"}
            screen = {"enabled": True, **port}
            if key == "spice" and r.chance():
                screen["displays"] = some_int(r, 1, 2, 3, 4, 5)
            found[key] = screen if key == "spice" else {"qemu": screen}
    return {k: v for k, v in found.items() if v}


def config(random):
    """(host, machine, name of the machine) as data."""
    r = Random(random)
    variables = {name.replace(".", "_").replace("-", "_"): None for name in ["size", "tenant", *r.names(3)]}
    h, classes = host(r, list(variables))
    taken = set()

    def definition(big):
        return {"attrs": attrs(r, h, variables), "volumes": volumes(r, h, 80 if big else 5),
                "connections": connections(r, h, 4, taken), "devices": devices(r, classes, 3)}

    tags = {f"t{n}": definition(False) for n in range(r.r.randrange(4))}
    machine = definition(r.chance(12))
    inputs = [machine, *tags.values()]
    r.one(inputs)["vars"] = {"number": f"{r.r.randrange(100):02}"}
    for name in variables:
        for d in r.r.sample(inputs, r.r.randrange(1, len(inputs) + 1)):
            d.setdefault("vars", {})[name] = r.one(["x", "a b", "", "größe", "1.5", "a/b"])
    for d in inputs:
        d.setdefault("vars", {}).setdefault("number", "07")
    machine.setdefault("attrs", {}).setdefault("memory", {})["ram"] = r.one([256, 1024, 4096])
    machine["tags"] = list(tags)
    if r.chance(8):
        machine["privileges"] = {"filesystem": {"group": {"name": "vmdisk", "id": r.one([0, 1234])}}}
    if r.chance(6) is False:
        machine["id"] = r.uuid()
    if r.chance():
        machine["description"] = r.one(["a desk", "50% off", "größe"])
    if r.chance(10):
        machine["devices"] = copy.deepcopy(machine["devices"])
    h["tag"] = tags
    return h, machine, r.name(30)

# SPDX-License-Identifier: GPL-2.0-or-later
"""Random configs that the Go program could take: tags that define what others define too, all kinds of volumes beside
each other, lists long enough for several slots, hashed names, and every spelling that it read.
"""
from uuid import UUID

VOLUMES = ["os", "data", "a", "b", "0", "v.1", "x_y", "größe", "a b", "SYS", "d,e", 'q"x', "日本", "x" * 40, "p%q",
           "a=b"]
CONNECTIONS = ["0", "lan", "dmz", "eth0", "a long connection", "ä", "c,d", "x/y"]
MACHINES = ["web-01", "m", "a-rather-long-machine-name", "x.y", "0day", "exact15-len", "VM_1", "n" * 63]
VARS = ["seat", "size", "_x", "n-1", "long var", "0", "$", "machine"]
DISKS = ["raw", "raw-scsi", "raw-block", "vvfat-block", "iso-ahci", "iso-scsi", "iso-usb", "firmware", "tpm-data"]
PATTERNS = ["${machine-name}/${volume}.img", "$volume/${machine-id}/../${size}.raw", "${n-1}-$volume$",
            "$0$_x-${long var}${}/$volume", "${$}$$/./x//${volume}", "${volume}-$machine-name",
            "${machine-description}${volume}${", "", None]
BRANDS = ["Intel", "intel", "AMD", "aMd", "", "ARM"]
BOOLS = [("enlightenments",), ("tpm",), ("qmp",), ("agent", "qemu"), ("spice",)]


class Mixed:
    """A host's config and a machine's, made of what @rng says."""

    def __init__(self, rng):
        self.rng = rng
        self.name = rng.choice(MACHINES)
        self.host = {
            "processor": {name: self.processor()
                          for name in rng.sample(["xeon", "epyc", "Zen", "B", "é"], rng.randint(0, 4))},
            "storage": {name: self.pool(name) for name in [*DISKS, "code", "vars"]},
            "network": {"lan": {"device": "br0"}, "dmz": {"device": "br1", "up": "/etc/up", "down": "no"}},
            "mediated-device": {"gpu": {"address": "0000:41:00.0",
                                        "classes": {"cad": {"name": "A40-8Q"}, "ü": {"name": "x"}}}},
            "tag": {}}
        tags = [f"t{n}" for n in range(rng.randint(0, 7))]
        for tag in tags:
            self.host["tag"][tag] = self.definition()
        self.machine = self.definition()
        self.machine["tags"] = rng.sample(tags, rng.randint(0, len(tags))) + ["last"]
        # What patterns and machines can't do without.
        self.host["tag"]["last"] = {"vars": {name: rng.choice(["1", "07"]) for name in VARS},
                                    "attrs": {"memory": {"ram": 512},
                                              "tpm": {"data": {"name": "t", "storage": "tpm-data"}},
                                              "agent": {"qemu": {"port": 4000}}, "spice": {"port-pattern": "59$seat"}}}
        if self.may(0.9):
            self.machine["id"] = self.uuid()
        if self.may(0.3):
            self.machine["description"] = rng.choice(["A machine", "", "é"])
        self.no_false_before_true()

    def may(self, chance=0.5):
        return self.rng.random() < chance

    def some(self, chance=0.5, **values):
        """Each key with that chance, and one of its values."""
        return {key.replace("_", "-"): self.rng.choice(of) for key, of in values.items() if self.may(chance)}

    def uuid(self):
        text = str(UUID(int=self.rng.getrandbits(128)))
        return self.rng.choice([text, text.upper(), f"urn:uuid:{text}", f"{{{text}}}", text.replace("-", "")])

    def wwn(self):
        digits = self.rng.choice("125cdEF") + "".join(self.rng.choices("0123456789abcdefABCDEF", k=15))
        return self.rng.choice([digits, f"0x{digits}", ":".join(digits[n:n + 2] for n in range(0, 16, 2))])

    def processor(self):
        return self.some(0.8, brand=BRANDS, model=["any"], threads=[0, 1, 2, -1], default=[True, False])

    def pool(self, kind):
        pattern = self.rng.choice(PATTERNS)
        pool = {"type": kind if kind in DISKS else "firmware",
                "path": self.rng.choice(["/tank/", "/a/./b/..//", "/"]) + kind}
        if kind == "code" or kind not in ("vars", "tpm-data") and self.may(0.2):
            pool["readonly"] = True
        if pattern is not None:
            pool["pattern"] = pattern
        return pool

    def named(self, names, most, entry):
        """A list of up to @most entries, each with a name of its own."""
        many = self.rng.randint(0, most)
        found = {}
        for n in range(many):
            name = self.rng.choice(names) + (str(n) if many > len(names) or self.may(0.2) else "")
            found[name] = {"name": name, **entry()}
        return list(found.values())

    def volume(self):
        return {"storage": self.rng.choice(DISKS[:-1] if self.may(0.9) else DISKS),
                **self.some(0.3, bootable=[True, False]),
                **self.some(0.1, wwn=[self.wwn(), ""], serial=["SER-1", "two words", ""])}

    def connection(self):
        mac = f"02:00:00:00:00:{self.rng.randrange(256):02X}"
        return {"network": self.rng.choice(["lan", "dmz"]), **self.some(0.2, mac=[mac, ""], ip=["192.0.2.1", ""])}

    def device(self):
        return {"class": self.rng.choice(["cad", "ü"]), **self.some(0.2, id=[self.uuid(), str(UUID(int=0))])}

    def port(self, base):
        return self.some(0.4, enabled=[True, True, False], port=[0, -1, base + self.rng.randrange(90)],
                         port_pattern=[f"{base // 100}$seat", f"+{base}", f"0{base}", f"{base // 1000}${{seat}}99", ""])

    def attrs(self):
        code, nvram = ({"name": name, "storage": name} for name in ("code", "vars"))
        return self.some(
            0.25,
            firmware=[{"code": code}, {"vars": nvram}, {"code": code, "vars": nvram}, {"code": {}}],
            cpu=[self.some(cores=[0, 2, 3], sockets=[-1, 1, 2], threads=[0, 1, 2],
                           processor=[*self.host["processor"], ""])],
            memory=[{"ram": self.rng.choice([0, -5, 1000, 2048])}],
            enlightenments=[{"enabled": True}, {"enabled": False}],
            tpm=[self.some(enabled=[True], data=[{"name": "t2", "storage": "tpm-data"}],
                           socket=[{"path": "/run/c d.sock"}])],
            qmp=[{**self.some(0.7, enabled=[True]),
                  "sockets": self.some(names=[["x", "a b", "systemd.0"], ["y", "x", "x"]],
                                       paths=[["/run/a.sock"], ["/run/b.sock"]])}],
            agent=[{"qemu": self.port(4900)}], spice=[{**self.port(5900), **self.some(displays=[-1, 0, 1, 3, 4, 9])}])

    def definition(self):
        names = self.rng.sample(VARS[1:], self.rng.randint(0, 2))
        return {"vars": {name: self.rng.choice(["", "7", "08"]) for name in names},
                "privileges": {"filesystem": {"group": self.some(0.5, name=["vmfs", ""], id=[0, 70000])}},
                "attrs": self.attrs(),
                "volumes": self.named(VOLUMES, 45 if self.may(0.1) else 4, self.volume),
                "connections": self.named(CONNECTIONS, self.rng.choice([1, 2, 12]), self.connection),
                "devices": self.named(["vgpu", "d"], 2, self.device)}

    def no_false_before_true(self):
        """A false that is written counts here, and did not in the Go program."""
        for path in BOOLS:
            found = []
            for definition in [self.machine, *(self.host["tag"][tag] for tag in self.machine["tags"])]:
                for key in ("attrs", *path):
                    definition = definition.get(key) or {}
                found.append(definition)
            if any(d.get("enabled") for d in found):
                for d in found:
                    d.update({"enabled": True} if "enabled" in d else {})

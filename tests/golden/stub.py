# SPDX-License-Identifier: GPL-2.0-or-later
"""Start QEMU, paused, on a command line whose files, networks and sockets do not exist here.

What only the host knows is replaced by something that is always there; what the guest sees stays. So
two command lines can be compared by what QEMU itself makes of them.
"""
import json
import os
import re
import shutil
import subprocess
import tempfile

QEMU = "qemu-system-x86_64"

# Options that say nothing about the guest's hardware, or that the stub gives anew.
DROPPED = {"enable-kvm", "accel", "S", "mon", "qmp", "monitor", "vnc", "sandbox", "add-fd", "pidfile", "D", "msg",
           "spice", "cpu", "m", "action", "no-user-config", "display", "overcommit"}
MACHINE_DROPPED = {"accel", "memory-backend", "mem-merge", "dump-guest-core"}
# Lines of "info qtree" that name something of the host.
HOST_LINES = re.compile(r"(drive|chardev|netdev|iothread|tpmdev) = ")
LONG_WWN = re.compile("6[0-9A-F]{31}")
HOST_MACHINE = {"accel", "memory-backend", "mem-merge", "dump-guest-core", "dumpdtb", "pflash0", "pflash1"}


class Stub:
    """A directory of stand-ins; the same path always has the same one."""

    def __init__(self):
        self.top = tempfile.mkdtemp(prefix="machina-stub.")
        self.swtpm = None

    def close(self):
        if self.swtpm:
            self.swtpm.terminate()
            self.swtpm.wait()
        shutil.rmtree(self.top)

    def file(self, path):
        made = f"{self.top}/{re.sub(r'[^A-Za-z0-9.]', '-', path)}"
        with open(made, "ab") as f:
            f.truncate(1 << 20)
        return made

    def directory(self, path):
        made = f"{self.top}/{re.sub(r'[^A-Za-z0-9.]', '-', path)}.d"
        os.makedirs(made, exist_ok=True)
        return made

    def tpm(self):
        """A socket with a swtpm behind it, which serves one QEMU."""
        state = tempfile.mkdtemp(dir=self.top)
        path = f"{state}/s"
        self.swtpm = subprocess.Popen(["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={state}", "--terminate",
                                       "--ctrl", f"type=unixio,path={path}"],
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(200):
            if os.path.exists(path):
                break
            try:
                self.swtpm.wait(0.02)
            except subprocess.TimeoutExpired:
                continue
        return path

    # ---------------------------------------------------------- arguments --
    def arguments(self, options):
        """The command line that can be started here, for that of argv.read()."""
        nodes = {}
        for name, pairs in options:
            if name == "blockdev":
                nodes[dict(pairs)["node-name"]] = f"n{len(nodes)}"
        readonly = readonly_nodes(options)
        tpms = {dict(pairs).get("chardev") for name, pairs in options if name == "tpmdev"}
        words = ["-S", "-display", "none", "-accel", "tcg", "-cpu", "max", "-m", "128", "-qmp", "stdio",
                 "-no-user-config"]
        if any(name == "spice" for name, _ in options):
            words += ["-spice", f"unix=on,addr={self.top}/spice,disable-ticketing=on"]
        for name, pairs in options:
            if name in DROPPED:
                continue
            if pairs is not None:
                pairs = self.option(name, pairs, nodes, readonly, tpms)
                if pairs is None:
                    continue
            words.append(f"-{name}")
            if pairs is not None:
                words.append(",".join(k if v is None else f"{k}={v.replace(',', ',,')}" for k, v in pairs))
        return words

    def option(self, name, pairs, nodes, readonly, tpms):
        given = dict(pairs)
        if name == "machine":
            return [(k, nodes.get(v, v) if k.startswith("pflash") else v) for k, v in pairs if k not in MACHINE_DROPPED]
        if name == "object":
            return None if pairs[0][0].startswith("memory-backend") or given.get("qom-type", "").startswith("memory-") \
                else pairs
        if name == "chardev":
            driver = pairs[0][0] if pairs[0][1] is None else given["backend"]
            if given["id"] in tpms:
                return [("socket", None), ("id", given["id"]), ("path", self.tpm())]
            return pairs if driver == "spicevmc" else [("null", None), ("id", given["id"])]
        if name == "netdev":
            return [("user", None), ("id", given["id"])]
        if name == "device":
            if pairs[0][0] == "vfio-pci" or given.get("driver") == "vfio-pci":
                return None
            # QEMU takes 64 bits of a WWN; what becomes of longer ones is a deviation (deviations.py).
            return [(k, nodes.get(v, v) if k == "drive" else v) for k, v in pairs
                    if not (k == "wwn" and int(v, 16) >= 1 << 64 or k == "device_id" and LONG_WWN.fullmatch(v))]
        if name == "blockdev":
            return self.blockdev(given, nodes, readonly)
        return pairs

    def blockdev(self, given, nodes, readonly):
        kept = {"driver": "file" if given["driver"] == "host_device" else given["driver"],
                "node-name": nodes[given["node-name"]]}
        if given["node-name"] in readonly or given.get("read-only") == "on":
            kept["read-only"] = "on"
        for key in ("discard", "detect-zeroes"):
            if key in given and not (key == "detect-zeroes" and kept.get("read-only")):
                kept[key] = given[key]
        if "filename" in given:
            kept["filename"] = self.file(given["filename"])
        if "dir" in given:
            kept["dir"] = self.directory(given["dir"])
        if "file" in given:
            kept["file"] = nodes[given["file"]]
        return list(kept.items())

    # --------------------------------------------------------------- QEMU --
    def hardware(self, options):
        """(what QEMU has made of the command line, as text, "") or (None, what it said)."""
        run = [QEMU, *self.arguments(options)]
        with subprocess.Popen(run, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True) as qemu:
            questions = [("qmp_capabilities", {}), ("human-monitor-command", {"command-line": "info qtree"}),
                         ("qom-list", {"path": "/machine"})]
            try:
                answers = [ask(qemu, *question) for question in questions]
                machine = {}
                for prop in answers[2]:
                    if prop["type"] in ("string", "bool", "int", "str") or prop["type"].startswith(("uint", "OnOff")):
                        machine[prop["name"]] = ask(qemu, "qom-get", {"path": "/machine", "property": prop["name"]})
                ask(qemu, "quit", {})
            except (EOFError, BrokenPipeError):
                return None, f"{qemu.stderr.read()}{' '.join(run)}"
        text = "\n".join(f"machine {k} = {v}" for k, v in sorted(machine.items()) if k not in HOST_MACHINE)
        return f"{text}\n{canonical(answers[1])}", ""


def ask(qemu, command, arguments):
    print(json.dumps({"execute": command, "arguments": arguments}), file=qemu.stdin, flush=True)
    for line in qemu.stdout:
        answer = json.loads(line)
        if "return" in answer:
            return answer["return"]
        if "error" in answer:
            return answer["error"]["desc"]
    raise EOFError


def readonly_nodes(options):
    """Nodes above a read-only one, where the command line has forgotten to say that they are, too."""
    nodes = {dict(pairs)["node-name"]: dict(pairs) for name, pairs in options if name == "blockdev"}
    found = {n for n, given in nodes.items() if given.get("read-only") == "on"}
    return found | {n for n, given in nodes.items() if given.get("file") in found}


def canonical(qtree):
    """The text of "info qtree" without names of the host, each bus in an order that its content gives."""
    lines = [line for line in qtree.replace("\r", "").split("\n") if line.strip()]

    def read(at, indent):
        """The items that begin at an indentation: [(head, [lines], [items])]"""
        items = []
        while at < len(lines) and len(lines[at]) - len(lines[at].lstrip()) >= indent:
            head = lines[at].strip()
            at += 1
            if re.match(r"(dev|bus): ", head):
                own, below = [], []
                while at < len(lines) and len(lines[at]) - len(lines[at].lstrip()) > indent:
                    inner = lines[at].strip()
                    if re.match(r"(dev|bus): ", inner):
                        found, at = read(at, indent + 2)
                        below += found
                    else:
                        if not HOST_LINES.match(inner):
                            own.append(inner)
                        at += 1
                head = re.sub(r", id \".*\"$", "", head) if head.startswith("dev: ") else "bus"
                items.append((head, own, below))
        return items, at

    def write(item, indent):
        head, own, below = item
        inner = sorted((write(i, indent + 1) for i in below), key=lambda text: (address(text), text))
        return "\n".join("  " * (indent + n) + line for n, line in [(0, head), *((1, line) for line in own)]) \
            + "".join("\n" + text for text in inner)

    def address(text):
        m = re.search(r"^\s*addr = (\S+)", text, re.M)
        return m[1] if m else ""

    return "\n".join(write(item, 0) for item in read(0, 0)[0])

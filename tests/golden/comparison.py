# SPDX-License-Identifier: GPL-2.0-or-later
"""This program beside its Go ancestor, for one machine: the guest must see the same hardware, every identifier
must be the same, and what the Go program refused must be refused with a message that names what it named.
The differences that are meant are the rows of deviations.py.
"""
import difflib
import json
import posixpath
import re
import shutil
import subprocess

import argv
import deviations
import stub
import vectors
from deviations import Difference


MACHINE = {"driver": "", "place": ""}


class Case:
    """One machine of one vector."""

    def __init__(self, tap, machina, vector):
        self.tap, self.machina, self.vector = tap, machina, vector
        self.config = vectors.config_dir(vector)

    def run(self, *words):
        return subprocess.run([self.machina, words[0], "--config-dir", self.config, *words[1:], "--",
                               self.vector.machine], text=True, capture_output=True, check=False, timeout=60,
                              stdin=subprocess.DEVNULL)

    def ok(self, passed, what, why=""):
        return self.tap.ok(passed, f"{self.vector.case}: {what}", why)

    def compare(self):
        try:
            refused = deviations.refused(self.vector.machine)
            if refused:
                self.compare_refusal(refused)
            elif self.vector.args is None or self.vector.generate_error is not None:
                self.compare_error()
            else:
                self.compare_args()
                if self.vector.cat is not None:
                    self.compare_cat()
        finally:
            shutil.rmtree(self.config)

    # ------------------------------------------------------------- errors --
    def compare_refusal(self, row):
        self.tap.say(f"{self.vector.case}: {row.name}: {row.reason}")
        run = self.run("args", "--standalone", "--json")
        self.ok(run.returncode == 1 and self.vector.machine in run.stderr and not run.stdout,
                "is refused, and the message has its name", f"status {run.returncode}\n{run.stderr}")

    def compare_error(self):
        said = self.vector.error or self.vector.generate_error or ""
        run = self.run("args", "--standalone", "--json")
        row = next((row for row in deviations.BUILT if row.matches(said)), None)
        if row:
            self.tap.say(f"{self.vector.case}: {row.name}: {row.reason}")
            self.ok(run.returncode == 0, "is built", f"status {run.returncode}\n{run.stderr}")
            return
        if not self.ok(run.returncode == 1 and not run.stdout, "is refused with status 1 and no output",
                       f"status {run.returncode}\n{run.stdout}{run.stderr}"):
            return
        for name in names_in(said):
            self.ok(name in run.stderr, f"the message names '{name}'",
                    f"the Go program: {said}this program: {run.stderr}")

    # ---------------------------------------------------------- arguments --
    def built(self):
        """The arguments, after the machine's file was mended if a deviation asks for it."""
        run = self.run("args", "--standalone", "--json")
        row = deviations.mend(run.stderr, vectors.machine_file(self.config, self.vector)) if run.returncode == 1 else None
        if not row:
            return run
        self.tap.say(f"{self.vector.case}: {row.name}: {row.reason}\n{run.stderr}")
        return self.run("args", "--standalone", "--json")

    def compare_args(self):
        run = self.built()
        if not self.ok(run.returncode == 0, "is built", f"status {run.returncode}\n{run.stderr}"):
            return
        try:
            our_line = argv.read(json.loads(run.stdout))
            ours = argv.hardware(our_line)
        except (ValueError, argv.Unreadable) as e:
            self.ok(False, "the arguments can be read", f"{e}\n{run.stdout}")
            return
        go_line = vectors.read_args(self.vector.args)
        try:
            go = argv.hardware(go_line)
        except argv.Unreadable as e:
            self.tap.say(f"{self.vector.case}: QEMU refused the Go program's arguments: {e}")
            return

        for aspect in go:
            if aspect != "devices":
                self.difference(MACHINE, aspect, go[aspect], ours[aspect], go, aspect)
        self.compare_devices(go, ours)
        self.compare_sockets(go_line, our_line)

    def difference(self, device, aspect, go, ours, go_hardware, what):
        """One result: equal, or different as a row of the deviations says."""
        passed, why = go == ours, f"the Go program: {go}\n  this program: {ours}"
        if not passed:
            d = Difference(device["driver"], device["place"], aspect, go, ours, go_hardware)
            row = next((row for row in deviations.HARDWARE if row.matches(d)), None)
            if row:
                passed = True
                self.tap.say(f"{self.vector.case}: {what}: {row.name}: {row.reason}\n{why}")
        self.ok(passed, what, why)

    def compare_devices(self, go, ours):
        pairs = match_devices(go["devices"], ours["devices"])
        for a, b in pairs:
            what = f"{(a or b)['driver']} at {(a or b)['place']}"
            if not a or not b:
                self.ok(False, f"{what} is there in both",
                        f"only {'the Go program' if a else 'this program'} has {a or b}")
                continue
            self.difference(a, "place", a["place"], b["place"], go, f"{what}: place")
            for key in sorted(a["props"].keys() | b["props"].keys()):
                self.difference(a, key, a["props"].get(key), b["props"].get(key), go, f"{what}: {key}")
            for key in sorted(a["backend"].keys() | b["backend"].keys()):
                self.difference(a, key, a["backend"].get(key), b["backend"].get(key), go,
                                f"{what}: {key} behind it")
        order = [ours["devices"].index(b) for a, b in pairs if a and b]
        self.ok(order == sorted(order), "devices come in the same order",
                f"the Go program: {[d['place'] for d in go['devices']]}\n"
                f"  this program: {[d['place'] for d in ours['devices']]}")

    def compare_sockets(self, go_line, our_line):
        """The sockets that an operator has configured by hand are where they were."""
        there = sockets(our_line)
        for path in sockets(go_line):
            self.ok(posixpath.normpath("/" + path.lstrip("/")) in there, f"the socket {path} is used")

    def compare_in_qemu(self):
        """What QEMU itself makes of both."""
        what = "QEMU shows the guest the same hardware"
        stand_in = stub.Stub()
        try:
            go_line = vectors.read_args(self.vector.args)
            try:
                go = argv.hardware(go_line)
            except argv.Unreadable as e:
                self.tap.skip(f"{self.vector.case}: {what}", f"the Go program's arguments cannot start: {e}")
                return
            if any(deviations.is_hidden(device["place"], go) for device in go["devices"]):
                self.tap.skip(f"{self.vector.case}: {what}", "the Go program hides devices from the guest here")
                return
            go, why = stand_in.hardware(go_line)
            if go is None:
                said = [line for line in why.splitlines() if "warning:" not in line]
                self.tap.skip(f"{self.vector.case}: {what}", f"the Go program's arguments cannot start: {said[0]}")
                return
            run = self.built()
            if run.returncode != 0:
                self.ok(False, what, run.stderr)
                return
            ours, why = stand_in.hardware(argv.read(json.loads(run.stdout)))
            if ours is None:
                self.ok(False, what, f"QEMU refuses the arguments of this program: {why}")
                return
            diff = list(difflib.unified_diff(go.splitlines(), ours.splitlines(), "the Go program", "this program",
                                             lineterm=""))
            self.ok(not diff and "dev: " in go, what, diff)
        finally:
            stand_in.close()
            shutil.rmtree(self.config)

    # -------------------------------------------------------- identifiers --
    def compare_cat(self):
        run = self.run("cat", "--json")
        if not self.ok(run.returncode == 0, "cat --json", f"status {run.returncode}\n{run.stderr}"):
            return
        ours, go = json.loads(run.stdout), vectors.read_cat(self.vector.cat)
        attrs = ours.get("attrs", {})
        group = ours.get("privileges", {}).get("filesystem", {}).get("group", {})

        def same(what, ours, go):
            self.ok(ours == go, f"cat: {what}", f"the Go program: {go!r}\n  this program: {ours!r}")

        same("vars", ours.get("vars", {}), go["vars"])
        for line, value in (
                ("Name", ours.get("name")),
                ("ID", ours.get("id")),
                ("Description", ours.get("description")),
                ("Tags", ",".join(ours.get("tags", [])) or None),
                ("File System Access Group", f"{group.get('name')}:{group.get('id')}"),
                ("RAM", f"{attrs.get('memory', {}).get('ram')}M"),
                *((f"{key.title()}", str(attrs.get("cpu", {}).get(key))) for key in ("sockets", "cores")),
                ("Firmware Code (read-only)", volume_text(attrs.get("firmware", {}).get("code"))),
                ("Firmware Variables (read/write)", volume_text(attrs.get("firmware", {}).get("vars"))),
                ("TPM Data Directory", volume_text(attrs.get("tpm", {}).get("data")))):
            if line in go and (line not in ("Tags",) or go[line]):
                same(line, value, go[line])
        for block, keys in (("volumes", ("storage", "wwn", "serial", "bootable")),
                            ("connections", ("network", "ip", "mac")), ("devices", ("class", "id"))):
            entries = {entry.get("name", ""): entry for entry in ours.get(block, [])}
            same(f"names of {block}, in order", list(entries), list(go[block]))
            for name, theirs in go[block].items():
                for key in keys:
                    value = entries.get(name, {}).get(key)
                    if key == "bootable":
                        value = "bootable" if value else None
                    if key == "ip":
                        value = ", ".join(value) if isinstance(value, list) else value
                    same(f"{key} of '{name}' in {block}", value or None, theirs[key] or None)
        self.compare_links(ours)

    def compare_links(self, ours):
        links = [dict(pairs)["ifname"] for name, pairs in vectors.read_args(self.vector.args) if name == "netdev"]
        for connection, link in zip(ours.get("connections", []), links):
            self.ok(connection.get("link") == link, f"cat: link of '{connection.get('name')}'",
                    f"the Go program: {link!r}\n  this program: {connection.get('link')!r}")


def sockets(line):
    return [dict(pairs)["path"] for name, pairs in line if name == "chardev" and dict(pairs).get("path")]


def volume_text(volume):
    return f"{volume.get('name', '')}: {volume.get('storage', '')}" if volume else None


def names_in(message):
    """What a message of the Go program is about: the names in it."""
    found = re.findall(r'(?:for|type|pool|name) "([^"]+)"', message)
    for pattern in (r"build machine (\S+): the (\S+) tag", r"(?:volume|connection|device) (\S+) uses .*: (\S+)$"):
        for m in re.findall(pattern, message, re.M):
            found += m
    return list(dict.fromkeys(found))


def match_devices(go, ours):
    """[(device, device)], None where one side has none: by place, and what is left by what it is."""
    left, pairs = list(ours), []
    for key in (lambda d: (d["driver"], d["place"]), what_it_is, lambda d: d["driver"]):
        for n, (a, b) in enumerate(pairs or [(d, None) for d in go]):
            if n == len(pairs):
                pairs.append((a, b))
            if b is None:
                b = next((d for d in left if key(d) == key(a)), None)
                if b is not None:
                    left.remove(b)
                    pairs[n] = (a, b)
    return pairs + [(None, d) for d in left]


def what_it_is(device):
    props, backend = device["props"], device["backend"]
    return (device["driver"], backend.get("disk", {}).get("path"), props.get("mac"), props.get("serial"),
            props.get("name"), props.get("sysfsdev"))

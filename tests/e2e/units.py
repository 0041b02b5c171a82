#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The units of every example and of every golden vector, as the systemd that runs here sees them (see test-units).

They are verified and scored, and their ExecStart is asked for over D-Bus: it must be what "machina args --json"
prints.
"""
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
sys.path[:0] = [f"{TOP}/tests", f"{TOP}/tests/golden"]
import vectors  # noqa: E402
from tap import Tap  # noqa: E402

SYSTEM = "/etc/systemd/system"
LIMIT = 0.5
# Units that need more than the limit, with the limit and why. One that does not need it is an error.
USER_NETWORK = 'its network is of the mode "user": QEMU itself talks to the host\'s network'
SHARE = "it becomes root of a user namespace, which has no user but the share's"
SERVER = "dnsmasq answers guests in the host's network, on ports that only root may use"
EXCEPTIONS = {
    "machina-qemu-cloud.service": (1.5, USER_NETWORK),
    "machina-qemu-desktop.service": (1.5, USER_NETWORK),
    "machina-qemu-first.service": (1.5, USER_NETWORK),
    "machina-qemu-hostile-user.service": (1.5, USER_NETWORK),
    "machina-virtiofsd-build1@packages.service": (1.0, SHARE),
    "machina-virtiofsd-build1@results.service": (1.0, SHARE),
    "machina-virtiofsd-build1@sources.service": (1.0, SHARE),
    "machina-network-home.service": (1.5, SERVER),
    "machina-network-inside.service": (1.5, SERVER),
}

# Vectors that are refused on purpose; tests/golden tells why, and with which words.
REFUSED = ("error-missing-class", "error-missing-network", "error-missing-storage", "error-missing-tag",
           "error-unknown-type", "quoting", "tag-precedence")

# Text that means something to a shell, to systemd, to QEMU or to printf; valid in any path.
HOSTILE = "a b,c=d;e 'f' \"g\" \\ \\x41 \\n %n %%i $HOME ${HOME} $$ #h [i]* *.raw ~ -j äö☃\U0001f40e"
CONFIGS = {
    "hostile": {
        "description": f"{HOSTILE} %H",
        "attrs": {
            "memory": {"ram": 64},
            "boot": {"kernel": f"/boot/{HOSTILE}", "initrd": f"/boot/$HOME/{HOSTILE}", "cmdline": f"$HOME {HOSTILE}"},
            "firmware": {"code": {"name": "code", "storage": "firmware"}, "vars": {"name": "vars", "storage": "firmware"}},
            "tpm": {"enabled": True, "data": {"name": "t", "storage": "tpm"}, "socket": {"path": f"/run/x/{HOSTILE}"}},
            "qmp": {"enabled": True, "sockets": {"names": ["own"], "paths": ["/run/x/a b %n $HOME"]}},
        },
        "volumes": [{"name": "os", "storage": "disks", "serial": "a,b \"c\" %n $HOME"},
                    {"name": "cd", "storage": "isos"}, {"name": "shared", "storage": "folders"}],
        "qemu-args": ["-fw_cfg", f"name=opt/x,string={HOSTILE.replace(',', ',,')}", "$HOME", "${HOME}", "%n", "a\\"],
    },
    "hostile-macvtap": {
        "attrs": {"memory": {"ram": 64}},
        "connections": [{"name": "net", "network": "phys"}],
    },
    "hostile-switch": {
        "attrs": {"memory": {"ram": 64}},
        "connections": [{"name": "a %n", "network": "ports"}, {"name": "own", "network": "own"}],
    },
    "hostile-user": {
        "attrs": {"memory": {"ram": 64}, "vnc": {"enabled": True}, "spice": {"enabled": True, "port": 5930}},
        "connections": [{"name": "net", "network": "user"}],
    },
}
HOST = {
    "storage": {
        "disks": {"path": f"/var/lib/{HOSTILE}", "type": "raw"},
        "isos": {"path": f"/srv/{HOSTILE}", "type": "iso-scsi"},
        "folders": {"path": f"/srv/{HOSTILE}", "type": "vvfat-block"},
        "firmware": {"path": f"/usr/share/{HOSTILE}", "type": "firmware"},
        "tpm": {"path": f"/var/lib/{HOSTILE}", "type": "tpm-data"},
    },
    "network": {"phys": {"mode": "macvtap", "device": "$%n"},
                "ports": {"mode": "vhost-user", "socket": "/run/%n/${connection}"}, "own": {"mode": "vhost-user"},
                "user": {"mode": "user"}},
}


def run(*words):
    return subprocess.run(words, text=True, capture_output=True, check=False)


def write(path, value):
    with open(path, "w", encoding="utf-8") as f:
        json.dump(value, f)


def config_trees(scratch):
    """(title, directory as --root takes it, whether its machines are to be made)"""
    for folder in sorted(glob.glob(f"{TOP}/conf-examples/*/")):
        root = f"{scratch}/{os.path.basename(folder.rstrip('/'))}"
        if os.path.exists(f"{folder}/machina.conf.json"):
            shutil.copytree(folder, f"{root}/etc/machina")
            yield os.path.relpath(folder, TOP), root, True
    for vector in vectors.load(vectors.HERE):
        root = f"{scratch}/vector-{vector.case}"
        os.makedirs(f"{root}/etc")
        os.rename(vectors.config_dir(vector), f"{root}/etc/machina")
        yield f"vector {vector.case}", root, vector.case not in REFUSED
    root = f"{scratch}/hostile"
    os.makedirs(f"{root}/etc/machina/machine.conf.d")
    write(f"{root}/etc/machina/machina.conf.json", HOST)
    for name, config in CONFIGS.items():
        write(f"{root}/etc/machina/machine.conf.d/{name}.conf.json", config)
    yield "hostile values", root, True


def generate(tap, scratch):
    """Machine to its config's directory; their units are installed."""
    machines = {}
    for title, root, good in config_trees(scratch):
        names = [name[:-len(".conf.json")] for name in os.listdir(f"{root}/etc/machina/machine.conf.d")]
        os.makedirs(root + SYSTEM)
        made = run("machina", "--root", root, "generate", "--all")
        if not good:
            tap.ok(made.returncode != 0, f"{title}: generate refuses it", made.stdout)
            continue
        tap.ok(made.returncode == 0, f"{title}: generate", made.stderr)
        # Not the directories of what a target wants.
        for unit in filter(os.path.isfile, glob.glob(f"{root}{SYSTEM}/*")):
            tap.ok(not os.path.exists(f"{SYSTEM}/{os.path.basename(unit)}"), f"{os.path.basename(unit)} is of one machine")
            shutil.copy(unit, SYSTEM)
        machines.update((name, root) for name in names)
    return machines


def exec_start(unit):
    """The property over D-Bus, and the arguments that the process gets."""
    called = run("busctl", "--json=short", "call", "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                 "org.freedesktop.systemd1.Manager", "LoadUnit", "s", unit)
    path = json.loads(called.stdout)["data"][0]
    got = run("busctl", "--json=short", "get-property", "org.freedesktop.systemd1", path,
              "org.freedesktop.systemd1.Service", "ExecStart")
    return json.loads(got.stdout)["data"][0][1]


def expand(words):
    """What systemd makes of them when it starts the process and no variable is set (systemd.service(5))."""
    argv = []
    for word in words:
        if re.fullmatch(r"\$[A-Za-z_][A-Za-z0-9_]*", word):
            continue
        word = re.sub(r"\$(\$|\{[A-Za-z_][A-Za-z0-9_]*\})", lambda m: "$" if m[1] == "$" else "", word)
        argv.append(word)
    return argv


def check_arguments(tap, machines):
    for name, root in sorted(machines.items()):
        wanted = json.loads(run("machina", "--root", root, "args", "--json", name).stdout)
        shown = exec_start(f"machina-qemu-{name}.service")
        tap.ok(shown[-1] == "$MACHINA_RUNTIME_ARGS", f"{name}: arguments for one start can be added", shown[-1])
        got = expand(shown)
        # Which of the host's devices it will be is not known before the start.
        wanted = [re.sub(r"\$\{MACHINA_(PCI_\d+_\d+|RECONNECT)\}", "", word) for word in wanted]
        why = [f"argument {i}: expected {w!r}, got {g!r}" for i, (w, g) in enumerate(zip(wanted, got)) if w != g]
        tap.ok(got == wanted, f"{name}: ExecStart over D-Bus is what args prints",
               why or f"{len(wanted)} arguments, {len(got)} over D-Bus")


def check_verify(tap, units):
    checked = run("systemd-analyze", "verify", "--man=no", *units)
    lines = checked.stderr.splitlines() + checked.stdout.splitlines()
    for unit in units:
        name = os.path.basename(unit)
        # A unit that another needs is checked with it.
        tap.ok(not [line for line in lines if name in line], f"{name}: systemd-analyze verify",
               [line for line in lines if name in line])
    tap.ok(checked.returncode == 0 and not lines, "systemd-analyze verify has nothing to say about any", lines)


def check_scores(tap, units):
    services = [unit for unit in units if unit.endswith(".service")]
    shown = run("systemd-analyze", "security", "--no-pager", "--offline=yes", *services)
    scores = {m[1]: float(m[2]) for m in re.finditer(r"exposure level for (\S+): ([0-9.]+)", shown.stdout)}
    tap.ok(len(scores) == len(services), "systemd-analyze security knows all of them", shown.stderr)
    used = set()
    for name, score in sorted(scores.items()):
        limit, why = EXCEPTIONS.get(name, (LIMIT, ""))
        tap.ok(score <= limit, f"{name}: exposure {score} is at most {limit}{' (' + why + ')' if why else ''}")
        if why and score > LIMIT:
            used.add(name)
    for name in sorted(set(EXCEPTIONS) - used):
        tap.ok(False, f"{name}: an exception that is not needed")


def check_journal(tap):
    said = run("journalctl", "-b", "--no-pager", "-o", "cat", "_PID=1").stdout.splitlines()
    bad = [line for line in said if "machina-" in line]
    tap.ok(not bad, "systemd has read them without a word", bad)


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory() as scratch:
        machines = generate(tap, scratch)
        units = sorted(glob.glob(f"{SYSTEM}/machina-*"))
        tap.ok(len(machines) > 20 and len(units) > len(machines), f"{len(machines)} machines, {len(units)} units")
        run("systemctl", "daemon-reload")
        check_arguments(tap, machines)
        check_verify(tap, units)
        check_scores(tap, units)
        check_journal(tap)
    return tap.done()


sys.exit(main())

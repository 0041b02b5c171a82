# SPDX-License-Identifier: GPL-2.0-or-later
"""In a throw-away system with a bridge "br0": random machines come and go. nothing-left.py BUILD KERNEL

One machine stays all the time: what it has is not to change either. A stand-in keeps descriptors in systemd's place.
"""
import json
import os
import random
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), ".."))
from tap import Tap  # noqa: E402

BUILD, KERNEL = sys.argv[1:]
N_MACHINES, LIMIT_SECONDS = 60, 150
GROUPS = ["web", "quiet", "open"]
# All that goes with the machine; configs and units do not.
TREES = ["/run/machina", "/run/machina-qemu", "/run/machina-network", "/var/lib/vm", "/var/lib/machina",
         "/usr/local/bin"]
LINK_KEYS = ("ifname", "link_type", "mtu", "master", "address", "ifalias", "inet6_addr_gen_mode")
HOST = {
    "storage": {
        "disks": {"path": "/var/lib/vm", "pattern": "${machine-name}-${volume}.raw", "type": "raw"},
        "blocks": {"path": "/var/lib/vm", "pattern": "${machine-name}-${volume}.raw", "type": "raw-block"},
        "isos": {"path": "/var/lib/vm", "pattern": "${volume}.iso", "type": "iso-scsi", "readonly": True},
    },
    "network": {
        "lan": {"mode": "bridge", "device": "br0"},
        "lonely": {"mode": "bridge", "device": "br0", "isolate": True},
        "small": {"mode": "bridge", "device": "br0", "mtu": 1400},
        "free": {"device": "br0"},
        "script": {"up": "/usr/local/bin/up", "down": "/usr/local/bin/down"},
        "home": {"mode": "nat", "device": "mnat0", "address": ["10.77.0.1/24", "fd77::1/64"],
                 "forward": [{"port": 8080, "to": "10.77.0.5", "to-port": 80}]},
    },
    "firewall": {
        "addresses": {"office": ["192.0.2.0/24", "2001:db8:1::/48"]},
        "groups": {
            "web": {"rules": [{"protocol": "tcp", "port": [80, "8000-8100"]}, {"protocol": "icmp"}]},
            "quiet": {"locked": True, "default": {"in": "drop"},
                      "rules": [{"direction": "out", "action": "drop", "protocol": "tcp", "port": 25}]},
            "open": {"rules": [{"from": "@office"}, {"from": "&web"}]},
        },
    },
}
FILTERED = ["lan", "lonely", "small", "home"]


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def links():
    """What of interfaces does not change by itself."""
    found = []
    for link in json.loads(output("ip", "-j", "-d", "link")):
        port = link.get("linkinfo", {}).get("info_slave_data", {})
        found.append({**{key: link.get(key) for key in LINK_KEYS}, "port": {key: value for key, value in port.items() if
                      key in ("learning", "locked", "isolated", "guard", "flood", "neigh_suppress")}})
    return sorted(json.dumps(link) for link in found)


def files():
    found = []
    for tree in TREES:
        for where, _, names in os.walk(tree):
            for path in [where, *(os.path.join(where, name) for name in names)]:
                st = os.lstat(path)
                rights = [os.getxattr(path, name, follow_symlinks=False).hex()
                          for name in os.listxattr(path, follow_symlinks=False) if "acl" in name]
                found.append(f"{path} {st.st_mode:o} {st.st_uid}:{st.st_gid} {' '.join(rights)}")
    return sorted(found)


def state():
    """Of the host, as lines."""
    lines = links() + files()
    lines += output("ip", "-o", "addr").replace("tentative ", "").splitlines()
    # Elements of sets have no order.
    lines += sorted(part.strip() for part in output("nft", "-s", "list", "ruleset").replace(",", "\n").splitlines())
    # Without what the bridge has learned and the groups that the host's own addresses are in.
    lines += sorted(line for line in output("bridge", "fdb").splitlines()
                    if ("static" in line or "permanent" in line) and not line.startswith(("33:33:", "01:00:5e:")))
    for directory in ("/sys/class/net", "/sys/devices/virtual/net", "/proc/sys/net/ipv4/conf", "/proc/sys/net/ipv6/conf"):
        lines += [f"{directory}/{name}" for name in sorted(os.listdir(directory))]
    return lines


def rule(r):
    found = {"protocol": r.choice(["tcp", "udp", "icmp", "any"]), "action": r.choice(["accept", "drop"]),
             "direction": r.choice(["in", "out"])}
    if found["protocol"] in ("tcp", "udp"):
        found["port"] = r.choice([22, [53, 123], "1000-2000"])
    if r.randrange(2):
        found["to" if found["direction"] == "out" else "from"] = r.choice(["@office", "&web", "10.0.0.0/8"])
    return found


def packet_filter(r):
    return {"groups": r.sample(GROUPS, r.randrange(3)), "rules": [rule(r) for _ in range(r.randrange(3))],
            "guard": r.choice([True, True, False, {"mac": False}, {"address": False}])}


def machine(r, name):
    """A config, and the files that it needs."""
    attrs = {"machine": {"accel": "tcg"}, "memory": {"ram": 16}, "serial": {"enabled": r.choice([True, False])}}
    found = {"attrs": attrs, "volumes": [], "connections": []}
    for i in range(r.randrange(3)):
        pool = r.choice(["disks", "blocks", "isos"])
        found["volumes"].append({"name": f"v{i}", "storage": pool})
        path = f"/var/lib/vm/v{i}.iso" if pool == "isos" else f"/var/lib/vm/{name}-v{i}.raw"
        with open(path, "ab") as f:
            f.truncate(65536)
    for i in range(r.randrange(4)):
        network = r.choice(list(HOST["network"]))
        connection = {"name": f"c{i}", "network": network}
        if network in FILTERED and r.randrange(2):
            connection["ip"] = r.choice([f"10.77.0.{i + 10}", [f"10.77.0.{i + 10}", f"fd77::{i + 10}"]])
        if network in FILTERED and r.randrange(3) == 0:
            connection.update(packet_filter(r))
        found["connections"].append(connection)
    if all(c["network"] in FILTERED for c in found["connections"]) and r.randrange(2):
        attrs["firewall"] = packet_filter(r)
    if r.randrange(2):
        attrs["agent"] = {"qemu": {"enabled": True, **({"port": 7001} if r.randrange(2) else {})}}
    if r.randrange(4) == 0:
        attrs["boot"] = {"kernel": KERNEL}
    if r.randrange(4) == 0:
        attrs["vnc"] = {"enabled": True}
    return found


def try_run(*command):
    """Each machine's descriptors are kept apart, as systemd keeps them apart by unit: the last word is its name."""
    env = {**os.environ, "NOTIFY_SOCKET": "/run/store.stays" if command[-1] == "stays" else "/run/store"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    return done.returncode, done.stderr


def write(name, config):
    """Returns complaints: what is random here is nothing to refuse."""
    with open(f"/etc/machina/machine.conf.d/{name}.conf.json", "w", encoding="utf-8") as f:
        json.dump(config, f, indent="\t")
    status, errors = try_run("machina", "generate", name)
    return [errors] if status else []


def come_and_go(r, name, other, complaints):
    """One of the ways in which a machine comes and goes; returns which. @other: what its config may be by then"""
    way = r.choice(["once", "twice", "killed", "killed", "otherwise"])
    prepare = ["/usr/bin/machina", "prepare", "qemu", name]
    if way == "killed":
        at = r.randrange(1, 90)
        with open("/run/kill-at", "w", encoding="ascii") as f:
            f.write(str(at))
        status, errors = try_run(f"{BUILD}/tests/e2e/kill-at", "/run/kill-at", *prepare)
        way = f"killed at {at}" if status < 0 else f"not killed at {at}"
        if status > 0:
            complaints.append(f"prepare: {errors}")
    else:
        for _ in range(2 if way == "twice" else 1):
            status, errors = try_run(*prepare)
            if status:
                complaints.append(f"prepare: {errors}")
    if way == "otherwise":
        complaints += write(name, other)
    status, errors = try_run("machina", "teardown", name)
    if status or errors:
        complaints.append(f"teardown: {errors}")
    return way


def keep_descriptors(path):
    """A stand-in for systemd that listens there."""
    store = subprocess.Popen([f"{BUILD}/tests/bench/bench-replay", "store", path])
    end = time.monotonic() + 20
    while not os.path.exists(path) and time.monotonic() < end:
        time.sleep(0.01)
    return store


def difference(before, after):
    return [f"- {line}" for line in before if line not in after] + [f"+ {line}" for line in after if line not in before]


def main():
    tap = Tap()
    seed = int(os.environ.get("MACHINA_SEED") or time.time_ns() % 1000000)
    print(f"# seed {seed}", flush=True)
    os.makedirs("/var/lib/vm", exist_ok=True)
    with open("/etc/machina/machina.conf.json", "w", encoding="utf-8") as f:
        json.dump(HOST, f, indent="\t")
    with keep_descriptors("/run/store") as store, keep_descriptors("/run/store.stays") as other_store:
        write("stays", {"attrs": {"machine": {"accel": "tcg"}, "memory": {"ram": 16}, "firewall": {"groups": GROUPS}},
                        "connections": [{"name": "c", "network": "lan", "ip": "10.77.0.200"},
                                        {"name": "d", "network": "home", "ip": "10.77.0.201"}]})
        tap.ok(try_run("machina", "prepare", "network", "home")[0] == 0, "the network comes")
        tap.ok(try_run("machina", "prepare", "qemu", "stays")[0] == 0, "one machine stays")
        end, ways, n = time.monotonic() + LIMIT_SECONDS, set(), 0
        while n < N_MACHINES and time.monotonic() < end:
            r = random.Random(seed * 1000 + n)
            name = f"m{n}"
            config, other = machine(r, name), machine(r, name)
            complaints = write(name, config)
            before = state()
            way = come_and_go(r, name, other, complaints)
            ways.add(way.split()[0])
            complaints += difference(before, state())
            tap.ok(not complaints, f"machine {n}: {way}",
                   [*complaints, json.dumps(config), f"MACHINA_SEED={seed}"] if complaints else [])
            os.unlink(f"/etc/machina/machine.conf.d/{name}.conf.json")
            n += 1
        tap.ok({"once", "twice", "killed", "otherwise"} <= ways, "in each of the ways", sorted(ways))
        tap.ok(try_run("machina", "teardown", "stays")[0] == 0, "the last machine goes")
        tap.ok(try_run("machina", "teardown", "--network", "home")[0] == 0, "so does the network")
        tap.ok(output("nft", "list", "ruleset") == "", "no rule is left")
        store.kill()
        other_store.kill()
    return tap.done()


sys.exit(main())

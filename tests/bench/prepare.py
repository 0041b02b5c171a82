# SPDX-License-Identifier: GPL-2.0-or-later
"""In a throw-away system with a bridge: prepare and teardown of one machine. prepare.py REPLAY

Three ways to the same tap and the same rules: the program; "replay", which sends what the program has sent
to the kernel, and nothing else; the shell, with ip(8) and nft(8). A stand-in for systemd takes the
descriptors. The machine's rules go and come; those that it shares with others stay, as on a host in use.
"""
import json
import os
import re
import subprocess
import sys
import time

from bench import alternate, budget, head, peer_row, run, spent

N_ROUNDS, N_OTHERS = 60, 1000
LINK, MAC, ADDRESS = "web.lan", "52:54:00:ff:00:01", "192.0.2.1"
# What of rtnetlink changes something: RTM_NEWLINK, RTM_DELLINK, RTM_SETLINK, RTM_NEWNEIGH.
CHANGES = {16, 17, 19, 28}
replay = sys.argv[1]
PREPARE, TEARDOWN = ["machina", "prepare", "qemu", "web"], ["machina", "teardown", "web"]


def configure():
    """The machine, and the others: all with the group "web"."""
    with open("/etc/machina/machina.conf.json", "w", encoding="utf-8") as f:
        json.dump({"network": {"lan": {"mode": "bridge", "device": "br0"}},
                   "firewall": {"groups": {"web": {"rules": [
                       {"protocol": "tcp", "port": [80, 443]}, {"protocol": "icmp"}]}}}}, f)
    names = ["web", *(f"vm{i:04}" for i in range(N_OTHERS))]
    for i, name in enumerate(names):
        connection = {"name": "lan", "network": "lan", "mac": f"52:54:00:{255 - i // 256:02x}:{i % 256:02x}:01",
                      "ip": ADDRESS if name == "web" else f"10.0.{i // 250}.{i % 250 + 1}"}
        with open(f"/etc/machina/machine.conf.d/{name}.conf.json", "w", encoding="utf-8") as f:
            json.dump({"attrs": {"machine": {"accel": "tcg"}, "memory": {"ram": 16}, "firewall": {"groups": ["web"]}},
                       "connections": [connection]}, f)
    run(["machina", "generate", "--all"])
    return names[1:]


def start_store(kind, path):
    """A stand-in for systemd, which the units' hooks talk to, and know by what it sets for teardown."""
    os.environ["SERVICE_RESULT"] = "success"
    # The caller or the system ends it.
    store = subprocess.Popen([replay, kind, path])  # pylint: disable=consider-using-with
    end = time.monotonic() + 10
    while not os.path.exists(path):
        if time.monotonic() > end:
            sys.exit("no store")
        time.sleep(0.01)
    os.environ["NOTIFY_SOCKET"] = path
    return store


def prepare_others(others):
    """They are there as long as what this returns, their interfaces too."""
    before = os.environ["NOTIFY_SOCKET"]
    store = start_store("hoard", f"/run/others{len(others)}")
    run(["machina", "prepare", "qemu", *others])
    os.environ["NOTIFY_SOCKET"] = before
    links = [name for name in os.listdir("/sys/class/net") if name.startswith("vm")]
    if len(links) != len(others):
        sys.exit(f"{len(links)} of {len(others)} interfaces are there")
    return store


def record(command, path, before, after):
    """What a command sends that changes something, as "replay" takes it."""
    log = f"{path}.strace"
    run(["strace", "-e", "trace=socket,sendto", "-e", "write=all", "-o", log, *command])
    protocols, messages = {}, []
    with open(log, encoding="utf-8", errors="replace") as f:
        for line in f:
            opened = re.match(r"socket\(AF_NETLINK, .*NETLINK_(\w+)\)\s+= (\d+)", line)
            sent = re.match(r"sendto\((\d+),", line)
            data = re.match(r" \| [0-9a-f]+  ((?:[0-9a-f]{2} +)+)", line)
            if opened:
                protocols[opened[2]] = opened[1]
            elif sent:
                messages.append((protocols.get(sent[1]), bytearray()))
            elif data:
                messages[-1][1].extend(bytes.fromhex(data[1]))
    with open(path, "w", encoding="ascii") as f:
        f.write(before)
        for protocol, message in messages:
            kind = int.from_bytes(message[4:6], "little")
            if protocol == "ROUTE" and kind in CHANGES:
                f.write(f"route {message.hex()}\n")
            # NFNL_MSG_BATCH_BEGIN
            elif protocol == "NETFILTER" and kind == 16:
                f.write(f"nft {message.hex()}\n")
        f.write(after)
    if not any(protocol == "NETFILTER" for protocol, _ in messages):
        sys.exit(f"'{' '.join(command)}' has not spoken with nftables")


def shell_script(path):
    """What somebody would write who has no program for it; made while the machine is prepared."""
    def chain(direction):
        listed = subprocess.run(["nft", "-s", "list", "chain", "bridge", "machina", f"vm-{LINK}-{direction}"],
                                check=True, capture_output=True, text=True).stdout
        return re.sub(r"counter packets \d+ bytes \d+", "counter", listed)

    elements = "".join(f'add element bridge machina {name}-vm {{ "{LINK}" : jump vm-{LINK}-{way} }}\n'
                       for name, way in (("from", "out"), ("to", "in")))
    with open(path, "w", encoding="utf-8") as f:
        f.write(f"""set -e
nft -f - <<'END'
{chain("in")}{chain("out")}{elements}add element bridge machina grp-web-4 {{ {ADDRESS} }}
END
ip tuntap add {LINK} mode tap vnet_hdr
ip link set {LINK} alias machina:web/lan address fe{MAC[2:]} addrgenmode none master br0
bridge link set dev {LINK} learning off locked on guard on
bridge fdb replace {MAC} dev {LINK} master static sticky
ip link set {LINK} up
""")


def measure(others):
    """One table, beside so many others."""
    store = prepare_others(others)
    # So that the kernel has what both share, and the recording what one of them adds.
    run(PREPARE)
    run(TEARDOWN)
    record(PREPARE, "/run/prepare", f"tap {LINK}\n", "push net.0\n")
    shell_script("/run/prepare.sh")
    # The filter stays until its interface has gone: what takes the kernel its time is not ours.
    record(TEARDOWN, "/run/teardown", f"link {LINK}\nforget net.0\ngone {LINK}\n", "")

    ours, floor = alternate(lambda: (spent(PREPARE), spent(TEARDOWN)),
                            lambda: (spent([replay, "send", "/run/prepare"]), spent([replay, "send", "/run/teardown"])),
                            N_ROUNDS)
    pair, shell = alternate(lambda: (run(PREPARE), run(TEARDOWN))[0],
                            lambda: (run(["sh", "/run/prepare.sh"]), run(TEARDOWN))[0], N_ROUNDS // 3)

    def both(i, k):
        return [a[i][k] for a in ours], [b[i][k] for b in floor]

    beside = f"beside {len(others)}"
    budget(f"prepare, {beside}", *both(0, 0), 6 if len(others) > 1 else 3)
    budget("the same in processor time", *both(0, 1))
    peer_row(f"prepare, {beside}: ip and nft", pair, shell, 2.5)
    budget(f"teardown, {beside}", *both(1, 0), 2, above=True)
    budget("the same in processor time", *both(1, 1), above=True)
    run(["machina", "teardown", *others])
    store.kill()
    store.wait()


def main():
    others = configure()
    start_store("store", "/run/store")
    head("one machine, one filtered connection")
    measure(others[:1])
    measure(others)


main()

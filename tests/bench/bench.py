# SPDX-License-Identifier: GPL-2.0-or-later
"""What the benchmarks share: timing of whole processes in turn, and a table of ratios.

Two commands are measured as A B B A ..., so that a machine that gets slower meanwhile slows both, and what one
leaves behind (a network namespace to be taken down, a cache that is warm) falls on itself as often as on the
other. What counts is the median of the ratios of neighbours.
"""
import json
import os
import socket
import statistics
import subprocess
import sys
import time

# Only ends what hangs.
ANSWER_SECONDS = 120


def run(command):
    """Wall time of one process in milliseconds."""
    begin = time.perf_counter()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False)
    wall = (time.perf_counter() - begin) * 1000
    if done.returncode:
        sys.exit(f"{command[0]} ended with status {done.returncode}")
    return wall


def spent(command):
    """Wall time of one process and its processor time, which a busy host makes less of; both in milliseconds."""
    begin = time.perf_counter()
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as child:
        _, status, usage = os.wait4(child.pid, 0)
        wall = (time.perf_counter() - begin) * 1000
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"{command[0]} ended with status {child.returncode}")
    return wall, (usage.ru_utime + usage.ru_stime) * 1000


def processor_time():
    """Of all processes of this throw-away system so far, systemd and what has ended included, in milliseconds."""
    with open("/sys/fs/cgroup/cpu.stat", encoding="ascii") as f:
        return int(dict(line.split() for line in f)["usage_usec"]) / 1000


def alternate(ours, other, n_rounds, n_warm=2):
    """What two functions return in so many rounds, as two lists; each goes first in every other round."""
    results = []
    for i in range(n_rounds + n_warm):
        if i % 2:
            a, b = ours(), other()
        else:
            b, a = other(), ours()
        if i >= n_warm:
            results.append((a, b))
    return [a for a, _ in results], [b for _, b in results]


def ask(path, command):
    """The answer to one command at a QMP socket; OSError or ValueError while nobody answers there."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(ANSWER_SECONDS)
        s.connect(path)
        f = s.makefile("rw")
        f.readline()
        for execute in "qmp_capabilities", command:
            f.write(json.dumps({"execute": execute}) + "\n")
            f.flush()
            reply = json.loads(f.readline())
            while "event" in reply:
                reply = json.loads(f.readline())
        return reply


def wait_running(path, status="running"):
    """Until QEMU says at a QMP socket that its guest runs, or is what @status says."""
    end = time.monotonic() + ANSWER_SECONDS
    reply = None
    while time.monotonic() < end:
        try:
            reply = ask(path, "query-status")
            if reply["return"]["status"] == status:
                return
        except (OSError, ValueError):
            pass
        time.sleep(0.0005)
    sys.exit(f"no guest runs at {path} ({reply})")


def start_timed(command, path, stops, status="running"):
    """From a command to an answer at a QMP socket, wall and processor time; then it is stopped again."""
    processor, begin = processor_time(), time.perf_counter()
    run(command)
    wait_running(path, status)
    wall = (time.perf_counter() - begin) * 1000
    processor = processor_time() - processor
    for stop in stops:
        run(stop)
    return wall, processor


def stops_of(unit):
    """What ends a machine's unit without its guest's help."""
    return [["systemctl", "kill", "--signal=TERM", "--kill-whom=main", unit], ["systemctl", "stop", unit]]


def start_unit(unit, path, status="running"):
    """The same for "systemctl start", as often as one likes."""
    spent_on = start_timed(["systemctl", "start", unit], path, stops_of(unit), status)
    subprocess.run(["systemctl", "reset-failed", unit], check=False, stderr=subprocess.DEVNULL)
    return spent_on


def _verdict(what, target, good):
    return f"  {what} {target:g}  {'met' if good else 'MISSED'}" if target else ""


def row(what, ours, floor, target=None, unit="ms"):
    """One line of the table; nothing fails here, a busy host proves nothing."""
    ratio = statistics.median(a / b for a, b in zip(ours, floor))
    print(f"{what:44} {statistics.median(ours):9.2f} {unit}  floor {statistics.median(floor):9.2f} {unit}  "
          f"ratio {ratio:5.2f}{_verdict('target', target, ratio <= (target or 0))}", flush=True)


def peer_row(what, ours, peer, expected=None, unit="ms"):
    """As row(), against another program that does the same: how many times faster."""
    ratio = statistics.median(b / a for a, b in zip(ours, peer))
    print(f"{what:44} {statistics.median(ours):9.2f} {unit}  peer  {statistics.median(peer):9.2f} {unit}  "
          f"times {ratio:5.1f}{_verdict('expected', expected, ratio >= (expected or 0))}", flush=True)


def budget(what, ours, floor, limit=None, above=False, unit="ms"):
    """As row(), against a limit in the same unit: of the whole, or of what is above the floor."""
    spent_ms = statistics.median(a - b for a, b in zip(ours, floor)) if above else statistics.median(ours)
    print(f"{what:44} {statistics.median(ours):9.2f} {unit}  floor {statistics.median(floor):9.2f} {unit}  "
          f"{'above' if above else 'whole'} {spent_ms:5.2f}{_verdict('limit', limit, spent_ms <= (limit or 0))}", flush=True)


def head(title):
    print(f"{title}: medians of pairs, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors", flush=True)

# SPDX-License-Identifier: GPL-2.0-or-later
"""What the benchmarks share: timing of whole processes in turn, and a table of ratios.

Two commands are measured as A B A B ..., so that a machine that gets slower meanwhile slows both. What
counts is the median of the ratios of neighbours.
"""
import os
import statistics
import subprocess
import sys
import time


def run(command):
    """Wall time of one process in milliseconds."""
    begin = time.perf_counter()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False)
    wall = (time.perf_counter() - begin) * 1000
    if done.returncode:
        sys.exit(f"{command[0]} ended with status {done.returncode}")
    return wall


def row(what, ours, floor, target, unit="ms"):
    """One line of the table; nothing fails here, a busy host proves nothing."""
    ratio = statistics.median(a / b for a, b in zip(ours, floor))
    verdict = "met" if ratio <= target else "MISSED"
    print(f"{what:44} {statistics.median(ours):9.2f} {unit}  floor {statistics.median(floor):9.2f} {unit}  "
          f"ratio {ratio:5.2f}  target {target:4.2f}  {verdict}", flush=True)
    return ratio


def head(title):
    print(f"{title}: medians of pairs, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors", flush=True)

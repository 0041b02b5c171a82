#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Count what the tests of one suite did, each TAP subtest on its own.

    results.py BUILDDIR SUITE LOG.json	what "meson test --logbase" wrote
    results.py --tap NAME FILE STATUS	TAP on its own, and how its program ended

Prints the whole output of what failed and the reason of what was skipped on standard error, and
"PASSED FAILED SKIPPED" on standard output. A test that crashed, ran no tests, ran fewer than it
planned or was not run at all counts as a failure.
"""
import json
import re
import sys
from collections import namedtuple

Outcome = namedtuple("Outcome", "passed failed skipped faults reasons")

RESULT = re.compile(r"(not )?ok\b(?:\s+\d+)?(?:\s+-)?\s*(.*)")
PLAN = re.compile(r"1\.\.(\d+)(?:\s*#\s*skip\S*\s*(.*))?", re.I)
SKIP = re.compile(r"(.*?)(?<!\\)#\s*skip\S*\s*(.*)", re.I)


def read_tap(text, status):
    passed = failed = skipped = 0
    planned = None
    faults, reasons = [], []
    for line in text.splitlines():
        if m := PLAN.fullmatch(line.rstrip()):
            planned = int(m[1])
            if planned == 0 and m[2] is not None:
                skipped += 1
                reasons.append(m[2])
        elif line.startswith("Bail out!"):
            failed += 1
            faults.append(line)
        elif m := RESULT.match(line):
            skip = SKIP.match(m[2])
            if m[1]:
                failed += 1
                faults.append(m[2])
            elif skip:
                skipped += 1
                reasons.append(f"{skip[1].strip()}: {skip[2]}")
            else:
                passed += 1
    ran = passed + failed + skipped - (planned == 0)
    if planned is None:
        faults.append("it ended before it had printed its plan")
    elif ran != planned:
        faults.append(f"it planned {planned} tests and ran {ran}")
    if passed + failed + skipped == 0:
        faults.append("it ran no tests")
    if status != 0 and not failed:
        faults.append(f"it ended with status {status}")
    # What is wrong with the whole counts once, and only if no single test has told.
    return Outcome(passed, max(failed, bool(faults)), skipped, faults, reasons)


def read_exit(status):
    if status == 77:
        return Outcome(0, 0, 1, [], ["it ended with status 77"])
    return Outcome(int(status == 0), int(status != 0), 0, [f"it ended with status {status}"] if status else [], [])


def read_meson(builddir, suite, log):
    """Yields (name, outcome, whole output) of each test of the suite."""
    with open(f"{builddir}/meson-info/intro-tests.json", encoding="utf-8") as f:
        known = {t["name"]: t for t in json.load(f) if any(s.split(":")[-1] == suite for s in t["suite"])}
    try:
        with open(log, encoding="utf-8", errors="replace") as f:
            entries = [json.loads(line) for line in f if line.strip()]
    except FileNotFoundError:
        entries = []
    seen = set()
    for entry in entries:
        name = entry["name"].split(" / ")[-1].split(":")[-1]
        seen.add(name)
        output = (entry.get("stdout") or "") + (entry.get("stderr") or "")
        status = entry["returncode"]
        if known.get(name, {}).get("protocol") == "tap":
            outcome = read_tap(entry.get("stdout") or "", status)
        else:
            outcome = read_exit(status)
        if entry["result"] in ("TIMEOUT", "INTERRUPT"):
            ended = f"it was ended: {entry['result'].lower()}"
            outcome = outcome._replace(failed=max(1, outcome.failed), faults=outcome.faults + [ended])
        yield name, outcome, output
    for name in sorted(set(known) - seen):
        yield name, Outcome(0, 1, 0, ["it was not run"], []), ""
    if not known:
        yield suite, Outcome(0, 1, 0, ["the suite has no tests"], []), ""


def main(argv):
    if argv[:1] == ["--tap"] and len(argv) == 4:
        with open(argv[2], encoding="utf-8", errors="replace") as f:
            text = f.read()
        found = [(argv[1], read_tap(text, int(argv[3])), text)]
    elif len(argv) == 3:
        found = list(read_meson(*argv))
    else:
        print(__doc__, file=sys.stderr)
        return 2
    for name, outcome, output in found:
        if outcome.failed:
            print(f"---- {name}", file=sys.stderr)
            # What passed would only hide the rest.
            print(*[line for line in output.splitlines() if not line.startswith("ok ")], sep="\n", file=sys.stderr)
            for fault in outcome.faults:
                print(f"---- {name}: failed: {fault}", file=sys.stderr)
        for reason in outcome.reasons:
            print(f"     skipped: {name}: {reason}", file=sys.stderr)
    print(*(sum(getattr(outcome, kind) for _, outcome, _ in found) for kind in ("passed", "failed", "skipped")))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

# SPDX-License-Identifier: GPL-2.0-or-later
"""Results of tests that are written in Python, as TAP (testanything.org) on standard output.

	tap = Tap()
	tap.ok(count == 3, "three ports are kept free", f"found {count}")
	sys.exit(tap.done())

The plan is printed last, so that a test which dies half-way is seen to have died.
"""
import sys


class Tap:
    def __init__(self, out=None):
        self.out = out or sys.stdout
        self.count = 0
        self.failed = 0

    def say(self, text):
        """A line of explanation; it belongs to the result that comes after it."""
        for line in str(text).splitlines():
            print(f"# {line}", file=self.out)

    def ok(self, passed, name, why=""):
        """One result; @why, the lines that explain a failure, is printed only with one."""
        if not passed and why:
            self.say(why if isinstance(why, str) else "\n".join(why))
        self._result(passed, name)
        return passed

    def equal(self, got, expected, name):
        return self.ok(got == expected, name, f"expected {expected!r}\n     got {got!r}")

    def skip(self, name, reason):
        self._result(True, f"{name} # SKIP {reason}")

    def skip_all(self, reason):
        """Nothing could be tried; ends the program."""
        print(f"1..0 # SKIP {reason}", file=self.out)
        sys.exit(0)

    def _result(self, passed, name):
        self.count += 1
        self.failed += not passed
        text = name.replace("\n", " ")
        if "# SKIP" not in text:
            text = text.replace("#", "\\#")
        print(f"{'ok' if passed else 'not ok'} {self.count} - {text}", file=self.out, flush=True)

    def done(self):
        """The plan; returns the exit status of the test."""
        print(f"1..{self.count}", file=self.out, flush=True)
        return 1 if self.failed or not self.count else 0

#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The page machina-json(5) as a description that JSON can be held against.

As a program: jsonpage.py COMMAND [ARGUMENT...] <JSON. What does not fit is printed, and so is that there is nothing.
"""
import json
import os
import re
import sys

SOURCE = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..")
PAGE = f"{SOURCE}/cmd/machina/man/machina-json.5.in"

KINDS = {
    "string": lambda v: isinstance(v, str),
    "boolean": lambda v: isinstance(v, bool),
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "number": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool),
    "object": lambda v: isinstance(v, dict),
    "any value": lambda v: True,
    "list of strings": lambda v: isinstance(v, list) and all(isinstance(e, str) for e in v),
    "list of objects": lambda v: isinstance(v, list) and all(isinstance(e, dict) for e in v),
}


class Row:
    def __init__(self, kind, text):
        self.kind, _, optional = kind.partition(", ")
        assert self.kind in KINDS and optional in ("", "may be missing"), kind
        self.is_optional = bool(optional)
        self.text = text
        words = re.search(r"\b[Oo]ne of: (.*?)\.( |$)", text)
        self.words = words[1].split(", ") if words else None


def read_page():
    """{"list": {"machine": Row, ...}, "status sockets[]": ...}"""
    with open(PAGE, encoding="utf-8") as file:
        text = file.read().partition("\n.SH FORMS\n")[2].partition("\n.SH ")[0]
    for escape, char in [("\\-", "-"), ("\\(aq", "'"), ("\\&", ""), ("\\e", "\\")]:
        text = text.replace(escape, char)
    sections = {}
    for title, body in re.findall(r"^\.SS (.*)\n((?:(?!\.SS ).+\n?)*)", text, re.M):
        rows = {key: Row(kind, " ".join(words.split()))
                for key, kind, words in re.findall(r'^\.TP\n\.BR (\S+) " \((.*)\)"\n((?:(?!\.TP$).*\n?)*)', body, re.M)}
        assert len(rows) == body.count(".TP\n"), title
        for name in titles(title):
            sections[name] = rows
    return sections


def titles(title):
    """"firewall show in[], out[]": two of one form. The second is of the same command, or is one itself."""
    first, *others = title.split(", ")
    command = first.rpartition(" ")[0]
    return [first, *(f"{command} {other}".strip() for other in others)]


class Checker:
    def __init__(self):
        self.sections = read_page()
        self.faults = []

    def check_object(self, section, value, at, is_part=False):
        rows = self.sections[section]
        for key in value:
            if key not in rows:
                self.faults.append(f"{at}: the page has no key '{key}'")
        for key, row in rows.items():
            if key not in value:
                if not row.is_optional and not is_part:
                    self.faults.append(f"{at}: '{key}' is missing")
                continue
            self.check_value(section, key, row, value[key], f"{at}.{key}")

    def check_value(self, section, key, row, value, at):
        if not KINDS[row.kind](value):
            self.faults.append(f"{at}: {value!r} is no {row.kind}")
            return
        for word in value if isinstance(value, list) else [value]:
            if row.words and word not in row.words:
                self.faults.append(f"{at}: the page has no word '{word}'")
        if (section, key) == ("why", "before"):
            self.check_object("why", value, at, is_part=True)
        # What is below "data" is QEMU's.
        if section == "observe":
            return
        for part in (f"{section} {key}", f"{section} {key}[]", f"status {key}" if key == "rates" else ""):
            if part in self.sections:
                for one in value if isinstance(value, list) else [value]:
                    self.check_object(part, one, at)

    def check(self, command, value):
        """Returns what is wrong with what @command has printed."""
        self.faults = []
        section = "query" if command.startswith("query ") else command
        if isinstance(value, dict):
            self.check_object(section, value, command)
            if section == "observe" and re.match(r"OBSERVED$|UNIT_", str(value.get("event"))):
                self.check_object("observe data", value["data"], command)
        elif section == "args":
            self.check_value(section, "", Row("list of strings", ""), value, command)
        else:
            for i, one in enumerate(value):
                self.check_object(section, one, f"{command}[{i}]")
        return self.faults


def command_of(words, sections):
    """"firewall check" of "firewall check web"."""
    two = " ".join(words[:2])
    return two if two in sections or words[0] == "query" else words[0]


def main():
    decoder, text, n = json.JSONDecoder(), sys.stdin.read().strip(), 0
    checker, faults = Checker(), []
    command = command_of(sys.argv[1:], checker.sections)
    while text:
        value, end = decoder.raw_decode(text)
        faults += checker.check(command, value)
        text, n = text[end:].strip(), n + len(value)
    for fault in faults if n else ["there is nothing"]:
        print(fault)
    return 1 if faults or not n else 0


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: GPL-2.0-or-later
"""A strict reader of OpenMetrics 1.0 text and of Prometheus's format 0.0.4; what is against their rules raises ValueError.

	samples = read(text)            # {(name, (("label", "value"), ...)): "value"}
	samples = read(text, False)     # Prometheus's

As a program: openmetrics.py [--prometheus] <TEXT, exit status 1 and why.
"""
import re
import sys

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"'
NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
SAMPLE = re.compile(rf"({NAME})(?:\{{((?:{LABEL}(?:,{LABEL})*)?)\}})? ({NUMBER})")
SUFFIXES = {"gauge": [""], "counter": ["_total"], "info": ["_info"], "stateset": [""]}
PROMETHEUS = {"gauge", "counter"}


class Family:
    def __init__(self, name):
        self.name, self.type, self.unit, self.help, self.n = name, None, None, None, 0


def check_sample(family, name, labels, value, is_open):
    if family.type is None:
        raise ValueError(f"'{name}' has no TYPE")
    wanted = [family.name + s for s in SUFFIXES[family.type]] if is_open else [family.name]
    if name not in wanted:
        raise ValueError(f"'{name}' is no sample of the {family.type} '{family.name}'")
    if len({k for k, _ in labels}) != len(labels):
        raise ValueError(f"'{name}' has a label twice")
    if family.type == "counter" and float(value) < 0:
        raise ValueError(f"the counter '{name}' is negative")
    if is_open and family.type == "info" and float(value) != 1:
        raise ValueError(f"the info '{name}' is not 1")
    if is_open and family.type == "stateset":
        if float(value) not in (0, 1):
            raise ValueError(f"the state '{name}' is neither 0 nor 1")
        if family.name not in dict(labels):
            raise ValueError(f"the state '{name}' has no label of its name")


def read_comment(line, family, families, is_open):
    m = re.fullmatch(rf"# (TYPE|UNIT|HELP) ({NAME}) (.*)", line)
    if not m:
        raise ValueError(f"no metadata: {line!r}")
    word, name, rest = m.groups()
    if family is None or family.name != name:
        if name in families:
            raise ValueError(f"the lines of '{name}' are not together")
        family = families[name] = Family(name)
    if family.n:
        raise ValueError(f"metadata of '{name}' after its samples")
    key = word.lower()
    if getattr(family, key) is not None:
        raise ValueError(f"'{name}' has two lines {word}")
    setattr(family, key, rest)
    if word == "TYPE" and rest not in (SUFFIXES if is_open else PROMETHEUS):
        raise ValueError(f"'{name}' has the unknown type '{rest}'")
    if word == "UNIT" and not (is_open and name.endswith("_" + rest)):
        raise ValueError(f"'{name}' does not end in its unit '{rest}'")
    if word == "HELP" and re.search(r"\\(?![\\n\"])", rest):
        raise ValueError(f"the help of '{name}' has a backslash")
    return family


def read(text, is_open=True):
    if not text.endswith("\n"):
        raise ValueError("the last line does not end")
    lines = text[:-1].split("\n")
    if is_open and lines.pop() != "# EOF":
        raise ValueError("there is no '# EOF' at the end")
    family, families, samples = None, {}, {}
    for line in lines:
        if line.startswith("#"):
            family = read_comment(line, family, families, is_open)
            continue
        m = SAMPLE.fullmatch(line)
        if not m:
            raise ValueError(f"no sample: {line!r}")
        labels = tuple(re.findall(LABEL, m[2] or ""))
        if family is None:
            raise ValueError(f"a sample before all metadata: {line!r}")
        check_sample(family, m[1], labels, m[m.lastindex], is_open)
        family.n += 1
        key = (m[1], tuple(sorted(labels)))
        if key in samples:
            raise ValueError(f"twice: {line!r}")
        samples[key] = m[m.lastindex]
    return samples


def main():
    try:
        print(len(read(sys.stdin.read(), "--prometheus" not in sys.argv[1:])))
    except ValueError as e:
        print(f"openmetrics: {e}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: GPL-2.0-or-later
"""The rules of the source that a compiler does not know: layers, includes, lengths, words.

Each rule takes {path: text} and yields one line for each place where it is broken.
"""
import os
import re

from lint import tree

# What each folder of lib/ may include besides itself and util. Closed: what a folder may include,
# its row names too, so that a row is read without following others.
LAYERS = {
    "util": set(),
    "json": {"util"},
    "config": {"util", "json"},
    "model": {"util", "json", "config"},
    "qemu": {"util", "json", "config", "model"},
    "unit": {"util", "json", "config", "model", "qemu"},
    "firewall": {"util", "json", "config", "model"},
    "host/os": {"util", "json"},
    "host/systemd": {"util", "host/os"},
    "host/storage": {"util", "json", "config", "model", "host/os"},
    "host/net": {"util", "config", "model", "firewall", "host/os"},
    "host/device": {"util", "model", "host/os", "host/net"},
    "host/qmp": {"util", "json", "model", "host/os"},
    "host/agent": {"util", "json", "model", "host/os", "host/net", "host/qmp"},
    "host/prepare": {"util", "model", "firewall", "host/os", "host/systemd", "host/storage", "host/net", "host/device",
                     "host/qmp"},
    "host/machine": {"util", "json", "config", "model", "host/os", "host/systemd", "host/storage", "host/qmp",
                     "host/agent", "host/prepare"},
    "host/doctor": {"util", "config", "model", "firewall", "host/os", "host/systemd", "host/storage", "host/net",
                    "host/device", "host/machine"},
}
# The same of the folders of cmd/machina, which may include all of lib/ as well. What stands beside them
# are the commands, which may include all of it.
COMMAND_LAYERS = {
    "cli": set(),
    "setup": {"cli"},
    "hook": {"cli", "setup"},
    "lifecycle": {"cli", "setup", "hook"},
    "observe": {"cli", "setup", "hook", "lifecycle"},
    "guest": {"cli", "setup", "lifecycle"},
}
PURE = ("qemu", "unit", "firewall")
# What touches the world, and so has no place in a folder that only computes.
EFFECTS = re.compile(r"\b(f?open(at)?|fopen|socket|ioctl|unlink|rename|mkdir|getenv|time|clock_gettime"
                     r"|execv\w*|fork|p?read|p?write|printf|puts|stat|getpwnam|getuid)\s*\(")

FILE_LINES, FILE_LINES_MAX = 500, 600
FUNCTION_LINES, FUNCTION_LINES_MAX = 80, 120

# Spelled so that this file does not hold them itself.
FORBIDDEN = [
    (re.compile(r"\b(T[O]DO|F[I]XME|X[X]X)\b"), "work that was left"),
    (re.compile(r"\bnot (yet )?[i]mplemented\b"), "work that was left"),
    (re.compile(r"/t[m]p/[\w.-]+X{6}"), "a directory of its own that TMPDIR does not move"),
    (re.compile(r"/w[o]rk/|\.\./sh[a]red\b|/home/[a-z]+/|/Us[e]rs/"), "a path of one machine"),
]
# Whoever reads the sources may be sent to these places and to no other.
HOSTS = {"systemd.io", "qemu.org", "gitlab.com", "github.com", "gnu.org", "kernel.org", "debian.org",
         "freedesktop.org", "json-schema.org", "testanything.org", "rfc-editor.org", "ietf.org",
         "spdx.org", "fsf.org", "libvirt.org", "spice-space.org", "uefi.org", "no-color.org",
         "example.com", "example.org", "example.net", "mesonbuild.com", "llvm.org", "man7.org"}
URL = re.compile(r"\bhttps?://([A-Za-z0-9.-]+)")

CODE = (".c", ".h")
COMMENTED = (".c", ".h", ".py", ".sh", ".build", ".in", ".1", ".5", ".8", ".bash", ".zsh", ".fish")


def includes(text):
    """[(line number, '<x.h>' or '"x.h"')]"""
    return [(n, m[1]) for n, line in enumerate(text.splitlines(), 1)
            if (m := re.match(r'#\s*include\s+(<[^>]+>|"[^"]+")', line))]


def layering(sources):
    for path, text in sources.items():
        own = [n[1:-1] for _, n in includes(text) if n[0] == '"' and n.endswith('.h"')]
        folder = os.path.dirname(path)
        if path.startswith("lib/"):
            yield from layering_of(path, folder[len("lib/"):], own, LAYERS, "lib")
        elif path.startswith("cmd/machina/"):
            own = [name for name in own if os.path.dirname(name) not in LAYERS]
            if folder != "cmd/machina":
                yield from layering_of(path, folder[len("cmd/machina/"):], own, COMMAND_LAYERS, "cmd/machina")


def layering_of(path, folder, own, layers, top):
    if folder not in layers:
        yield f"{path}: {top}/{folder} has no row in the table of layers"
        return
    for name in own:
        other = os.path.dirname(name)
        if other not in layers:
            yield f'{path}: "{name}" is not of the form "folder/file.h"'
        elif other != folder and other not in layers[folder]:
            yield f'{path}: {top}/{folder} may not include "{name}"'
        elif not os.path.exists(f"{tree.TOP}/{top}/{name}"):
            yield f'{path}: there is no {top}/{name}'


def purity(sources):
    for path, text in sources.items():
        if not path.startswith(tuple(f"lib/{folder}/" for folder in PURE)):
            continue
        for n, line in enumerate(strip_comments(text).splitlines(), 1):
            if m := EFFECTS.search(re.sub(r'"(\\.|[^"\\])*"', '""', line)):
                yield f"{path}:{n}: {m[1]}() in a folder that only computes"


def own_header(path):
    """The name of the header that a source belongs to, whether it exists or not."""
    return re.sub(r"^(test|fuzz|fault)-", "", os.path.basename(path)[:-2]) + ".h" if path.endswith(".c") else None


def is_own(name, own):
    return name[0] == '"' and os.path.basename(name.strip('"')) == own


def is_head(path, names):
    """Whether the first block is the header that the source implements, or those that it tests. One
    source of several may implement a header, so it is known by its folder."""
    if not path.endswith(".c") or any(name[0] != '"' for name in names):
        return False
    folder = os.path.dirname(names[0].strip('"'))
    own_folder = re.sub("^(lib|cmd/machina)/?", "", os.path.dirname(path))
    return path.startswith("tests/") or len(names) == 1 and folder == own_folder


def include_blocks(sources):
    """Own header; <system>; "module/other.h": one block each, sorted, an empty line between."""
    for path, text in sources.items():
        lines = text.splitlines()
        found = includes(text)
        own = own_header(path)
        if own and path.startswith(("lib/", "cmd/")) and os.path.exists(f"{tree.TOP}/{path[:-2]}.h") \
                and (not found or not is_own(found[0][1], own)):
            yield f'{path}: the first include is not its own header, "{own}"'
        # Only the head of the file counts: an include below code has its reason there.
        head = []
        for n, name in found:
            if head and any(line and not line.startswith(("#", "/*", " *")) for line in lines[head[-1][0]:n - 1]):
                break
            head.append((n, name))
        blocks = [[]]
        for n, name in head:
            if blocks[-1] and n != blocks[-1][-1][0] + 1:
                blocks.append([])
            blocks[-1].append((n, name))
        kinds = []
        for block in blocks:
            names = [name for _, name in block]
            if not names:
                continue
            kind = "own" if not kinds and is_head(path, names) else names[0][0]
            if kind != "own" and any(name[0] != kind for name in names):
                yield f"{path}:{block[0][0]}: <system> and own headers in one block"
            if names != sorted(names):
                yield f"{path}:{block[0][0]}: the block is not sorted"
            kinds.append(kind)
        if kinds != [k for k in ("own", "<", '"') if k in kinds]:
            yield f"{path}: include blocks are {kinds}, not own, <system>, \"module/other.h\""


def guards(sources):
    for path, text in sources.items():
        if path.endswith(".h") and not re.search(r"^#pragma once$", text, re.M):
            yield f"{path}: no '#pragma once'"


def spdx(texts):
    for path, text in texts.items():
        if tree.is_data(path) or not (path.endswith(COMMENTED) or tree.is_script(path)):
            continue
        if not any("SPDX-License-Identifier: GPL-2.0-or-later" in line for line in text.splitlines()[:2]):
            yield f"{path}: no SPDX line at the top"


def opening_sentence(sources):
    """Each file says what it is right after its SPDX line."""
    for path, text in sources.items():
        lines = text.splitlines()
        if len(lines) < 2 or not lines[1].startswith("/*") or not re.search(r"\w", " ".join(lines[1:3])):
            yield f"{path}: no sentence after the SPDX line that says what the file is"


def forbidden(texts):
    for path, text in texts.items():
        if path == "COPYING":
            continue
        for n, line in enumerate(text.splitlines(), 1):
            for pattern, what in FORBIDDEN:
                if m := pattern.search(line):
                    yield f"{path}:{n}: '{m[0]}': {what}"
            for host in URL.findall(line):
                host = host.rstrip(".").lower()
                if not any(host == h or host.endswith(f".{h}") for h in HOSTS):
                    yield f"{path}:{n}: '{host}' is not among the hosts that sources may name"


def strip_comments(text):
    """The text without its comments and with the same number of lines."""
    return re.sub(r"/\*.*?\*/|//[^\n]*", lambda m: "\n" * m[0].count("\n"), text, flags=re.S)


def file_lengths(text):
    yield 1, text.count("\n"), ""


def function_lengths(text):
    """[(first line, number of lines, where)] of the functions of a file in kernel style."""
    start = head = None
    for n, line in enumerate(text.splitlines(), 1):
        if re.match(r"[A-Za-z_].*[(,]", line) and not line.endswith(";"):
            head = (n, line)
        elif line == "{" and head:
            start = head
        elif line.startswith("}") and start:
            yield start[0], n - start[0] + 1, f" in {start[1].strip()}"
            start = head = None


def lengths(sources, lines, lines_max, measure):
    """(places over @lines, places over @lines_max)"""
    over, far_over = [], []
    for path, text in sources.items():
        for n, length, what in measure(text):
            if length > lines:
                (far_over if length > lines_max else over).append(f"{path}:{n}: {length} lines{what}")
    return over, far_over


def sorted_tables(sources):
    """A comment with the words "keep sorted" holds for the rows up to the next line "};"."""
    for path, text in sources.items():
        last = None
        inside = False
        for n, line in enumerate(text.splitlines(), 1):
            if "keep sorted" in line and "*" in line:
                inside, last = True, None
            elif inside and re.match(r"\s*\}\s*;", line):
                inside = False
            elif inside and (m := re.search(r'"((?:\\.|[^"\\])*)"', line)):
                if last is not None and m[1].encode() < last.encode():
                    yield f'{path}:{n}: "{m[1]}" stands after "{last}" in a sorted table'
                last = m[1]


def registered(texts):
    """A source that no meson.build names is neither built nor run."""
    builds = {p: t for p, t in texts.items() if p.endswith("meson.build")}
    for path in texts:
        folder, name = os.path.split(path)
        if path.endswith(".c") and not tree.is_data(path):
            stem = re.sub(r"^(test|fuzz)-", "", name[:-2])
            text = "".join(builds.get(f"{parent}/meson.build".lstrip("/"), "") for parent in parents(folder))
            if not re.search(rf"['/]({re.escape(name)}|{re.escape(name[:-2])}|{re.escape(stem)})'", text):
                yield f"{path}: no meson.build names it"
        elif name == "meson.build" and folder:
            parent, child = os.path.split(folder)
            text = "".join(builds.get(f"{p}/meson.build".lstrip("/"), "") for p in parents(parent))
            if not re.search(rf"subdir\('([^']*/)?{re.escape(child)}'\)|'{re.escape(child)}'", text):
                yield f"{path}: no meson.build enters the folder"


def parents(folder):
    while folder:
        yield folder
        folder = os.path.dirname(folder)
    yield ""

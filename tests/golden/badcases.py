# SPDX-License-Identifier: GPL-2.0-or-later
"""Bad configs and what is said about them: the files bad/*.cases.

	# a remark
	== what is wrong
	-- web
	{ "tags": ["m"], "volumes": [ { "name": "os", "storage": "dsik" } ] }
	! machine.conf.d/web.conf.json:1:46: /volumes/0/storage: ...
	! 1 error in 1 file

	-- PATH		a file: the lines that follow
	-x PATH		a file of the bytes that the lines spell: \\xNN, \\n and so on; no newline at its end
	-d PATH		a directory
	-l PATH TARGET	a symbolic link
	-m MODE PATH	the mode of what was made before
	-r PATH		remove what base.conf.json gave
	-u		not as root
	$ WORDS		the command, as a shell reads it; "generate --all" if there is none. $ROOT is the root
			directory; --root $ROOT is added if neither --root nor --config-dir is there
	> LINE, ! LINE	what is to stand on standard output and standard error
	? STATUS	the exit status, if it is not 1

PATH is "host", "drop/NAME", the name of a machine, or "/PATH" below the root directory, where \\xNN
is a byte. The host's config is base.conf.json unless a case has its own. In what is expected, the
config directory is left out of paths, and $ROOT stands for the rest of the root directory.
"""
import os
import re
import shlex
import subprocess
from dataclasses import dataclass, field

HERE = os.path.dirname(os.path.realpath(__file__))
FOLDER = f"{HERE}/bad"
NOBODY = 65534


@dataclass
class Case:
    """@before: the lines that stand in front of it; @text: its own; @expected: what was said."""
    file: str
    title: str
    before: list = field(default_factory=list)
    text: list = field(default_factory=list)
    expected: list = field(default_factory=list)

    def files(self):
        """[(what to do, its words, lines)] of the case."""
        found = []
        for line in self.text:
            if m := re.match(r"(-[-xdlmru])(?: (.*))?$", line):
                found.append((m[1], (m[2] or "").split(" "), []))
            elif found and not line.startswith("$ "):
                found[-1][2].append(line)
        return found

    def command(self):
        """The words of the command line, as bytes."""
        line = next((line[2:] for line in self.text if line.startswith("$ ")), "generate --all")
        return [unescape(word) for word in shlex.split(line)]


def unescape(text):
    """Bytes of a text with the escapes of Python's bytes."""
    return text.encode().decode("unicode_escape").encode("latin-1")


def read(path):
    """The cases of a file, and the lines after the last one."""
    cases, rest = [], []
    with open(path, encoding="utf-8") as f:
        for line in f.read().split("\n")[:-1]:
            if line.startswith("== "):
                cases.append(Case(os.path.basename(path), line[3:], rest))
                rest = []
            elif not cases or line.startswith("#") or not line:
                rest.append(line)
            elif re.match(r"[>!] |[>!]$|\? ", line):
                cases[-1].expected.append(line)
            else:
                # An empty line or a "#" belongs to a file if more of it follows.
                cases[-1].text += rest + [line]
                rest = []
    return cases, rest


def write(path, cases, rest):
    lines = []
    for case in cases:
        lines += [*case.before, f"== {case.title}", *case.text, *case.expected]
    with open(path, "w", encoding="utf-8") as f:
        f.write("".join(f"{line}\n" for line in lines + rest))


def place(root, path):
    """Where a case's PATH is."""
    config = f"{root}/etc/machina"
    if path.startswith("/"):
        return os.fsencode(root) + unescape(path)
    if path.startswith("drop/"):
        return os.fsencode(f"{config}/machina.conf.d/{path[5:]}.conf.json")
    if path == "host":
        return os.fsencode(f"{config}/machina.conf.json")
    return os.fsencode(f"{config}/machine.conf.d/{path}.conf.json")


def build(root, case):
    """Lay the files of a case out below a root directory. Returns whether it is not for root."""
    os.makedirs(f"{root}/etc/machina/machine.conf.d")
    os.makedirs(f"{root}/etc/systemd/system")
    with open(f"{FOLDER}/base.conf.json", "rb") as base, open(place(root, "host"), "wb") as host:
        host.write(base.read())
    unprivileged = False
    for what, words, lines in case.files():
        if what == "-u":
            unprivileged = True
            continue
        path = place(root, words[-1] if what == "-m" else words[0])
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if what == "--":
            with open(path, "wb") as f:
                f.write("".join(f"{line}\n" for line in lines).encode())
        elif what == "-x":
            with open(path, "wb") as f:
                f.write(unescape("".join(lines)))
        elif what == "-d":
            os.makedirs(path, exist_ok=True)
        elif what == "-l":
            os.symlink(os.fsencode(words[1]), path)
        elif what == "-m":
            os.chmod(path, int(words[0], 8))
        elif what == "-r":
            (os.rmdir if os.path.isdir(path) else os.remove)(path)
    return unprivileged


def run(machina, root, case, words=None, unprivileged=False):
    """Run the case's command, or another. Returns the lines that say what it said."""
    words = [word.replace(b"$ROOT", os.fsencode(root)) for word in words or case.command()]
    if not any(word.startswith((b"--root", b"--config-dir")) for word in words):
        words[1:1] = [b"--root", os.fsencode(root)]
    done = subprocess.run([os.fsencode(machina), *words], capture_output=True, check=False, timeout=60,
                          stdin=subprocess.DEVNULL, user=NOBODY if unprivileged else None,
                          env={"PATH": os.environ.get("PATH", "/usr/bin"), "LC_ALL": "C.UTF-8",
                               **{k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}})
    lines = []
    for mark, stream in ((">", done.stdout), ("!", done.stderr)):
        text = stream.decode("utf-8", "backslashreplace")
        text = text.replace(f"{root}/etc/machina/", "").replace(root, "$ROOT")
        lines += [f"{mark} {line}" if line else mark for line in text.splitlines()]
    return lines + ([f"? {done.returncode}"] if done.returncode != 1 else [])


def tree(root):
    """All below a directory: path and what it is, for seeing that nothing was changed."""
    found = {}
    for folder, folders, names in os.walk(os.fsencode(root)):
        for name in folders + names:
            path = os.path.join(folder, name)
            st = os.lstat(path)
            found[path] = (st.st_ino, st.st_mode, st.st_size, st.st_mtime_ns)
    return found

# SPDX-License-Identifier: GPL-2.0-or-later
"""The files of the project, for the tests that read them."""
import os
import subprocess

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))


def files():
    """Every file of the project, sorted, as a path below TOP.

    Those that git tracks; where the tree came without git, all but what a build left.
    """
    # A tree that belongs to someone else than the caller (sudo, a container) is read all the same.
    git = subprocess.run(["git", "-c", f"safe.directory={TOP}", "-C", TOP, "ls-files", "-z"],
                         capture_output=True, check=False) if os.path.exists(f"{TOP}/.git") else None
    if git and git.returncode == 0:
        found = [os.fsdecode(name) for name in git.stdout.split(b"\0") if name]
    else:
        found = []
        for folder, folders, names in os.walk(TOP):
            folders[:] = [f for f in folders if not f.startswith((".git", "build", "_build"))]
            found += [os.path.relpath(os.path.join(folder, name), TOP) for name in names]
    return sorted(f for f in found if os.path.isfile(f"{TOP}/{f}") and not os.path.islink(f"{TOP}/{f}"))


def read(path):
    """The text of a file below TOP, or None if it is not text."""
    with open(f"{TOP}/{path}", "rb") as f:
        raw = f.read()
    try:
        return None if b"\0" in raw else raw.decode()
    except UnicodeDecodeError:
        return None


def is_script(path):
    """Whether the file begins with "#!"."""
    with open(f"{TOP}/{path}", "rb") as f:
        return f.read(2) == b"#!"


def is_data(path):
    """Whether the file is input or expected output of a test and not written by hand as code."""
    return any(part in path for part in ("/corpus", "/vectors/", "/expected", "/bad/", "/fixtures/"))

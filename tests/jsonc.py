# SPDX-License-Identifier: GPL-2.0-or-later
"""JSON with comments, for tests that look at config files themselves."""
import json
import re

# A string, or a comment: the first that begins decides what the text up to its end is.
STRING_OR_COMMENT = re.compile(r'"(?:\\.|[^"\\])*"|//[^\n]*|/\*.*?\*/', re.S)


def strip(text):
    """The text of a config file without its comments."""
    return STRING_OR_COMMENT.sub(lambda m: m[0] if m[0][0] == '"' else " ", text)


def loads(text):
    """The value of a config file's text."""
    return json.loads(strip(text))


def load(path):
    with open(path, encoding="utf-8") as f:
        return loads(f.read())

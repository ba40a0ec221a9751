# SPDX-License-Identifier: Apache-2.0
"""Interfaces that Debian's ifupdown configures, interfaces(5)."""

from __future__ import annotations

import contextlib
import glob
import os
import re

FILES = ("/etc/network/interfaces", "/etc/network/interfaces.d/*")
MARK = "#pextra-ce# "
_STANZA = re.compile(r"\s*(iface|mapping|auto|allow-\S+|source\S*|no-\S+|rename)\b\s*(.*)")


def files() -> dict[str, str]:
    """The files that ifupdown reads: path to content."""
    found = {}
    for path in sorted(path for pattern in FILES for path in glob.glob(pattern)):
        with contextlib.suppress(OSError), open(path, encoding="utf-8") as file:
            found[path] = file.read()
    return found


def configures(text: str, name: str) -> bool:
    """Whether a file gives an interface an address, or asks for one."""
    return any(
        match[1] == "iface" and match[2].split()[:1] == [name] and match[2].split()[-1] != "manual"
        for match in map(_STANZA.fullmatch, text.splitlines())
        if match
    )


def without(text: str, name: str) -> str:
    """The file with what it says of an interface put into remarks."""
    lines, inside = [], False
    for line in text.splitlines():
        match = _STANZA.fullmatch(line)
        if match is not None:
            words = match[2].split()
            inside = match[1] == "iface" and words[:1] == [name]
            if words == [name] and match[1] in ("auto", "allow-hotplug"):
                lines.append(MARK + line)
                continue
        lines.append(MARK + line if inside and line.strip() else line)
    return "\n".join(lines) + "\n"


def again(text: str) -> str:
    """The file with what we put into remarks as it was."""
    return "\n".join(line.removeprefix(MARK) for line in text.splitlines()) + "\n"


def disable(name: str) -> None:
    """Put what the files say of an interface into remarks."""
    for path, text in files().items():
        if configures(text, name):
            _write(path, without(text, name))


def restore(name: str) -> None:
    """Have the files say of interfaces what they said before."""
    for path, text in files().items():
        if MARK in text and configures(again(text), name):
            _write(path, again(text))


def _write(path: str, text: str) -> None:
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o644)
        file.write(text)
    os.replace(f"{path}.new", path)

# SPDX-License-Identifier: Apache-2.0
"""The libvirt API itself, with Debian's Python: how fast it can be, and cleaning up.

Usage: bare_libvirt.py define DIRECTORY | again DIRECTORY | remove PREFIX

DIRECTORY has one definition a file. ``define`` defines them, ``again`` lists all domains and reads
those. ``remove`` stops and undefines domains and pools whose names begin with PREFIX.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Any

import libvirt


def define(connection: Any, directory: str) -> None:
    """Define every domain."""
    for path in sorted(Path(directory).iterdir()):
        connection.defineXML(path.read_text())


def again(connection: Any, directory: str) -> None:
    """Read back every domain, as a program must that defines only what differs."""
    wanted = {path.stem for path in Path(directory).iterdir()}
    listed = {item.name(): item for item in connection.listAllDomains(0)}
    found = {name: item.XMLDesc(0) for name, item in listed.items() if name in wanted}
    if len(found) != len(wanted):
        sys.exit("domains are missing")


def remove(connection: Any, prefix: str) -> None:
    """Remove what begins with a prefix, running or not."""
    for item in (*connection.listAllDomains(0), *connection.listAllStoragePools(0)):
        if item.name().startswith(prefix):
            with contextlib.suppress(libvirt.libvirtError):
                item.destroy()
            item.undefine()


def main() -> None:
    """Do what the arguments say."""
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    connection = libvirt.open("qemu:///system")
    {"define": define, "again": again, "remove": remove}[sys.argv[1]](connection, sys.argv[2])


if __name__ == "__main__":
    main()

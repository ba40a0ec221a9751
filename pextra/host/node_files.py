# SPDX-License-Identifier: Apache-2.0
"""What a node has besides packages: the platform's directories, libvirt's hook with its code, and
what udev and needrestart are to know of instances.

libvirt knows no VLANs on Linux bridges. The hook gives the ports of a domain that starts what the
domain's definition asks for, whoever starts it. Its code is that of the modules: this very copy.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from pextra.host import files
from pextra.host.files import Entry
from pextra.host.network import hook, iproute, mirrors, policy, ports, snapshot, vlans
from pextra.model import errors

DIRECTORIES = {
    "/var/lib/pextra-ce": 0o711,
    "/var/lib/pextra-ce/site": 0o755,
    "/var/lib/pextra-ce/images": 0o755,
    "/var/lib/pextra-ce/pools": 0o711,
    "/etc/pextra-ce": 0o755,
    "/etc/pextra-ce/license-keys.d": 0o755,
    "/var/log/pextra-ce": 0o755,
}
"""Parents first. QEMU, which runs as another user, passes through those with 0711."""

LIBRARY = "/usr/lib/pextra-ce/hook"
_ABOVE = "/usr/lib/pextra-ce"
"""Packages have things of their own in it."""
HOOKS = ("/etc/libvirt/hooks/qemu.d/50-pextra-ce", "/etc/libvirt/hooks/lxc.d/50-pextra-ce")
FILES = {
    # systemd.link(5)
    "/etc/systemd/network/00-pextra-ports.link": """\
# Made by pextra.ce.node_files, which overwrites changes.
# libvirt gives these their MAC addresses. By its default, MACAddressPolicy=persistent, udev gives
# them others when it is slower than libvirt: the device of a container then has one of its own.
[Match]
OriginalName=vnet*

[Link]
MACAddressPolicy=none
""",
    "/etc/needrestart/conf.d/50-pextra-ce.conf": """\
# Made by pextra.ce.node_files, which overwrites changes.
# An instance runs on with its QEMU, also when that is replaced. Where libvirt can make no control
# group for it, it would count to libvirtd.service, and that would be restarted again and again.
push(@{$nrconf{blacklist}}, qr(^/usr/bin/qemu-system-));
""",
}
"""For udev, and for needrestart."""
HOOK_MODULES = (errors, hook, iproute, mirrors, policy, ports, snapshot, vlans)
"""The hook, and all that it imports of the collection."""

HOOK = f'''\
#!/usr/bin/python3
# Made by pextra.ce.node_files, which overwrites changes.
"""Closes the bridge ports of a domain that starts, as its definition asks."""

import sys

sys.path.insert(0, "{LIBRARY}")

from {hook.__name__} import main

sys.exit(main())
'''


def wanted() -> Iterator[Entry]:
    """What a node is to have, parents first."""
    for path, mode in DIRECTORIES.items():
        yield Entry(path, mode)
    above = {os.path.dirname(path) for path in (*FILES, *HOOKS)}
    for path in sorted(above | {"/etc/needrestart"}):  # its package may come later
        yield Entry(path, 0o755)
    for path, text in FILES.items():
        yield Entry(path, 0o644, text)
    code = {f"{LIBRARY}/{one.__name__.replace('.', '/')}.py": _source(one) for one in HOOK_MODULES}
    for path in sorted({above for file in code for above in _above(file)}):
        yield Entry(path, 0o755)
    for path, text in code.items():
        yield Entry(path, 0o644, text)
    # Last: a hook without its code would keep every domain from starting.
    for path in HOOKS:
        yield Entry(path, 0o755, HOOK)


def _above(file: str) -> Iterator[str]:
    """The directories of ours that a file of the library is in."""
    path = os.path.dirname(file)
    while path.startswith(_ABOVE):
        yield path
        path = os.path.dirname(path)


def _source(module: ModuleType) -> str:
    """The text of a module, which need not be a file: Ansible runs it out of an archive."""
    loader: Any = module.__loader__
    return str(loader.get_source(module.__name__))


def missing(root: str) -> list[Entry]:
    """What is not as it is to be, below a root directory."""
    return files.missing(root, wanted())


def left(root: str) -> list[str]:
    """What a removal takes away: files, library, and the directories in which nothing else is."""
    found = [path for path in (*HOOKS, *FILES, LIBRARY) if os.path.lexists(root + path)]
    for path in (_ABOVE, *reversed(DIRECTORIES)):
        try:
            inside = {f"{path}/{name}" for name in os.listdir(root + path)}
        except (FileNotFoundError, NotADirectoryError):
            continue
        if inside <= set(found):
            found.append(path)
    return found


def remove(root: str, path: str) -> None:
    """Take away a file, the library, or an empty directory.

    Raises:
        HostError: It cannot be removed.
    """
    try:
        if path == LIBRARY:
            shutil.rmtree(root + path)
        elif path == _ABOVE or path in DIRECTORIES:
            os.rmdir(root + path)
        else:
            os.unlink(root + path)
    except OSError as error:
        raise errors.HostError(f"{root}{path} cannot be removed: {error}") from None

# SPDX-License-Identifier: Apache-2.0
"""What a node has besides packages: the platform's directories, libvirt's hook, and what udev and
needrestart are to know of instances.

libvirt knows no VLANs on Linux bridges. The hook gives the ports of a domain that starts what the
domain's definition asks for, whoever starts it. Its code is the package's.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

from pextra.host import files
from pextra.host.files import Entry
from pextra.host.network import hook
from pextra.host.network.policy import NAMESPACE
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
"""Where the hook of version 0.1 had copies of its code."""
_ABOVE = "/usr/lib/pextra-ce"
"""Packages have things of their own in it."""
HOOKS = ("/etc/libvirt/hooks/qemu.d/50-pextra-ce", "/etc/libvirt/hooks/lxc.d/50-pextra-ce")
_HOOK_DIRECTORIES = tuple(os.path.dirname(path) for path in HOOKS)
"""No package has them."""
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
HOOK = f'''\
#!/usr/bin/python3 -I
# Made by pextra.ce.node_files, which overwrites changes.
"""Closes the bridge ports of a domain that starts, as its definition asks.

It has nothing to do with domains that are not the platform's. Where the package python3-pextra is
missing or damaged, it keeps from starting only what would be less closed than it asks to be.
"""

import sys

if sys.argv[2:4] != ["start", "begin"]:
    sys.exit(0)
definition = sys.stdin.read()
if "{NAMESPACE}" not in definition:
    sys.exit(0)
try:
    from {hook.__name__} import main
except Exception as error:
    import xml.etree.ElementTree as ET

    port = "{{{NAMESPACE}}}instance/{{{NAMESPACE}}}port"
    if ET.fromstring(definition).find(f"metadata/{{port}}") is None:
        sys.exit(0)
    sys.exit(
        f"pextra-ce: the ports of {{sys.argv[1]}} cannot be closed: {{error}}."
        " Install the package python3-pextra"
    )
sys.exit(main(sys.argv[1], definition))
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
    for path in HOOKS:
        yield Entry(path, 0o755, HOOK)


def missing(root: str) -> list[Entry]:
    """What is not as it is to be, below a root directory."""
    return files.missing(root, wanted())


def outdated(root: str) -> list[str]:
    """What earlier versions made and nothing uses; once all that is missing is made."""
    if not os.path.lexists(root + LIBRARY):
        return []
    alone = os.listdir(root + _ABOVE) == [os.path.basename(LIBRARY)]
    return [LIBRARY, _ABOVE] if alone else [LIBRARY]


def left(root: str) -> list[str]:
    """What a removal takes away: files, and the directories in which nothing else is."""
    found = [path for path in (*HOOKS, *FILES, LIBRARY) if os.path.lexists(root + path)]
    for path in (_ABOVE, *_HOOK_DIRECTORIES, *reversed(DIRECTORIES)):
        try:
            inside = {f"{path}/{name}" for name in os.listdir(root + path)}
        except (FileNotFoundError, NotADirectoryError):
            continue
        if inside <= set(found):
            found.append(path)
    return found


def remove(root: str, path: str) -> None:
    """Take away a file, what is outdated, or an empty directory.

    Raises:
        HostError: It cannot be removed.
    """
    try:
        if path == LIBRARY:
            shutil.rmtree(root + path)
        elif path in (_ABOVE, *_HOOK_DIRECTORIES, *DIRECTORIES):
            os.rmdir(root + path)
        else:
            os.unlink(root + path)
    except OSError as error:
        raise errors.HostError(f"{root}{path} cannot be removed: {error}") from None

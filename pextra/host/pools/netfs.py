# SPDX-License-Identifier: Apache-2.0
"""Storage pools of type ``netfs``: image files on an NFS or CIFS server that libvirt mounts.

A server that is gone must not hang a node: NFS is mounted soft, so that what waits for it fails
after about half a minute, and nothing here looks at the mount but in a process that can be left
behind. libvirt has no credentials for CIFS; mount.cifs(8) reads them from a file of root's.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence

from pextra.host.pools import commands, mounts
from pextra.host.pools.backend import Pool, Usage
from pextra.host.pools.files import FilePool
from pextra.model.errors import ConflictError

NAMESPACE = "http://libvirt.org/schemas/storagepool/fs/1.0"
_PORTS = {"nfs": 2049, "cifs": 445}
_MOUNT_OPTIONS = {
    "nfs": ("soft", "timeo=50", "retrans=2", "retry=0"),
    "cifs": (
        "soft", "echo_interval=10", "file_mode=0600", "dir_mode=0711", "nosharesock", "nobrl",
    ),
}  # fmt: skip
"""nfs(5): 5 seconds, then 10, then 15, then an error. mount.cifs(8): dead after two echoes. A CIFS
server enforces the locks with which QEMU only tells others that it has an image open, so that its
own writes would fail: nobrl keeps them on the node."""

ET.register_namespace("fs", NAMESPACE)


class NetfsPool(FilePool):
    """A mounted export or share."""

    type: str = "netfs"

    def describe(self, pool: Pool, uuid: str) -> ET.Element:
        """libvirt's definition, https://libvirt.org/storage.html#network-filesystem-pool."""
        options = pool.options
        root = ET.Element("pool", type="netfs")
        ET.SubElement(root, "name").text = pool.name
        ET.SubElement(root, "uuid").text = uuid
        source = ET.SubElement(root, "source")
        ET.SubElement(source, "host", name=options["server"])
        ET.SubElement(source, "dir", path=options["export"])
        ET.SubElement(source, "format", type=options["protocol"])
        ET.SubElement(ET.SubElement(root, "target"), "path").text = options["path"]
        extra = ET.SubElement(root, f"{{{NAMESPACE}}}mount_opts")
        for text in self._mount_options(pool):
            ET.SubElement(extra, f"{{{NAMESPACE}}}option", name=text)
        return root

    def _mount_options(self, pool: Pool) -> list[str]:
        protocol, version = pool.options["protocol"], pool.options.get("version")
        found = list(_MOUNT_OPTIONS[protocol])
        if version:
            found.append(f"vers={version}")
        if protocol == "cifs":
            found.append(f"credentials={self._credentials(pool)}")
            with contextlib.suppress(KeyError):
                qemu = pwd.getpwnam("libvirt-qemu")
                found += [f"uid={qemu.pw_uid}", f"gid={qemu.pw_gid}"]
        return found

    def _credentials(self, pool: Pool) -> str:
        return f"{pool.directory}/{pool.id}.cifs"

    def _credentials_text(self, pool: Pool) -> str:
        lines = {
            "username": pool.options["username"],
            "password": pool.secrets["password"],
            "domain": pool.options.get("domain"),
        }
        return "".join(f"{key}={value}\n" for key, value in lines.items() if value)

    def test(self, pool: Pool) -> None:
        """See that the server takes connections, and that the target path is free.

        Raises:
            ConflictError: Something else is mounted or lies at the target path.
            HostError: The server does not answer.
        """
        options, path = pool.options, pool.options["path"]
        table = mounts.table()
        found = table.get(path)
        if found is not None and not self._is_ours(pool, found):
            raise ConflictError(
                f"its target path {path} is taken: {found.source} is mounted there",
                hint="Unmount that, or give the pool another path",
            )
        below = sorted(other for other in table if other.startswith(f"{path}/"))
        if below:
            raise ConflictError(
                f"its target path {path} is taken: {table[below[0]].source} is mounted at"
                f" {below[0]}",
                hint="Unmount that, or give the pool another path",
            )
        if found is None:
            self._check_empty(path)
        commands.reach(options["server"], _PORTS[options["protocol"]], "server")

    def _check_empty(self, path: str) -> None:
        try:
            hidden = sorted(os.listdir(path))
        except FileNotFoundError:
            return
        except OSError as error:
            raise ConflictError(f"its target path {path}: {error.strerror}") from None
        if hidden:
            raise ConflictError(
                f"its target path {path} is not empty ({hidden[0]}); mounting would hide that",
                hint="Move it away, or give the pool another path",
            )

    def _is_ours(self, pool: Pool, mount: mounts.Mount) -> bool:
        return _canonical(mount.source) == _canonical(self._source(pool))

    def _source(self, pool: Pool) -> str:
        server, export = pool.options["server"], pool.options["export"]
        if pool.options["protocol"] == "cifs":
            return f"//{server}/{export}"
        return f"[{server}]:{export}" if ":" in server else f"{server}:{export}"

    def prepare(self, pool: Pool) -> None:
        """Make the mount point, and write the credentials' file."""
        if mounts.at(pool.options["path"]) is None:
            super().prepare(pool)
        if pool.secrets:
            commands.write_private(self._credentials(pool), self._credentials_text(pool))

    def prepared(self, pool: Pool) -> bool:
        """Whether the credentials' file is the pool's."""
        if not pool.secrets:
            return True
        return commands.read_private(self._credentials(pool)) == self._credentials_text(pool)

    def clear(self, pool: Pool) -> None:
        """Remove the mount point and the credentials' file."""
        if mounts.wait_gone(pool.options["path"]):
            super().clear(pool)
        with contextlib.suppress(OSError):
            os.unlink(self._credentials(pool))

    def troubles(self, pools: Sequence[Pool]) -> Mapping[str, str]:
        """Those that are not mounted, have something else mounted, or do not answer."""
        table, found = mounts.table(), dict[str, str]()
        asked = {}
        for pool in pools:
            mount = table.get(pool.options["path"])
            if mount is None:
                found[pool.id] = f"nothing is mounted at {pool.options['path']}"
            elif not self._is_ours(pool, mount):
                found[pool.id] = f"{mount.source} is mounted at {pool.options['path']}"
            else:
                asked[mount.path] = pool.id
        for path, reason in mounts.silent(sorted(asked)).items():
            found[asked[path]] = f"{table[path].source}: {reason}"
        return found

    def usage(self, pool: Pool) -> Usage | None:
        """What the server says of the file system; None where it does not answer."""
        path = pool.options["path"]
        mounted = mounts.at(path)
        if mounted is None or not self._is_ours(pool, mounted) or mounts.silent([path]):
            return None
        return super().usage(pool)


def _canonical(source: str) -> str:
    """A source as the kernel may also write it."""
    return re.sub(r"/+$", "", source.lower().replace("[", "").replace("]", ""))

# SPDX-License-Identifier: Apache-2.0
"""Root file systems of containers, unpacked from archives, whole or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess

from pextra.model.errors import HostError, InputError

_UNFINISHED = ".unfinished"
_ZSTD, _GZIP = b"\x28\xb5\x2f\xfd", b"\x1f\x8b"


def unfinished(path: str) -> str:
    """Where an archive is unpacked before the root file system gets its name."""
    return path + _UNFINISHED


def check_archive(path: str) -> None:
    """Refuse what is no archive of a known format.

    Raises:
        InputError: It is missing, no regular file, or neither tar, tar.gz nor tar.zst.
    """
    try:
        if not os.path.isfile(path):
            raise InputError(f"rootfs_archive {path} does not exist on this node")
        with open(path, "rb") as file:
            head = file.read(512)
    except OSError as error:
        raise InputError(f"rootfs_archive {path} cannot be read: {error.strerror}") from None
    if head[257:262] != b"ustar" and not head.startswith((_ZSTD, _GZIP)):
        raise InputError(
            f"rootfs_archive {path} is no tar archive",
            hint="Give a tar, tar.gz or tar.zst of a root file system",
        )


def unpack(archive: str, target: str) -> None:
    """Unpack an archive to a directory that appears complete or not at all.

    Owners, modes, capabilities and access control lists stay as they are in the archive. GNU tar
    takes the slash off absolute names, fails on names with ``..``, and makes symbolic links that
    lead outside only after everything else, so that nothing is written through them. What is in
    ``/dev`` is left out, and so are device nodes anywhere else: a container has a ``/dev`` of its
    own, and none but root passes through the directory above.

    Raises:
        HostError: tar failed, or there is no ``/sbin/init`` in it; what was begun is removed.
    """
    part = unfinished(target)
    try:
        os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
        shutil.rmtree(part, ignore_errors=True)
        os.mkdir(part, mode=0o755)
        _run(
            "tar", "--extract", f"--file={archive}", f"--directory={part}", "--numeric-owner",
            "--same-owner", "--preserve-permissions", "--xattrs", "--xattrs-include=*", "--acls",
            "--anchored", "--exclude=./dev/*", "--exclude=dev/*",
        )  # fmt: skip
        _run("find", part, "-xdev", "(", "-type", "b", "-o", "-type", "c", ")", "-delete")
        if not os.path.lexists(f"{part}/sbin/init"):
            raise HostError(
                f"{archive} holds no root file system: there is no /sbin/init in it",
                hint="Install an init system into it, such as systemd-sysv or busybox",
            )
        os.replace(part, target)
    except OSError as error:
        raise HostError(
            f"{archive} could not be unpacked: {error.strerror}",
            hint="Free space on that file system" if error.errno == 28 else None,
        ) from None
    finally:
        with contextlib.suppress(OSError):
            shutil.rmtree(part)


def _run(*argv: str) -> None:
    done = subprocess.run(
        argv, capture_output=True, text=True, errors="replace", check=False,
        env={**os.environ, "LC_ALL": "C"},
    )  # fmt: skip
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if "Removing leading" not in line]
        text = " ".join(" ".join(lines[:3]).split())[:300]
        full = "No space left" in done.stderr or "Wrote only" in done.stderr
        raise HostError(
            f"{argv[0]} failed with status {done.returncode}: {text}",
            hint="Free space on that file system" if full else None,
        )

# SPDX-License-Identifier: Apache-2.0
"""The node's root file system: Debian's packages first, then ours, by diskimage-builder."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from pathlib import Path

from pextra_image import pool
from pextra_image.lock import Lock
from pextra_image.run import ImageError, Programs
from pextra_image.steps import Screen

ELEMENTS = ("pextra-base", "pextra-node", "pextra-live", "pextra-clean", "pextra-squashfs")
BASE_FORMAT = "1"
"""To be raised when the base is made in another way: the one in the cache is then made anew."""

COMPRESSION_LEVEL = "9"
"""Of zstd. 15 makes the medium some 4 % smaller, and takes three times as long."""

# PostgreSQL makes a database cluster when it is installed: with an identifier of its own, the
# same on all nodes, and not the one that a node uses.
NO_CLUSTER = (
    'mkdir -p "$1/etc/postgresql-common/createcluster.d" && '
    'echo "create_main_cluster = false" >"$1/etc/postgresql-common/createcluster.d/image.conf"'
)


def check_name() -> None:
    """Look whether this machine's name resolves.

    diskimage-builder takes what sudo complains of otherwise for a part of what it reads.

    :raises ImageError: it does not.
    """
    name = socket.gethostname()
    try:
        socket.getaddrinfo(name, None)
    except OSError:
        raise ImageError(
            f"This machine's own name, {name}, does not resolve, which sudo stumbles over."
            f" Add a line to /etc/hosts: 127.0.1.1 {name}"
        ) from None


def make_base(programs: Programs, screen: Screen, lock: Lock, debs: Path, folder: Path) -> None:
    """Install exactly the locked packages; base.tar has the same bytes each time."""
    served = folder / "repository"
    pool.serve(programs, lock, debs, served)
    names = ",".join(package.name for package in lock.packages)
    argv: list[str | Path] = ["mmdebstrap", "--mode=root", "--variant=essential", "--format=tar"]
    argv += [f"--architectures={lock.architecture}", f"--include={names}"]
    argv += ['--aptopt=APT::Install-Recommends "false"', f"--essential-hook={NO_CLUSTER}"]
    argv += ['--customize-hook=rm -r "$1/etc/postgresql-common/createcluster.d"']
    argv += ["bookworm", folder / "base.tar", f"deb [trusted=yes] copy:{served} ./"]
    programs.run(argv, env={"SOURCE_DATE_EPOCH": str(lock.epoch)}, line=screen.show)
    shutil.rmtree(served)


def make_root(
    programs: Programs,
    screen: Screen,
    base: Path,
    debs: list[Path],
    elements: Path,
    epoch: int,
    folder: Path,
) -> None:
    """Put our packages and files into the base with the elements, and compress it.

    The folder then has filesystem.squashfs, and what boots it: vmlinuz, initrd.img, dpkg-status
    (what is installed), and boot/grub and boot/shim (the boot loaders).

    :param elements: the folder of our elements.
    """
    work = folder / "work"
    own = work / "debs"
    own.mkdir(parents=True)
    for deb in debs:
        os.link(deb, own / deb.name)
    binaries = Path(sys.executable).parent
    env = {
        "ELEMENTS_PATH": str(elements),
        "PATH": f"{binaries}:{os.environ.get('PATH', '/usr/bin:/bin')}:/usr/sbin:/sbin",
        "PEXTRA_BASE": str(base),
        "PEXTRA_COMPRESSION_LEVEL": COMPRESSION_LEVEL,
        "PEXTRA_DEBS": str(own),
        "PEXTRA_RESULT": str(folder),
        "SOURCE_DATE_EPOCH": str(epoch),
        "TMP_DIR": str(work),
        "TMPDIR": str(work),
    }
    argv: list[str | Path] = [binaries / "disk-image-create", "-n", "-t", "tar", "--no-tmpfs"]
    argv += ["--image-size", "1"]  # GiB, of the disk image that stays empty
    programs.run([*argv, "-o", work / "unused", *ELEMENTS], env=env, line=screen.show)
    shutil.rmtree(work)

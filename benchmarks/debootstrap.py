# SPDX-License-Identifier: Apache-2.0
"""Install a node's packages as an administrator does by hand: debootstrap, then apt.

Usage: debootstrap.py TARGET MIRROR [DISK]

With a disk it gets the partitions, file systems and boot loader that `pextra.ce.install` makes;
without one only the folder is filled. It is run by a node's own Python: nothing but the standard
library.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ENVIRONMENT = {
    **os.environ,
    "DEBIAN_FRONTEND": "noninteractive",
    "LC_ALL": "C.UTF-8",
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
}
TABLE = """\
label: gpt
start=4096, size=1GiB, type=uefi
start=2101248, type=linux
start=2048, size=2048, type=21686148-6449-6E6F-744E-656564454649
"""


def run(*argv: str | Path, text: str | None = None) -> None:
    """Run a program that succeeds."""
    subprocess.run([str(word) for word in argv], check=True, input=text, text=True, env=ENVIRONMENT)


@contextlib.contextmanager
def mounted(target: Path, *argv: str | Path) -> Iterator[None]:
    """Have something mounted."""
    target.mkdir(parents=True, exist_ok=True)
    run("mount", *argv, target)
    try:
        yield
    finally:
        run("umount", "--recursive", target)


def main() -> None:
    """Install."""
    target, mirror, disk = Path(sys.argv[1]), Path(sys.argv[2]), "".join(sys.argv[3:])
    with contextlib.ExitStack() as stack:
        if disk:
            run("sfdisk", "--wipe", "always", "--wipe-partitions", "always", "--quiet", disk,
                text=TABLE)  # fmt: skip
            run("mkfs.vfat", "-F", "32", f"{disk}1")
            run("mkfs.ext4", "-q", "-F", f"{disk}2")
            stack.enter_context(mounted(target, "--make-private", f"{disk}2"))
        fill(target, mirror, disk)
        run("sync", "--file-system", target)


def fill(target: Path, mirror: Path, disk: str) -> None:
    """Install the packages, and the boot loader where there is a disk."""
    run("debootstrap", "--variant=minbase", "--no-check-gpg", "bookworm", target, f"file:{mirror}")
    no_services = target / "usr/sbin/policy-rc.d"
    no_services.write_text("#!/bin/sh\nexit 101\n")
    no_services.chmod(0o755)
    (target / "etc/apt/sources.list").write_text("deb [trusted=yes] file:/mnt/mirror bookworm main")
    with contextlib.ExitStack() as stack:
        for name in ("dev", "proc", "sys"):
            stack.enter_context(mounted(target / name, "--rbind", "--make-rslave", f"/{name}"))
        stack.enter_context(mounted(target / "mnt/mirror", "--bind", mirror))
        if disk:
            stack.enter_context(mounted(target / "boot/efi", f"{disk}1"))
        run("chroot", target, "apt-get", "-qq", "update")
        argv = ("chroot", target, "apt-get", "-qq", "--yes", "--no-install-recommends", "install")
        run(*argv, *packages(mirror))
        if disk:
            run("chroot", target, "grub-install", "--target=i386-pc", "--recheck",
                "--modules=part_gpt ext2 search_fs_uuid", disk)  # fmt: skip
            run("chroot", target, "grub-mkconfig", "-o", "/boot/grub/grub.cfg")
    no_services.unlink()


def packages(mirror: Path) -> list[str]:
    """The names of all packages of the mirror."""
    index = mirror / "dists/bookworm/main/binary-amd64/Packages"
    lines = index.read_text(encoding="utf-8").splitlines()
    return [line.removeprefix("Package: ") for line in lines if line.startswith("Package: ")]


if __name__ == "__main__":
    main()
